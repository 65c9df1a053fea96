// These tests show that groups go through their states as Kafka's do, in the time that a bubble of testing/synctest has: no
// test waits. Below the coordinator works a real engine on a journal in memory, which outlives both.
package group

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/engine"
	"github.com/heraclitus/heraclitus/pkg/journal"
	memory "github.com/heraclitus/heraclitus/pkg/journal/mem"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/metrics"
	store "github.com/heraclitus/heraclitus/pkg/objstore/mem"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/topic"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// faulty is a journal that can be made to wait, to refuse, or to forget.
type faulty struct {
	journal.Journal
	gate    atomic.Pointer[chan struct{}]
	full    atomic.Bool
	forgets func(entry []byte) bool              // whether an entry is acknowledged and not kept
	takes   atomic.Pointer[func() time.Duration] // how long an entry is on its way
}

func (f *faulty) Append(slot uint64, entry []byte) error {
	if gate := f.gate.Load(); gate != nil {
		<-*gate
	}
	if f.full.Load() {
		return journal.ErrNoSpace
	}
	if takes := f.takes.Load(); takes != nil {
		time.Sleep((*takes)())
	}
	if f.forgets != nil && f.forgets(entry) {
		entry = state.AppendCommand(nil, state.ExpireProducers{})
	}
	return f.Journal.Append(slot, entry)
}

// objects is a store that can be made to take no checkpoints.
type objects struct {
	*store.Store
	refuses bool
}

func (o *objects) Put(ctx context.Context, key string, b []byte) error {
	if o.refuses {
		return errors.New("refused")
	}
	return o.Store.Put(ctx, key, b)
}

// rig is a coordinator with what lies under it.
type rig struct {
	*Coordinator
	t       testing.TB
	journal *faulty
	objects *objects
	options Options
	topics  map[string]state.ID
}

const second = time.Second

// takes has entries of the journal be on their way for as long as f says.
func (r *rig) takes(f func() time.Duration) { r.journal.takes.Store(&f) }

// bubble runs f with a coordinator, in a time of its own.
func bubble(t *testing.T, o Options, f func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, o)
		defer func() { r.stopAll() }()
		f(r)
	})
}

func newRig(t testing.TB, o Options) *rig {
	r := &rig{t: t, journal: &faulty{Journal: memory.Open(memory.Options{})}, objects: &objects{Store: store.Open()}, options: o, topics: map[string]state.ID{}}
	r.start()
	for _, name := range []string{"orders", "clicks"} {
		id := engine.NewID()
		if _, err := r.engine.Do(state.CreateTopic{ID: id, Name: name, Partitions: 4}); err != nil {
			t.Fatal(err)
		}
		r.topics[name] = id
	}
	return r
}

func (r *rig) start() {
	r.t.Helper()
	e, err := engine.Open(r.journal, r.objects, engine.Options{Topics: topic.Defaults(), Log: slog.New(slog.DiscardHandler), Metrics: metrics.New("test")})
	if err != nil {
		r.t.Fatal(err)
	}
	r.Coordinator = New(e, r.options)
}

func (r *rig) stopAll() {
	r.Coordinator.Close()
	r.engine.Close()
}

// restart stops the server and starts it on what the journal and the last checkpoint say.
func (r *rig) restart() {
	r.t.Helper()
	r.stopAll()
	r.start()
}

// subscription is what a consumer says that subscribes to topics.
func subscription(topics ...string) []byte {
	s := wire.ConsumerProtocolSubscription{Topics: topics}
	return s.Append([]byte{0, 0}, 0)
}

// client is a member as a test sees it.
type client struct {
	r          *rig
	group      string
	id         string
	instance   string
	topics     []string
	protocols  []string
	session    time.Duration
	rebalance  time.Duration
	generation int32
	wait       <-chan Joined
	waitSync   <-chan Synced
	joined     Joined
}

func (r *rig) client(group string) *client {
	return &client{r: r, group: group, topics: []string{"orders"}, protocols: []string{"range"}, session: 10 * second, rebalance: 60 * second}
}

