package handler

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/group"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// joinOf is a consumer's request to join a group.
func joinOf(group string) *wire.JoinGroupRequest {
	s := wire.ConsumerProtocolSubscription{Topics: []string{"orders"}}
	return &wire.JoinGroupRequest{
		GroupID: group, SessionTimeoutMs: 10_000, RebalanceTimeoutMs: 20_000, ProtocolType: "consumer",
		Protocols: []wire.JoinGroupRequestProtocol{{Name: "range", Metadata: s.Append([]byte{0, 0}, 0)}},
	}
}

// TestGroupLifeEveryVersion takes a member through its life in each version of JoinGroup, with the other APIs in a version
// of about that age.
func TestGroupLifeEveryVersion(t *testing.T) {
	w := newWorld(t, Options{})
	w.conn.RemoteAddr = "10.1.2.3:4567"
	eachVersion(wire.KeyJoinGroup, 0, func(v int16) {
		of := func(key int16) int16 { return min(v, rowOf(key).Max) }
		q := joinOf(fmt.Sprint("g", v))
		r := ask[wire.JoinGroupResponse](w, wire.KeyJoinGroup, v, q)
		if v >= 4 {
			if kerr.Code(r.ErrorCode) != kerr.MemberIDRequired || r.GenerationID != -1 || (r.ProtocolName == nil) != (v >= 7) {
				t.Fatalf("v%d: the first join: %+v", v, r)
			}
			q.MemberID = r.MemberID
			r = ask[wire.JoinGroupResponse](w, wire.KeyJoinGroup, v, q)
		}
		if r.ErrorCode != 0 || r.GenerationID != 1 || r.Leader != r.MemberID || text(r.ProtocolName) != "range" || len(r.Members) != 1 || string(r.Members[0].Metadata) != string(q.Protocols[0].Metadata) {
			t.Fatalf("v%d: joined %+v", v, r)
		}
		if v >= 7 && text(r.ProtocolType) != "consumer" {
			t.Errorf("v%d: protocol type %s", v, text(r.ProtocolType))
		}
		sync := &wire.SyncGroupRequest{
			GroupID: q.GroupID, GenerationID: 1, MemberID: r.MemberID, ProtocolType: pointer("consumer"), ProtocolName: pointer("range"),
			Assignments: []wire.SyncGroupRequestAssignment{{MemberID: r.MemberID, Assignment: []byte("yours")}},
		}
		s := ask[wire.SyncGroupResponse](w, wire.KeySyncGroup, of(wire.KeySyncGroup), sync)
		if s.ErrorCode != 0 || string(s.Assignment) != "yours" || of(wire.KeySyncGroup) == 5 && text(s.ProtocolName) != "range" {
			t.Errorf("v%d: synced %+v", v, s)
		}
		beat := &wire.HeartbeatRequest{GroupID: q.GroupID, GenerationID: 1, MemberID: r.MemberID}
		if h := ask[wire.HeartbeatResponse](w, wire.KeyHeartbeat, of(wire.KeyHeartbeat), beat); h.ErrorCode != 0 {
			t.Errorf("v%d: heartbeat %v", v, kerr.Code(h.ErrorCode))
		}
		w.describeLife(v, q, r)
		leave := &wire.LeaveGroupRequest{GroupID: q.GroupID, MemberID: r.MemberID, Members: []wire.LeaveGroupRequestMemberIdentity{{MemberID: r.MemberID}, {MemberID: "x"}}}
		l := ask[wire.LeaveGroupResponse](w, wire.KeyLeaveGroup, of(wire.KeyLeaveGroup), leave)
		if l.ErrorCode != 0 || of(wire.KeyLeaveGroup) >= 3 && (l.Members[0].ErrorCode != 0 || kerr.Code(l.Members[1].ErrorCode) != kerr.UnknownMemberID) {
			t.Errorf("v%d: left %+v", v, l)
		}
		if h := ask[wire.HeartbeatResponse](w, wire.KeyHeartbeat, of(wire.KeyHeartbeat), beat); kerr.Code(h.ErrorCode) != kerr.UnknownMemberID {
			t.Errorf("v%d: heartbeat afterwards %v", v, kerr.Code(h.ErrorCode))
		}
	})
}

