package handler

import (
	"fmt"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/wire"
)

type describable = wire.DescribeLogDirsRequestDescribableLogDirTopic

// sizes asks for the sizes of partitions, and returns them in the order of the answer.
func (w *world) sizes(version int16, topics []describable) []string {
	w.Helper()
	r := ask[wire.DescribeLogDirsResponse](w, wire.KeyDescribeLogDirs, version, &wire.DescribeLogDirsRequest{Topics: topics})
	if d := r.Results[0]; r.ErrorCode != 0 || len(r.Results) != 1 || d.ErrorCode != 0 || d.LogDir != "./data" || d.TotalBytes != -1 || d.UsableBytes != -1 || d.IsCordoned {
		w.Errorf("v%d: %+v", version, r)
	}
	all := []string{}
	for _, t := range r.Results[0].Topics {
		if len(t.Partitions) == 0 {
			w.Errorf("v%d: %s has no partitions", version, t.Name)
		}
		for _, p := range t.Partitions {
			all = append(all, fmt.Sprintf("%s/%d %d", t.Name, p.PartitionIndex, p.PartitionSize))
			if p.OffsetLag != 0 || p.IsFutureKey {
				w.Errorf("v%d: %s: %+v", version, t.Name, p)
			}
		}
	}
	return all
}

// TestDescribeLogDirs shows that null means all partitions, that others are told of once, however often they are named,
// and that those which are not there are left out.
func TestDescribeLogDirs(t *testing.T) {
	eachVersion(wire.KeyDescribeLogDirs, 0, func(v int16) {
		w := newWorld(t, Options{LogDir: "./data"})
		w.expect("of no topics", w.sizes(v, nil))
		w.create("u", 1)
		w.create("t", 3)
		w.fill("t", 1, "a")
		one := fmt.Sprintf("t/1 %d", len(batch(t, 0, "a")))
		w.expect("all", w.sizes(v, nil), "t/0 0", one, "t/2 0", "u/0 0")
		w.expect("none", w.sizes(v, []describable{}))
		w.expect("some", w.sizes(v, []describable{{Topic: "u", Partitions: []int32{0}}, {Topic: "t", Partitions: []int32{2, 1}}}), one, "t/2 0", "u/0 0")
		w.expect("twice", w.sizes(v, []describable{{Topic: "t", Partitions: []int32{1, 1}}, {Topic: "u"}, {Topic: "t", Partitions: []int32{1}}}), one)
		w.expect("what is not there", w.sizes(v, []describable{{Topic: "t", Partitions: []int32{-1, 3}}, {Topic: "none", Partitions: []int32{0}}}))
	})
}

func TestDescribeLogDirsBound(t *testing.T) {
	w := newWorld(t, Options{RequestPartitionMax: 2})
	f := func(partitions []int32, hangsUp bool) {
		t.Helper()
		q := &wire.DescribeLogDirsRequest{Topics: []describable{{Topic: "t", Partitions: partitions}}}
		if _, err := try[wire.DescribeLogDirsResponse](w, wire.KeyDescribeLogDirs, 2, q); (err != nil) != hangsUp {
			t.Errorf("%v: %v", partitions, err)
		}
	}
	f([]int32{0, 0}, false)
	f([]int32{0, 0, 0}, true)
}
