package group

import (
	"slices"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// awayWait is the least time after which a group looks again whether any of its static members is back.
const awayWait = time.Second

// rebalance prepares the next generation, unless that is under way, and begins it if nobody is missing.
func (g *group) rebalance(reason string) {
	if g.state != preparing {
		g.coordinator.options.Log.Debug("group rebalances", "group", g.id, "generation", g.generation, "state", g.state, "reason", reason)
		g.coordinator.options.Metrics.GroupRebalances.Inc()
		g.prepare()
	}
	complete := !g.gathering && len(g.invited) == 0 && g.joining == len(g.members)
	if complete || g.gathering && g.coordinator.options.InitialRebalanceDelay == 0 {
		g.begin()
	}
}

func (g *group) prepare() {
	if g.state == completing {
		g.answerSyncs(kerr.RebalanceInProgress)
	}
	g.gathering = g.state == empty
	g.state, g.storing = preparing, false
	if !g.gathering {
		g.endPhaseIn(g.rebalanceTimeout())
		return
	}
	delay := g.coordinator.options.InitialRebalanceDelay
	g.grew = false
	g.gatherLeft = max(g.rebalanceTimeout()-delay, 0)
	g.endPhaseIn(delay)
}

// rebalanceTimeout is what the slowest member allows itself.
func (g *group) rebalanceTimeout() time.Duration {
	var most time.Duration
	for _, m := range g.members {
		most = max(most, m.rebalance)
	}
	return most
}

func (g *group) endPhaseIn(d time.Duration) {
	g.phaseEnds = time.Now().Add(d)
	g.wakeAt(g.phaseEnds)
}

// endPhase goes on without those who are late.
func (g *group) endPhase() {
	g.phaseEnds = time.Time{}
	switch g.state {
	case preparing:
		if g.gathering && g.grew && g.gatherLeft > 0 {
			g.gatherOn()
			return
		}
		g.begin()
	case completing, stable:
		g.dropUnsynced()
	}
}

// gatherOn gives more members the time to come, as the last who came did.
func (g *group) gatherOn() {
	delay := min(g.coordinator.options.InitialRebalanceDelay, g.gatherLeft)
	g.grew = false
	g.gatherLeft -= delay
	g.endPhaseIn(delay)
}

// dropUnsynced removes members that joined a generation and never asked for their assignment.
func (g *group) dropUnsynced() {
	late := 0
	for _, m := range g.ordered() {
		if !m.synced {
			g.remove(m)
			late++
		}
	}
	if late > 0 {
		g.rebalance("members did not ask for their assignments in time")
	}
}

// begin begins the next generation with the members that have joined, and the static ones that may yet come back.
func (g *group) begin() {
	g.gathering = false
	for _, m := range g.ordered() {
		if m.join == nil && m.instanceID == "" {
			g.remove(m)
		}
	}
	if len(g.members) > 0 && !g.elect() {
		g.endPhaseIn(max(g.rebalanceTimeout(), awayWait))
		return
	}
	g.generation++
	if len(g.members) == 0 {
		g.becomeEmpty()
		return
	}
	g.state, g.protocol = completing, g.vote()
	g.endPhaseIn(g.rebalanceTimeout())
	for _, m := range g.ordered() {
		g.answerJoin(m, g.current(m))
		m.fresh, m.synced = false, false
		g.keepAlive(m)
	}
}

// elect sees to it that the leader is a member that has joined; false when nobody has.
func (g *group) elect() bool {
	if m := g.members[g.leader]; m != nil && m.join != nil {
		return true
	}
	for _, m := range g.ordered() {
		if m.join != nil {
			g.leader = m.id
			return true
		}
	}
	return false
}

func (g *group) becomeEmpty() {
	g.state, g.protocol, g.leader = empty, "", ""
	g.sinceMs = nowMs()
	g.phaseEnds = time.Time{}
	g.write(g.settled(nil), nil) // if that fails the members of old are found again, and time out again
}

// vote is the protocol that most members like best of those that all know. The leader's liking decides a tie.
func (g *group) vote() string {
	votes := map[string]int{}
	for _, m := range g.members {
		if i := slices.IndexFunc(m.protocols, g.suitsAll); i >= 0 {
			votes[m.protocols[i].Name]++
		}
	}
	won := ""
	for _, p := range g.members[g.leader].protocols {
		if votes[p.Name] > votes[won] {
			won = p.Name
		}
	}
	return won
}
