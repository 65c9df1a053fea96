package engine

import (
	"fmt"
	"time"

	"github.com/heraclitus/heraclitus/pkg/segment"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// Segments that were closed by age are small. Eight of one tier that lie side by side are merged into one of the next tier, so
// that a record is written anew at most a few times on its way into a segment of full size.

const (
	mergeCount     = 8         // segments of a tier, or smaller, that are merged
	mergeTierBytes = 256 << 10 // up to which a segment is of the lowest tier; each tier is mergeCount times the one below
)

// mergeJob is a run of segments that becomes one.
type mergeJob struct {
	key      Key
	topic    string
	segments []state.Segment
}

// mergeNext returns segments to be merged.
func (e *Engine) mergeNext() (job mergeJob, ok bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	for t := range e.mu.state.Topics() {
		s := e.settingsOf(t)
		if s.Compact {
			continue // compaction merges what it goes over
		}
		for i, p := range t.Partitions {
			if run := mergeable(p, min(int64(s.SegmentBytes), e.options.SegmentBytesMax)); run != nil {
				return mergeJob{Key{t.ID, int32(i)}, t.Name, run}, true
			}
		}
	}
	return job, false
}

// mergeable returns the first run of mergeCount segments of the lowest tier that has one and whose sum is not above bytesMax; nil
// when there is none. A segment is part of a run of its own tier and of those above.
func mergeable(p *state.Partition, bytesMax int64) []state.Segment {
	for most := int64(mergeTierBytes); most < bytesMax; most *= mergeCount {
		var run []state.Segment
		var bytes int64
		for g := range p.Segments(p.LogStart) {
			if g.Bytes > most || bytes+g.Bytes > bytesMax {
				run, bytes = nil, 0
			}
			if g.Bytes > most {
				continue
			}
			run, bytes = append(run, g), bytes+g.Bytes
			if len(run) == mergeCount {
				return run
			}
		}
	}
	return nil
}

// merge carries a merge out.
func (a *archiver) merge(j mergeJob) error {
	start := time.Now()
	first, last := j.segments[0], j.segments[len(j.segments)-1]
	all := func(state.Segment, *segment.Row) bool { return true }
	merged, err := a.rewrite(j.key, j.topic, j.segments, state.Segment{Base: first.Base, End: last.End}, all)
	a.metrics.Storage("merge").Done(start, bytesOf(merged), err)
	if err != nil {
		return fmt.Errorf("merge offsets %d to %d of %s/%d: %w", first.Base, last.End, j.topic, j.key.Partition, err)
	}
	_, err = a.replace(j.topic, replacing(j.key, j.segments, merged...))
	return err
}

func bytesOf(segments []state.Segment) (bytes int) {
	for _, g := range segments {
		bytes += int(g.Bytes)
	}
	return bytes
}
