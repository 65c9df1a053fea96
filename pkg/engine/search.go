package engine

import (
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// OffsetForTime returns the offset and timestamp (milliseconds) of the first record of a partition whose timestamp is ms or
// later; -1 and -1 when there is none.
func (e *Engine) OffsetForTime(id state.ID, partition int32, ms int64) (offset, timestampMs int64, err error) {
	return e.search(Key{id, partition}, search{
		pieces: func(p *state.Partition) []piece { return piecesSince(p, ms) },
		since:  func(piece) int64 { return ms },
		better: func(recordMs int64, _ found) bool { return recordMs >= ms },
		first:  true,
	})
}

// OffsetOfMaxTime returns the offset and timestamp of the first record with the largest timestamp of a partition (KIP-734):
// of the first record when none has a timestamp, and -1 and -1 when there are no records.
func (e *Engine) OffsetOfMaxTime(id state.ID, partition int32) (offset, timestampMs int64, err error) {
	return e.search(Key{id, partition}, search{
		pieces: youngestPieces,
		since:  func(c piece) int64 { return c.maxTimestamp },
		better: func(recordMs int64, best found) bool { return best == nothing || recordMs > best.ms },
	})
}

// search is what to look for in a partition, by the timestamps of its records.
type search struct {
	pieces func(*state.Partition) []piece        // where it may be
	since  func(piece) int64                     // of a whole piece only the first record of this time or later counts
	better func(recordMs int64, best found) bool // whether a record is better than the best one before it
	first  bool                                  // whether the first record that is better than nothing is the best
}

// found is a record; its fields are -1 when there is none.
type found struct{ offset, ms int64 }

var nothing = found{-1, record.NoTimestamp}

// piecesSince returns the pieces that may hold the first record of a time or later: two, because in the first of them all such
// records may lie before the log start.
func piecesSince(p *state.Partition, ms int64) (some []piece) {
	for c := range pieces(p) {
		if c.maxTimestamp < ms {
			continue
		}
		if some = append(some, c); len(some) == 2 {
			break
		}
	}
	return some
}

// youngestPieces returns the pieces that may hold the first record with the largest timestamp: the first piece with that
// timestamp, and before it the one that the log start divides, unless its own largest is smaller: it may lie before the log
// start.
func youngestPieces(p *state.Partition) (some []piece) {
	var cut, youngest piece
	for c := range pieces(p) {
		switch {
		case c.base < p.LogStart:
			cut = c
		case youngest.bytes == 0 || c.maxTimestamp > youngest.maxTimestamp:
			youngest = c
		}
	}
	if cut.bytes > 0 && (youngest.bytes == 0 || cut.maxTimestamp >= youngest.maxTimestamp) {
		some = append(some, cut)
	}
	if youngest.bytes > 0 {
		some = append(some, youngest)
	}
	return some
}

// search looks for the best record of a partition. It begins again when what it was about to read is not there any more.
func (e *Engine) search(k Key, s search) (offset, timestampMs int64, err error) {
	for range readTries {
		var best found
		if best, err = e.searchOnce(k, s); !gone(err) {
			return best.offset, best.ms, err
		}
	}
	return -1, -1, kerr.KafkaStorageError
}

func (e *Engine) searchOnce(k Key, s search) (found, error) {
	topic, start, some, err := e.candidates(k, s)
	if err != nil {
		return nothing, err
	}
	best := nothing
	for _, c := range some {
		if c.segment.Bytes > 0 {
			best, err = e.searchSegment(at{topic, k.Partition, c.segment}, &s, s.since(c), start, best)
		} else {
			best, err = e.searchExtent(c.extent, &s, start, best)
		}
		if err != nil {
			return nothing, e.searchFailed(k, err)
		}
		if s.first && best != nothing {
			break
		}
	}
	return best, nil
}

// candidates returns where a partition starts, and the pieces that may hold the record searched for.
func (e *Engine) candidates(k Key, s search) (topic string, start int64, some []piece, err error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	p := e.mu.state.Partition(k.ID, k.Partition)
	if p == nil {
		return "", 0, nil, kerr.UnknownTopicOrPartition
	}
	return e.mu.state.Topic(k.ID).Name, p.LogStart, s.pieces(p), nil
}

// searchFailed is the error of a search that cannot read: one to begin again after, or KafkaStorageError.
func (e *Engine) searchFailed(k Key, err error) error {
	if gone(err) {
		return err
	}
	e.noteUnreadable(k, fmt.Errorf("search by time: %w", err))
	return kerr.KafkaStorageError
}

// searchExtent looks for a better record than best in an extent, from offset start on.
func (e *Engine) searchExtent(x state.Extent, s *search, start int64, best found) (found, error) {
	var pins Pins
	defer pins.Release()
	bytes, err := e.extent(x, &pins)
	if err != nil {
		return best, err
	}
	for b := range batches(bytes) {
		for r, err := range b.Records() {
			if err != nil {
				return best, err
			}
			if s.takes(r.Offset, r.Timestamp, start, &best) {
				return best, nil
			}
		}
	}
	return best, nil
}

// searchSegment looks for a better record than best in a segment, from offset start on. It reads one block; of a segment that
// the log start divides, all that follows the log start when that block lies before it.
func (e *Engine) searchSegment(g at, s *search, ms, start int64, best found) (found, error) {
	r, err := e.past.reader(g)
	if err != nil {
		return best, err
	}
	offset, timestamp, ok, err := r.OffsetForTime(e.past.ctx, ms)
	if err != nil {
		return best, err
	}
	if ok && offset >= start {
		s.takes(offset, timestamp, start, &best)
		return best, nil
	}
	for row, err := range r.Rows(e.past.ctx, start) {
		if err != nil {
			return best, err
		}
		if s.takes(row.Offset, row.Timestamp, start, &best) {
			return best, nil
		}
	}
	return best, nil
}

// takes makes a record the best if it is better, and says whether that ends the search.
func (s *search) takes(offset, ms, start int64, best *found) (done bool) {
	if offset < start || !s.better(ms, *best) {
		return false
	}
	*best = found{offset, ms}
	return s.first
}
