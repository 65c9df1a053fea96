package group

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
)

func (r *rig) commitRequest(c *client, partition int32, offset int64) *CommitRequest {
	o := state.Offset{Offset: offset, LeaderEpoch: -1, CommitMs: nowMs(), ExpireMs: -1}
	return &CommitRequest{GroupID: c.group, Who: c.who(), Generation: c.generation, Offsets: []state.PartitionOffset{{Topic: r.topics["orders"], Partition: partition, Offset: o}}}
}

func (r *rig) commit(c *client, partition int32, offset int64) {
	r.t.Helper()
	if got := r.Commit(r.commitRequest(c, partition, offset)); got[0] != kerr.None {
		r.t.Fatalf("commit: %v", got)
	}
}

// simple is a client that only keeps its offsets in a group.
func (r *rig) simple(group string) *client { return &client{r: r, group: group, generation: -1} }

func (r *rig) committed(group string, partition int32) int64 {
	return r.Committed(group, []state.TopicPartition{{Topic: r.topics["orders"], Partition: partition}})[0].Offset.Offset
}

// TestWhoMayCommit shows who may commit in which state of a group.
func TestWhoMayCommit(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		f := func(what string, c *client, want kerr.Code) {
			t.Helper()
			if got := r.Commit(r.commitRequest(c, 0, 1)); got[0] != want {
				t.Errorf("%s: %v, want %v", what, got[0], want)
			}
		}
		f("no group, and a client that needs none", r.simple("s"), kerr.None)
		f("an empty group id", r.simple(""), kerr.None)
		f("no group, and a member", &client{r: r, group: "none", id: "x", generation: 1}, kerr.GroupIDNotFound)
		f("too long an id", r.simple(strings.Repeat("g", groupIDBytesMax+1)), kerr.GroupIDNotFound)

		a := r.client("g").join().expectJoined(kerr.None)
		f("before the assignment", a, kerr.RebalanceInProgress)
		a.sync().expectSynced(kerr.None)
		f("a member", a, kerr.None)
		f("no member", r.simple("g"), kerr.UnknownMemberID)
		f("an unknown member", &client{r: r, group: "g", id: "x", generation: a.generation}, kerr.UnknownMemberID)
		f("an old generation", &client{r: r, group: "g", id: a.id, generation: a.generation - 1}, kerr.IllegalGeneration)
		f("a fenced one", &client{r: r, group: "g", id: a.id, instance: "i", generation: a.generation}, kerr.UnknownMemberID)
		r.client("g").join()
		f("while the group rebalances", a, kerr.None)
		for range 20 {
			time.Sleep(9 * second)
			if r.Commit(r.commitRequest(a, 0, 1))[0] != kerr.None {
				break
			}
		}
		a.beat(kerr.UnknownMemberID) // not within its session, but within its rebalance timeout it should have joined again
	})
}

func TestOffsetsAreKept(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		s := r.simple("s")
		q := r.commitRequest(s, 0, 5)
		for i := range 200 { // more than one command
			o, p := q.Offsets[0], int32(i%4)
			o.Partition, o.Offset.Offset, o.Metadata = p, int64(10+p), strings.Repeat("m", 4096)
			q.Offsets = append(q.Offsets, o)
		}
		q.Offsets[100].Metadata += "m"
		for i, code := range r.Commit(q) {
			if want := map[bool]kerr.Code{true: kerr.OffsetMetadataTooLarge}[i == 100]; code != want {
				t.Errorf("offset %d: %v", i, code)
			}
		}
		o := q.Offsets[0]
		o.Topic, o.Partition = r.topics["clicks"], 3
		q.Offsets = append(q.Offsets[:0], o)
		r.Commit(q)
		r.restart()
		all := r.AllCommitted("s")
		if len(all) != 2 || all[0].Name != "clicks" || len(all[1].Offsets) != 4 || all[1].Offsets[2].Offset.Offset != 12 || len(all[1].Offsets[2].Metadata) != 4096 {
			t.Errorf("got %d topics", len(all))
		}
		if r.committed("s", 3) != 13 || r.committed("none", 3) != -1 || r.AllCommitted("none") != nil {
			t.Error("single offsets are wrong")
		}
		if _, err := r.engine.Do(state.DeleteTopic{ID: r.topics["orders"]}); err != nil {
			t.Fatal(err)
		}
		if all := r.AllCommitted("s"); len(all) != 1 || all[0].Name != "clicks" {
			t.Errorf("after its topic is gone: %v", all)
		}
	})
}

// TestMetadataIsMeasuredAsInKafka shows that the limit counts UTF-16 code units, as the length of Java's strings does.
func TestMetadataIsMeasuredAsInKafka(t *testing.T) {
	bubble(t, Options{OffsetMetadataMax: 4}, func(r *rig) {
		f := func(metadata string, want kerr.Code) {
			t.Helper()
			q := r.commitRequest(r.simple("s"), 0, 1)
			q.Offsets[0].Metadata = metadata
			if got := r.Commit(q); got[0] != want {
				t.Errorf("%q: %v, want %v", metadata, got[0], want)
			}
		}
		f("abcd", kerr.None)
		f("abcde", kerr.OffsetMetadataTooLarge)
		f("üüüü", kerr.None)
		f("üüüüü", kerr.OffsetMetadataTooLarge)
		f("\U0001F600\U0001F600", kerr.None)
		f("\U0001F600\U0001F600a", kerr.OffsetMetadataTooLarge)
		f("\xff\xff\xff\xff\xff", kerr.OffsetMetadataTooLarge)
	})
}

