package handler

import (
	"fmt"

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
// Of a group, a topic or a partition that nothing is known of, the offset is -1, and that is no error.

func (h *Handler) offsetFetch(c *Call, q *wire.OffsetFetchRequest, r *wire.OffsetFetchResponse) error {
	if n := countFetched(q); n > h.options.RequestPartitionMax {
		return fmt.Errorf("%d partitions in a request, %d are allowed", n, h.options.RequestPartitionMax)
	}
	if c.Version < 8 { // KIP-709
		h.fetchOfOneGroup(q, r)
		return nil
	}
	for i := range q.Groups {
		h.fetchOfGroup(&q.Groups[i], kbin.Add(&r.Groups))
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

// fetchOfGroup answers for one group of those of v8 and newer.
func (h *Handler) fetchOfGroup(q *wire.OffsetFetchRequestGroup, r *wire.OffsetFetchResponseGroup) {
	r.GroupID = q.GroupID
	add := func(name string) func(int32, state.Offset) {
		t := kbin.Add(&r.Topics)
		t.Name = name
		return func(partition int32, o state.Offset) {
			p := kbin.Add(&t.Partitions)
			p.PartitionIndex, p.CommittedOffset, p.CommittedLeaderEpoch, p.Metadata = partition, o.Offset, o.LeaderEpoch, &o.Metadata
		}
	}
	if q.Topics == nil {
		h.tellAll(q.GroupID, add)
		return
	}
	for i := range q.Topics {
		h.tell(q.GroupID, q.Topics[i].Name, q.Topics[i].PartitionIndexes, add)
	}
}

// fetchOfOneGroup answers for the one group of v7 and older.
func (h *Handler) fetchOfOneGroup(q *wire.OffsetFetchRequest, r *wire.OffsetFetchResponse) {
	add := func(name string) func(int32, state.Offset) {
		t := kbin.Add(&r.Topics)
		t.Name = name
		return func(partition int32, o state.Offset) {
			p := kbin.Add(&t.Partitions)
			p.PartitionIndex, p.CommittedOffset, p.CommittedLeaderEpoch, p.Metadata = partition, o.Offset, o.LeaderEpoch, &o.Metadata
		}
	}
	if q.Topics == nil {
		h.tellAll(q.GroupID, add)
		return
	}
	for i := range q.Topics {
		h.tell(q.GroupID, q.Topics[i].Name, q.Topics[i].PartitionIndexes, add)
	}
}

// tell adds what a group committed for partitions of a topic.
func (h *Handler) tell(groupID, name string, partitions []int32, add func(name string) func(int32, state.Offset)) {
	t, _ := h.engine.Topic(name) // of one that does not exist nothing is committed
	asked := make([]state.TopicPartition, len(partitions))
	for i, p := range partitions {
		asked[i] = state.TopicPartition{Topic: t.ID, Partition: p}
	}
	tell := add(name)
	for i, o := range h.groups.Committed(groupID, asked) {
		tell(partitions[i], o)
	}
}

// tellAll adds all that a group committed.
func (h *Handler) tellAll(groupID string, add func(name string) func(int32, state.Offset)) {
	for _, t := range h.groups.AllCommitted(groupID) {
		tell := add(t.Name)
		for _, o := range t.Offsets {
			tell(o.Partition, o.Offset)
		}
	}
}