func (c *client) request() *JoinRequest {
	q := &JoinRequest{
		GroupID: c.group, MemberID: c.id, InstanceID: c.instance, ClientID: "client", ClientHost: "/127.0.0.1", ProtocolType: consumerType,
		SessionTimeout: c.session, RebalanceTimeout: c.rebalance, ReturnsWithID: true,
	}
	for _, p := range c.protocols {
		q.Protocols = append(q.Protocols, Protocol{p, subscription(c.topics...)})
	}
	return q
}

// join sends a join, and a second one with the member id that the first brings.
func (c *client) join() *client {
	c.r.t.Helper()
	c.wait = c.r.Coordinator.join(c.request())
	if c.id == "" && c.instance == "" {
		r, ok := answered(c.wait)
		if !ok || r.Code != kerr.MemberIDRequired || r.MemberID == "" {
			c.r.t.Fatalf("the first join is answered with %+v", r)
		}
		c.id = r.MemberID
		c.wait = c.r.Coordinator.join(c.request())
	}
	return c
}

// answered returns what has come, if anything has.
func answered[T any](w <-chan T) (r T, ok bool) {
	synctest.Wait()
	select {
	case r = <-w:
		return r, true
	default:
		return r, false
	}
}

// expectJoined checks how the join was answered, and takes over what it says.
func (c *client) expectJoined(want kerr.Code) *client {
	c.r.t.Helper()
	r, ok := answered(c.wait)
	if !ok || r.Code != want {
		c.r.t.Fatalf("join: %v (answered %v), want %v", r.Code, ok, want)
	}
	if c.joined = r; r.Code == kerr.None {
		c.id, c.generation = r.MemberID, r.Generation
	}
	return c
}

func (c *client) expectWaiting() {
	c.r.t.Helper()
	if r, ok := answered(c.wait); ok {
		c.r.t.Fatalf("join is answered too early: %+v", r)
	}
}

// sync asks for the assignment; a leader says that each member is assigned its own id.
func (c *client) sync() *client {
	q := &SyncRequest{GroupID: c.group, MemberID: c.id, InstanceID: c.instance, Generation: c.generation}
	for _, m := range c.joined.Members {
		q.Assignments = append(q.Assignments, Assignment{m.ID, []byte(m.ID)})
	}
	c.waitSync = c.r.Coordinator.sync(q)
	return c
}

func (c *client) expectSynced(want kerr.Code) *client {
	c.r.t.Helper()
	r, ok := answered(c.waitSync)
	if !ok || r.Code != want {
		c.r.t.Fatalf("sync: %v (answered %v), want %v", r.Code, ok, want)
	}
	if want == kerr.None && string(r.Assignment) != c.id && c.instance == "" {
		c.r.t.Fatalf("%s is assigned %q", c.id, r.Assignment)
	}
	return c
}

func (c *client) who() Identity { return Identity{MemberID: c.id, InstanceID: c.instance} }

func (c *client) beat(want kerr.Code) *client {
	c.r.t.Helper()
	if got := c.r.Heartbeat(c.group, c.who(), c.generation); got != want {
		c.r.t.Fatalf("heartbeat of %s: %v, want %v", c.id, got, want)
	}
	return c
}

func (c *client) leave(want kerr.Code) {
	c.r.t.Helper()
	if got, code := c.r.Leave(c.group, []Identity{c.who()}); code != kerr.None || got[0] != want {
		c.r.t.Fatalf("leave of %s: %v, %v, want %v", c.id, got, code, want)
	}
}

func (r *rig) expectState(group, want string, members int) Described {
	r.t.Helper()
	synctest.Wait()
	d, _ := r.Describe(group)
	if d.State != want || len(d.Members) != members {
		r.t.Fatalf("group is %s with %d members, want %s with %d", d.State, len(d.Members), want, members)
	}
	return d
}

