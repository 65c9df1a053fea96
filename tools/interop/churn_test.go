package interop

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	churnTopic      = "churn"
	churnPartitions = 20
	churnSession    = 3 * time.Second
	churnPause      = time.Second / 2       // at most, between one thing that happens to a group and the next
	churnPresent    = 3                     // members that every group has at least
	producePause    = 5 * time.Millisecond  // between handfuls of records
	produceHandful  = 3                     // records
	askPause        = 50 * time.Millisecond // between an administrator's looks at the groups
	restWithin      = 2 * time.Minute       // after which a group that does not come to rest is stuck

	// churnConfig has groups begin at once, and lets a session be as short as a test wants it.
	churnConfig = quickGroups + "min_session_timeout_ms = 1000\n"
)

// slot is a place in a group that a member may have at the moment.
type slot struct {
	membership
	start   func(membership, func(event)) (consumer, error)
	present consumer // nil when nobody has the place
}

func inProcess(s membership, tell func(event)) (consumer, error)  { return startFranz(s, tell) }
func outOfHouse(s membership, tell func(event)) (consumer, error) { return startChild(s, tell) }
func bySarama(s membership, tell func(event)) (consumer, error)   { return startSarama(s, tell) }

// fleet is a topic that is being produced to, and groups of members that read it.
type fleet struct {
	t       *testing.T
	server  *server
	admin   *kadm.Client
	ledger  *ledger
	groups  []string
	slots   []*slot
	began   time.Time
	ending  atomic.Bool    // of producing and asking
	workers sync.WaitGroup // producer and administrator
	parting sync.WaitGroup // of members
	times   struct {       // that members have; of those that crashed, some were killed
		left, crashed, killed, back int
	}
}

// newFleet starts producing to a fresh topic and asking after groups. Nobody is in them yet.
func newFleet(ctx context.Context, t *testing.T, s *server, groups ...string) *fleet {
	t.Helper()
	f := &fleet{t: t, server: s, admin: kadm.NewClient(franz(t, s)), ledger: newLedger(groups...), groups: groups, began: time.Now()}
	if _, err := f.admin.CreateTopic(ctx, churnPartitions, 1, nil, churnTopic); err != nil {
		t.Fatal(err)
	}
	f.workers.Go(func() { f.produce(ctx) })
	f.workers.Go(func() { f.ask(ctx) })
	return f
}

// add makes places in a group, every third for a static member.
func (f *fleet) add(group string, n int, s membership, start func(membership, func(event)) (consumer, error)) {
	s.Addr, s.Topic, s.Group = f.server.addr(), churnTopic, group
	for range n {
		if s.Instance = ""; len(f.slots)%3 == 0 {
			s.Instance = fmt.Sprint("static-", len(f.slots))
		}
		f.slots = append(f.slots, &slot{membership: s, start: start})
	}
}

// produce sends a few records to every partition in turn, until the fleet ends.
func (f *fleet) produce(ctx context.Context) {
	client := franz(f.t, f.server, kgo.DefaultProduceTopic(churnTopic), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()), kgo.RecordRetries(1<<30),
		kgo.RetryBackoffFn(func(int) time.Duration { return 20 * time.Millisecond }))
	last := int64(0)
	for !f.ending.Load() && ctx.Err() == nil {
		for range produceHandful {
			last++
			v := last
			client.Produce(ctx, &kgo.Record{Value: strconv.AppendInt(nil, v, 10)}, func(r *kgo.Record, err error) {
				if err == nil {
					f.ledger.tell(sends(r.Partition, r.Offset, v))
				}
			})
		}
		time.Sleep(producePause)
	}
	if err := client.Flush(ctx); err != nil {
		f.t.Errorf("flush: %v", err)
	}
}

// ask has an administrator look at what the groups have committed, again and again.
func (f *fleet) ask(ctx context.Context) {
	for !f.ending.Load() && ctx.Err() == nil {
		for _, g := range f.groups {
			f.askOnce(ctx, g)
			f.ledger.tell(passes(g, time.Since(f.began)))
		}
		time.Sleep(askPause)
	}
}

// askOnce asks what a group has committed.
func (f *fleet) askOnce(ctx context.Context, group string) map[int32]int64 {
	f.ledger.tell(asks(group))
	found := map[int32]int64{}
	all, err := f.admin.FetchOffsets(ctx, group)
	if err != nil {
		return found
	}
	all.Each(func(o kadm.OffsetResponse) {
		if o.Err == nil {
			found[o.Partition] = o.At
			f.ledger.tell(finds(group, o.Partition, o.At))
		}
	})
	return found
}

// start has somebody take a place.
func (f *fleet) start(s *slot) {
	f.t.Helper()
	var err error
	if s.present, err = s.start(s.membership, f.ledger.tell); err != nil {
		f.t.Fatalf("start a member of %s: %v", s.Group, err)
	}
}

// part has somebody give up a place. How long that takes is their own affair: the place is free at once.
func (f *fleet) part(s *slot, how func(consumer)) {
	c := s.present
	s.present = nil
	f.parting.Go(func() { how(c) })
}

