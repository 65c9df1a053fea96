package interop

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"
)

// event is something that happened to a group: what the members of the churn tell the ledger, some of them from
// another process.
type event struct {
	Kind       kind
	Group      string        `json:",omitempty"`
	Member     string        `json:",omitempty"` // instance id of a static member, member id of another
	Generation int32         `json:",omitempty"`
	Partitions []int32       `json:",omitempty"`
	Partition  int32         `json:",omitempty"`
	Offset     int64         `json:",omitempty"`
	Value      int64         `json:",omitempty"` // of a record; from 1 on, each once
	At         time.Duration `json:",omitempty"` // since the churn began
}

type kind string

const (
	sent      kind = "sent"      // a record is acknowledged to its producer
	read      kind = "read"      // a member read a record
	owned     kind = "owned"     // a member learned what it is assigned in a generation
	committed kind = "committed" // a commit is acknowledged to a member
	asked     kind = "asked"     // an administrator is about to ask what a group committed
	found     kind = "found"     // and that is what it was told
	passed    kind = "passed"    // time did, while there were records to read
)

func sends(p int32, offset, value int64) event {
	return event{Kind: sent, Partition: p, Offset: offset, Value: value}
}

func reads(group string, p int32, offset, value int64) event {
	return event{Kind: read, Group: group, Partition: p, Offset: offset, Value: value}
}

func owns(group string, generation int32, member string, partitions ...int32) event {
	return event{Kind: owned, Group: group, Generation: generation, Member: member, Partitions: partitions}
}

func commits(group string, p int32, offset int64) event {
	return event{Kind: committed, Group: group, Partition: p, Offset: offset}
}

func asks(group string) event { return event{Kind: asked, Group: group} }

func finds(group string, p int32, offset int64) event {
	return event{Kind: found, Group: group, Partition: p, Offset: offset}
}

func passes(group string, at time.Duration) event { return event{Kind: passed, Group: group, At: at} }

// stuckAfter is how long a group may read nothing new while there is something to read. Members that die without a word take
// three seconds to be missed, and a loaded machine its time.
const stuckAfter = time.Minute

// faultsMax is how many faults of the moment the ledger keeps.
const faultsMax = 20

// ledger takes events in as they happen, and knows what must hold of them:
//   - every record that was acknowledged is read by every group, as it was sent;
//   - in one generation of a group a partition has one owner;
//   - an offset that was committed, or seen to be, never goes back;
//   - a group that has members and something to read goes on reading.
type ledger struct {
	mu     sync.Mutex
	log    partitions
	groups map[string]*page
	noted  []string // faults
}

// partitions are the values of records by partition and offset, 0 where none is known.
type partitions map[int32][]int64

func (p partitions) set(partition int32, offset, value int64) (fresh bool) {
	for int64(len(p[partition])) <= offset {
		p[partition] = append(p[partition], 0)
	}
	fresh = p[partition][offset] == 0
	p[partition][offset] = value
	return fresh
}

func (p partitions) get(partition int32, offset int64) int64 {
	if offset < int64(len(p[partition])) {
		return p[partition][offset]
	}
	return 0
}

// page is what the ledger knows of one group.
type page struct {
	seen   partitions
	owners map[claim]string
	latest int32           // generation
	heard  int             // members that told what they own in it
	floor  map[int32]int64 // by partition, what is committed at least
	before map[int32]int64 // floor when the administrator last asked
	news   int             // records read for the first time
	waited struct {
		news  int           // as of
		since time.Duration // then
	}
}

type claim struct {
	generation, partition int32
}

func newLedger(groups ...string) *ledger {
	l := &ledger{log: partitions{}, groups: map[string]*page{}}
	for _, g := range groups {
		l.groups[g] = &page{seen: partitions{}, owners: map[claim]string{}, floor: map[int32]int64{}}
	}
	return l
}

// tell takes an event in.
func (l *ledger) tell(e event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.groups[e.Group]
	switch e.Kind {
	case sent:
		l.log.set(e.Partition, e.Offset, e.Value)
	case read:
		if g.seen.set(e.Partition, e.Offset, e.Value) {
			g.news++
		}
	case owned:
		l.own(g, e)
	case committed:
		g.floor[e.Partition] = max(g.floor[e.Partition], e.Offset)
	case asked:
		g.before = maps.Clone(g.floor)
	case found:
		l.find(g, e)
	case passed:
		l.pass(g, e)
	}
}