// stableGroup brings n clients together.
func (r *rig) stableGroup(n int, change ...func(i int, c *client)) []*client {
	r.t.Helper()
	var all []*client
	for i := range n {
		c := r.client("g")
		for _, f := range change {
			f(i, c)
		}
		all = append(all, c)
	}
	r.settle(all)
	return all
}

// settle has clients join, until they are one generation, and takes it to be stable.
func (r *rig) settle(all []*client) {
	r.t.Helper()
	for _, c := range all {
		c.join()
		if _, code := r.Describe("g"); code != kerr.None {
			r.t.Fatal("no group")
		}
		if len(all) > 1 && c == all[0] && r.options.InitialRebalanceDelay == 0 {
			c.expectJoined(kerr.None) // alone, at first; then it is told to come back
		}
	}
	if r.options.InitialRebalanceDelay > 0 {
		time.Sleep(2 * r.options.InitialRebalanceDelay)
	} else if len(all) > 1 {
		all[0].join()
	}
	for _, c := range all {
		c.expectJoined(kerr.None)
	}
	for _, c := range slices.Backward(all) {
		c.sync()
	}
	for _, c := range all {
		c.expectSynced(kerr.None).beat(kerr.None)
	}
	r.expectState("g", "Stable", len(all))
}

func TestLifeOfAGroup(t *testing.T) {
	bubble(t, Options{InitialRebalanceDelay: 3 * second}, func(r *rig) {
		a, b := r.client("g"), r.client("g")
		a.join().expectWaiting()
		time.Sleep(2 * second)
		b.join().expectWaiting()
		r.expectState("g", "PreparingRebalance", 2)
		time.Sleep(3 * second)
		b.expectWaiting() // b came while the group gathered: it gathers once more
		time.Sleep(1 * second)
		a.expectJoined(kerr.None)
		b.expectJoined(kerr.None)
		if a.generation != 1 || a.joined.Leader != a.id || len(a.joined.Members) != 2 || len(b.joined.Members) != 0 || b.joined.Protocol != "range" {
			t.Fatalf("joined %+v and %+v", a.joined, b.joined)
		}
		r.expectState("g", "CompletingRebalance", 2)
		b.sync()
		if _, ok := answered(b.waitSync); ok {
			t.Fatal("a member is assigned something before the leader said what")
		}
		a.sync().expectSynced(kerr.None).beat(kerr.None)
		b.expectSynced(kerr.None).beat(kerr.None)
		if d := r.expectState("g", "Stable", 2); d.Protocol != "range" || string(d.Members[1].Assignment) != b.id {
			t.Fatalf("described as %+v", d)
		}
		b.leave(kerr.None)
		b.beat(kerr.UnknownMemberID)
		a.beat(kerr.RebalanceInProgress)
		a.sync().expectSynced(kerr.RebalanceInProgress)
		a.join().expectJoined(kerr.None).sync().expectSynced(kerr.None)
		if a.generation != 2 {
			t.Fatalf("generation %d", a.generation)
		}
		a.leave(kerr.None)
		r.expectState("g", "Empty", 0)
		if len(r.present()) != 0 {
			t.Error("an empty group stays in memory")
		}
		a.id = ""
		a.join()
		time.Sleep(3 * second)
		if a.expectJoined(kerr.None); a.generation != 4 {
			t.Errorf("generation %d after the empty one, 3", a.generation)
		}
	})
}

func TestTheSilentAreOut(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		all := r.stableGroup(2)
		for range 5 {
			time.Sleep(9 * second)
			all[0].beat(kerr.None)
			if r.Heartbeat("g", all[1].who(), all[1].generation) != kerr.None {
				break
			}
		}
		r.expectState("g", "Stable", 2)
		time.Sleep(9 * second)
		all[0].beat(kerr.None)
		time.Sleep(2 * second)
		all[1].beat(kerr.UnknownMemberID)
		all[0].beat(kerr.RebalanceInProgress)
		time.Sleep(11 * second)
		r.expectState("g", "Empty", 0)
	})
}

