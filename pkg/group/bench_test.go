package group

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// crowd is a coordinator with n stable groups of m members each.
func crowd(b *testing.B, n, m int) (r *rig, members []*client) {
	r = newRig(b, Options{})
	b.Cleanup(func() { r.stopAll() })
	for i := range n {
		c := state.StoreGroup{GroupID: fmt.Sprint("group-", i), Generation: state.Generation{Number: 1, ProtocolType: consumerType, Protocol: "range", Leader: "member-0"}}
		for j := range m {
			id := fmt.Sprint("member-", j)
			c.Members = append(c.Members, state.Member{ID: id, SessionTimeoutMs: 60_000, RebalanceTimeoutMs: 60_000, Subscription: subscription("orders")})
			members = append(members, &client{r: r, group: c.GroupID, id: id, generation: 1})
		}
		if _, err := r.engine.Do(c); err != nil {
			b.Fatal(err)
		}
	}
	r.restart()
	return r, members
}

// BenchmarkHeartbeat is one heartbeat of ten thousand members in a thousand groups.
func BenchmarkHeartbeat(b *testing.B) {
	r, members := crowd(b, 1000, 10)
	var next atomic.Int64
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c := members[int(next.Add(1))%len(members)]
			if code := r.Heartbeat(c.group, c.who(), c.generation); code != kerr.None {
				b.Error(code)
				return
			}
		}
	})
}

// BenchmarkCommit is a commit of one offset to a journal in memory, by clients of a thousand groups at the same time.
func BenchmarkCommit(b *testing.B) {
	r := newRig(b, Options{})
	b.Cleanup(func() { r.stopAll() })
	var next atomic.Int64
	b.SetParallelism(64)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			n := next.Add(1)
			q := r.commitRequest(r.simple(fmt.Sprint("group-", n%1000)), int32(n%4), n)
			if code := r.Commit(q)[0]; code != kerr.None {
				b.Error(code)
				return
			}
		}
	})
}

// BenchmarkClone is what a checkpoint makes everybody wait for: a thousand groups with a thousand offsets each.
func BenchmarkClone(b *testing.B) {
	r := newRig(b, Options{})
	b.Cleanup(func() { r.stopAll() })
	id := state.ID{9}
	if _, err := r.engine.Do(state.CreateTopic{ID: id, Name: "wide", Partitions: 1000}); err != nil {
		b.Fatal(err)
	}
	for i := range 1000 {
		q := &CommitRequest{GroupID: fmt.Sprint("group-", i), Generation: -1}
		for p := range int32(1000) {
			q.Offsets = append(q.Offsets, state.PartitionOffset{Topic: id, Partition: p, Offset: state.Offset{Offset: 1, ExpireMs: -1}})
		}
		r.Commit(q)
	}
	for b.Loop() {
		r.engine.View(func(s *state.State) { s.Clone() })
	}
}
