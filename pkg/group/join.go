package group

import (
	"maps"
	"slices"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// JoinRequest asks for a place in the next generation of a group.
type JoinRequest struct {
	GroupID          string
	MemberID         string // empty when the client has none yet
	InstanceID       string // of a static member (KIP-345), else empty
	ClientID         string
	ClientHost       string
	ProtocolType     string
	Protocols        []Protocol // in the order of the client's liking
	SessionTimeout   time.Duration
	RebalanceTimeout time.Duration
	ReturnsWithID    bool   // a client without a member id is given one to join again with (KIP-394)
	SkipsAssignment  bool   // a static leader that comes back may be told to leave the assignment as it is (KIP-814)
	Reason           string // why the client joins (KIP-800)
	Taken            func() // called when nothing of the request is borrowed any more, before others are waited for; may be nil
}

// Joined answers a join.
type Joined struct {
	Code            kerr.Code
	Generation      int32 // -1 with an error
	ProtocolType    string
	Protocol        string
	Leader          string // member id
	MemberID        string
	SkipsAssignment bool
	Members         []JoinedMember // for the leader
}

// JoinedMember is a member as its leader sees it. What it says must not be changed.
type JoinedMember struct {
	ID         string
	InstanceID string
	Metadata   []byte
}

// Bounds of a join that no client comes near.
const (
	protocolsMax   = 100
	newMemberWait  = 5 * time.Minute // after which a member that has waited for its first generation is taken for gone, as in Kafka
	reasonBytesMax = 256             // of a client's reason, in our log
)

func refusedJoin(memberID string, code kerr.Code) Joined {
	return Joined{Code: code, Generation: -1, MemberID: memberID}
}

// Join waits until the group's next generation begins, and answers with it. It gives up when done is closed.
func (c *Coordinator) Join(q *JoinRequest, done <-chan struct{}) Joined {
	answer := c.join(q)
	if q.Taken != nil {
		q.Taken()
	}
	select {
	case r := <-answer:
		return r
	case <-done:
		return refusedJoin(q.MemberID, kerr.CoordinatorNotAvailable)
	}
}

// join takes a join in. Its answer comes by the channel.
func (c *Coordinator) join(q *JoinRequest) <-chan Joined {
	w := make(chan Joined, 1)
	if code := c.checkJoin(q); code != kerr.None {
		w <- refusedJoin(q.MemberID, code)
		return w
	}
	g, code := c.find(q.GroupID, q.MemberID == "")
	if g == nil {
		if code == kerr.None {
			code = kerr.UnknownMemberID
		}
		w <- refusedJoin(q.MemberID, code)
		return w
	}
	g.join(q, w)
	g.unlock()
	return w
}

func (c *Coordinator) checkJoin(q *JoinRequest) kerr.Code {
	switch {
	case !validID(q.GroupID):
		return kerr.InvalidGroupID
	case q.SessionTimeout < c.options.SessionTimeoutMin || q.SessionTimeout > c.options.SessionTimeoutMax:
		return kerr.InvalidSessionTimeout
	case len(q.Protocols) > protocolsMax || q.size() > c.options.MemberBytesMax:
		return kerr.InvalidRequest
	}
	return kerr.None
}

// validID says whether a group id is one that members may join.
func validID(id string) bool { return id != "" && len(id) <= groupIDBytesMax }

func (g *group) join(q *JoinRequest, w chan Joined) {
	switch {
	case !g.hasPlace(q):
		g.turnAway(q.MemberID)
		w <- refusedJoin("", kerr.GroupMaxSizeReached)
	case !g.agrees(q):
		w <- refusedJoin(q.MemberID, kerr.InconsistentGroupProtocol)
	case q.MemberID == "":
		g.joinNew(q, w)
	default:
		g.joinKnown(q, w)
	}
}

// hasPlace says whether the group's and the server's limits allow a member. One that has its place keeps it, and so does a
// static one that comes back to it.
func (g *group) hasPlace(q *JoinRequest) bool {
	m := g.members[q.MemberID]
	if q.MemberID == "" && q.InstanceID != "" {
		m = g.static[q.InstanceID]
	}
	has, taken, more := m != nil, len(g.members), q.size()
	if g.state == preparing { // those who do not come back have no place any more
		has, taken = has && m.join != nil, g.joining
	}
	if m != nil {
		more -= m.size()
	}
	return (has || taken < g.coordinator.options.MembersMax) && g.fits(more)
}

// turnAway takes out who has found no place, so that nobody waits for it.
func (g *group) turnAway(id string) {
	if m := g.members[id]; m != nil {
		g.remove(m)
		g.rebalance("a member is one too many")
		return
	}
	g.uninvite(id)
	g.missingLess()
}

// fits says whether the members may say, or be assigned, so many bytes more.
func (g *group) fits(more int) bool {
	c := g.coordinator
	return more <= 0 || g.bytes+more <= c.options.GroupBytesMax && c.bytes.Load()+int64(more) <= c.options.BytesMax
}

// agrees says whether a member knows a protocol that all others know, of the group's type.
func (g *group) agrees(q *JoinRequest) bool {
	if g.state == empty {
		return q.ProtocolType != "" && len(q.Protocols) > 0
	}
	return q.ProtocolType == g.protocolType && slices.ContainsFunc(q.Protocols, g.suitsAll)
}

// suitsAll says whether all members know a protocol.
func (g *group) suitsAll(p Protocol) bool { return g.supported[p.Name] == len(g.members) }

// joinNew takes in who has no member id.
func (g *group) joinNew(q *JoinRequest, w chan Joined) {
	id := newMemberID(q)
	old := g.static[q.InstanceID]
	switch {
	case q.InstanceID != "" && old != nil:
		g.takeOver(old, id, q, w)
	case q.InstanceID == "" && q.ReturnsWithID:
		g.invite(id, time.Now().Add(q.SessionTimeout))
		w <- refusedJoin(id, kerr.MemberIDRequired)
	default:
		g.add(id, q, w)
	}
}

// joinKnown takes in who has a member id.
func (g *group) joinKnown(q *JoinRequest, w chan Joined) {
	if q.InstanceID == "" && g.uninvite(q.MemberID) {
		g.add(q.MemberID, q, w)
		return
	}
	m, code := g.member(q.MemberID, q.InstanceID)
	switch {
	case code != kerr.None:
		w <- refusedJoin(q.MemberID, code)
	case g.state == completing && m.says(q.Protocols), // it did not get its answer
		g.state == stable && m.says(q.Protocols) && m.id != g.leader:
		w <- g.current(m)
		g.keepAlive(m)
	default:
		g.update(m, q)
		g.awaitJoin(m, w)
		g.rebalance("member " + m.id + " joins again: " + shortened(q.Reason))
	}
}

// shortened is a client's reason, as long as it may be in our log.
func shortened(reason string) string { return reason[:min(len(reason), reasonBytesMax)] }

// add takes in a member that was not in the group.
func (g *group) add(id string, q *JoinRequest, w chan Joined) {
	if g.state == empty {
		g.protocolType = q.ProtocolType
	}
	m := &member{id: id, instanceID: q.InstanceID, fresh: true}
	m.update(q)
	g.enter(m)
	g.awaitJoin(m, w)
	g.grew = true
	m.deadline = time.Now().Add(newMemberWait)
	g.wakeAt(m.deadline)
	g.rebalance("member " + id + " joins: " + shortened(q.Reason))
}

// update takes over what a member's join says.
func (g *group) update(m *member, q *JoinRequest) {
	g.account(m, -1)
	m.update(q)
	g.account(m, 1)
}

// current answers a join with the generation as it is.
func (g *group) current(m *member) Joined {
	r := Joined{Generation: g.generation, ProtocolType: g.protocolType, Protocol: g.protocol, Leader: g.leader, MemberID: m.id}
	if m.id == g.leader {
		r.Members = g.roster()
	}
	return r
}

// roster is the members as their leader sees them.
func (g *group) roster() []JoinedMember {
	all := make([]JoinedMember, 0, len(g.members))
	for _, m := range g.ordered() {
		all = append(all, JoinedMember{m.id, m.instanceID, m.metadata(g.protocol)})
	}
	return all
}

// takeOver gives the place of a static member to a client that has come back without its member id (KIP-345). Who had it is
// fenced. The group need not rebalance if nothing that matters to the assignment has changed.
func (g *group) takeOver(old *member, id string, q *JoinRequest, w chan Joined) {
	leader, topics := g.leader, topicsOf(g.protocolType, old.metadata(g.protocol))
	m := g.replace(old, id)
	g.update(m, q)
	g.keepAlive(m)
	if g.state != stable || g.vote() != g.protocol || !maps.Equal(topics, topicsOf(g.protocolType, m.metadata(g.protocol))) {
		g.awaitJoin(m, w)
		g.rebalance("static member " + q.InstanceID + " is back: " + shortened(q.Reason))
		return
	}
	r := g.current(m)
	if r.SkipsAssignment = q.SkipsAssignment && m.id == g.leader; !r.SkipsAssignment {
		r.Leader, r.Members = leader, nil // by its old name, so that a leader of old does not take itself for it
	}
	g.write(g.settled(g.assignments()), func(code kerr.Code) {
		if code != kerr.None {
			r = refusedJoin("", kerr.CoordinatorNotAvailable)
		}
		w <- r
	})
}

// replace gives a member's place to another member id, and fences who waits under the old one.
func (g *group) replace(old *member, id string) *member {
	leads := g.leader == old.id
	g.answerJoin(old, refusedJoin(old.id, kerr.FencedInstanceID))
	old.answerSync(Synced{Code: kerr.FencedInstanceID})
	g.remove(old)
	m := *old
	m.id, m.fresh = id, false
	g.enter(&m)
	if leads {
		g.leader = id
	}
	return &m
}

// assignments are the members' present assignments, by member id.
func (g *group) assignments() map[string][]byte {
	all := make(map[string][]byte, len(g.members))
	for id, m := range g.members {
		all[id] = m.assignment
	}
	return all
}