func TestWhoDoesNotJoinAgainIsOut(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		all := r.stableGroup(3, func(_ int, c *client) { c.session = 100 * second })
		all[0].join()
		all[1].join()
		all[0].expectWaiting()
		time.Sleep(61 * second)
		all[0].expectJoined(kerr.None)
		all[1].expectJoined(kerr.None)
		all[2].beat(kerr.UnknownMemberID)
		if len(all[0].joined.Members) != 2 {
			t.Errorf("members %v", all[0].joined.Members)
		}
	})
}

func TestWhoDoesNotSyncIsOut(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		a, b := r.client("g"), r.client("g")
		a.session, b.session = 100*second, 100*second
		a.join().expectJoined(kerr.None)
		b.join()
		a.join().expectJoined(kerr.None)
		b.expectJoined(kerr.None)
		b.sync()
		time.Sleep(61 * second)
		b.expectSynced(kerr.RebalanceInProgress)
		a.beat(kerr.UnknownMemberID)
		b.join().expectJoined(kerr.None)
		if b.joined.Leader != b.id {
			t.Error("the leader that never spoke still leads")
		}
	})
}

// TestWhoWaitsIsNotSilent shows that a member's session does not end while it is the group that keeps it waiting; but of
// one that has never been in a generation nobody can know.
func TestWhoWaitsIsNotSilent(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		all := r.stableGroup(2, func(_ int, c *client) { c.session, c.rebalance = 10*second, 1000*second })
		all[0].join()
		fresh := r.client("g").join()
		for range 34 { // the other one is there, and does not join
			time.Sleep(9 * second)
			all[1].beat(kerr.RebalanceInProgress)
		}
		all[0].expectWaiting()
		fresh.expectJoined(kerr.UnknownMemberID)
	})
}

func TestMemberIDsAreGivenFirst(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		c := r.client("g")
		answer, _ := answered(r.join(c.request()))
		if answer.Code != kerr.MemberIDRequired || !strings.HasPrefix(answer.MemberID, "client-") {
			t.Fatalf("the first join: %+v", answer)
		}
		c.id = "somebody"
		c.join().expectJoined(kerr.UnknownMemberID)
		c.id = answer.MemberID
		time.Sleep(11 * second)
		c.join().expectJoined(kerr.UnknownMemberID) // it came too late
		if len(r.present()) != 0 {
			t.Error("a group that nobody came to stays in memory")
		}
		q := r.client("g").request()
		q.ReturnsWithID = false
		if old, ok := answered(r.join(q)); !ok || old.Code != kerr.None {
			t.Errorf("a client that knows nothing of this: %+v", old)
		}
	})
}

func TestProtocolsAreVotedFor(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		names := [][]string{{"range", "sticky", "own"}, {"sticky", "range"}, {"sticky", "range"}}
		all := r.stableGroup(3, func(i int, c *client) { c.protocols = names[i] })
		if got := all[2].joined.Protocol; got != "sticky" {
			t.Errorf("%s won", got)
		}
		twice := r.client("twice")
		twice.protocols = []string{"range", "range"}
		twice.join().expectJoined(kerr.None)
		r.client("twice").join().expectWaiting()
		other := r.client("g")
		other.protocols = []string{"own"}
		other.id = "x"
		other.join().expectJoined(kerr.InconsistentGroupProtocol)
		q := r.client("g").request()
		q.ProtocolType = "connect"
		if got, _ := answered(r.join(q)); got.Code != kerr.InconsistentGroupProtocol {
			t.Errorf("another type: %+v", got)
		}
		q = r.client("new").request()
		q.Protocols = nil
		if got, _ := answered(r.join(q)); got.Code != kerr.InconsistentGroupProtocol {
			t.Errorf("no protocol: %+v", got)
		}
		q.MemberID = "x"
		if got, _ := answered(r.join(q)); got.Code != kerr.UnknownMemberID {
			t.Errorf("no protocol, of a member of no group: %+v", got)
		}
	})
}

