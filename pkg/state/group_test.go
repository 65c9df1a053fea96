package state

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
)

// These tests show that a group's generation and its committed offsets last, apart from each other; that offsets go when
// their topic goes, when they are deleted and when they expire, and only then; and that snapshots and clones hold groups.

// commit commits offset o for partition p of orders, at time ms.
func (f *fold) commit(group string, p int32, o, ms int64) {
	f.t.Helper()
	f.do(CommitOffsets{group, []PartitionOffset{{orders, p, Offset{Offset: o, LeaderEpoch: -1, CommitMs: ms, ExpireMs: -1}}}})
}

// committed is the offset that a group committed for a partition of orders; -1 for none.
func (f *fold) committed(group string, p int32) int64 {
	if g := f.state.Group(group); g != nil {
		if o, ok := g.Committed(orders, p); ok {
			return o.Offset
		}
	}
	return -1
}

func TestOffsetsAndGenerationsAreApart(t *testing.T) {
	f := newFold(t)
	f.commit("g", 1, 7, 5)
	g := Generation{Number: 3, ProtocolType: "consumer", Protocol: "range", Leader: "a", SinceMs: 9,
		Members: []Member{{ID: "a", InstanceID: "i", ClientID: "c", ClientHost: "h", RebalanceTimeoutMs: 1, SessionTimeoutMs: 2, Subscription: []byte("s"), Assignment: []byte{}}}}
	f.do(StoreGroup{"g", g})
	f.commit("g", 0, 8, 5)
	f.commit("h", 0, 9, 5)
	if got := f.state.Group("g").Generation; !reflect.DeepEqual(got, g) {
		t.Errorf("got  %+v\nwant %+v", got, g)
	}
	if a, b, c := f.committed("g", 1), f.committed("g", 0), f.committed("h", 0); a != 7 || b != 8 || c != 9 {
		t.Errorf("committed %d, %d, %d", a, b, c)
	}
	f.do(DeleteGroup{"g"})
	f.do(DeleteGroup{"g"})
	if f.state.Group("g") != nil || f.committed("h", 0) != 9 {
		t.Error("a group is not deleted, or another is")
	}
}

func TestOffsetsGoWithTheirTopic(t *testing.T) {
	f := newFold(t)
	f.commit("g", 0, 7, 5)
	f.commit("g", 2, 7, 5) // there is no partition 2
	if f.committed("g", 2) != -1 {
		t.Error("an offset is committed for a partition that does not exist")
	}
	f.do(DeleteTopic{orders})
	f.commit("g", 0, 8, 5)
	f.do(CreateTopic{ID: orders, Name: "orders", Partitions: 1})
	if got := f.committed("g", 0); got != -1 {
		t.Errorf("the offset %d outlived its topic", got)
	}
}

func TestDeleteOffsets(t *testing.T) {
	f := newFold(t)
	f.commit("g", 0, 7, 5)
	f.commit("g", 1, 8, 5)
	f.do(DeleteOffsets{"g", []TopicPartition{{orders, 0}, {ID{9}, 0}}})
	f.do(DeleteOffsets{"none", []TopicPartition{{orders, 0}}})
	if a, b := f.committed("g", 0), f.committed("g", 1); a != -1 || b != 8 {
		t.Errorf("committed %d and %d", a, b)
	}
	f.do(DeleteOffsets{"g", []TopicPartition{{orders, 1}}})
	if f.state.Group("g").HasOffsets() {
		t.Error("offsets remain")
	}
}

