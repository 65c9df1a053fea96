package handler

import (
	"github.com/heraclitus/heraclitus/pkg/group"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// Heartbeat: key 12, versions 0 to 4.
//
//   - v0: a member is there.
//   - v1: throttle time (KIP-124).
//   - v2: clients expect throttling after the response (KIP-219).
//   - v3: static members (KIP-345).
//   - v4: flexible (KIP-482).

func (h *Handler) heartbeat(_ *Call, q *wire.HeartbeatRequest, r *wire.HeartbeatResponse) error {
	who := group.Identity{MemberID: q.MemberID, InstanceID: optional(q.GroupInstanceID)}
	r.ErrorCode = int16(h.groups.Heartbeat(q.GroupID, who, q.GenerationID))
	return nil
}