// TestWordsOfAnOlderVersion shows that of what a consumer says the server reads the topics, which all versions begin with:
// some clients name a newer version than they speak.
func TestWordsOfAnOlderVersion(t *testing.T) {
	f := func(words []byte, want map[string]bool) {
		t.Helper()
		if got := topicsOf(consumerType, words); !maps.Equal(got, want) || (got == nil) != (want == nil) {
			t.Errorf("%v: %v, want %v", words, got, want)
		}
	}
	orders := subscription("orders")
	of := func(version byte, body []byte) []byte { return append([]byte{0, version}, body...) }
	f(orders, map[string]bool{"orders": true})
	for version := range byte(9) {
		f(of(version, orders[2:]), map[string]bool{"orders": true})
	}
	f([]byte{0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, nil)
	f(orders[:len(orders)-6], nil)
	f([]byte{0}, nil)
}

func TestDeleteOffsets(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		f := func(what, group, topic string, want, wantAll kerr.Code) {
			t.Helper()
			codes, code := r.DeleteOffsets(group, []NamedPartition{{topic, state.TopicPartition{Topic: r.topics[topic], Partition: 0}}})
			if code != wantAll || codes[0] != want {
				t.Errorf("%s: %v, %v", what, codes[0], code)
			}
		}
		f("no group", "none", "orders", kerr.None, kerr.GroupIDNotFound)
		a := r.stableGroup(1)[0]
		r.commit(a, 0, 7)
		f("subscribed", "g", "orders", kerr.GroupSubscribedToTopic, kerr.None)
		f("not subscribed", "g", "clicks", kerr.None, kerr.None)
		if r.committed("g", 0) != 7 {
			t.Error("a subscribed topic's offset is gone")
		}
		a.leave(kerr.None)
		f("empty", "g", "orders", kerr.None, kerr.None)
		if r.committed("g", 0) != -1 {
			t.Error("the offset is still there")
		}
		q := r.client("c").request()
		q.ProtocolType, q.ReturnsWithID = "connect", false
		r.Join(q, nil)
		f("not consumers", "c", "orders", kerr.None, kerr.NonEmptyGroup)
	})
}

func TestDeleteGroups(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		f := func(what, group string, want kerr.Code) {
			t.Helper()
			if got := r.Delete([]string{group}); got[0] != want {
				t.Errorf("%s: %v, want %v", what, got[0], want)
			}
		}
		f("none", "g", kerr.GroupIDNotFound)
		a := r.stableGroup(1)[0]
		r.commit(a, 0, 7)
		f("with a member", "g", kerr.NonEmptyGroup)
		a.leave(kerr.None)
		f("empty", "g", kerr.None)
		f("gone", "g", kerr.GroupIDNotFound)
		invited, _ := answered(r.join(r.client("invited").request()))
		f("somebody was to join", "invited", kerr.None)
		c := r.client("invited")
		c.id = invited.MemberID
		c.join().expectJoined(kerr.UnknownMemberID)
		if n := r.bytes.Load(); n != 0 {
			t.Errorf("%d bytes are in nobody's name", n)
		}
		r.restart()
		if d, code := r.Describe("g"); code != kerr.GroupIDNotFound || d.State != "Dead" || r.committed("g", 0) != -1 {
			t.Errorf("a deleted group is %+v", d)
		}
	})
}

func TestList(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		r.commit(r.simple("simple"), 0, 1)
		a := r.stableGroup(1)[0]
		r.client("left").join().expectJoined(kerr.None).leave(kerr.None)
		r.client("joining").join().expectJoined(kerr.None)
		answered(r.join(r.client("invited").request()))
		want := []Listed{{"g", "consumer", "Stable"}, {"invited", "", "Empty"}, {"joining", "consumer", "CompletingRebalance"}, {"left", "consumer", "Empty"}, {"simple", "", "Empty"}}
		if got := r.List(); !slices.Equal(got, want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
		r.restart()
		if got := r.List(); len(got) != 3 || got[0] != want[0] {
			t.Errorf("after a restart: %v", got)
		}
		a.beat(kerr.None)
	})
}

// TestOffsetsExpire shows that offsets that nobody uses go after their retention, each by the rule that fits its group, and
// groups with them.
func TestOffsetsExpire(t *testing.T) {
	day := 24 * time.Hour
	bubble(t, Options{}, func(r *rig) {
		a := r.stableGroup(1, func(_ int, c *client) { c.session = 30 * time.Minute })[0]
		r.commit(a, 0, 7)
		q := r.commitRequest(a, 0, 8)
		q.Offsets[0].Topic = r.topics["clicks"] // which it is not subscribed to
		r.Commit(q)
		r.commit(r.simple("simple"), 0, 9)
		q = r.commitRequest(r.simple("short"), 0, 9)
		q.Offsets[0].ExpireMs = nowMs() + 1000
		r.Commit(q)
		beat := func(d time.Duration) {
			for range int(d / (25 * time.Minute)) {
				time.Sleep(25 * time.Minute)
				r.Heartbeat("g", a.who(), a.generation)
			}
		}
		has := func(when string, want ...string) {
			t.Helper()
			var got []string
			for _, l := range r.List() {
				for _, c := range r.AllCommitted(l.ID) {
					got = append(got, l.ID+"/"+c.Name)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", when, got, want)
			}
		}
		has("at first", "g/clicks", "g/orders", "short/orders", "simple/orders")
		beat(6 * day)
		has("after six days", "g/clicks", "g/orders", "simple/orders")
		beat(day + time.Hour)
		has("after seven", "g/orders")
		a.leave(kerr.None)
		time.Sleep(6 * day)
		has("six days after the last member left", "g/orders")
		time.Sleep(day + time.Hour)
		has("seven days after")
		if got := r.List(); len(got) != 0 {
			t.Errorf("groups without members and offsets remain: %v", got)
		}
	})
}
