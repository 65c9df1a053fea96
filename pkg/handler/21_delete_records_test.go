package handler

import (
	"fmt"
	"math"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// below is a partition of a DeleteRecords request.
type below struct {
	topic     string
	partition int32
	offset    int64
}

func (w *world) deleteRecords(version int16, belows ...below) []string {
	w.Helper()
	q := &wire.DeleteRecordsRequest{TimeoutMs: 10_000}
	for _, x := range belows {
		q.Topics = append(q.Topics, wire.DeleteRecordsRequestDeleteRecordsTopic{Name: x.topic, Partitions: []wire.DeleteRecordsRequestDeleteRecordsPartition{{PartitionIndex: x.partition, Offset: x.offset}}})
	}
	var all []string
	for _, t := range ask[wire.DeleteRecordsResponse](w, wire.KeyDeleteRecords, version, q).Topics {
		for _, p := range t.Partitions {
			all = append(all, fmt.Sprintf("%s/%d %v %d", t.Name, p.PartitionIndex, kerr.Code(p.ErrorCode), p.LowWatermark))
		}
	}
	return all
}

// TestDeleteRecords shows that records below an offset go at every version, that the log start never goes back, which
// partitions are refused, and that the others of the request do not suffer from it.
func TestDeleteRecords(t *testing.T) {
	eachVersion(wire.KeyDeleteRecords, 0, func(v int16) {
		w := newWorld(t, Options{})
		w.create("t", 2)
		w.create("compacted", 1, "cleanup.policy", "compact")
		w.create("both", 1, "cleanup.policy", "compact,delete")
		w.create("neither", 1, "cleanup.policy", "")
		w.fill("t", 0, "a", "b", "c", "d")
		w.expect("two", w.deleteRecords(v, below{"t", 0, 2}, below{"t", 1, 0}), "t/0 NONE 2", "t/1 NONE 0")
		w.expect("back", w.deleteRecords(v, below{"t", 0, 1}), "t/0 NONE 2")
		w.expect("beyond", w.deleteRecords(v, below{"t", 0, 5}, below{"t", 0, -2}, below{"t", 0, math.MinInt64}),
			"t/0 OFFSET_OUT_OF_RANGE -1", "t/0 OFFSET_OUT_OF_RANGE -1", "t/0 OFFSET_OUT_OF_RANGE -1")
		w.expect("what is not there", w.deleteRecords(v, below{"t", 2, 0}, below{"t", -1, 0}, below{"none", 0, 0}, below{"compacted", 0, -1}, below{"both", 0, -1}, below{"neither", 0, -1}),
			"t/2 UNKNOWN_TOPIC_OR_PARTITION -1", "t/-1 UNKNOWN_TOPIC_OR_PARTITION -1", "none/0 UNKNOWN_TOPIC_OR_PARTITION -1", "compacted/0 POLICY_VIOLATION -1", "both/0 NONE 0", "neither/0 NONE 0")
		w.expect("a start", w.list(1, when{topic: "t", ms: timeEarliest}), "t/0 NONE 2 at -1")
		w.expect("all", w.deleteRecords(v, below{"t", 0, allRecords}), "t/0 NONE 4")
		w.expect("no start", w.list(1, when{topic: "t", ms: timeEarliest}), "t/0 NONE 4 at -1")
	})
}
