package group

import (
	"fmt"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// Identity is a member as a request names it.
type Identity struct {
	MemberID   string
	InstanceID string // of a static member, else empty
	Reason     string // why it leaves (KIP-800)
}

// Heartbeat says that a member of a generation is there, and is told whether a rebalance wants it to join again.
func (c *Coordinator) Heartbeat(groupID string, who Identity, generation int32) kerr.Code {
	if !validID(groupID) {
		return kerr.InvalidGroupID
	}
	g, _ := c.find(groupID, false)
	if g == nil {
		return kerr.UnknownMemberID
	}
	defer g.unlock()
	m, code := g.member(who.MemberID, who.InstanceID)
	switch {
	case code != kerr.None:
		return code
	case generation != g.generation:
		return kerr.IllegalGeneration
	}
	g.keepAlive(m)
	if g.state == preparing {
		return kerr.RebalanceInProgress
	}
	return kerr.None
}

// Leave takes members out of a group, and returns what came of each. A static member may be named by its instance id
// alone, as administrators do.
func (c *Coordinator) Leave(groupID string, leaving []Identity) ([]kerr.Code, kerr.Code) {
	if !validID(groupID) {
		return nil, kerr.InvalidGroupID
	}
	codes := fill(make([]kerr.Code, len(leaving)), kerr.UnknownMemberID)
	g, _ := c.find(groupID, false)
	if g == nil {
		return codes, kerr.None
	}
	defer g.unlock()
	members := len(g.members)
	for i, who := range leaving {
		codes[i] = g.leave(who)
	}
	if left := members - len(g.members); left > 0 {
		g.rebalance(fmt.Sprintf("%d members leave, the first %s: %s", left, leaving[0].MemberID, shortened(leaving[0].Reason)))
	}
	g.missingLess() // if invitations were taken back
	return codes, kerr.None
}

// leave takes a member out, or the invitation of one back. What follows for the others is left to the caller.
func (g *group) leave(who Identity) kerr.Code {
	if g.uninvite(who.MemberID) {
		return kerr.None
	}
	if who.MemberID == "" && g.static[who.InstanceID] != nil {
		who.MemberID = g.static[who.InstanceID].id
	}
	m, code := g.member(who.MemberID, who.InstanceID)
	if code == kerr.None {
		g.remove(m)
	}
	return code
}

// missingLess begins the next generation if it had only waited for who will not come.
func (g *group) missingLess() {
	if g.state == preparing {
		g.rebalance("")
	}
}

// keepAlive begins a member's session anew.
func (g *group) keepAlive(m *member) {
	m.deadline = time.Now().Add(m.session)
	g.wakeAt(m.deadline)
}

// wakeAt has the timer go off at t at the latest. When it goes off too early it is set anew: so a heartbeat, by which a
// deadline moves away, costs nothing here.
func (g *group) wakeAt(t time.Time) {
	if g.closed || !g.armed.IsZero() && !t.Before(g.armed) {
		return
	}
	g.armed = t
	if g.timer == nil {
		g.timer = time.AfterFunc(time.Until(t), g.wake)
		return
	}
	g.timer.Reset(time.Until(t))
}

func (g *group) stopTimer() {
	if g.timer != nil {
		g.timer.Stop()
	}
}

// wake does what is due, and sets the timer for what is due next.
func (g *group) wake() {
	g.mu.Lock()
	defer g.unlock()
	if g.state == dead || g.closed {
		return
	}
	g.armed = time.Time{}
	now := time.Now()
	g.dropSilent(now)
	if !g.phaseEnds.IsZero() && !g.phaseEnds.After(now) {
		g.endPhase()
	}
	g.wakeForNext()
}

// dropSilent removes members whose session is over, and forgets member ids that nobody came back with.
func (g *group) dropSilent(now time.Time) {
	for id, until := range g.invited {
		if !until.After(now) {
			g.uninvite(id)
		}
	}
	silent := 0
	for _, m := range g.ordered() {
		if !m.waits() && !m.deadline.After(now) {
			g.remove(m)
			silent++
		}
	}
	if silent > 0 {
		g.rebalance("members fell silent")
	}
	g.missingLess()
}

// wakeForNext sets the timer for the first of all deadlines.
func (g *group) wakeForNext() {
	if !g.phaseEnds.IsZero() {
		g.wakeAt(g.phaseEnds)
	}
	for _, until := range g.invited {
		g.wakeAt(until)
	}
	for _, m := range g.members {
		if !m.waits() {
			g.wakeAt(m.deadline)
		}
	}
}

func nowMs() int64 { return time.Now().UnixMilli() }
