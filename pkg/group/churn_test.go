package group

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// churn is a group under random joins, leaves, deaths, commits and restarts of the server, and what must hold all the while:
// in one generation a partition has one owner, generations only rise, no committed offset goes back, and a group whose
// clients keep asking comes to rest.
type churn struct {
	r         *rig
	rng       *rand.Rand
	clients   []*actor
	owners    map[string]string // "generation/partition" → member
	last      int32             // generation settled
	offsets   [4]int64          // committed and acknowledged, by partition
	started   int
	violation string
}

// actor is a client that does what Kafka's clients do: it joins, syncs, beats, and starts over when it is told to.
type actor struct {
	*client
	step  func()
	owned []int32
}

func (c *churn) violates(format string, args ...any) {
	if c.violation == "" {
		c.violation = fmt.Sprintf(format, args...)
	}
}

func (c *churn) start() {
	a := &actor{client: c.r.client("g")}
	a.rebalance = 20 * second
	if c.started++; c.rng.IntN(3) == 0 {
		a.instance = fmt.Sprint("instance-", c.rng.IntN(2))
		c.clients = slices.DeleteFunc(c.clients, func(o *actor) bool { return o.instance == a.instance }) // it takes that one's place
	}
	c.clients = append(c.clients, a)
	c.join(a)
}

func (c *churn) join(a *actor) {
	a.owned = nil
	a.wait = c.r.Coordinator.join(a.request())
	a.step = func() { c.joined(a) }
}

func (c *churn) joined(a *actor) {
	r, ok := answered(a.wait)
	if !ok {
		return
	}
	if r.Code == kerr.MemberIDRequired {
		a.id = r.MemberID
	} else if r.Code != kerr.None {
		a.id = ""
	}
	if r.Code != kerr.None {
		c.join(a)
		return
	}
	a.id, a.generation, a.joined = r.MemberID, r.Generation, r
	c.sync(a)
}

func (c *churn) sync(a *actor) {
	q := &SyncRequest{GroupID: a.group, MemberID: a.id, InstanceID: a.instance, Generation: a.generation}
	parts := make([][]byte, len(a.joined.Members))
	for p := range byte(4) {
		if len(parts) > 0 {
			parts[int(p)%len(parts)] = append(parts[int(p)%len(parts)], p)
		}
	}
	for i, m := range a.joined.Members {
		q.Assignments = append(q.Assignments, Assignment{m.ID, parts[i]})
	}
	a.waitSync = c.r.Coordinator.sync(q)
	a.step = func() { c.synced(a) }
}

func (c *churn) synced(a *actor) {
	r, ok := answered(a.waitSync)
	if !ok {
		return
	}
	if r.Code != kerr.None {
		c.again(a, r.Code)
		return
	}
	if a.generation < c.last {
		c.violates("generation %d is settled after %d", a.generation, c.last)
	}
	c.last = a.generation
	for _, p := range r.Assignment {
		c.own(a, int32(p))
	}
	a.step = func() { c.live(a) }
}

// own notes that a member was assigned a partition. A static member may have taken the place of its earlier self.
func (c *churn) own(a *actor, p int32) {
	name := a.id
	if a.instance != "" {
		name = a.instance
	}
	key := fmt.Sprint(a.generation, "/", p)
	if other, taken := c.owners[key]; taken && other != name {
		c.violates("partition %d belongs to %s and %s in generation %d", p, other, name, a.generation)
	}
	c.owners[key] = name
	a.owned = append(a.owned, p)
}

// live is a moment in a stable member's life.
func (c *churn) live(a *actor) {
	if code := c.r.Heartbeat(a.group, a.who(), a.generation); code != kerr.None {
		c.again(a, code)
		return
	}
	for _, p := range a.owned {
		q := c.r.commitRequest(a.client, p, c.offsets[p]+1)
		if code := c.r.Commit(q)[0]; code == kerr.None {
			c.offsets[p]++
		}
	}
}

// again is what a client does that was told that its generation is over.
func (c *churn) again(a *actor, code kerr.Code) {
	if code != kerr.RebalanceInProgress && code != kerr.CoordinatorNotAvailable {
		a.id = ""
	}
	c.join(a)
}

func (c *churn) restart() {
	c.r.restart()
	for p, want := range c.offsets {
		if got := c.r.committed("g", int32(p)); got < want {
			c.violates("partition %d: offset %d was committed, and is %d after a restart", p, want, got)
		}
	}
	for _, a := range c.clients { // whose connections broke
		if a.owned == nil {
			c.join(a)
		}
	}
}

func (c *churn) act() {
	synctest.Wait()
	switch n := c.rng.IntN(40); {
	case n == 0 && len(c.clients) < 6 || len(c.clients) == 0:
		c.start()
	case n == 1: // dies without a word
		c.clients = slices.Delete(c.clients, 0, 1)
	case n == 2:
		a := c.clients[len(c.clients)-1]
		c.r.Leave(a.group, []Identity{a.who()})
		c.clients = c.clients[:len(c.clients)-1]
	case n == 3:
		c.restart()
	}
	for _, a := range slices.Clone(c.clients) {
		a.step()
	}
	time.Sleep(time.Duration(1+c.rng.IntN(2000)) * time.Millisecond)
}

// settle lets the clients that are left come to rest.
func (c *churn) settle() {
	for range 100 {
		synctest.Wait()
		for _, a := range c.clients {
			a.step()
		}
		time.Sleep(2 * second)
	}
	if d, _ := c.r.Describe("g"); d.State != "Stable" || len(d.Members) != len(c.clients) {
		c.violates("with %d clients the group is %s with %d members", len(c.clients), d.State, len(d.Members))
	}
	owned := 0
	for _, a := range c.clients {
		owned += len(a.owned)
	}
	if owned != 4 {
		c.violates("%d of 4 partitions are owned", owned)
	}
}

func runChurn(t *testing.T, seed uint64, change func(r *rig)) (violation string, members int) {
	bubble(t, Options{InitialRebalanceDelay: time.Second}, func(r *rig) {
		r.objects.refuses = true // so that every restart is a crash
		change(r)
		c := &churn{r: r, rng: rand.New(rand.NewPCG(seed, 3)), owners: map[string]string{}}
		for range 300 {
			c.act()
		}
		if len(c.clients) == 0 {
			c.start()
		}
		c.settle()
		violation, members = c.violation, c.started
	})
	return violation, members
}

func TestChurn(t *testing.T) {
	members := 0
	for seed := range uint64(20) {
		violation, n := runChurn(t, seed, func(*rig) {})
		if members += n; violation != "" {
			t.Errorf("seed %d: %s", seed, violation)
		}
	}
	if members < 60 {
		t.Errorf("only %d clients came", members)
	}
}

// TestChurnTwins shows that the churn notices what it is there to notice: a journal that forgets offsets it acknowledged,
// and one that forgets that a generation was settled.
func TestChurnTwins(t *testing.T) {
	f := func(what string, command state.Command, want ...string) {
		t.Helper()
		kind := state.AppendCommand(nil, command)[4]
		for seed := range uint64(20) {
			violation, _ := runChurn(t, seed, func(r *rig) {
				r.journal.forgets = func(entry []byte) bool { return entry[4] == kind && bytes.Contains(entry, []byte("\x01g")) }
			})
			if slices.ContainsFunc(want, func(w string) bool { return strings.Contains(violation, w) }) {
				return
			}
		}
		t.Errorf("a journal that forgets %s is not noticed", what)
	}
	f("offsets", state.CommitOffsets{}, "was committed, and is")
	f("generations", state.StoreGroup{}, "belongs to", "generation")
}
