package engine

import (
	"iter"

	"github.com/heraclitus/heraclitus/pkg/state"
)

// piece is one of the parts of a partition that retention and searches by time go over: a segment, or an extent where
// segment.Bytes is 0.
type piece struct {
	segment state.Segment
	extent  state.Extent

	base         int64 // offset of its first record
	bytes        int64
	maxTimestamp int64 // milliseconds; -1 when no record has one
	cameMs       int64 // when its last batch came
}

// pieces yields what holds a partition's records from its log start on, in order. It must be ranged over under the engine's lock.
func pieces(p *state.Partition) iter.Seq[piece] {
	return func(yield func(piece) bool) {
		for g := range p.Segments(p.LogStart) {
			if !yield(piece{segment: g, base: g.Base, bytes: g.Bytes, maxTimestamp: g.MaxTimestamp, cameMs: g.CameMs}) {
				return
			}
		}
		for x := range p.Extents(p.LogStart) {
			if !yield(piece{extent: x, base: x.Base, bytes: int64(x.Bytes), maxTimestamp: x.MaxTimestamp, cameMs: x.CameMs}) {
				return
			}
		}
	}
}

// youngestMs is the time of a piece's youngest record: when it came, if the records say nothing; Kafka's
// LogSegment.largestTimestamp.
func (c *piece) youngestMs() int64 {
	if c.maxTimestamp >= 0 {
		return c.maxTimestamp
	}
	return c.cameMs
}
