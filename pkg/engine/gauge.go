package engine

import (
	"time"

	"github.com/heraclitus/heraclitus/pkg/state"
)

// gauge sets the metrics that are read off the engine when they are scraped.
func (e *Engine) gauge() {
	e.mu.RLock()
	topics, partitions := e.mu.state.Count()
	e.mu.RUnlock()
	writable := 0.0
	if e.Ready() == nil {
		writable = 1
	}
	e.metrics.Writable.Set(writable)
	e.metrics.Topics.Set(float64(topics))
	e.metrics.Partitions.Set(float64(partitions))
	e.metrics.JournalBytes.Set(float64(e.journal.Size()))
	e.metrics.JournalRoomBytes.Set(float64(e.journal.Room()))
	e.metrics.CacheBytes.Set(float64(e.cache.bytes()))
	e.metrics.PastBytes.Set(float64(e.past.cache.bytes()))
	e.gaugeSegments()
}

// gaugeSegments sets those of what is archived, and of what is not yet.
func (e *Engine) gaugeSegments() {
	now := time.Now().UnixMilli()
	var segments, archived, waiting, oldest int64 = 0, 0, 0, now
	e.eachPartition(func(_ *state.Topic, _ int32, p *state.Partition) {
		for g := range p.Segments(0) {
			segments, archived = segments+1, archived+g.Bytes
		}
		for x := range p.Extents(0) {
			oldest = min(oldest, x.CameMs)
			break
		}
		waiting += p.JournalBytes()
	})
	e.metrics.Segments.Set(float64(segments))
	e.metrics.SegmentBytes.Set(float64(archived))
	e.metrics.ArchiveLagBytes.Set(float64(waiting))
	e.metrics.ArchiveLagSeconds.Set(float64(now-oldest) / 1000)
}