func TestJoinsOfMembers(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		all := r.stableGroup(2)
		generation := all[0].generation
		all[1].join().expectJoined(kerr.None) // a follower with nothing new
		if all[1].generation != generation || all[1].joined.Members != nil {
			t.Fatalf("it got %+v", all[1].joined)
		}
		all[1].topics = []string{"clicks"}
		all[1].join().expectWaiting()
		all[0].beat(kerr.RebalanceInProgress)
		first := all[1].wait
		all[1].join().expectWaiting() // again, as after a broken connection
		if old, ok := answered(first); !ok || old.Code != kerr.RebalanceInProgress {
			t.Errorf("the join before is answered with %+v", old)
		}
		all[0].join().expectJoined(kerr.None)
		all[1].expectJoined(kerr.None)
		all[0].join().expectJoined(kerr.None) // the answer was lost, say
		if all[0].generation != generation+1 || len(all[0].joined.Members) != 2 {
			t.Fatalf("it got %+v", all[0].joined)
		}
		all[0].sync().expectSynced(kerr.None)
		all[1].sync().expectSynced(kerr.None)
		all[0].join() // a leader that comes again wants to assign anew
		all[1].beat(kerr.RebalanceInProgress)
	})
}

func TestStaticMembers(t *testing.T) {
	name := func(i int, c *client) { c.instance = fmt.Sprint("instance-", i) }
	bubble(t, Options{}, func(r *rig) {
		all := r.stableGroup(2, name)
		old, oldID := *all[1], all[1].id
		all[1].id = ""
		all[1].join().expectJoined(kerr.None).sync().expectSynced(kerr.None)
		if all[1].generation != old.generation || all[1].id == oldID {
			t.Fatalf("it got %+v", all[1].joined)
		}
		if s, _ := answered(all[1].waitSync); string(s.Assignment) != "" {
			t.Fatal("answered twice")
		}
		old.beat(kerr.FencedInstanceID)
		old.sync().expectSynced(kerr.FencedInstanceID)
		old.join().expectJoined(kerr.FencedInstanceID)
		old.leave(kerr.FencedInstanceID)
		all[0].beat(kerr.None)
		r.restart()
		all[1].beat(kerr.None)
		old.beat(kerr.FencedInstanceID)

		all[1].id, all[1].topics = "", []string{"clicks"} // what it wants has changed
		all[1].join().expectWaiting()
		all[0].beat(kerr.RebalanceInProgress)
		all[0].join().expectJoined(kerr.None)
		all[1].expectJoined(kerr.None)
		all[1].id = ""
		all[1].join() // before the leader knew of it
		all[0].beat(kerr.RebalanceInProgress)
		all[0].join().expectJoined(kerr.None)
		all[1].expectJoined(kerr.None)
		all[0].sync().expectSynced(kerr.None)
		all[1].sync().expectSynced(kerr.None)

		codes, _ := r.Leave("g", []Identity{{InstanceID: "instance-1"}, {InstanceID: "instance-9"}})
		if !slices.Equal(codes, []kerr.Code{kerr.None, kerr.UnknownMemberID}) {
			t.Errorf("leave by instance id: %v", codes)
		}
		all[0].beat(kerr.RebalanceInProgress)
	})
}

func TestStaticLeaderComesBack(t *testing.T) {
	for _, skips := range []bool{false, true} {
		bubble(t, Options{}, func(r *rig) {
			all := r.stableGroup(2, func(i int, c *client) { c.instance = fmt.Sprint("instance-", i) })
			leader := all[0].joined.Leader
			q := r.client("g")
			q.instance = "instance-0"
			request := q.request()
			request.SkipsAssignment = skips
			got, _ := answered(r.join(request))
			if got.Code != kerr.None || got.SkipsAssignment != skips || (got.Leader == got.MemberID) != skips || (got.Leader == leader) == skips || (len(got.Members) == 2) != skips {
				t.Errorf("skips %v: got %+v, the leader was %s", skips, got, leader)
			}
		})
	}
}

