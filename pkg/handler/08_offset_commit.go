package handler

import (
	"time"

	"github.com/heraclitus/heraclitus/pkg/engine"
	"github.com/heraclitus/heraclitus/pkg/group"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// OffsetCommit: key 8, versions 0 to 9.
//
//   - v0: offsets, which once went to ZooKeeper. Kafka does not take them any more; here they are kept as those of v1.
//   - v1: the member and its generation, and the time of each offset.
//   - v2: how long the offsets are to be kept, instead of their times.
//   - v3: throttle time (KIP-124).
//   - v4: clients expect throttling after the response (KIP-219).
//   - v5: offsets are kept for as long as their group needs them (KIP-211).
//   - v6: leader epoch of the record before (KIP-320).
//   - v7: static members (KIP-345).
//   - v8: flexible (KIP-482).
//   - v9: the epoch of members of the newer protocol (KIP-848), which is not served; GROUP_ID_NOT_FOUND is said of a group
//     that does not exist, and no longer ILLEGAL_GENERATION.
//   - Not served: v10, topics by id (KIP-848).
//
// Partitions that do not exist are refused one by one, the others together: the group says whether the member may commit.

// committing is the offsets of one request on their way to their group.
type committing struct {
	handler *Handler
	offsets []state.PartitionOffset
	outs    []*int16 // where the outcome of each goes
	nowMs   int64
}

func (h *Handler) offsetCommit(call *Call, q *wire.OffsetCommitRequest, r *wire.OffsetCommitResponse) error {
	count := 0
	for i := range q.Topics {
		count += len(q.Topics[i].Partitions)
	}
	if err := h.checkCount(count, "partitions"); err != nil {
		return err
	}
	for i := range q.Topics {
		out := kbin.Add(&r.Topics)
		out.Name = q.Topics[i].Name
		for j := range q.Topics[i].Partitions {
			kbin.Add(&out.Partitions).PartitionIndex = q.Topics[i].Partitions[j].PartitionIndex
		}
	}
	c := committing{handler: h, nowMs: time.Now().UnixMilli()}
	for i := range q.Topics {
		c.takeTopic(q, i, &r.Topics[i])
	}
	who := group.Identity{MemberID: q.MemberID, InstanceID: optional(q.GroupInstanceID)}
	codes := h.groups.Commit(&group.CommitRequest{GroupID: q.GroupID, Who: who, Generation: q.GenerationIDOrMemberEpoch, Offsets: c.offsets})
	knowsNotFound := call.Version >= 9 // KIP-848
	for i, code := range codes {
		if code == kerr.GroupIDNotFound && !knowsNotFound {
			code = kerr.IllegalGeneration
		}
		*c.outs[i] = int16(code)
	}
	return nil
}

// takeTopic notes what is to be committed of a topic, and refuses what cannot be.
func (c *committing) takeTopic(q *wire.OffsetCommitRequest, i int, out *wire.OffsetCommitResponseTopic) {
	t, ok := c.handler.engine.Topic(q.Topics[i].Name)
	for j := range q.Topics[i].Partitions {
		p, code := &q.Topics[i].Partitions[j], &out.Partitions[j].ErrorCode
		if !ok || !has(&t, p.PartitionIndex) {
			*code = int16(kerr.UnknownTopicOrPartition)
			continue
		}
		c.offsets = append(c.offsets, state.PartitionOffset{Topic: t.ID, Partition: p.PartitionIndex, Offset: c.offset(q, p)})
		c.outs = append(c.outs, code)
	}
}

func (c *committing) offset(q *wire.OffsetCommitRequest, p *wire.OffsetCommitRequestPartition) state.Offset {
	o := state.Offset{
		Offset: p.CommittedOffset, LeaderEpoch: p.CommittedLeaderEpoch, Metadata: optional(p.CommittedMetadata), CommitMs: c.nowMs, ExpireMs: -1,
	}
	if p.CommitTimestamp >= 0 {
		o.CommitMs = p.CommitTimestamp
	}
	if q.RetentionTimeMs >= 0 {
		o.ExpireMs = c.nowMs + min(q.RetentionTimeMs, retentionMsMax)
	}
	return o
}

// retentionMsMax is a hundred years: whoever asks for longer means for ever.
const retentionMsMax = 100 * 365 * 24 * 3600 * 1000

// has says whether a topic has a partition.
func has(t *engine.Topic, partition int32) bool { return partition >= 0 && partition < t.Partitions }

// optional is what a nullable string says, empty when it is null.
func optional(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// nullable is null for a string that is empty because there is none.
func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
