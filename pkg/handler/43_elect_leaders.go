package handler

import (
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// ElectLeaders: key 43, versions 0 to 2 (KIP-183): other leaders for partitions. There is one node, which leads all of
// them: of each partition that is named the answer says that no election is needed, and of all of them, which null stands
// for, none is worth naming.
//
//   - v1: a kind of election, and an error code of the whole (KIP-460).
//   - v2: flexible (KIP-482).

// electionUnclean is the last kind of election there is, of any replica; the one before it is of the preferred replica.
const electionUnclean = 1

func (h *Handler) electLeaders(_ *Call, q *wire.ElectLeadersRequest, r *wire.ElectLeadersResponse) error {
	count := 0
	for i := range q.TopicPartitions {
		count += len(q.TopicPartitions[i].Partitions)
	}
	if err := h.checkCount(count, "partitions"); err != nil {
		return err
	}
	known := q.ElectionType >= 0 && q.ElectionType <= electionUnclean
	r.ErrorCode = int16(unless(known, kerr.InvalidRequest))
	if q.TopicPartitions == nil {
		for _, t := range h.engine.Topics() {
			kbin.Add(&r.ReplicaElectionResults).Topic = t.Name
		}
	}
	for i := range q.TopicPartitions {
		in := &q.TopicPartitions[i]
		t, found := h.engine.Topic(in.Topic)
		out := kbin.Add(&r.ReplicaElectionResults)
		out.Topic = in.Topic
		for _, partition := range in.Partitions {
			p := kbin.Add(&out.PartitionResult)
			err := notElected(known, found && has(&t, partition))
			p.PartitionID, p.ErrorCode, p.ErrorMessage = partition, int16(kerr.Of(err)), message(err)
		}
	}
	return nil
}

// notElected says why a partition gets no other leader.
func notElected(knownKind, there bool) error {
	switch {
	case !knownKind:
		return fmt.Errorf("there is no such kind of election: %w", kerr.InvalidRequest)
	case !there:
		return fmt.Errorf("there is no such partition: %w", kerr.UnknownTopicOrPartition)
	}
	return fmt.Errorf("the one node leads every partition: %w", kerr.ElectionNotNeeded)
}