func (w *world) describeLife(v int16, q *wire.JoinGroupRequest, r *wire.JoinGroupResponse) {
	w.Helper()
	v = min(v, rowOf(wire.KeyDescribeGroups).Max)
	d := ask[wire.DescribeGroupsResponse](w, wire.KeyDescribeGroups, v, &wire.DescribeGroupsRequest{Groups: []string{q.GroupID}, IncludeAuthorizedOperations: v >= 3}).Groups[0]
	if d.ErrorCode != 0 || d.GroupState != "Stable" || d.ProtocolType != "consumer" || d.ProtocolData != "range" || len(d.Members) != 1 || v >= 3 && d.AuthorizedOperations != 3400 {
		w.Fatalf("v%d: described %+v", v, d)
	}
	if m := d.Members[0]; m.MemberID != r.MemberID || m.ClientHost != "/10.1.2.3" || string(m.MemberAssignment) != "yours" || string(m.MemberMetadata) != string(q.Protocols[0].Metadata) {
		w.Errorf("v%d: member %+v", v, m)
	}
}

func TestJoinGroupRefusals(t *testing.T) {
	w := newWorld(t, Options{})
	f := func(want kerr.Code, change func(*wire.JoinGroupRequest)) {
		t.Helper()
		q := joinOf("g")
		change(q)
		for _, v := range []int16{3, 9} {
			r := ask[wire.JoinGroupResponse](w, wire.KeyJoinGroup, v, q)
			if kerr.Code(r.ErrorCode) != want || r.GenerationID != -1 || r.MemberID != q.MemberID || len(r.Members) != 0 {
				t.Errorf("v%d: %+v, want %v", v, r, want)
			}
		}
	}
	f(kerr.InvalidGroupID, func(q *wire.JoinGroupRequest) { q.GroupID, q.MemberID = "", "m" })
	f(kerr.UnknownMemberID, func(q *wire.JoinGroupRequest) { q.MemberID = "m" })
	f(kerr.InvalidSessionTimeout, func(q *wire.JoinGroupRequest) { q.SessionTimeoutMs = 5999 })
	f(kerr.InconsistentGroupProtocol, func(q *wire.JoinGroupRequest) { q.Protocols = nil })
}

// TestStaticMemberEveryVersion shows that instance ids come through, and that the place of a static member is kept.
func TestStaticMemberEveryVersion(t *testing.T) {
	w := newWorld(t, Options{})
	eachVersion(wire.KeyJoinGroup, 5, func(v int16) {
		q := joinOf(fmt.Sprint("g", v))
		q.GroupInstanceID = pointer("i")
		r := ask[wire.JoinGroupResponse](w, wire.KeyJoinGroup, v, q)
		if r.ErrorCode != 0 || text(r.Members[0].GroupInstanceID) != "i" {
			t.Fatalf("v%d: %+v", v, r)
		}
		sync := &wire.SyncGroupRequest{GroupID: q.GroupID, GenerationID: 1, MemberID: r.MemberID, GroupInstanceID: pointer("i")}
		if s := ask[wire.SyncGroupResponse](w, wire.KeySyncGroup, 3, sync); s.ErrorCode != 0 {
			t.Fatalf("v%d: %+v", v, s)
		}
		again := ask[wire.JoinGroupResponse](w, wire.KeyJoinGroup, v, q)
		skips := v >= 9
		if again.ErrorCode != 0 || again.GenerationID != 1 || again.MemberID == r.MemberID || again.SkipAssignment != skips || (again.Leader == r.MemberID) == skips {
			t.Errorf("v%d: back again: %+v", v, again)
		}
		beat := &wire.HeartbeatRequest{GroupID: q.GroupID, GenerationID: 1, MemberID: r.MemberID, GroupInstanceID: pointer("i")}
		if h := ask[wire.HeartbeatResponse](w, wire.KeyHeartbeat, 3, beat); kerr.Code(h.ErrorCode) != kerr.FencedInstanceID {
			t.Errorf("v%d: its former self: %v", v, kerr.Code(h.ErrorCode))
		}
		leave := &wire.LeaveGroupRequest{GroupID: q.GroupID, Members: []wire.LeaveGroupRequestMemberIdentity{{GroupInstanceID: pointer("i"), Reason: pointer("done")}}}
		if l := ask[wire.LeaveGroupResponse](w, wire.KeyLeaveGroup, 5, leave); l.ErrorCode != 0 || l.Members[0].ErrorCode != 0 || text(l.Members[0].GroupInstanceID) != "i" {
			t.Errorf("v%d: left: %+v", v, l)
		}
	})
}

// TestJoinGroupGivesUp shows that a join that waits for others ends with its connection.
func TestJoinGroupGivesUp(t *testing.T) {
	w := newWorld(t, Options{})
	w.handler.groups.Close()
	w.handler.groups = group.New(w.engine, group.Options{InitialRebalanceDelay: time.Hour})
	close(w.done)
	r := ask[wire.JoinGroupResponse](w, wire.KeyJoinGroup, 3, joinOf("g"))
	if kerr.Code(r.ErrorCode) != kerr.CoordinatorNotAvailable {
		t.Errorf("got %+v", r)
	}
}

