package handler

import (
	"fmt"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// commitOf is a request of a client that is no member.
func commitOf(group, topic string, partitions ...wire.OffsetCommitRequestPartition) *wire.OffsetCommitRequest {
	return &wire.OffsetCommitRequest{
		GroupID: group, GenerationIDOrMemberEpoch: -1, RetentionTimeMs: -1, Topics: []wire.OffsetCommitRequestTopic{{Name: topic, Partitions: partitions}},
	}
}

func commitAt(partition int32, offset int64, metadata *string) wire.OffsetCommitRequestPartition {
	return wire.OffsetCommitRequestPartition{PartitionIndex: partition, CommittedOffset: offset, CommittedLeaderEpoch: -1, CommitTimestamp: -1, CommittedMetadata: metadata}
}

func (w *world) commit(version int16, q *wire.OffsetCommitRequest) []string {
	w.Helper()
	var got []string
	for _, t := range ask[wire.OffsetCommitResponse](w, wire.KeyOffsetCommit, version, q).Topics {
		for _, p := range t.Partitions {
			got = append(got, fmt.Sprint(t.Name, " ", p.PartitionIndex, " ", kerr.Code(p.ErrorCode).Name()))
		}
	}
	return got
}

// stored is what the state has of a committed offset.
func (w *world) stored(group, topic string) state.Offset {
	w.Helper()
	t, _ := w.engine.Topic(topic)
	return w.handler.groups.Committed(group, []state.TopicPartition{{Topic: t.ID, Partition: 0}})[0].Offset
}

func TestOffsetCommitEveryVersion(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("orders", 2)
	eachVersion(wire.KeyOffsetCommit, 0, func(v int16) {
		large := strings.Repeat("m", 4097)
		q := commitOf(fmt.Sprint("g", v), "orders", commitAt(9, 1, nil), commitAt(0, int64(100+v), nil), commitAt(-1, 1, nil), commitAt(1, 1, &large))
		if v >= 6 {
			q.Topics[0].Partitions[1].CommittedLeaderEpoch = 7
		}
		q.Topics = append(q.Topics, wire.OffsetCommitRequestTopic{Name: "none", Partitions: q.Topics[0].Partitions[:1]})
		w.expect(fmt.Sprint("v", v), w.commit(v, q),
			"orders 9 UNKNOWN_TOPIC_OR_PARTITION", "orders 0 NONE", "orders -1 UNKNOWN_TOPIC_OR_PARTITION", "orders 1 OFFSET_METADATA_TOO_LARGE", "none 9 UNKNOWN_TOPIC_OR_PARTITION")
		epoch := map[bool]int32{false: -1, true: 7}[v >= 6]
		if o := w.stored(q.GroupID, "orders"); o.Offset != int64(100+v) || o.LeaderEpoch != epoch || o.ExpireMs != -1 {
			t.Errorf("v%d: stored %+v", v, o)
		}
	})
}

func TestOffsetCommitTimes(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("orders", 1)
	q := commitOf("g", "orders", commitAt(0, 1, nil))
	q.Topics[0].Partitions[0].CommitTimestamp = 12345
	w.commit(1, q)
	if o := w.stored("g", "orders"); o.CommitMs != 12345 {
		t.Errorf("v1: the offset's own time is %d", o.CommitMs)
	}
	q.Topics[0].Partitions[0].CommitTimestamp, q.RetentionTimeMs = -1, 60_000
	before := nowMs()
	w.commit(2, q)
	if o := w.stored("g", "orders"); o.CommitMs < before || o.ExpireMs != o.CommitMs+60_000 {
		t.Errorf("v2: stored %+v", o)
	}
	w.commit(5, commitOf("g", "orders", commitAt(0, 1, nil)))
	if o := w.stored("g", "orders"); o.ExpireMs != -1 {
		t.Errorf("v5: stored %+v", o)
	}
}

func TestOffsetCommitOfMembers(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("orders", 1)
	m := w.member("g")
	f := func(generation int32, member string, want kerr.Code) {
		t.Helper()
		q := commitOf("g", "orders", commitAt(0, 5, nil), commitAt(7, 5, nil))
		q.GenerationIDOrMemberEpoch, q.MemberID = generation, member
		w.expect(fmt.Sprint(generation, " ", member), w.commit(9, q), "orders 0 "+want.Name(), "orders 7 UNKNOWN_TOPIC_OR_PARTITION")
	}
	f(m.GenerationID, m.MemberID, kerr.None)
	f(m.GenerationID+1, m.MemberID, kerr.IllegalGeneration)
	f(m.GenerationID, "x", kerr.UnknownMemberID)
	f(-1, "", kerr.UnknownMemberID)
	w.journal.err.Store(&errBroken)
	f(m.GenerationID, m.MemberID, kerr.CoordinatorNotAvailable)
}

// TestOffsetCommitOfNoGroup shows in which words members of a group that does not exist are refused.
func TestOffsetCommitOfNoGroup(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("orders", 1)
	eachVersion(wire.KeyOffsetCommit, 1, func(v int16) {
		q := commitOf("none", "orders", commitAt(0, 1, nil))
		q.GenerationIDOrMemberEpoch, q.MemberID = 3, "x"
		want := map[bool]string{false: "ILLEGAL_GENERATION", true: "GROUP_ID_NOT_FOUND"}[v >= 9]
		w.expect(fmt.Sprint("v", v), w.commit(v, q), "orders 0 "+want)
	})
}

func TestTooManyPartitionsOfGroups(t *testing.T) {
	w := newWorld(t, Options{RequestPartitionMax: 2})
	q := commitOf("g", "orders", commitAt(0, 1, nil), commitAt(1, 1, nil), commitAt(2, 1, nil))
	if _, err := try[wire.OffsetCommitResponse](w, wire.KeyOffsetCommit, 9, q); err == nil {
		t.Error("a commit of three partitions is answered")
	}
	d := &wire.OffsetDeleteRequest{GroupID: "g", Topics: []wire.OffsetDeleteRequestTopic{{Name: "orders", Partitions: make([]wire.OffsetDeleteRequestPartition, 3)}}}
	if _, err := try[wire.OffsetDeleteResponse](w, wire.KeyOffsetDelete, 0, d); err == nil {
		t.Error("a deletion of three partitions is answered")
	}
	for _, v := range []int16{7, 8} {
		q := askOffsets("g", "orders", 0, 1, 2)
		if _, err := try[wire.OffsetFetchResponse](w, wire.KeyOffsetFetch, v, q); err == nil {
			t.Errorf("v%d: a fetch of three partitions is answered", v)
		}
	}
}

// member brings a consumer into a group of its own, and returns how it joined.
func (w *world) member(groupID string) *wire.JoinGroupResponse {
	w.Helper()
	return w.memberOf(joinOf(groupID))
}

// memberOf is member for one that has something of its own to say.
func (w *world) memberOf(q *wire.JoinGroupRequest) *wire.JoinGroupResponse {
	w.Helper()
	r := ask[wire.JoinGroupResponse](w, wire.KeyJoinGroup, 9, q)
	q.MemberID = r.MemberID
	r = ask[wire.JoinGroupResponse](w, wire.KeyJoinGroup, 9, q)
	if r.ErrorCode != 0 {
		w.Fatalf("join %s: %v", q.GroupID, kerr.Code(r.ErrorCode))
	}
	s := &wire.SyncGroupRequest{GroupID: q.GroupID, MemberID: r.MemberID, GenerationID: r.GenerationID, Assignments: []wire.SyncGroupRequestAssignment{{MemberID: r.MemberID, Assignment: []byte("all")}}}
	if got := ask[wire.SyncGroupResponse](w, wire.KeySyncGroup, 4, s); got.ErrorCode != 0 || string(got.Assignment) != "all" {
		w.Fatalf("sync %s: %+v", q.GroupID, got)
	}
	return r
}
