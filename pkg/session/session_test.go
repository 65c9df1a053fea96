// What is shown here: a session gives back what it was told to read and leaves out what its client knows; requests out of
// turn, of unknown sessions and by the wrong kind of name are refused without harm; and the cache keeps to its limits by
// Kafka's rules of eviction. The course of TestCourse was put to a real 4.3.1 broker.
package session

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
)

func at(topic string, partition int32, offset int64) Partition {
	return Partition{Key: Key{Topic: topic, Partition: partition}, Offset: offset, BytesMax: 1 << 20, LeaderEpoch: -1, LastFetchedEpoch: -1}
}

func named(topics ...string) []Partition {
	var all []Partition
	for _, t := range topics {
		all = append(all, at(t, 0, 0))
	}
	return all
}

// logs are what the partitions of a test hold, by topic; a topic that is not there is unknown.
type logs map[string]int64

// fetch runs one request against c: records from each partition's offset up to its end, if there are any.
func fetch(t *testing.T, c *Cache, l logs, r Request) (id int32, told string, err error) {
	t.Helper()
	var f Fetch
	if err := c.Begin(&f, &r); err != nil {
		return 0, "", err
	}
	l.read(&f)
	id, err = f.End()
	return id, tell(&f), err
}

func (l logs) read(f *Fetch) {
	for i, p := range f.Partitions {
		end, ok := l[p.Topic]
		switch {
		case !ok:
			f.Outcomes[i] = Outcome{Code: kerr.UnknownTopicOrPartition, HighWatermark: -1, LogStart: -1}
		case p.Offset > end:
			f.Outcomes[i] = Outcome{Code: kerr.OffsetOutOfRange, HighWatermark: -1, LogStart: -1}
		default:
			f.Outcomes[i] = Outcome{HighWatermark: end, Bytes: int(end - p.Offset)}
		}
	}
}

// tell writes down what a client is told: "a+3" three bytes of records, "a" only offsets, "a!3" an error.
func tell(f *Fetch) string {
	var told []string
	for i, p := range f.Partitions {
		switch o := f.Outcomes[i]; {
		case o.Omit:
		case o.Code != kerr.None:
			told = append(told, fmt.Sprintf("%s!%d", p.Topic, o.Code))
		case o.Bytes > 0:
			told = append(told, fmt.Sprintf("%s+%d", p.Topic, o.Bytes))
		default:
			told = append(told, p.Topic)
		}
	}
	return strings.Join(told, " ")
}

func TestCourse(t *testing.T) {
	c, l := NewCache(10), logs{"a": 0, "b": 0, "c": 0}
	id, told, err := fetch(t, c, l, Request{Partitions: named("a", "b", "c")})
	if id == 0 || told != "a b c" || err != nil {
		t.Fatalf("opening: session %d, %q, %v", id, told, err)
	}
	epoch := int32(0)
	f := func(want string, forgotten []Key, ps ...Partition) {
		t.Helper()
		epoch++
		got, told, err := fetch(t, c, l, Request{ID: id, Epoch: epoch, Partitions: ps, Forgotten: forgotten})
		if got != id || told != want || err != nil {
			t.Errorf("request %d: session %d, %q, want %q; %v", epoch, got, told, want, err)
		}
	}
	f("", nil)
	l["b"] = 3
	f("b+3", nil)
	f("b+3", nil)                // not moved on: the same again
	f("b!1", nil, at("b", 0, 9)) // errors are told every time
	f("b!1", nil)
	f("b", nil, at("b", 0, 3)) // and so is their end
	f("", nil)
	f("nope!3", nil, at("nope", 0, 0))
	f("nope!3", nil)
	l["nope"] = 0
	f("nope", nil) // there now
	f("", []Key{{Topic: "nope"}, {Topic: "b"}, {Topic: "never"}})
	l["b"], l["c"] = 9, 9
	f("c+9", nil)
	l["a"] = 9
	f("a+9 c+9", nil)
	f("a+9 c+9", nil) // c went behind a when a had nothing; then both kept their order
	f("d!3", []Key{{Topic: "a"}, {Topic: "c"}}, at("d", 0, 0))
	epoch++
	if got, told, err := fetch(t, c, l, Request{ID: id, Epoch: epoch, Forgotten: []Key{{Topic: "d"}}}); got != 0 || told != "" || err != nil {
		t.Errorf("a session without partitions goes on: %d, %q, %v", got, told, err)
	}
	if _, _, err := fetch(t, c, l, Request{ID: id, Epoch: epoch + 1}); err != kerr.FetchSessionIDNotFound {
		t.Error(err)
	}
}

