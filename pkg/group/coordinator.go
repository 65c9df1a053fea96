// Package group coordinates groups: who is in one, which generation it is in, what each member is assigned, and which
// offsets were committed in its name. It behaves as Kafka's GroupCoordinator does for the classic protocol.
//
// A group goes round in a circle. Somebody joins, leaves or falls silent, and a rebalance is prepared (join.go,
// rebalance.go): each member has to join again, and who has not within its rebalance timeout is out. Then the next generation
// begins: every join is answered, the leader works out the assignment, and the others wait for it (sync.go). Once the leader
// has sent it, and it is durable, every sync is answered and the group is stable until the next change.
//
// What must hold:
//   - One group never waits for another: each has its lock, and the coordinator's own is held for a look at a map.
//   - A member learns its assignment only once it is durable, with all that the generation consists of. So a restart finds a
//     stable group as its members know it, and goes on without a rebalance; their session timers start anew.
//   - What a group writes is appended to the journal under its lock, so that it is applied in the order in which it was
//     decided; it is awaited outside the lock (group.unlock).
//   - A generation's number goes up by one, and no member gets an assignment of a generation that is not the group's. A crash
//     may have a number given again that was not settled: nobody was assigned anything in it.
//   - A group without members, and without anything under way, is not kept in memory: the state has it.
//   - There is one timer a group and no goroutine a member. A heartbeat moves a deadline and touches no timer.
//   - Bounded are groups, members, and the bytes of what members say and of the ids they are given, each with its option.
//   - No request looks through all members of a group, but those that begin, end or store a generation, or tell of it.
package group

import (
	"cmp"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/heraclitus/heraclitus/pkg/engine"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/metrics"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// Options are the settings of a coordinator. A zero means the default, but for InitialRebalanceDelay, where it means none.
type Options struct {
	InitialRebalanceDelay time.Duration    // how long an empty group waits for more members; Kafka's group.initial.rebalance.delay.ms, there 3 s
	SessionTimeoutMin     time.Duration    // least session timeout a member may ask for; group.min.session.timeout.ms; default 6 s
	SessionTimeoutMax     time.Duration    // most; group.max.session.timeout.ms; default 30 min
	OffsetsRetention      time.Duration    // offsets that nobody uses are kept for so long; offsets.retention.minutes; default 7 days
	ExpiryCheck           time.Duration    // how often those are looked for; offsets.retention.check.interval.ms; default 10 min
	OffsetMetadataMax     int              // UTF-16 code units of metadata with a committed offset; offset.metadata.max.bytes; default 4096
	MembersMax            int              // of one group; group.max.size; default 10,000 (Kafka has no limit)
	GroupsMax             int              // groups in memory, and groups that last; default 100,000
	MemberBytesMax        int              // bytes of all that one member says of itself; default 1 MiB
	GroupBytesMax         int              // bytes of what the members of one group say and are assigned; default 8 MiB
	BytesMax              int64            // likewise of all groups; default 256 MiB
	Log                   *slog.Logger     // default: none
	Metrics               *metrics.Metrics // default: none that anybody sees
}

func (o *Options) setDefaults() {
	o.SessionTimeoutMin = cmp.Or(o.SessionTimeoutMin, 6*time.Second)
	o.SessionTimeoutMax = cmp.Or(o.SessionTimeoutMax, 30*time.Minute)
	o.OffsetsRetention = cmp.Or(o.OffsetsRetention, 7*24*time.Hour)
	o.ExpiryCheck = cmp.Or(o.ExpiryCheck, 10*time.Minute)
	o.OffsetMetadataMax = cmp.Or(o.OffsetMetadataMax, 4096)
	o.MembersMax = cmp.Or(o.MembersMax, 10_000)
	o.GroupsMax = cmp.Or(o.GroupsMax, 100_000)
	o.MemberBytesMax = cmp.Or(o.MemberBytesMax, 1<<20)
	o.GroupBytesMax = cmp.Or(o.GroupBytesMax, 8<<20)
	o.BytesMax = cmp.Or(o.BytesMax, 256<<20)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = metrics.New("")
	}
}

// groupIDBytesMax is the longest group id; what the protocol's older versions can say.
const groupIDBytesMax = 1<<15 - 1

// Coordinator coordinates all groups of a server. It is safe for any number of goroutines.
type Coordinator struct {
	options Options
	engine  *engine.Engine
	bytes   atomic.Int64 // of what all members say and are assigned
	stop    chan struct{}
	stopped chan struct{}

	mu struct {
		sync.Mutex
		groups map[string]*group // with members, or with something under way
	}
}

// New returns the coordinator of the groups that e keeps. Members of stable groups are taken for present, from now on for
// as long as their session timeouts say.
func New(e *engine.Engine, o Options) *Coordinator {
	o.setDefaults()
	c := &Coordinator{options: o, engine: e, stop: make(chan struct{}), stopped: make(chan struct{})}
	c.mu.groups = map[string]*group{}
	for _, id := range c.stored(func(g *state.Group) bool { return len(g.Members) > 0 }) {
		if g, _ := c.find(id, false); g != nil {
			g.unlock()
		}
	}
	c.options.Metrics.OnScrape(c.gauge)
	go c.expireLoop()
	return c
}

// Close stops all timers. Groups are as they were when the server starts again.
func (c *Coordinator) Close() {
	close(c.stop)
	<-c.stopped
	for _, g := range c.present() {
		g.mu.Lock()
		g.stopTimer()
		g.closed = true
		g.mu.Unlock()
	}
}

// find returns a group, locked; unlock gives it back. Nil when there is no such group and none shall be created, or, with
// a code, when there are too many.
func (c *Coordinator) find(id string, create bool) (*group, kerr.Code) {
	for {
		g, code := c.look(id, create)
		if g == nil {
			return nil, code
		}
		g.mu.Lock()
		if g.state != dead {
			return g, kerr.None
		}
		g.mu.Unlock() // it was given up between the look and the lock
	}
}

func (c *Coordinator) look(id string, create bool) (*group, kerr.Code) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if g := c.mu.groups[id]; g != nil {
		return g, kerr.None
	}
	var last state.Generation
	var lasts bool
	var count int
	c.engine.View(func(s *state.State) {
		count = s.GroupCount()
		if g := s.Group(id); g != nil {
			last, lasts = g.Generation, true
		}
	})
	switch {
	case !lasts && !create:
		return nil, kerr.None
	case !lasts && max(count, len(c.mu.groups)) >= c.options.GroupsMax:
		return nil, kerr.GroupMaxSizeReached
	}
	g := newGroup(c, id)
	if lasts {
		g.mu.Lock() // its timer may go off at once
		g.restore(&last)
		g.mu.Unlock()
	}
	c.mu.groups[id] = g
	return g, kerr.None
}

// forget takes a dead group out of the map.
func (c *Coordinator) forget(g *group) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.mu.groups, g.id)
}

// present returns the groups in memory, by id.
func (c *Coordinator) present() []*group {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.SortedFunc(maps.Values(c.mu.groups), func(a, b *group) int { return cmp.Compare(a.id, b.id) })
}

// stored returns the ids of the groups that last and that are wanted.
func (c *Coordinator) stored(wanted func(*state.Group) bool) []string {
	var ids []string
	c.engine.View(func(s *state.State) {
		for g := range s.Groups() {
			if wanted(g) {
				ids = append(ids, g.ID)
			}
		}
	})
	return ids
}
