package replay

import (
	"slices"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// needs says whether x cannot have been answered as it was unless y had been asked, which was asked before that but answered
// later.
func (p *player) needs(x, y *exchange) bool {
	switch then := y.recorded.(type) {
	case *wire.ProduceResponse:
		return isShown(then, p.names.ends(x.recorded))
	case *wire.CreateTopicsResponse:
		return namesOneOf(x.recorded, then)
	case *wire.JoinGroupResponse:
		return x.rebalancing() || x.joined() == then.GenerationID
	case *wire.LeaveGroupResponse:
		return x.rebalancing() || x.joined() > 0
	case *wire.SyncGroupResponse:
		return x.synced() > 0 && x.synced() == y.synced()
	}
	return false
}

// isShown says whether some of what was produced lies before the ends.
func isShown(r *wire.ProduceResponse, ends map[place]int64) bool {
	for _, t := range r.Responses {
		for _, p := range t.PartitionResponses {
			if end, ok := ends[place{t.Name, p.Index}]; ok && p.BaseOffset < end {
				return true
			}
		}
	}
	return false
}

// namesOneOf says whether an answer tells of a topic that was being created.
func namesOneOf(m wire.Message, created *wire.CreateTopicsResponse) bool {
	r, ok := m.(*wire.MetadataResponse)
	return ok && slices.ContainsFunc(r.Topics, func(t wire.MetadataResponseTopic) bool {
		return t.ErrorCode == 0 && slices.ContainsFunc(created.Topics, func(c wire.CreateTopicsResponseCreatableTopicResult) bool { return t.Name != nil && *t.Name == c.Name })
	})
}

// joined is the generation that a request joined; 0 for any other, and one that did not join.
func (x *exchange) joined() int32 {
	if r, ok := x.recorded.(*wire.JoinGroupResponse); ok && r.ErrorCode == 0 {
		return r.GenerationID
	}
	return 0
}

// synced is the generation that a SyncGroup request is about; 0 for any other.
func (x *exchange) synced() int32 {
	if _, body, err := x.request.Decode(); err == nil {
		if q, ok := body.(*wire.SyncGroupRequest); ok {
			return q.GenerationID
		}
	}
	return 0
}

// rebalancing says whether the answer was that somebody joins or leaves the group.
func (x *exchange) rebalancing() bool { return groupError(x.recorded) == kerr.RebalanceInProgress }

// again says whether an answer was to tell that others join or leave, and does not yet.
func (x *exchange) again() bool {
	switch x.live.(type) {
	case *wire.HeartbeatResponse, *wire.OffsetCommitResponse, *wire.SyncGroupResponse:
		return x.rebalancing() && groupError(x.live) != kerr.RebalanceInProgress
	}
	return false
}

// groupError is what an answer says about the group, if it says something about it in one of these APIs.
func groupError(m wire.Message) kerr.Code {
	switch r := m.(type) {
	case *wire.HeartbeatResponse:
		return kerr.Code(r.ErrorCode)
	case *wire.SyncGroupResponse:
		return kerr.Code(r.ErrorCode)
	case *wire.OffsetCommitResponse:
		for _, t := range r.Topics {
			for _, p := range t.Partitions {
				return kerr.Code(p.ErrorCode)
			}
		}
	}
	return kerr.None
}