// TestRotation shows that partitions with records go to the end, so that the first does not starve the others.
func TestRotation(t *testing.T) {
	c := NewCache(1)
	id, _, _ := fetch(t, c, logs{"a": 0, "b": 0, "c": 0}, Request{Partitions: named("a", "b", "c")})
	fetch(t, c, logs{"a": 1, "b": 0, "c": 0}, Request{ID: id, Epoch: 1})
	var f Fetch
	if err := c.Begin(&f, &Request{ID: id, Epoch: 2}); err != nil {
		t.Fatal(err)
	}
	if order := []string{f.Partitions[0].Topic, f.Partitions[1].Topic, f.Partitions[2].Topic}; !slices.Equal(order, []string{"b", "c", "a"}) {
		t.Error(order)
	}
}

func TestRefusals(t *testing.T) {
	c, l := NewCache(10), logs{"a": 0}
	id, _, _ := fetch(t, c, l, Request{Partitions: named("a")})
	f := func(want error, r Request) {
		t.Helper()
		if got, _, err := fetch(t, c, l, r); got != 0 || !errors.Is(err, want) {
			t.Errorf("%+v: session %d, %v, want %v", r, got, err, want)
		}
	}
	f(kerr.FetchSessionIDNotFound, Request{ID: id + 1, Epoch: 1})
	f(kerr.FetchSessionIDNotFound, Request{ID: 0, Epoch: 5, Partitions: named("a")})
	f(kerr.FetchSessionIDNotFound, Request{ID: 0, Epoch: -2, Partitions: named("a")})
	f(kerr.InvalidFetchSessionEpoch, Request{ID: id, Epoch: 2})
	f(kerr.InvalidFetchSessionEpoch, Request{ID: id, Epoch: -2})
	f(kerr.FetchSessionTopicIDError, Request{ID: id, Epoch: 1, ByID: true})
	if got, _, err := fetch(t, c, l, Request{ID: id, Epoch: 1}); got != id || err != nil {
		t.Errorf("refused requests harmed the session: %d, %v", got, err)
	}
	f(kerr.InvalidFetchSessionEpoch, Request{ID: id, Epoch: 1})
}

func TestFullRequests(t *testing.T) {
	c, l := NewCache(10), logs{"a": 0}
	first, _, _ := fetch(t, c, l, Request{Partitions: named("a")})
	second, _, _ := fetch(t, c, l, Request{ID: first, Partitions: named("a")})
	if second == 0 || second == first {
		t.Errorf("sessions %d and %d", first, second)
	}
	if _, _, err := fetch(t, c, l, Request{ID: first, Epoch: 1}); err != kerr.FetchSessionIDNotFound {
		t.Error(err)
	}
	if id, told, err := fetch(t, c, l, Request{ID: second, Epoch: -1, Partitions: named("a")}); id != 0 || told != "a" || err != nil {
		t.Errorf("the final request: session %d, %q, %v", id, told, err)
	}
	if _, _, err := fetch(t, c, l, Request{ID: second, Epoch: 1}); err != kerr.FetchSessionIDNotFound {
		t.Error(err)
	}
	if id, _, err := fetch(t, c, l, Request{}); id == 0 || err != nil {
		t.Errorf("Kafka opens sessions without partitions too: %d, %v", id, err)
	}
	if id, _, _ := fetch(t, NewCache(0), l, Request{Partitions: named("a")}); id != 0 {
		t.Errorf("session %d in a cache for none", id)
	}
}

