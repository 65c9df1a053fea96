package handler

import (
	"fmt"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

type electing = wire.ElectLeadersRequestTopicPartitions

func (w *world) elect(version int16, kind int8, whole kerr.Code, topics ...electing) []string {
	w.Helper()
	r := ask[wire.ElectLeadersResponse](w, wire.KeyElectLeaders, version, &wire.ElectLeadersRequest{ElectionType: kind, TopicPartitions: topics})
	if version >= 1 && kerr.Code(r.ErrorCode) != whole {
		w.Errorf("v%d: %v, want %v", version, kerr.Code(r.ErrorCode), whole)
	}
	all := []string{}
	for _, t := range r.ReplicaElectionResults {
		all = append(all, t.Topic)
		for _, p := range t.PartitionResult {
			all = append(all, fmt.Sprintf("%d %v", p.PartitionID, kerr.Code(p.ErrorCode)))
			if text(p.ErrorMessage) == "null" {
				w.Errorf("v%d: no message for partition %d of %q", version, p.PartitionID, t.Topic)
			}
		}
	}
	return all
}

// TestElectLeaders shows that no election is needed in any partition that is there.
func TestElectLeaders(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("t", 2)
	w.create("u", 1)
	eachVersion(wire.KeyElectLeaders, 0, func(v int16) {
		w.expect("all", w.elect(v, 0, kerr.None), "t", "u")
		w.expect("nothing", w.elect(v, 0, kerr.None, []electing{}...))
		w.expect("some", w.elect(v, 0, kerr.None, electing{Topic: "t", Partitions: []int32{1, 0, 2, -1}}, electing{Topic: "none", Partitions: []int32{0}}, electing{Topic: "u"}),
			"t", "1 ELECTION_NOT_NEEDED", "0 ELECTION_NOT_NEEDED", "2 UNKNOWN_TOPIC_OR_PARTITION", "-1 UNKNOWN_TOPIC_OR_PARTITION", "none", "0 UNKNOWN_TOPIC_OR_PARTITION", "u")
		if v >= 1 {
			w.expect("of any", w.elect(v, 1, kerr.None, electing{Topic: "u", Partitions: []int32{0}}), "u", "0 ELECTION_NOT_NEEDED")
			w.expect("of no kind", w.elect(v, 2, kerr.InvalidRequest, electing{Topic: "u", Partitions: []int32{0}}), "u", "0 INVALID_REQUEST")
			w.expect("below any kind", w.elect(v, -1, kerr.InvalidRequest, electing{Topic: "u"}), "u")
		}
	})
}

func TestElectLeadersBound(t *testing.T) {
	w := newWorld(t, Options{RequestPartitionMax: 2})
	q := &wire.ElectLeadersRequest{TopicPartitions: []electing{{Topic: "t", Partitions: []int32{0, 0}}, {Topic: "u", Partitions: []int32{0}}}}
	if _, err := try[wire.ElectLeadersResponse](w, wire.KeyElectLeaders, 2, q); err == nil {
		t.Error("three partitions were answered where two are allowed")
	}
}
