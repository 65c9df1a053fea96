package handler

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// askOffsets asks for offsets of partitions of one topic, in the words of all versions.
func askOffsets(group, topic string, partitions ...int32) *wire.OffsetFetchRequest {
	return &wire.OffsetFetchRequest{
		GroupID: group, Topics: []wire.OffsetFetchRequestTopic{{Name: topic, PartitionIndexes: partitions}},
		Groups: []wire.OffsetFetchRequestGroup{{GroupID: group, MemberEpoch: -1, Topics: []wire.OffsetFetchRequestTopics{{Name: topic, PartitionIndexes: partitions}}}},
	}
}

func (w *world) fetchOffsets(version int16, q *wire.OffsetFetchRequest) []string {
	w.Helper()
	r := ask[wire.OffsetFetchResponse](w, wire.KeyOffsetFetch, version, q)
	var got []string
	for _, t := range r.Topics {
		for _, p := range t.Partitions {
			got = append(got, fmt.Sprint(t.Name, " ", p.PartitionIndex, ": ", p.CommittedOffset, " ", p.CommittedLeaderEpoch, " ", text(p.Metadata), " ", kerr.Code(p.ErrorCode).Name()))
		}
	}
	for _, g := range r.Groups {
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				got = append(got, fmt.Sprint(t.Name, " ", p.PartitionIndex, ": ", p.CommittedOffset, " ", p.CommittedLeaderEpoch, " ", text(p.Metadata), " ", kerr.Code(p.ErrorCode).Name()))
			}
		}
		if g.ErrorCode != 0 {
			got = append(got, kerr.Code(g.ErrorCode).Name())
		}
	}
	if r.ErrorCode != 0 {
		got = append(got, kerr.Code(r.ErrorCode).Name())
	}
	return got
}

func TestOffsetFetchEveryVersion(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("orders", 3)
	w.create("clicks", 1)
	q := commitOf("g", "orders", commitAt(0, 5, pointer("mine")), commitAt(2, 7, nil))
	q.Topics[0].Partitions[0].CommittedLeaderEpoch = 3
	q.Topics = append(q.Topics, wire.OffsetCommitRequestTopic{Name: "clicks", Partitions: []wire.OffsetCommitRequestPartition{commitAt(0, 9, nil)}})
	w.commit(9, q)
	eachVersion(wire.KeyOffsetFetch, 0, func(v int16) {
		epoch := map[bool]string{true: "3", false: "-1"}[v >= 5]
		first := "orders 0: 5 " + epoch + " mine NONE"
		w.expect(fmt.Sprint("v", v), w.fetchOffsets(v, askOffsets("g", "orders", 0, 1, 9)), first, "orders 1: -1 -1  NONE", "orders 9: -1 -1  NONE")
		w.expect(fmt.Sprint("v", v, ", no group"), w.fetchOffsets(v, askOffsets("none", "orders", 0)), "orders 0: -1 -1  NONE")
		w.expect(fmt.Sprint("v", v, ", no topic"), w.fetchOffsets(v, askOffsets("g", "none", 0)), "none 0: -1 -1  NONE")
		if v >= 2 {
			all := &wire.OffsetFetchRequest{GroupID: "g", RequireStable: v >= 7, Groups: []wire.OffsetFetchRequestGroup{{GroupID: "g", MemberEpoch: -1}}}
			w.expect(fmt.Sprint("v", v, ", all"), w.fetchOffsets(v, all), "clicks 0: 9 -1  NONE", first, "orders 2: 7 -1  NONE")
		}
	})
}

func TestOffsetFetchOfGroups(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("orders", 1)
	w.commit(9, commitOf("a", "orders", commitAt(0, 5, nil)))
	w.commit(9, commitOf("b", "orders", commitAt(0, 6, nil)))
	q := askOffsets("a", "orders", 0)
	q.Groups = append(q.Groups, askOffsets("none", "orders", 0).Groups[0], askOffsets("b", "orders", 0).Groups[0])
	r := ask[wire.OffsetFetchResponse](w, wire.KeyOffsetFetch, 9, q)
	for i, want := range []string{"a 5", "none -1", "b 6"} {
		if g := &r.Groups[i]; fmt.Sprint(g.GroupID, " ", g.Topics[0].Partitions[0].CommittedOffset) != want {
			t.Errorf("group %d: %+v, want %s", i, g, want)
		}
	}
}

// TestOffsetFetchOverAndOver shows that offsets with much metadata cannot be asked for so often that the answer outgrows
// memory.
func TestOffsetFetchOverAndOver(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("orders", 1)
	metadata := strings.Repeat("m", 4096)
	w.commit(9, commitOf("g", "orders", commitAt(0, 5, &metadata)))
	times := groupsBytesMax/len(metadata) + 1
	f := func(what string, v int16, q *wire.OffsetFetchRequest, hangsUp bool) {
		t.Helper()
		if _, err := try[wire.OffsetFetchResponse](w, wire.KeyOffsetFetch, v, q); hangsUp != (err != nil) {
			t.Errorf("%s: %v", what, err)
		}
	}
	all := wire.OffsetFetchRequestGroup{GroupID: "g", MemberEpoch: -1}
	f("all of a group, some times", 8, &wire.OffsetFetchRequest{Groups: slices.Repeat([]wire.OffsetFetchRequestGroup{all}, 10)}, false)
	f("all of a group", 8, &wire.OffsetFetchRequest{Groups: slices.Repeat([]wire.OffsetFetchRequestGroup{all}, times)}, true)
	f("a partition, some times", 7, askOffsets("g", "orders", make([]int32, 10)...), false)
	f("a partition", 7, askOffsets("g", "orders", make([]int32, times)...), true)
}
