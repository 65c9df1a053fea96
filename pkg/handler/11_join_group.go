package handler

import (
	"net"
	"time"

	"github.com/heraclitus/heraclitus/pkg/group"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// JoinGroup: key 11, versions 0 to 9.
//
//   - v0: a member and the protocols it knows. It may take as long to join again as its session lasts.
//   - v1: the time that it may take (KIP-62).
//   - v2: throttle time (KIP-124).
//   - v3: clients expect throttling after the response (KIP-219).
//   - v4: a client without a member id is given one, to join again with (KIP-394).
//   - v5: static members (KIP-345).
//   - v6: flexible (KIP-482).
//   - v7: protocol type in the response, and its protocol may be null (KIP-559).
//   - v8: why the member joins (KIP-800).
//   - v9: a static leader that comes back may leave the assignment as it is (KIP-814).
//
// It is answered when the group's next generation begins; see package group.

func (h *Handler) joinGroup(c *Call, q *wire.JoinGroupRequest, r *wire.JoinGroupResponse) error {
	join := group.JoinRequest{
		GroupID: q.GroupID, MemberID: q.MemberID, InstanceID: optional(q.GroupInstanceID),
		ClientID: c.ClientID, ClientHost: clientHost(c), ProtocolType: q.ProtocolType, Reason: optional(q.Reason),
		SessionTimeout:   milliseconds(q.SessionTimeoutMs),
		RebalanceTimeout: milliseconds(q.RebalanceTimeoutMs),
		ReturnsWithID:    c.Version >= 4, // KIP-394
		SkipsAssignment:  c.Version >= 9, // KIP-814
		Taken:            c.ReleaseFrame,
	}
	if q.RebalanceTimeoutMs < 0 { // which v0 does not say
		join.RebalanceTimeout = join.SessionTimeout
	}
	for i := range q.Protocols {
		join.Protocols = append(join.Protocols, group.Protocol(q.Protocols[i]))
	}
	tellJoined(h.groups.Join(&join, c.Conn.Done), c.Version >= 7, r) // KIP-559
	return nil
}

func tellJoined(j group.Joined, mayBeNull bool, r *wire.JoinGroupResponse) {
	r.ErrorCode, r.GenerationID, r.MemberID = int16(j.Code), j.Generation, j.MemberID
	r.Leader, r.SkipAssignment = j.Leader, j.SkipsAssignment
	r.ProtocolName = &j.Protocol
	if mayBeNull && j.Code != kerr.None {
		r.ProtocolName = nil
	}
	r.ProtocolType = nullable(j.ProtocolType)
	for i := range j.Members {
		m := kbin.Add(&r.Members)
		m.MemberID, m.GroupInstanceID, m.Metadata = j.Members[i].ID, nullable(j.Members[i].InstanceID), j.Members[i].Metadata
	}
}

func milliseconds(n int32) time.Duration { return time.Duration(n) * time.Millisecond }

// clientHost is where a member is, as Kafka writes it: Java's form of an address without a name.
func clientHost(c *Call) string {
	host, _, err := net.SplitHostPort(c.Conn.RemoteAddr)
	if err != nil {
		host = c.Conn.RemoteAddr
	}
	return "/" + host
}