// TestNoFrameIsHeldWhileOthersAreWaitedFor shows that joins and syncs give their frames back before they wait for other
// members: the frames of all clients have one budget, and a frame may be far larger than what is kept of it.
func TestNoFrameIsHeldWhileOthersAreWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newBubble(t)
		w.handler.groups.Close()
		w.handler.groups = group.New(w.engine, group.Options{InitialRebalanceDelay: 10 * time.Second})
		finish := func(key, version int16, q wire.Message) wire.Message {
			t.Helper()
			c, began, released := w.submit(key, version, q), time.Now(), time.Time{}
			release := c.ReleaseFrame
			c.ReleaseFrame = func() { released = time.Now(); release() }
			if err := rowOf(key).Finish(w.handler, c); err != nil || !released.Equal(began) || time.Since(began) == 0 {
				t.Errorf("%s: began at %v, gave its frame back at %v, ended at %v: %v", wire.Name(key), began, released, time.Now(), err)
			}
			return c.Response
		}
		leader := group.JoinRequest{
			GroupID: "g", ProtocolType: "consumer", Protocols: []group.Protocol{{Name: "range"}}, SessionTimeout: time.Minute, RebalanceTimeout: time.Minute,
		}
		go w.handler.groups.Join(&leader, nil)
		synctest.Wait()
		joined := finish(wire.KeyJoinGroup, 3, joinOf("g")).(*wire.JoinGroupResponse)
		s := finish(wire.KeySyncGroup, 3, &wire.SyncGroupRequest{GroupID: "g", GenerationID: joined.GenerationID, MemberID: joined.MemberID}).(*wire.SyncGroupResponse)
		if joined.ErrorCode != 0 || joined.Leader == joined.MemberID || kerr.Code(s.ErrorCode) != kerr.RebalanceInProgress {
			t.Errorf("joined %+v, synced %+v", joined, s)
		}
	})
}

func TestSyncGroupMustNameItsProtocol(t *testing.T) {
	w := newWorld(t, Options{})
	m := w.member("g")
	f := func(protocolType, protocol *string, want kerr.Code) {
		t.Helper()
		q := &wire.SyncGroupRequest{GroupID: "g", GenerationID: m.GenerationID, MemberID: m.MemberID, ProtocolType: protocolType, ProtocolName: protocol}
		if r := ask[wire.SyncGroupResponse](w, wire.KeySyncGroup, 5, q); kerr.Code(r.ErrorCode) != want {
			t.Errorf("%s, %s: %v", text(protocolType), text(protocol), kerr.Code(r.ErrorCode))
		}
	}
	f(pointer("consumer"), pointer("range"), kerr.None)
	f(nil, pointer("range"), kerr.InconsistentGroupProtocol)
	f(pointer("consumer"), nil, kerr.InconsistentGroupProtocol)
	f(pointer("consumer"), pointer("sticky"), kerr.InconsistentGroupProtocol)
}

func TestGroupsThatAreNot(t *testing.T) {
	w := newWorld(t, Options{})
	for id, want := range map[string]kerr.Code{"": kerr.InvalidGroupID, "none": kerr.UnknownMemberID} {
		if r := ask[wire.HeartbeatResponse](w, wire.KeyHeartbeat, 4, &wire.HeartbeatRequest{GroupID: id}); kerr.Code(r.ErrorCode) != want {
			t.Errorf("heartbeat to %q: %v", id, kerr.Code(r.ErrorCode))
		}
		if r := ask[wire.SyncGroupResponse](w, wire.KeySyncGroup, 4, &wire.SyncGroupRequest{GroupID: id}); kerr.Code(r.ErrorCode) != want {
			t.Errorf("sync to %q: %v", id, kerr.Code(r.ErrorCode))
		}
		if r := ask[wire.LeaveGroupResponse](w, wire.KeyLeaveGroup, 2, &wire.LeaveGroupRequest{GroupID: id, MemberID: "m"}); kerr.Code(r.ErrorCode) != want {
			t.Errorf("leave of %q: %v", id, kerr.Code(r.ErrorCode))
		}
	}
	r := ask[wire.LeaveGroupResponse](w, wire.KeyLeaveGroup, 5, &wire.LeaveGroupRequest{GroupID: "none", Members: []wire.LeaveGroupRequestMemberIdentity{{MemberID: "m"}}})
	if r.ErrorCode != 0 || kerr.Code(r.Members[0].ErrorCode) != kerr.UnknownMemberID {
		t.Errorf("leave of several: %+v", r)
	}
}
