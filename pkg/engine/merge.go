package engine

import (
	"fmt"
	"time"

	"github.com/heraclitus/heraclitus/pkg/segment"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/topic"
)

// Segments that were closed by age are small. Eight of one tier that lie side by side are merged into one of the next tier, so
// that a record is rewritten only a few times on its way into a segment of full size.

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

// mergeOne merges a run of segments of a partition, if there still is one.
func (a *archiver) mergeOne(k Key) error {
	if j, ok := a.mergeJob(k); ok && !a.overgrown() {
		return a.merge(j)
	}
	return nil
}

func (e *Engine) mergeJob(k Key) (job mergeJob, ok bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	t, p := e.mu.state.Topic(k.ID), e.mu.state.Partition(k.ID, k.Partition)
	if p == nil {
		return job, false
	}
	run := e.mergeable(p, e.settingsOf(t))
	return mergeJob{k, t.Name, run}, run != nil
}

// mergeable returns the first run of mergeCount segments in the lowest tier that has one, which together are no larger than a
// segment may be; nil when there is none. A segment counts in its own tier and in those above. In a compacted topic there is
// none: compaction merges what it goes over.
func (e *Engine) mergeable(p *state.Partition, s *topic.Settings) []state.Segment {
	if s.Compact || p.SegmentCount() < mergeCount {
		return nil
	}
	bytesMax := e.segmentBytesOf(s)
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
