package handler

import (
	"fmt"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

func TestOffsetForLeaderEpochEveryVersion(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("t", 2)
	w.fill("t", 0, "a", "b")
	eachVersion(wire.KeyOffsetForLeaderEpoch, 0, func(v int16) {
		f := func(topic string, partition, current, asked int32, want string) {
			t.Helper()
			p := wire.OffsetForLeaderEpochRequestOffsetForLeaderPartition{Partition: partition, CurrentLeaderEpoch: current, LeaderEpoch: asked}
			q := &wire.OffsetForLeaderEpochRequest{ReplicaID: -1, Topics: []wire.OffsetForLeaderEpochRequestOffsetForLeaderTopic{{Topic: topic, Partitions: []wire.OffsetForLeaderEpochRequestOffsetForLeaderPartition{p}}}}
			r := ask[wire.OffsetForLeaderEpochResponse](w, wire.KeyOffsetForLeaderEpoch, v, q).Topics[0]
			got := fmt.Sprintf("%v @%d", kerr.Code(r.Partitions[0].ErrorCode), r.Partitions[0].EndOffset)
			if v >= 1 {
				got += fmt.Sprintf(" epoch %d", r.Partitions[0].LeaderEpoch)
				want += map[bool]string{true: " epoch 0", false: " epoch -1"}[want == "NONE @2" || want == "NONE @0"]
			}
			if got != want || r.Topic != topic || r.Partitions[0].Partition != p.Partition {
				t.Errorf("v%d %s %+v: %s, want %s", v, topic, p, got, want)
			}
		}
		f("t", 0, -1, 0, "NONE @2")
		f("t", 1, -1, 0, "NONE @0")
		f("t", 0, 0, 0, "NONE @2")
		f("t", 0, -1, 1, "NONE @-1")
		f("t", 0, -1, -1, "NONE @-1")
		f("t", 2, -1, 0, "UNKNOWN_TOPIC_OR_PARTITION @-1")
		f("t", -1, -1, 0, "UNKNOWN_TOPIC_OR_PARTITION @-1")
		f("nope", 0, -1, 0, "UNKNOWN_TOPIC_OR_PARTITION @-1")
		if v >= 2 {
			f("t", 0, 1, 0, "UNKNOWN_LEADER_EPOCH @-1")
			f("t", 0, -2, 0, "FENCED_LEADER_EPOCH @-1")
		}
	})
}