// TestStaticMembersMayBeAway shows that a rebalance keeps the place of a static member that does not join, until its session ends.
func TestStaticMembersMayBeAway(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		all := r.stableGroup(2, func(i int, c *client) {
			c.instance, c.session, c.rebalance = fmt.Sprint("instance-", i), 200*second, 20*second
		})
		all[0].join()
		time.Sleep(21 * second)
		all[0].expectJoined(kerr.None)
		if len(all[0].joined.Members) != 2 {
			t.Errorf("members %v", all[0].joined.Members)
		}
		all[0].sync().expectSynced(kerr.None)
	})
}

func TestLimits(t *testing.T) {
	bubble(t, Options{MembersMax: 2, MemberBytesMax: 1100, GroupBytesMax: 1700, GroupsMax: 2}, func(r *rig) {
		all := r.stableGroup(2)
		if third, _ := answered(r.join(r.client("g").request())); third.Code != kerr.GroupMaxSizeReached {
			t.Fatalf("a third one is told %v", third.Code)
		}
		all[0].beat(kerr.None)

		f := func(change func(*JoinRequest), want kerr.Code) {
			t.Helper()
			q := r.client("h").request()
			change(q)
			if got, _ := answered(r.join(q)); got.Code != want {
				t.Errorf("got %v, want %v", got.Code, want)
			}
		}
		f(func(q *JoinRequest) { q.SessionTimeout = 5 * second }, kerr.InvalidSessionTimeout)
		f(func(q *JoinRequest) { q.SessionTimeout = time.Hour }, kerr.InvalidSessionTimeout)
		f(func(q *JoinRequest) { q.GroupID = "" }, kerr.InvalidGroupID)
		f(func(q *JoinRequest) { q.GroupID = strings.Repeat("g", groupIDBytesMax+1) }, kerr.InvalidGroupID)
		f(func(q *JoinRequest) { q.Protocols[0].Metadata = make([]byte, 1100) }, kerr.InvalidRequest)
		f(func(q *JoinRequest) { q.Protocols = make([]Protocol, protocolsMax+1) }, kerr.InvalidRequest)

		// A member of a group may not grow beyond what the group may hold, nor may the assignment.
		all[1].topics = []string{strings.Repeat("t", 900)}
		all[1].join().expectWaiting()
		all[0].topics = all[1].topics
		all[0].join().expectJoined(kerr.GroupMaxSizeReached)
		all[1].expectJoined(kerr.None)
		w := r.sync(&SyncRequest{GroupID: "g", MemberID: all[1].id, Generation: all[1].generation, Assignments: []Assignment{{all[1].id, make([]byte, 700)}}})
		if got, _ := answered(w); got.Code != kerr.UnknownServerError {
			t.Errorf("too large an assignment: %v", got.Code)
		}
		other := r.client("h")
		other.join().expectJoined(kerr.None)
		if got, _ := answered(r.join(r.client("i").request())); got.Code != kerr.GroupMaxSizeReached {
			t.Errorf("a group too many: %v", got.Code)
		}
		other.leave(kerr.None)
		all[1].leave(kerr.None)
		if n := r.bytes.Load(); n != 0 {
			t.Errorf("%d bytes are in nobody's name", n)
		}
	})
}

func TestNobodyIsThere(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		c := r.client("g")
		c.id = "x"
		c.join().expectJoined(kerr.UnknownMemberID)
		c.sync().expectSynced(kerr.UnknownMemberID)
		c.beat(kerr.UnknownMemberID).leave(kerr.UnknownMemberID)
		all := r.stableGroup(1)
		all[0].generation++
		all[0].beat(kerr.IllegalGeneration).sync().expectSynced(kerr.IllegalGeneration)
		all[0].generation--
		bad := "other"
		w := r.sync(&SyncRequest{GroupID: "g", MemberID: all[0].id, Generation: all[0].generation, Protocol: &bad})
		if got, _ := answered(w); got.Code != kerr.InconsistentGroupProtocol {
			t.Errorf("a protocol that is not the group's: %v", got.Code)
		}
		c.group = ""
		if code := r.Heartbeat("", c.who(), 1); code != kerr.InvalidGroupID {
			t.Errorf("heartbeat without group: %v", code)
		}
		if _, code := r.Leave("", nil); code != kerr.InvalidGroupID {
			t.Errorf("leave without group: %v", code)
		}
		c.sync().expectSynced(kerr.InvalidGroupID)
	})
}

