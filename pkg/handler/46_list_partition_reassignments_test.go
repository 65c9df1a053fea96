package handler

import (
	"testing"

	"github.com/heraclitus/heraclitus/pkg/wire"
)

func TestListPartitionReassignments(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("t", 1)
	f := func(topics []wire.ListPartitionReassignmentsRequestListPartitionReassignmentsTopics) {
		t.Helper()
		r := ask[wire.ListPartitionReassignmentsResponse](w, wire.KeyListPartitionReassignments, 0, &wire.ListPartitionReassignmentsRequest{Topics: topics})
		if r.ErrorCode != 0 || r.ErrorMessage != nil || len(r.Topics) != 0 {
			t.Errorf("%+v", r)
		}
	}
	f(nil)
	f([]wire.ListPartitionReassignmentsRequestListPartitionReassignmentsTopics{{Name: "t", PartitionIndexes: []int32{0}}, {Name: "none", PartitionIndexes: []int32{0}}})
}
