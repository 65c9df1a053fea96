package handler

import (
	"github.com/heraclitus/heraclitus/pkg/group"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// OffsetDelete: key 47, version 0 (KIP-496): committed offsets of topics that the group's members are not subscribed to.
// Groups of others than consumers must be without members.

func (h *Handler) offsetDelete(_ *Call, q *wire.OffsetDeleteRequest, r *wire.OffsetDeleteResponse) error {
	count := 0
	for i := range q.Topics {
		count += len(q.Topics[i].Partitions)
	}
	if err := h.checkCount(count, "partitions"); err != nil {
		return err
	}
	asked, unknown := h.namedPartitions(q)
	codes, code := h.groups.DeleteOffsets(q.GroupID, asked)
	if code != kerr.None {
		r.ErrorCode = int16(code)
		return nil
	}
	for i := range q.Topics {
		t := kbin.Add(&r.Topics)
		t.Name = q.Topics[i].Name
		for j := range q.Topics[i].Partitions {
			p := kbin.Add(&t.Partitions)
			p.PartitionIndex = q.Topics[i].Partitions[j].PartitionIndex
			if unknown[0] {
				p.ErrorCode = int16(kerr.UnknownTopicOrPartition)
			} else {
				p.ErrorCode = int16(codes[0])
				codes = codes[1:]
			}
			unknown = unknown[1:]
		}
	}
	return nil
}

// namedPartitions returns the partitions of a request that exist, and of each, in order, whether it does not.
func (h *Handler) namedPartitions(q *wire.OffsetDeleteRequest) (found []group.NamedPartition, unknown []bool) {
	for i := range q.Topics {
		t, ok := h.engine.Topic(q.Topics[i].Name)
		for _, p := range q.Topics[i].Partitions {
			exists := ok && has(&t, p.PartitionIndex)
			unknown = append(unknown, !exists)
			if exists {
				found = append(found, group.NamedPartition{Name: t.Name, TopicPartition: state.TopicPartition{Topic: t.ID, Partition: p.PartitionIndex}})
			}
		}
	}
	return found, unknown
}