// TestRestart shows that a stable group goes on over a restart as if nothing had been, and that its members have their whole
// session to come back. A crash is a restart, since the journal is all there is.
func TestRestart(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		all := r.stableGroup(3)
		r.commit(all[0], 0, 42)
		time.Sleep(9 * second)
		r.restart()
		r.expectState("g", "Stable", 3)
		time.Sleep(9 * second)
		for _, c := range all {
			c.beat(kerr.None).sync().expectSynced(kerr.None)
		}
		if got := r.committed("g", 0); got != 42 {
			t.Errorf("committed %d", got)
		}
		all[0].leave(kerr.None)
		r.restart() // in the middle of a rebalance: the last settled generation holds
		for _, c := range all {
			c.beat(kerr.None)
		}
		time.Sleep(11 * second)
		r.expectState("g", "Empty", 0)
		r.restart()
		r.expectState("g", "Empty", 0)
		if len(r.present()) != 0 {
			t.Error("an empty group is in memory after a restart")
		}
		c := r.client("g").join().expectJoined(kerr.None)
		if c.generation != all[0].generation+2 {
			t.Errorf("generation %d follows %d and an empty one", c.generation, all[0].generation)
		}
	})
}

// TestNothingIsSaidBeforeItIsDurable shows that no member learns an assignment that a crash could take back.
func TestNothingIsSaidBeforeItIsDurable(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		a := r.client("g").join().expectJoined(kerr.None)
		gate := make(chan struct{})
		r.journal.gate.Store(&gate)
		answer := make(chan Synced, 1)
		go func() {
			answer <- r.Sync(&SyncRequest{GroupID: "g", MemberID: a.id, Generation: a.generation}, nil)
		}()
		if got, ok := answered(answer); ok {
			t.Fatalf("answered before the journal: %+v", got)
		}
		// Neither this group nor another one waits meanwhile.
		a.beat(kerr.None)
		b := r.client("h").join().expectJoined(kerr.None)
		b.beat(kerr.None)
		close(gate)
		if got, _ := answered(answer); got.Code != kerr.None {
			t.Errorf("then: %+v", got)
		}
	})
}

func TestFullJournal(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		a := r.client("g").join().expectJoined(kerr.None)
		r.journal.full.Store(true)
		a.sync().expectSynced(kerr.CoordinatorNotAvailable)
		a.beat(kerr.RebalanceInProgress)
		r.journal.full.Store(false)
		a.join().expectJoined(kerr.None).sync().expectSynced(kerr.None).beat(kerr.None)
		r.journal.full.Store(true)
		if got := r.Commit(r.commitRequest(a, 0, 1)); got[0] != kerr.CoordinatorNotAvailable {
			t.Errorf("a commit: %v", got)
		}
		r.journal.full.Store(false)
	})
}

// TestGivingUp shows that who waits for others gives up when its connection ends, and that its member stays.
func TestGivingUp(t *testing.T) {
	bubble(t, Options{InitialRebalanceDelay: 3 * second}, func(r *rig) {
		done := make(chan struct{})
		q := r.client("g").request()
		q.ReturnsWithID = false
		answer := make(chan Joined, 1)
		go func() { answer <- r.Join(q, done) }()
		if _, ok := answered(answer); ok {
			t.Fatal("answered early")
		}
		close(done)
		if got, ok := answered(answer); !ok || got.Code != kerr.CoordinatorNotAvailable {
			t.Errorf("it got %+v", got)
		}
		r.expectState("g", "PreparingRebalance", 1)
		time.Sleep(3 * second)
		r.expectState("g", "CompletingRebalance", 1)
		time.Sleep(11 * second)
		r.expectState("g", "Empty", 0)
	})
}
