package engine

import (
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
)

func commitOf(id state.ID, offset int64, metadata string) state.CommitOffsets {
	o := state.Offset{Offset: offset, LeaderEpoch: -1, Metadata: metadata, ExpireMs: -1}
	return state.CommitOffsets{GroupID: "g", Offsets: []state.PartitionOffset{{Topic: id, Offset: o}}}
}

func (r *rig) committed(id state.ID) (offset int64) {
	offset = -1
	r.View(func(s *state.State) {
		if g := s.Group("g"); g != nil {
			if o, ok := g.Committed(id, 0); ok {
				offset = o.Offset
			}
		}
	})
	return offset
}

// TestCommandsTogether shows that commands awaited together are all done then, last over a crash and over a checkpoint,
// and do not wake who waits for records.
func TestCommandsTogether(t *testing.T) {
	r := newRig(t, Options{})
	id := r.create("orders", 1)
	w := r.Watch([]Key{{id, 0}}, 1)
	defer r.Unwatch(w)
	var g Pending
	g.Reset(100)
	for i := range 100 {
		r.AppendCommand(&g, i, commitOf(id, int64(i), ""))
	}
	g.Wait(0, nil)
	for i, result := range g.Results {
		if result.Code != kerr.None {
			t.Fatalf("command %d: %v", i, result.Code)
		}
	}
	select {
	case <-w.C:
		t.Error("a fetch is woken by committed offsets")
	default:
	}
	r.crash()
	if got := r.committed(id); got != 99 {
		t.Errorf("after a crash the offset committed is %d", got)
	}
	r.Close()
	r.open()
	if got := r.committed(id); got != 99 {
		t.Errorf("after a restart the offset committed is %d", got)
	}
}
