package handler

import (
	"maps"
	"slices"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// DescribeLogDirs: key 35, versions 0 to 5 (KIP-113): how many bytes partitions take where they are kept. Null means all
// of them; those that do not exist are left out.
//
//   - v1: clients expect throttling after the response (KIP-219).
//   - v2: flexible (KIP-482).
//   - v3: an error code of the whole (KIP-784).
//   - v4: the size of the volume, and what is left of it (KIP-827).
//   - v5: whether the place is closed to new partitions (KIP-1066). It never is.
//
// There is one place, named as storage.path names it. A partition's bytes are those of its batches in the journal and
// of its Parquet objects: what retention.bytes is about. The size of the volume is not given, since a bucket has none.

func (h *Handler) describeLogDirs(_ *Call, q *wire.DescribeLogDirsRequest, r *wire.DescribeLogDirsResponse) error {
	dir := kbin.Add(&r.Results)
	dir.LogDir = h.options.LogDir
	if q.Topics == nil {
		for _, t := range h.engine.Topics() {
			h.describeSizes(dir, t.Name, nil)
		}
		return nil
	}
	count, named := 0, map[string][]int32{}
	for _, t := range q.Topics {
		named[t.Topic] = append(named[t.Topic], t.Partitions...)
		count += len(t.Partitions)
	}
	if err := h.checkCount(count, "partitions"); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if partitions := named[name]; len(partitions) > 0 {
			slices.Sort(partitions)
			h.describeSizes(dir, name, slices.Compact(partitions))
		}
	}
	return nil
}

// describeSizes adds partitions of a topic, nil for all of them. The state is looked at one topic at a time, so that
// writers to it do not wait for all of them.
func (h *Handler) describeSizes(dir *wire.DescribeLogDirsResponseDescribeLogDirsResult, topic string, partitions []int32) {
	h.engine.View(func(s *state.State) {
		t := s.TopicNamed(topic)
		if t == nil {
			return
		}
		out := kbin.Add(&dir.Topics)
		out.Name = topic
		for i, p := range t.Partitions {
			if _, asked := slices.BinarySearch(partitions, int32(i)); asked || partitions == nil {
				size := kbin.Add(&out.Partitions)
				size.PartitionIndex, size.PartitionSize = int32(i), p.Bytes
			}
		}
		if len(out.Partitions) == 0 {
			dir.Topics = dir.Topics[:len(dir.Topics)-1]
		}
	})
}
