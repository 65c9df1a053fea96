package handler

import (
	"github.com/heraclitus/heraclitus/pkg/group"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// LeaveGroup: key 13, versions 0 to 5.
//
//   - v0: a member leaves.
//   - v1: throttle time (KIP-124).
//   - v2: clients expect throttling after the response (KIP-219).
//   - v3: several members, static ones by their instance ids if need be (KIP-345).
//   - v4: flexible (KIP-482).
//   - v5: why they leave (KIP-800).

func (h *Handler) leaveGroup(c *Call, q *wire.LeaveGroupRequest, r *wire.LeaveGroupResponse) error {
	if c.Version < 3 { // KIP-345
		codes, code := h.groups.Leave(q.GroupID, []group.Identity{{MemberID: q.MemberID}})
		if code == kerr.None {
			code = codes[0]
		}
		r.ErrorCode = int16(code)
		return nil
	}
	if err := h.checkCount(len(q.Members), "members"); err != nil {
		return err
	}
	leaving := make([]group.Identity, len(q.Members))
	for i := range q.Members {
		m := &q.Members[i]
		leaving[i] = group.Identity{MemberID: m.MemberID, InstanceID: optional(m.GroupInstanceID), Reason: optional(m.Reason)}
	}
	codes, code := h.groups.Leave(q.GroupID, leaving)
	r.ErrorCode = int16(code)
	for i := range codes {
		m := kbin.Add(&r.Members)
		m.MemberID, m.GroupInstanceID, m.ErrorCode = q.Members[i].MemberID, q.Members[i].GroupInstanceID, int16(codes[i])
	}
	return nil
}