// present are the members that a group has, as far as we know.
func (f *fleet) present(group string) (n int) {
	for _, s := range f.slots {
		if s.Group == group && s.present != nil {
			n++
		}
	}
	return n
}

// act has something happen to one place.
func (f *fleet) act(ctx context.Context, rng *rand.Rand) {
	s := f.slots[rng.IntN(len(f.slots))]
	switch {
	case s.present == nil:
		f.start(s)
	case f.present(s.Group) <= churnPresent:
	case rng.IntN(3) == 0:
		f.times.left++
		f.part(s, consumer.leave)
		f.afterwards(ctx, s, rng)
	default:
		f.times.crashed++
		if _, elsewhere := s.present.(*child); elsewhere {
			f.times.killed++
		}
		f.part(s, consumer.crash)
		f.afterwards(ctx, s, rng)
	}
}

// afterwards has some static members back at once, with their partitions, and others taken out by an administrator:
// they do not leave by themselves.
func (f *fleet) afterwards(ctx context.Context, s *slot, rng *rand.Rand) {
	switch n := rng.IntN(4); {
	case s.Instance == "":
	case n < 2:
		f.times.back++
		f.start(s)
	case n == 2:
		f.admin.LeaveGroup(ctx, kadm.LeaveGroup(s.Group).InstanceIDs(s.Instance)) // it may be out already
	}
}

// rest stops producing, and waits until every group is at rest with everything read and committed.
func (f *fleet) rest(ctx context.Context) {
	f.t.Helper()
	f.parting.Wait()
	f.ending.Store(true)
	f.workers.Wait()
	for _, g := range f.groups {
		f.awaitRest(ctx, g)
		f.awaitAllRead(ctx, g)
	}
}

// awaitRest waits until a group is stable with the members that are present, and says who they are and has what.
func (f *fleet) awaitRest(ctx context.Context, group string) []string {
	f.t.Helper()
	var why string
	ctx, cancel := context.WithTimeout(ctx, restWithin)
	defer cancel()
	for ctx.Err() == nil {
		described, err := f.admin.DescribeGroups(ctx, group)
		if why = fmt.Sprint(err); err == nil {
			g := described[group]
			if why = restless(g.State, assignments(&g), f.present(group)); why == "" {
				return roster(&g)
			}
		}
		time.Sleep(askPause)
	}
	f.t.Fatalf("%s does not come to rest: %s", group, why)
	return nil
}

// awaitAllRead waits until a group has committed the end of every partition.
func (f *fleet) awaitAllRead(ctx context.Context, group string) {
	f.t.Helper()
	ends, err := f.admin.ListEndOffsets(ctx, churnTopic)
	if err != nil {
		f.t.Fatal(err)
	}
	var left []string
	ctx, cancel := context.WithTimeout(ctx, restWithin)
	defer cancel()
	for ctx.Err() == nil {
		left = nil
		found := f.askOnce(ctx, group)
		ends.Each(func(o kadm.ListedOffset) {
			if at := found[o.Partition]; at < o.Offset {
				left = append(left, fmt.Sprintf("%d: %d of %d", o.Partition, at, o.Offset))
			}
		})
		if len(left) == 0 {
			return
		}
		time.Sleep(askPause)
	}
	f.t.Fatalf("%s has not committed all there is: %s", group, strings.Join(left, ", "))
}

// restless says why a group that should have n members, and has these with so many partitions each, is not at rest;
// nothing if it is.
func restless(state string, assigned [][]int32, n int) string {
	if state != "Stable" || len(assigned) != n {
		return fmt.Sprintf("%s with %d members, not %d", state, len(assigned), n)
	}
	owners := map[int32]int{}
	for _, p := range slices.Concat(assigned...) {
		owners[p]++
	}
	for p := range int32(churnPartitions) {
		if owners[p] != 1 {
			return fmt.Sprintf("partition %d has %d owners", p, owners[p])
		}
	}
	return ""
}

// assignments are the partitions of each member.
func assignments(g *kadm.DescribedGroup) [][]int32 {
	all := make([][]int32, len(g.Members))
	for i, m := range g.Members {
		if assigned, ok := m.Assigned.AsConsumer(); ok && len(assigned.Topics) > 0 {
			all[i] = assigned.Topics[0].Partitions
		}
	}
	return all
}

// roster is who is in a group and is assigned what.
func roster(g *kadm.DescribedGroup) []string {
	var all []string
	for i, partitions := range assignments(g) {
		all = append(all, fmt.Sprint(g.Members[i].MemberID, partitions))
	}
	slices.Sort(all)
	return all
}

// end has everybody leave, and reports the ledger's faults.
func (f *fleet) end() {
	for _, s := range f.slots {
		if s.present != nil {
			f.part(s, consumer.leave)
		}
	}
	f.parting.Wait()
	for _, fault := range f.ledger.faults() {
		f.t.Error(fault)
	}
	for _, g := range f.groups {
		f.t.Logf("%s: %d records read, %d generations", g, f.ledger.count(g, news), f.ledger.count(g, generations))
	}
}

