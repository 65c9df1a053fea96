package group

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/heraclitus/heraclitus/pkg/engine"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// phase is the state of a group; Kafka's ClassicGroupState.
type phase int8

const (
	empty      phase = iota // without members
	preparing               // members are to join the next generation
	completing              // they have, and the leader is to say who is assigned what
	stable                  // it has
	dead                    // given up: whoever holds it looks it up anew
)

// String is Kafka's name of a state.
func (p phase) String() string {
	return [...]string{"Empty", "PreparingRebalance", "CompletingRebalance", "Stable", "Dead"}[p]
}

// group is a group with members, or with something under way. All but id and coordinator is guarded by mu, which its
// methods expect to be held.
type group struct {
	id          string
	coordinator *Coordinator

	mu           sync.Mutex
	state        phase
	generation   int32
	protocolType string
	protocol     string // of the generation; empty while there is none
	leader       string // member id; empty until a generation begins that has one
	sinceMs      int64  // when the last generation was settled
	members      map[string]*member
	static       map[string]*member   // by instance id
	invited      map[string]time.Time // member ids given out (KIP-394), until when they may be used
	joined       int64                // members that ever joined: the order of the next
	joining      int                  // members whose joins wait
	supported    map[string]int       // by name of a protocol, how many members know it
	bytes        int                  // of what members say and are assigned, and of member ids given out

	gathering  bool          // an empty group got its first member and waits for more
	gatherLeft time.Duration // how long it may go on waiting after phaseEnds
	grew       bool          // another came since it last waited
	phaseEnds  time.Time     // when the join or the sync is over for who is late; zero for never
	storing    bool          // the assignment is on its way to the journal

	timer     *time.Timer
	armed     time.Time // when timer goes off; zero for never
	closed    bool
	unsettled []*write // appended since the lock was taken
	writing   int      // writes that are not settled
}

func newGroup(c *Coordinator, id string) *group {
	return &group{
		id: id, coordinator: c, members: map[string]*member{}, static: map[string]*member{}, invited: map[string]time.Time{},
		supported: map[string]int{},
	}
}

// restore makes a group what it was when its last generation was settled.
func (g *group) restore(last *state.Generation) {
	g.generation, g.protocolType, g.protocol, g.leader, g.sinceMs = last.Number, last.ProtocolType, last.Protocol, last.Leader, last.SinceMs
	for i := range last.Members {
		g.state = stable
		m := restored(&last.Members[i], last.Protocol)
		g.enter(m)
		g.keepAlive(m)
	}
}

// settled is what is to last of a group with these assignments.
func (g *group) settled(assignments map[string][]byte) state.StoreGroup {
	s := state.StoreGroup{GroupID: g.id, Generation: state.Generation{
		Number: g.generation, ProtocolType: g.protocolType, Protocol: g.protocol, Leader: g.leader, SinceMs: g.sinceMs,
	}}
	for _, m := range g.ordered() {
		s.Members = append(s.Members, m.stored(g.protocol, assignments[m.id]))
	}
	return s
}

// write is a command on its way to the journal.
type write struct {
	pending engine.Pending
	done    func(kerr.Code) // called with the lock held; may be nil
}

// write appends a command. What came of it is told to done, once unlock has awaited it.
func (g *group) write(c state.Command, done func(kerr.Code)) {
	w := &write{done: done}
	w.pending.Reset(1)
	g.coordinator.engine.AppendCommand(&w.pending, 0, c)
	g.unsettled = append(g.unsettled, w)
	g.writing++
}

// unlock unlocks the group, and awaits outside the lock what was written under it.
func (g *group) unlock() {
	for len(g.unsettled) > 0 {
		writes := g.unsettled
		g.unsettled = nil
		g.mu.Unlock()
		for _, w := range writes {
			w.pending.Wait(0, nil)
		}
		g.mu.Lock()
		for _, w := range writes {
			g.writing--
			if w.done != nil {
				w.done(w.pending.Results[0].Code)
			}
		}
	}
	g.giveUp()
	g.mu.Unlock()
}

// giveUp lets go of a group that memory need not hold.
func (g *group) giveUp() {
	if g.state != empty || len(g.invited) > 0 || g.writing > 0 {
		return
	}
	g.state = dead
	g.stopTimer()
	g.coordinator.forget(g)
}

// invite lets a client that has no member id yet join with this one (KIP-394).
func (g *group) invite(id string, until time.Time) {
	g.invited[id] = until
	g.charge(memberBytes + len(id))
	g.wakeAt(until)
}

// uninvite takes back an invitation, and says whether there was one.
func (g *group) uninvite(id string) bool {
	_, invited := g.invited[id]
	if invited {
		delete(g.invited, id)
		g.charge(-memberBytes - len(id))
	}
	return invited
}

// enter takes a member in, at the end unless it has its place in the order.
func (g *group) enter(m *member) {
	if m.order == 0 {
		g.joined++
		m.order = g.joined
	}
	g.members[m.id] = m
	if m.instanceID != "" {
		g.static[m.instanceID] = m
	}
	g.account(m, 1)
}

// remove takes a member out, and tells it so if it waits. A rebalance follows, and finds another leader if need be.
func (g *group) remove(m *member) {
	g.answerJoin(m, refusedJoin("", kerr.UnknownMemberID))
	m.answerSync(Synced{Code: kerr.UnknownMemberID})
	delete(g.members, m.id)
	if g.static[m.instanceID] == m {
		delete(g.static, m.instanceID)
	}
	g.account(m, -1)
	if g.leader == m.id {
		g.leader = ""
	}
}

// account counts what a member says once more, or, with -1, once less.
func (g *group) account(m *member, times int) {
	g.charge(times * m.size())
	for i, p := range m.protocols {
		if m.indexOf(p.Name) != i {
			continue // it names a protocol twice
		}
		if g.supported[p.Name] += times; g.supported[p.Name] == 0 {
			delete(g.supported, p.Name)
		}
	}
}

// awaitJoin has the answer to a member's join go to w. An older join of its is over.
func (g *group) awaitJoin(m *member, w chan Joined) {
	g.answerJoin(m, refusedJoin(m.id, kerr.RebalanceInProgress))
	m.join = w
	g.joining++
}

func (g *group) answerJoin(m *member, r Joined) {
	if m.join != nil {
		m.join <- r // which has room for it
		m.join = nil
		g.joining--
	}
}

// charge counts n bytes more.
func (g *group) charge(n int) {
	g.bytes += n
	g.coordinator.bytes.Add(int64(n))
}

// ordered returns the members in the order in which they came.
func (g *group) ordered() []*member {
	return slices.SortedFunc(maps.Values(g.members), func(a, b *member) int { return cmp.Compare(a.order, b.order) })
}

// member returns the member that a request says it is from.
func (g *group) member(id, instanceID string) (*member, kerr.Code) {
	m := g.members[id]
	if instanceID != "" { // KIP-345
		m = g.static[instanceID]
	}
	switch {
	case m == nil:
		return nil, kerr.UnknownMemberID
	case m.id != id:
		return nil, kerr.FencedInstanceID
	}
	return m, kerr.None
}