func (l *ledger) note(format string, args ...any) {
	if len(l.noted) < faultsMax {
		l.noted = append(l.noted, fmt.Sprintf(format, args...))
	}
}

func (l *ledger) own(g *page, e event) {
	if e.Generation > g.latest {
		g.latest, g.heard = e.Generation, 0
	}
	if e.Generation == g.latest {
		g.heard++
	}
	for _, p := range e.Partitions {
		c := claim{e.Generation, p}
		if other, taken := g.owners[c]; taken && other != e.Member {
			l.note("%s: partition %d belongs to %s and to %s in generation %d", e.Group, p, other, e.Member, e.Generation)
		}
		g.owners[c] = e.Member
	}
}

func (l *ledger) find(g *page, e event) {
	if before, known := g.before[e.Partition]; known && e.Offset < before {
		l.note("%s: offset %d of partition %d was committed, and then it was %d", e.Group, before, e.Partition, e.Offset)
	}
	g.floor[e.Partition] = max(g.floor[e.Partition], e.Offset)
}

func (l *ledger) pass(g *page, e event) {
	if g.news != g.waited.news {
		g.waited.news, g.waited.since = g.news, e.At
	}
	if waited := e.At - g.waited.since; waited > stuckAfter {
		l.note("%s: nothing new is read for %v", e.Group, waited)
	}
}

// faults are all that is known once every group has come to rest.
func (l *ledger) faults() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	faults := slices.Clone(l.noted)
	for id, g := range l.groups {
		for p, values := range l.log {
			for offset, value := range values {
				if got := g.seen.get(p, int64(offset)); value != 0 && got != value {
					faults = append(faults, fmt.Sprintf("%s: record %d, at %d of partition %d, is read as %d", id, value, offset, p, got))
				}
			}
		}
	}
	return faults
}

// count returns something that the ledger counts of a group.
func (l *ledger) count(group string, f func(*page) int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return f(l.groups[group])
}

func news(g *page) int        { return g.news }
func heard(g *page) int       { return g.heard }
func generations(g *page) int { return int(g.latest) }

// TestLedger shows that the ledger has nothing against what groups may do, and finds every fault that it is there to find.
func TestLedger(t *testing.T) {
	f := func(name string, faults int, events ...event) {
		t.Helper()
		l := newLedger("g")
		for _, e := range events {
			l.tell(e)
		}
		if got := l.faults(); len(got) != faults {
			t.Errorf("%s: %d faults, want %d: %q", name, len(got), faults, got)
		}
	}
	f("nothing", 0)
	f("read", 0, sends(0, 0, 1), sends(1, 0, 2), reads("g", 0, 0, 1), reads("g", 1, 0, 2))
	f("read before its producer knows", 0, reads("g", 0, 0, 1), sends(0, 0, 1))
	f("read twice", 0, sends(0, 0, 1), reads("g", 0, 0, 1), reads("g", 0, 0, 1))
	f("read, and nobody was told it was sent", 0, reads("g", 0, 0, 1))
	f("not read", 1, sends(0, 0, 1), sends(0, 1, 2), reads("g", 0, 0, 1))
	f("another one read", 1, sends(0, 0, 1), reads("g", 0, 0, 2))
	f("of another partition", 1, sends(0, 0, 1), reads("g", 1, 0, 1))

	f("shared", 0, owns("g", 1, "a", 0, 1), owns("g", 1, "b", 2))
	f("handed over", 0, owns("g", 1, "a", 0, 1), owns("g", 2, "a", 0), owns("g", 2, "b", 1))
	f("a static member is back", 0, owns("g", 1, "a", 0, 1), owns("g", 1, "a", 0, 1))
	f("two owners", 1, owns("g", 1, "a", 0, 1), owns("g", 1, "b", 1))

	f("committed", 0, commits("g", 0, 5), asks("g"), finds("g", 0, 5), asks("g"), finds("g", 0, 9), commits("g", 0, 9))
	f("committed while asking", 0, asks("g"), commits("g", 0, 5), finds("g", 0, -1))
	f("acknowledged and gone", 1, commits("g", 0, 5), asks("g"), finds("g", 0, 4))
	f("seen and gone", 1, asks("g"), finds("g", 0, 5), asks("g"), finds("g", 0, -1))

	f("slow", 0, passes("g", 0), reads("g", 0, 0, 1), passes("g", stuckAfter), passes("g", 2*stuckAfter))
	f("stuck", 1, passes("g", 0), reads("g", 0, 0, 1), passes("g", time.Second), reads("g", 0, 0, 1), passes("g", 2*stuckAfter))
}