// TestOvertaken shows that a request does not answer for a session that has moved on meanwhile.
func TestOvertaken(t *testing.T) {
	c, l := NewCache(10), logs{"a": 0}
	id, _, _ := fetch(t, c, l, Request{Partitions: named("a")})
	var slow Fetch
	if err := c.Begin(&slow, &Request{ID: id, Epoch: 1}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := fetch(t, c, l, Request{ID: id, Epoch: 2, Forgotten: []Key{{Topic: "a"}}, Partitions: named("b")}); err != nil {
		t.Fatal(err)
	}
	l.read(&slow)
	if _, err := slow.End(); err != kerr.InvalidFetchSessionEpoch {
		t.Error(err)
	}
}

// TestByID shows that a session by id remembers the name a topic had, and is no session by name.
func TestByID(t *testing.T) {
	c := NewCache(10)
	want := Partition{Key: Key{ID: kbin.UUID{7}}, Offset: 4}
	var f Fetch
	if err := c.Begin(&f, &Request{ByID: true, Partitions: []Partition{want}}); err != nil {
		t.Fatal(err)
	}
	f.Partitions[0].Name = "found"
	id, _ := f.End()
	if err := c.Begin(&f, &Request{ID: id, Epoch: 1}); err != kerr.FetchSessionTopicIDError {
		t.Error(err)
	}
	want.Offset = 5
	if err := c.Begin(&f, &Request{ID: id, Epoch: 1, ByID: true, Partitions: []Partition{want}}); err != nil {
		t.Fatal(err)
	}
	if p := f.Partitions[0]; p.Name != "found" || p.Offset != 5 || len(f.Partitions) != 1 {
		t.Errorf("%+v", f.Partitions)
	}
}

func TestEpochsGoRound(t *testing.T) {
	f := func(epoch, want int32) {
		t.Helper()
		if got := after(epoch); got != want {
			t.Errorf("after %d comes %d", epoch, got)
		}
	}
	f(0, 1)
	f(1, 2)
	f(1<<31-1, 1)
}

func TestEviction(t *testing.T) {
	l := logs{}
	open := func(c *Cache, topics ...string) int32 {
		id, _, _ := fetch(t, c, l, Request{Partitions: named(topics...)})
		return id
	}
	use := func(c *Cache, id, epoch int32) error {
		_, _, err := fetch(t, c, l, Request{ID: id, Epoch: epoch})
		return err
	}
	synctest.Test(t, func(t *testing.T) {
		c := NewCache(2)
		small, large := open(c, "a"), open(c, "a", "b")
		if id := open(c, "a", "b", "c"); id != 0 {
			t.Error("a young session was evicted")
		}
		time.Sleep((evictionMs - 1) * time.Millisecond)
		use(c, small, 1)
		use(c, large, 1)
		time.Sleep(2 * time.Millisecond)
		if id := open(c, "a"); id != 0 {
			t.Error("a session was evicted for one that is no larger")
		}
		larger := open(c, "a", "b", "c")
		if larger == 0 || use(c, small, 2) == nil || use(c, large, 2) != nil {
			t.Error("the smallest session was not the one evicted")
		}
		time.Sleep((evictionMs + 1) * time.Millisecond)
		use(c, larger, 1)
		if id := open(c, "a"); id == 0 || use(c, large, 3) == nil || use(c, larger, 2) != nil {
			t.Error("the stale session was not the one evicted")
		}
	})
}

// TestRefusalIsRemembered shows that a full cache is not searched for every client that would like a session.
func TestRefusalIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewCache(1)
		open := func(topics ...string) bool {
			id, _, _ := fetch(t, c, logs{}, Request{Partitions: named(topics...)})
			return id != 0
		}
		open("a")
		time.Sleep((evictionMs - 1) * time.Millisecond)
		if open("a", "b") {
			t.Error("a young session was evicted")
		}
		time.Sleep(3 * time.Millisecond)
		if open("a", "b") {
			t.Error("searched again at once")
		}
		time.Sleep(refusalMs * time.Millisecond)
		if !open("a", "b") {
			t.Error("not searched again")
		}
	})
}

func TestLimits(t *testing.T) {
	many := func(topic string, n int) []Partition {
		ps := make([]Partition, n)
		for i := range ps {
			ps[i] = at(topic, int32(i), 0)
		}
		return ps
	}
	l := logs{}
	c := NewCache(1000)
	if id, _, err := fetch(t, c, l, Request{Partitions: many("a", sessionPartitionsMax+1)}); id != 0 || err != nil {
		t.Errorf("session %d, %v", id, err)
	}
	id, _, _ := fetch(t, c, l, Request{Partitions: many("a", sessionPartitionsMax)})
	if got, _, err := fetch(t, c, l, Request{ID: id, Epoch: 1, Partitions: many("a", sessionPartitionsMax)}); got != id || err != nil {
		t.Errorf("the same partitions again: %d, %v", got, err)
	}
	if _, _, err := fetch(t, c, l, Request{ID: id, Epoch: 2, Partitions: many("b", 1)}); !errors.Is(err, kerr.FetchSessionIDNotFound) {
		t.Errorf("grown too large: %v", err)
	}
	for range cachePartitionsMax / sessionPartitionsMax {
		if id, _, _ := fetch(t, c, l, Request{Partitions: many("a", sessionPartitionsMax)}); id == 0 {
			t.Error("no room for what all may have")
		}
	}
	if id, _, _ := fetch(t, c, l, Request{Partitions: named("a")}); id != 0 {
		t.Error("more partitions than all may have")
	}
}

// TestGrowthOfAll shows that sessions do not outgrow the limit of all by growing one by one.
func TestGrowthOfAll(t *testing.T) {
	c, l := NewCache(1000), logs{}
	id, _, _ := fetch(t, c, l, Request{Partitions: named("a")})
	c.mu.partitions = cachePartitionsMax
	fetch(t, c, l, Request{ID: id, Epoch: 1, Partitions: named("b")})
	if _, _, err := fetch(t, c, l, Request{ID: id, Epoch: 2}); err != kerr.FetchSessionIDNotFound {
		t.Error(err)
	}
	if c.mu.partitions != cachePartitionsMax-1 {
		t.Errorf("%d partitions counted", c.mu.partitions)
	}
}

// BenchmarkIncremental is a consumer that caught up, on 100 partitions.
func BenchmarkIncremental(b *testing.B) {
	c := NewCache(1)
	var f Fetch
	r := Request{}
	for i := range 100 {
		r.Partitions = append(r.Partitions, at("a", int32(i), 0))
	}
	c.Begin(&f, &r)
	r = Request{}
	r.ID, _ = f.End()
	b.ReportAllocs()
	for b.Loop() {
		r.Epoch++
		if err := c.Begin(&f, &r); err != nil {
			b.Fatal(err)
		}
		f.End()
	}
}
