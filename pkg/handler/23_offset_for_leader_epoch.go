package handler

import (
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// OffsetForLeaderEpoch: key 23, versions 0 to 4.
//
//   - v0: where the records of a leader epoch end (KIP-101).
//   - v1: the epoch that the end is of, in the response (KIP-279).
//   - v2: the leader epoch that the client believes in (KIP-320); throttle time (KIP-124).
//   - v3: the id of the replica that asks, -1 for consumers. Nothing depends on it.
//   - v4: flexible (KIP-482).
//
// All records are of epoch 0: it ends at the high watermark. Of any other epoch the answer is Kafka's for one that it does
// not know: epoch and offset -1, without error.

func (h *Handler) offsetForLeaderEpoch(_ *Call, q *wire.OffsetForLeaderEpochRequest, r *wire.OffsetForLeaderEpochResponse) error {
	for i := range q.Topics {
		in := &q.Topics[i]
		out := kbin.Add(&r.Topics)
		out.Topic = in.Topic
		t, found := h.engine.Topic(in.Topic)
		for j := range in.Partitions {
			o := kbin.Add(&out.Partitions)
			o.Partition = in.Partitions[j].Partition
			code := kerr.UnknownTopicOrPartition
			if found {
				code = h.epochEnd(t.ID, &in.Partitions[j], o)
			}
			o.ErrorCode = int16(code)
		}
	}
	return nil
}

func (h *Handler) epochEnd(id kbin.UUID, p *wire.OffsetForLeaderEpochRequestOffsetForLeaderPartition, o *wire.OffsetForLeaderEpochResponseEpochEndOffset) kerr.Code {
	log, err := h.engine.Offsets(id, p.Partition)
	if err != nil {
		return kerr.Of(err)
	}
	if code := checkEpoch(p.CurrentLeaderEpoch); code != kerr.None {
		return code
	}
	if p.LeaderEpoch == leaderEpoch {
		o.LeaderEpoch, o.EndOffset = leaderEpoch, log.HighWatermark
	}
	return kerr.None
}
