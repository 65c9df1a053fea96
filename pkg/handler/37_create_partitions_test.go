package handler

import (
	"fmt"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// grown is what a CreatePartitions request has for one topic; nil assignments leave it to the server.
func grown(name string, count int32, assignments ...[]int32) wire.CreatePartitionsRequestCreatePartitionsTopic {
	t := wire.CreatePartitionsRequestCreatePartitionsTopic{Name: name, Count: count}
	for _, a := range assignments {
		t.Assignments = append(t.Assignments, wire.CreatePartitionsRequestCreatePartitionsAssignment{BrokerIDs: a})
	}
	return t
}

func (w *world) grow(version int16, validateOnly bool, topics ...wire.CreatePartitionsRequestCreatePartitionsTopic) []string {
	w.Helper()
	var all []string
	q := &wire.CreatePartitionsRequest{Topics: topics, ValidateOnly: validateOnly}
	for _, t := range ask[wire.CreatePartitionsResponse](w, wire.KeyCreatePartitions, version, q).Results {
		all = append(all, fmt.Sprintf("%s %v", t.Name, kerr.Code(t.ErrorCode)))
		if (t.ErrorMessage == nil) != (t.ErrorCode == 0) {
			w.Errorf("%s: %v with %s", t.Name, kerr.Code(t.ErrorCode), text(t.ErrorMessage))
		}
	}
	return all
}

func TestCreatePartitionsEveryVersion(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("t", 1)
	eachVersion(wire.KeyCreatePartitions, 0, func(v int16) {
		count := int32(v) + 2
		w.expect(fmt.Sprint("v", v), w.grow(v, false, grown("nope", 9), grown("t", count)), "nope UNKNOWN_TOPIC_OR_PARTITION", "t NONE")
		if got, _ := w.engine.Topic("t"); got.Partitions != count {
			t.Errorf("v%d: %d partitions", v, got.Partitions)
		}
	})
	w.fill("t", 4, "a")
}

func TestCreatePartitionsRefusals(t *testing.T) {
	w := newWorld(t, Options{TopicPartitionsMax: 10, PartitionsMax: 15})
	w.create("t", 2)
	w.create("u", 2)
	f := func(want kerr.Code, in wire.CreatePartitionsRequestCreatePartitionsTopic) {
		t.Helper()
		w.expect(fmt.Sprintf("%+v", in), w.grow(3, true, in), in.Name+" "+want.Name())
	}
	f(kerr.InvalidPartitions, grown("t", 2))
	f(kerr.InvalidPartitions, grown("t", 1))
	f(kerr.InvalidPartitions, grown("t", 0))
	f(kerr.InvalidPartitions, grown("t", -1))
	f(kerr.None, grown("t", 10))
	f(kerr.PolicyViolation, grown("t", 11))
	f(kerr.PolicyViolation, grown("t", 1<<31-1))
	f(kerr.UnknownTopicOrPartition, grown("a/b", 3))
	f(kerr.None, grown("t", 4, []int32{1}, []int32{1}))
	f(kerr.InvalidReplicaAssignment, grown("t", 4, []int32{1}))
	f(kerr.InvalidReplicaAssignment, grown("t", 3, []int32{1}, []int32{1}))
	f(kerr.InvalidReplicaAssignment, grown("t", 3, []int32{2}))
	f(kerr.InvalidReplicaAssignment, grown("t", 3, []int32{1, 1}))
	f(kerr.InvalidReplicaAssignment, grown("t", 3, []int32{}))
	w.expect("twice", w.grow(3, false, grown("t", 3), grown("u", 3), grown("t", 4)), "t INVALID_REQUEST", "u NONE")
	w.expect("together too many", w.grow(3, true, grown("t", 10), grown("u", 10)), "t NONE", "u POLICY_VIOLATION")
	for name, want := range map[string]int32{"t": 2, "u": 3} {
		if got, _ := w.engine.Topic(name); got.Partitions != want {
			t.Errorf("%s has %d partitions", name, got.Partitions)
		}
	}
}
