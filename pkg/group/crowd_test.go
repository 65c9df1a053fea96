package group

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// These tests have clients act at the same time, each in a goroutine of its own, where TestChurn takes one step after the other:
// under the race detector they show that the locks hold what they are to hold. Clients of three groups join, commit, leave, die, vanish
// while they wait, and are replaced by others of their instance id; administrators look on and expire and delete what
// they may; and the server is restarted over and over, in whatever state the groups are. All the while a partition has one owner
// in a generation and no committed offset goes back, and in the end every group comes to rest, and leaves nothing behind.

// ledger is what all clients together have seen.
type ledger struct {
	mu         sync.Mutex
	owners     map[string]string // "group/generation/partition" → member, or instance of a static one
	acked      map[string]int64  // "group/partition" → highest offset whose commit was acknowledged
	settled    map[string]int32  // group → latest generation in which anybody was assigned anything
	violations []string
}

func (l *ledger) violates(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.violatesLocked(format, args...)
}

func (l *ledger) violatesLocked(format string, args ...any) {
	l.violations = append(l.violations, fmt.Sprintf(format, args...))
}

// own notes that somebody was assigned a partition in a generation, and what it found committed there.
func (l *ledger) own(group, who string, generation, partition int32, acked, found int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := fmt.Sprint(group, "/", generation, "/", partition)
	if other := l.owners[key]; other != "" && other != who {
		l.violatesLocked("%s is %s's and %s's", key, other, who)
	}
	if l.owners[key] = who; found < acked {
		l.violatesLocked("%s: %d was committed, and %s finds %d", key, acked, who, found)
	}
	l.settled[group] = max(l.settled[group], generation)
}

func (l *ledger) settledOf(group string) int32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.settled[group]
}

func (l *ledger) ackedOf(group string, partition int32) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acked[fmt.Sprint(group, "/", partition)]
}

func (l *ledger) ack(group string, partition int32, offset int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := fmt.Sprint(group, "/", partition)
	l.acked[key] = max(l.acked[key], offset)
}

// tick is what all times of a crowd are multiples of, so that many things happen at once.
const tick = 100 * time.Millisecond

// guest is a client that lives its life in a goroutine.
type guest struct {
	*client
	ledger *ledger
	rng    *rand.Rand
	calm   bool            // it does what it should, and nothing else
	stop   <-chan struct{} // closed when the server stops
	owned  map[int32]int64 // partition → offset that it has got to; nil when it has no assignment
	past   client          // what it was in an earlier generation
}

func (g *guest) stopped() bool {
	select {
	case <-g.stop:
		return true
	default:
		return false
	}
}

// patience is closed when the client's connection ends: with the server, or of itself.
func (g *guest) patience() <-chan struct{} {
	if g.calm || g.rng.IntN(8) > 0 {
		return g.stop
	}
	vanished := make(chan struct{})
	time.AfterFunc(tick*time.Duration(g.rng.IntN(50)), func() { close(vanished) })
	return vanished
}

// live is the client's life until the server stops. It keeps what it knows for when the server is back.
func (g *guest) live() {
	for !g.stopped() {
		switch {
		case g.owned != nil:
			g.work()
		case g.enterGroup():
			g.assign()
		}
		if !g.calm {
			g.misbehave()
		}
		time.Sleep(tick * time.Duration(1+g.rng.IntN(15)))
	}
}

// enterGroup joins, and says whether it is in a generation.
func (g *guest) enterGroup() bool {
	r := g.r.Coordinator.Join(g.request(), g.patience())
	switch r.Code {
	case kerr.None:
		g.id, g.generation, g.joined = r.MemberID, r.Generation, r
	case kerr.MemberIDRequired:
		g.id = r.MemberID
	default:
		g.refused(r.Code)
	}
	return r.Code == kerr.None
}

