package handler

import (
	"github.com/heraclitus/heraclitus/pkg/group"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// SyncGroup: key 14, versions 0 to 5.
//
//   - v0: a member asks for its assignment; the leader brings everybody's.
//   - v1: throttle time (KIP-124).
//   - v2: clients expect throttling after the response (KIP-219).
//   - v3: static members (KIP-345).
//   - v4: flexible (KIP-482).
//   - v5: protocol type and protocol, both ways (KIP-559). The request has to name them.
//
// It is answered when the leader's assignment is durable; see package group.

func (h *Handler) syncGroup(c *Call, q *wire.SyncGroupRequest, r *wire.SyncGroupResponse) error {
	namesProtocol := c.Version >= 5 // KIP-559
	if namesProtocol && (q.ProtocolType == nil || q.ProtocolName == nil) {
		r.ErrorCode = int16(kerr.InconsistentGroupProtocol)
		return nil
	}
	sync := group.SyncRequest{
		GroupID: q.GroupID, MemberID: q.MemberID, InstanceID: optional(q.GroupInstanceID), Generation: q.GenerationID,
		ProtocolType: q.ProtocolType, Protocol: q.ProtocolName, Taken: c.ReleaseFrame,
	}
	for i := range q.Assignments {
		sync.Assignments = append(sync.Assignments, group.Assignment{MemberID: q.Assignments[i].MemberID, Bytes: q.Assignments[i].Assignment})
	}
	s := h.groups.Sync(&sync, c.Conn.Done)
	r.ErrorCode, r.Assignment = int16(s.Code), s.Assignment
	r.ProtocolType, r.ProtocolName = nullable(s.ProtocolType), nullable(s.Protocol)
	return nil
}
