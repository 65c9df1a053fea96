package handler

import (
	"github.com/heraclitus/heraclitus/pkg/group"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// OffsetFetch: key 9, versions 0 to 9.
//
//   - v0: offsets, which once came from ZooKeeper. Kafka does not answer any more; here it is answered as v1.
//   - v1: what members committed.
//   - v2: null means all topics, and an error of the whole response (KIP-88).
//   - v3: throttle time (KIP-124).
//   - v4: clients expect throttling after the response (KIP-219).
//   - v5: leader epoch of the record before (KIP-320).
//   - v6: flexible (KIP-482).
//   - v7: offsets that a transaction may yet change are not to be told (KIP-447). There are none.
//   - v8: several groups (KIP-709).
//   - v9: the epoch of members of the newer protocol (KIP-848), which is not served.
//   - Not served: v10, topics by id (KIP-848).
//
// For a group, a topic or a partition of which nothing is known the offset is -1, and that is not an error.

func (h *Handler) offsetFetch(c *Call, q *wire.OffsetFetchRequest, r *wire.OffsetFetchResponse) error {
	if err := h.checkCount(len(q.Groups), "groups"); err != nil {
		return err
	}
	if err := h.checkCount(countFetched(q), "partitions"); err != nil {
		return err
	}
	if c.Version < 8 { // KIP-709
		return h.fetchOfOneGroup(q, r)
	}
	told := 0
	for i := range q.Groups {
		if told += h.fetchOfGroup(&q.Groups[i], kbin.Add(&r.Groups)); told > groupsBytesMax {
			return errGroupsTooLarge
		}
	}
	return nil
}

func countFetched(q *wire.OffsetFetchRequest) int {
	n := 0
	for i := range q.Topics {
		n += len(q.Topics[i].PartitionIndexes)
	}
	for i := range q.Groups {
		for j := range q.Groups[i].Topics {
			n += len(q.Groups[i].Topics[j].PartitionIndexes)
		}
	}
	return n
}

// fetchOfOneGroup answers v7 and older, as v8 for the one group that they name.
func (h *Handler) fetchOfOneGroup(q *wire.OffsetFetchRequest, r *wire.OffsetFetchResponse) error {
	asked, found := wire.OffsetFetchRequestGroup{GroupID: q.GroupID}, wire.OffsetFetchResponseGroup{}
	if q.Topics != nil {
		asked.Topics = make([]wire.OffsetFetchRequestTopics, len(q.Topics))
	}
	for i := range q.Topics {
		asked.Topics[i].Name, asked.Topics[i].PartitionIndexes = q.Topics[i].Name, q.Topics[i].PartitionIndexes
	}
	if h.fetchOfGroup(&asked, &found) > groupsBytesMax {
		return errGroupsTooLarge
	}
	for i := range found.Topics {
		t := kbin.Add(&r.Topics)
		t.Name = found.Topics[i].Name
		for _, p := range found.Topics[i].Partitions {
			t.Partitions = append(t.Partitions, wire.OffsetFetchResponsePartition(p))
		}
	}
	return nil
}

// offsetBytes is about what an offset takes in an answer, without its metadata.
const offsetBytes = 24

// fetchOfGroup answers for one group, and says about how many bytes that takes.
func (h *Handler) fetchOfGroup(q *wire.OffsetFetchRequestGroup, r *wire.OffsetFetchResponseGroup) (bytes int) {
	r.GroupID = q.GroupID
	for _, found := range h.committed(q) {
		t := kbin.Add(&r.Topics)
		t.Name = found.Name
		for i := range found.Offsets {
			p, o := kbin.Add(&t.Partitions), &found.Offsets[i]
			p.PartitionIndex, p.CommittedOffset, p.CommittedLeaderEpoch, p.Metadata = o.Partition, o.Offset.Offset, o.LeaderEpoch, &o.Metadata
			bytes += offsetBytes + len(o.Metadata)
		}
	}
	return bytes
}

// committed is what a group committed for the partitions that are asked for, or, when no topics are, for all.
func (h *Handler) committed(q *wire.OffsetFetchRequestGroup) []group.CommittedTopic {
	if q.Topics == nil {
		return h.groups.AllCommitted(q.GroupID)
	}
	found := make([]group.CommittedTopic, len(q.Topics))
	for i := range q.Topics {
		found[i].Name = q.Topics[i].Name
		t, _ := h.engine.Topic(found[i].Name) // for one that does not exist nothing is committed
		asked := make([]state.TopicPartition, len(q.Topics[i].PartitionIndexes))
		for j, p := range q.Topics[i].PartitionIndexes {
			asked[j] = state.TopicPartition{Topic: t.ID, Partition: p}
		}
		found[i].Offsets = h.groups.Committed(q.GroupID, asked)
	}
	return found
}