// assign brings or fetches the assignment, and takes over what is assigned.
func (g *guest) assign() {
	q := &SyncRequest{GroupID: g.group, MemberID: g.id, InstanceID: g.instance, Generation: g.generation}
	for i, m := range g.joined.Members {
		var partitions []byte
		for p := i; p < partitionsEach; p += len(g.joined.Members) {
			partitions = append(partitions, byte(p))
		}
		q.Assignments = append(q.Assignments, Assignment{m.ID, partitions})
	}
	r := g.r.Coordinator.Sync(q, g.patience())
	if r.Code != kerr.None {
		g.refused(r.Code)
		return
	}
	g.owned = map[int32]int64{}
	for _, p := range r.Assignment {
		acked := g.ledger.ackedOf(g.group, int32(p))
		found := g.position(int32(p))
		g.ledger.own(g.group, g.name(), g.generation, int32(p), acked, found)
		g.owned[int32(p)] = found
	}
	if g.rng.IntN(3) == 0 {
		g.past = *g.client
	}
}

// position is what the group has got to in a partition.
func (g *guest) position(p int32) int64 { return max(g.r.committed(g.group, p), 0) }

const partitionsEach = 4 // of the topic that all groups read

func (g *guest) name() string {
	if g.instance != "" {
		return g.instance
	}
	return g.id
}

// work commits a step further on all that it owns, and says that it is there.
func (g *guest) work() {
	for p, offset := range g.owned {
		if g.r.Commit(g.r.commitRequest(g.client, p, offset+1))[0] == kerr.None {
			g.owned[p] = offset + 1
			g.ledger.ack(g.group, p, offset+1)
		}
	}
	if code := g.r.Heartbeat(g.group, g.who(), g.generation); code != kerr.None {
		g.refused(code)
	}
}

// refused is what clients do that are told that they are in no generation, or not in this one.
func (g *guest) refused(code kerr.Code) {
	g.owned = nil
	if code != kerr.RebalanceInProgress && code != kerr.CoordinatorNotAvailable {
		g.id = ""
	}
}

// misbehave has the client leave, die and be born again, or want something else, now and then.
func (g *guest) misbehave() {
	switch g.rng.IntN(40) {
	case 0, 1, 2, 3:
		g.haunt()
	case 4:
		g.r.Leave(g.group, []Identity{g.who(), {MemberID: "nobody"}})
		g.id, g.owned = "", nil
	case 5:
		g.id, g.owned = "", nil
	case 6:
		g.topics = []string{"orders", "clicks"}[:1+g.rng.IntN(2)]
		g.owned = nil
	}
}

// haunt speaks for the member that the client was in a generation that others have followed.
func (g *guest) haunt() {
	settled := g.ledger.settledOf(g.group)
	if g.past.group == "" || g.past.generation >= settled {
		return
	}
	committed := g.r.Commit(g.r.commitRequest(&g.past, int32(g.rng.IntN(partitionsEach)), 0))[0]
	beat := g.r.Heartbeat(g.group, g.past.who(), g.past.generation)
	synced := g.r.Coordinator.Sync(&SyncRequest{GroupID: g.group, MemberID: g.past.id, InstanceID: g.past.instance, Generation: g.past.generation}, g.stop)
	for _, code := range []kerr.Code{committed, beat, synced.Code} {
		if code == kerr.None {
			g.ledger.violates("%s: after generation %d %s is taken for one of %d", g.group, settled, g.name(), g.past.generation)
		}
	}
}

// meddle is administrators at work until the server stops.
func (r *rig) meddle(stop <-chan struct{}, rng *rand.Rand) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(tick * time.Duration(1+rng.IntN(7))):
		}
		name := fmt.Sprint("group-", rng.IntN(4)) // one of which has no members
		r.List()
		r.Describe(name)
		r.gauge()
		r.Expire()
		r.DeleteOffsets(name, []NamedPartition{{"clicks", state.TopicPartition{Topic: r.topics["clicks"]}}})
		r.Commit(r.commitRequest(r.simple("group-3"), 0, 1))
		r.Delete([]string{"group-3", "none"})
	}
}