// TestGroupChurn has 30 members of franz-go, six of them in processes of their own, and 5 of sarama join, leave,
// crash and be killed at random while producing goes on: eager and cooperative, dynamic and static. It shows that
// every record is read at least once by every group, that no committed offset goes back, that no group gets stuck,
// and that a partition has one owner in a generation. CHURN_SECONDS sets how long.
func TestGroupChurn(t *testing.T) {
	seconds := 10
	if n, err := strconv.Atoi(os.Getenv("CHURN_SECONDS")); err == nil {
		seconds = n
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(seconds)*time.Second+4*restWithin)
	defer cancel()
	f := newFleet(ctx, t, start(t, t.TempDir(), churnConfig), "eager", "cooperative", "sarama")
	eager, cooperative := membership{Session: churnSession}, membership{Session: churnSession, Cooperative: true}
	f.add("eager", 12, eager, inProcess)
	f.add("eager", 3, eager, outOfHouse)
	f.add("cooperative", 12, cooperative, inProcess)
	f.add("cooperative", 3, cooperative, outOfHouse)
	f.add("sarama", 5, eager, bySarama)
	for _, s := range f.slots {
		f.start(s)
	}
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 0))
	for over := time.Now().Add(time.Duration(seconds) * time.Second); time.Now().Before(over); {
		f.act(ctx, rng)
		time.Sleep(time.Duration(rng.Int64N(int64(churnPause))))
	}
	t.Logf("seed %d: %+v", seed, f.times)
	f.rest(ctx)
	f.end()
}

// TestKillUnderGroups kills the server with SIGKILL, again and again, while two groups consume. It shows that their
// members go on without a rebalance, as the server is back within their session, that what they committed is there,
// and that every record is read at least once. CRASH_ROUNDS sets the number of kills.
func TestKillUnderGroups(t *testing.T) {
	rounds := 2
	if n, err := strconv.Atoi(os.Getenv("CRASH_ROUNDS")); err == nil {
		rounds = n
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rounds)*time.Minute+4*restWithin)
	defer cancel()
	s := start(t, t.TempDir(), churnConfig)
	f := newFleet(ctx, t, s, "eager", "cooperative")
	f.add("eager", 4, membership{Session: time.Minute}, inProcess)
	f.add("cooperative", 4, membership{Session: time.Minute, Cooperative: true}, inProcess)
	for _, s := range f.slots {
		f.start(s)
	}
	before, latest := map[string][]string{}, map[string]int{}
	for _, g := range f.groups {
		before[g] = f.awaitRest(ctx, g)
		f.awaitCount(ctx, g, heard, f.present(g))
		latest[g] = f.ledger.count(g, generations)
	}
	for range rounds {
		f.awaitNews(ctx, 500+rand.IntN(500))
		s.restart()
	}
	f.awaitNews(ctx, 500)
	for _, g := range f.groups {
		if after := f.awaitRest(ctx, g); !slices.Equal(after, before[g]) {
			t.Errorf("members and assignments of %s before the kills %q, after them %q", g, before[g], after)
		}
		if now := f.ledger.count(g, generations); now != latest[g] {
			t.Errorf("%s was in generation %d before the kills, and is in %d", g, latest[g], now)
		}
	}
	f.rest(ctx)
	f.end()
}

// awaitNews waits until every group has read n more records.
func (f *fleet) awaitNews(ctx context.Context, n int) {
	f.t.Helper()
	for _, g := range f.groups {
		f.awaitCount(ctx, g, news, f.ledger.count(g, news)+n)
	}
}

// awaitCount waits until the ledger counts so many of something of a group.
func (f *fleet) awaitCount(ctx context.Context, group string, count func(*page) int, goal int) {
	f.t.Helper()
	for f.ledger.count(group, count) < goal {
		select {
		case <-ctx.Done():
			f.t.Fatalf("%s has come to %d of %d in time", group, f.ledger.count(group, count), goal)
		case <-time.After(time.Millisecond):
		}
	}
}

// TestRestless shows that a group is not taken for one at rest that has too few members, has no generation, or has a
// partition with no owner or two.
func TestRestless(t *testing.T) {
	f := func(name, state string, members int, want string, assigned ...[]int32) {
		t.Helper()
		if got := restless(state, assigned, members); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	var all []int32
	for p := range int32(churnPartitions) {
		all = append(all, p)
	}
	f("at rest", "Stable", 3, "", all[:7], all[7:], nil)
	f("rebalancing", "PreparingRebalance", 2, "PreparingRebalance with 2 members, not 2", all[:7], all[7:])
	f("somebody is missing", "Stable", 3, "Stable with 2 members, not 3", all[:7], all[7:])
	f("somebody is dead", "Stable", 1, "Stable with 2 members, not 1", all[:7], all[7:])
	f("no owner", "Stable", 2, "partition 7 has 0 owners", all[:7], all[8:])
	f("two owners", "Stable", 2, "partition 6 has 2 owners", all[:7], all[6:])
}
