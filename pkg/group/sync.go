package group

import (
	"bytes"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// SyncRequest asks for a member's assignment, and brings everybody's when the member is the leader.
type SyncRequest struct {
	GroupID      string
	MemberID     string
	InstanceID   string
	Generation   int32
	ProtocolType *string // as the member believes (KIP-559); nil when it does not say
	Protocol     *string // likewise
	Assignments  []Assignment
	Taken        func() // as of a JoinRequest
}

// Assignment is what a member is assigned.
type Assignment struct {
	MemberID string
	Bytes    []byte // borrowed by requests, and copied where it is kept
}

// Synced answers a sync.
type Synced struct {
	Code         kerr.Code
	ProtocolType string
	Protocol     string
	Assignment   []byte // not to be changed
}

// Sync waits until the leader's assignment is durable, and answers with the member's part of it. It gives up when done is closed.
func (c *Coordinator) Sync(q *SyncRequest, done <-chan struct{}) Synced {
	answer := c.sync(q)
	if q.Taken != nil {
		q.Taken()
	}
	select {
	case r := <-answer:
		return r
	case <-done:
		return Synced{Code: kerr.CoordinatorNotAvailable}
	}
}

// sync takes a sync in. Its answer comes by the channel.
func (c *Coordinator) sync(q *SyncRequest) <-chan Synced {
	w := make(chan Synced, 1)
	if !validID(q.GroupID) {
		w <- Synced{Code: kerr.InvalidGroupID}
		return w
	}
	g, _ := c.find(q.GroupID, false)
	if g == nil {
		w <- Synced{Code: kerr.UnknownMemberID}
		return w
	}
	g.sync(q, w)
	g.unlock()
	return w
}

func (g *group) sync(q *SyncRequest, w chan Synced) {
	m, code := g.checkSync(q)
	if code != kerr.None {
		w <- Synced{Code: code}
		return
	}
	m.synced = true
	m.answerSync(Synced{Code: kerr.RebalanceInProgress}) // an older one, that this supersedes
	if g.state == stable {
		w <- g.assigned(m)
		g.keepAlive(m)
		return
	}
	m.sync = w
	if m.id == g.leader && !g.storing {
		g.settle(q.Assignments)
	}
}

func (g *group) checkSync(q *SyncRequest) (*member, kerr.Code) {
	m, code := g.member(q.MemberID, q.InstanceID)
	switch {
	case code != kerr.None:
		return nil, code
	case q.Generation != g.generation:
		return nil, kerr.IllegalGeneration
	case q.ProtocolType != nil && *q.ProtocolType != g.protocolType, q.Protocol != nil && *q.Protocol != g.protocol:
		return nil, kerr.InconsistentGroupProtocol
	case g.state == preparing:
		return nil, kerr.RebalanceInProgress
	}
	return m, kerr.None
}

func (g *group) assigned(m *member) Synced {
	return Synced{ProtocolType: g.protocolType, Protocol: g.protocol, Assignment: m.assignment}
}

// settle makes the leader's assignment durable, and the group stable.
func (g *group) settle(assignments []Assignment) {
	assigned, more := map[string][]byte{}, 0
	for _, m := range g.members {
		more -= len(m.assignment)
	}
	for _, a := range assignments {
		if g.members[a.MemberID] != nil {
			more += len(a.Bytes)
			assigned[a.MemberID] = bytes.Clone(a.Bytes)
		}
	}
	if !g.fits(more) {
		g.answerSyncs(kerr.UnknownServerError) // as Kafka, where the record would be too large
		g.rebalance("the assignment is too large")
		return
	}
	g.storing = true
	g.sinceMs = nowMs()
	generation := g.generation
	g.write(g.settled(assigned), func(code kerr.Code) {
		switch {
		case g.state != completing || g.generation != generation:
		case code != kerr.None:
			g.answerSyncs(kerr.CoordinatorNotAvailable)
			g.rebalance("the assignment could not be stored")
		default:
			g.becomeStable(assigned)
		}
	})
}

func (g *group) becomeStable(assigned map[string][]byte) {
	g.state, g.storing = stable, false
	for _, m := range g.members {
		g.charge(len(assigned[m.id]) - len(m.assignment))
		m.assignment = assigned[m.id]
	}
	g.answerSyncs(kerr.None)
}

// answerSyncs answers everybody who waits for an assignment.
func (g *group) answerSyncs(code kerr.Code) {
	for _, m := range g.members {
		if m.sync == nil {
			continue
		}
		r := Synced{Code: code}
		if code == kerr.None {
			r = g.assigned(m)
		}
		m.answerSync(r)
		g.keepAlive(m)
	}
}