// round has all guests live between two starts of the server.
func (r *rig) round(guests []*guest, d time.Duration, rng *rand.Rand) {
	stop := make(chan struct{})
	var all sync.WaitGroup
	for _, g := range guests {
		g.stop = stop
		all.Go(g.live)
	}
	all.Go(func() { r.meddle(stop, rng) })
	time.Sleep(d)
	close(stop)
	all.Wait()
}

// clientsOf is how many clients each group has.
var clientsOf = []int{8, 5, 2}

// guests are the clients, one of each group a static member.
func (r *rig) guests(l *ledger, seed uint64) (all []*guest) {
	for i, size := range clientsOf {
		for j := range size {
			g := &guest{client: r.client(fmt.Sprint("group-", i)), ledger: l, rng: rand.New(rand.NewPCG(seed, uint64(100+len(all))))}
			if g.rebalance = 15 * second; j == 0 {
				g.instance = fmt.Sprint("instance-", i)
			}
			all = append(all, g)
		}
	}
	return all
}

// runCrowd has a crowd live through some restarts, and returns what was wrong.
func runCrowd(t *testing.T, seed uint64, forgets func(entry []byte) bool) []string {
	l := &ledger{owners: map[string]string{}, acked: map[string]int64{}, settled: map[string]int32{}}
	bubble(t, Options{InitialRebalanceDelay: second}, func(r *rig) {
		r.objects.refuses, r.journal.forgets = true, forgets
		rng := rand.New(rand.NewPCG(seed, 5))
		r.takes(func() time.Duration { return tick * time.Duration(rand.IntN(1+rand.IntN(20))) })
		guests := r.guests(l, seed)
		for range 6 {
			r.round(guests, time.Duration(5+rng.IntN(60))*second, rng)
			r.restart()
			l.checkAfterRestart(r)
		}
		l.checkRest(r, guests, rng)
	})
	return l.violations
}

// checkAfterRestart compares what is committed with what was acknowledged.
func (l *ledger) checkAfterRestart(r *rig) {
	for i := range clientsOf {
		for p := range int32(partitionsEach) {
			group := fmt.Sprint("group-", i)
			if acked, found := l.ackedOf(group, p), max(r.committed(group, p), 0); found < acked {
				l.violates("%s/%d: %d was committed, and is %d after a restart", group, p, acked, found)
			}
		}
	}
}

// checkRest has all clients behave, and then leave.
func (l *ledger) checkRest(r *rig, guests []*guest, rng *rand.Rand) {
	for _, g := range guests {
		g.calm = true
	}
	r.round(guests, 120*second, rng)
	owned := map[string][]int32{}
	for _, g := range guests {
		for p := range g.owned {
			owned[g.group] = append(owned[g.group], p)
		}
	}
	for i, size := range clientsOf {
		group := fmt.Sprint("group-", i)
		slices.Sort(owned[group])
		if d, _ := r.Describe(group); d.State != "Stable" || len(d.Members) != size || !slices.Equal(owned[group], []int32{0, 1, 2, 3}) {
			l.violates("%s is %s with %d members, who own %v", group, d.State, len(d.Members), owned[group])
		}
	}
	for _, g := range guests {
		r.Leave(g.group, []Identity{g.who()})
	}
	if n := len(r.present()); n != 0 || r.bytes.Load() != 0 {
		l.violates("%d groups and %d bytes are left when all have left", n, r.bytes.Load())
	}
}

func TestCrowd(t *testing.T) {
	for seed := range uint64(20) {
		for _, violation := range runCrowd(t, seed, nil) {
			t.Errorf("seed %d: %s", seed, violation)
		}
	}
}

// TestCrowdTwin shows that the crowd notices a journal that forgets offsets it acknowledged.
func TestCrowdTwin(t *testing.T) {
	kind := state.AppendCommand(nil, state.CommitOffsets{})[4]
	for seed := range uint64(5) {
		violations := runCrowd(t, seed, func(entry []byte) bool { return entry[4] == kind })
		if strings.Contains(fmt.Sprint(violations), "was committed, and is") {
			return
		}
	}
	t.Error("a journal that forgets offsets is not noticed")
}