func TestExpireOffsets(t *testing.T) {
	for _, c := range []struct {
		name   string
		expire ExpireOffsets
		want   [3]bool // of the offsets committed at 10, at 20, and at 10 to expire at 50: whether they stay
	}{
		{"none is old enough", ExpireOffsets{NowMs: 30, BeforeMs: 9, SinceMs: -1}, [3]bool{true, true, true}},
		{"by their own time", ExpireOffsets{NowMs: 30, BeforeMs: 10, SinceMs: -1}, [3]bool{false, true, true}},
		{"their own end", ExpireOffsets{NowMs: 50, BeforeMs: 9, SinceMs: -1}, [3]bool{true, true, false}},
		{"empty for too long", ExpireOffsets{NowMs: 30, BeforeMs: 25, SinceMs: 25}, [3]bool{false, false, true}},
		{"empty not for long", ExpireOffsets{NowMs: 30, BeforeMs: 25, SinceMs: 26}, [3]bool{true, true, true}},
		{"subscribed", ExpireOffsets{NowMs: 99, BeforeMs: 99, SinceMs: -1, Subscribed: []string{"orders"}}, [3]bool{true, true, true}},
	} {
		f := newFold(t)
		f.do(AddPartitions{orders, 3})
		f.commit("g", 0, 7, 10)
		f.commit("g", 1, 7, 20)
		f.do(CommitOffsets{"g", []PartitionOffset{{orders, 2, Offset{Offset: 7, CommitMs: 10, ExpireMs: 50}}}})
		c.expire.GroupID = "g"
		if got, want := f.state.Expiring(&c.expire), c.want != [3]bool{true, true, true}; got != want {
			t.Errorf("%s: expiring %v", c.name, got)
		}
		f.do(c.expire)
		got := [3]bool{f.committed("g", 0) == 7, f.committed("g", 1) == 7, f.committed("g", 2) == 7}
		if got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// randomGroupEntry is an entry with one command that groups have to do with.
func randomGroupEntry(rng *rand.Rand) []byte {
	id, topic, ms := fmt.Sprint("group-", rng.IntN(3)), ID{byte(1 + rng.IntN(3))}, rng.Int64N(100)
	switch rng.IntN(12) {
	case 0:
		return AppendCommand(nil, CreateTopic{ID: topic, Name: fmt.Sprint("topic-", topic[0]), Partitions: 3})
	case 1:
		return AppendCommand(nil, DeleteTopic{topic})
	case 2:
		members := make([]Member, rng.IntN(3))
		for i := range members {
			members[i] = Member{ID: fmt.Sprint(i), SessionTimeoutMs: int32(ms), Assignment: []byte(id)}
		}
		return AppendCommand(nil, StoreGroup{id, Generation{Number: int32(ms), ProtocolType: "consumer", Members: members}})
	case 3:
		if rng.IntN(3) == 0 {
			return AppendCommand(nil, DeleteGroup{id})
		}
	case 4:
		return AppendCommand(nil, DeleteOffsets{id, []TopicPartition{{topic, int32(rng.IntN(3))}}})
	case 5:
		return AppendCommand(nil, ExpireOffsets{id, ms, ms - 20, -1, []string{"topic-2"}})
	}
	o := Offset{rng.Int64N(1000), 0, "m", ms, max(-1, rng.Int64N(20)-10)}
	return AppendCommand(nil, CommitOffsets{id, []PartitionOffset{{topic, int32(rng.IntN(3)), o}}})
}

func TestGroupCommandsCutShortAreNoticed(t *testing.T) {
	f := newFold(t)
	for _, c := range []Command{
		StoreGroup{"g", Generation{Leader: "a", Members: []Member{{ID: "a", Assignment: []byte("b")}}}},
		DeleteGroup{"g"},
		CommitOffsets{"g", []PartitionOffset{{Topic: orders, Offset: Offset{Metadata: "m"}}}},
		DeleteOffsets{"g", []TopicPartition{{orders, 1}}},
		ExpireOffsets{GroupID: "g", Subscribed: []string{"orders"}},
	} {
		whole := AppendCommand(nil, c)
		for n := commandHeaderBytes; n < len(whole); n++ {
			cut := append([]byte{0, 0, 0, byte(n - 4)}, whole[4:n]...)
			if _, err := f.state.Clone().Apply(f.state.Next(), cut, nil); err == nil {
				t.Errorf("%T cut to %d of %d bytes was applied", c, n, len(whole))
			}
		}
	}
}
