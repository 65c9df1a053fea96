package engine

import (
	"errors"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// OffsetForTime returns the offset and timestamp (milliseconds) of the first record of a partition whose timestamp is ms or
// later; -1 and -1 when there is none.
func (e *Engine) OffsetForTime(id state.ID, partition int32, ms int64) (offset, timestampMs int64, err error) {
	return e.search(Key{id, partition}, search{
		extents: func(p *state.Partition) []state.Extent { return extentsSince(p, ms) },
		better:  func(recordMs int64, _ found) bool { return recordMs >= ms },
		first:   true,
	})
}

// OffsetOfMaxTime returns the offset and timestamp of the first record with the largest timestamp of a partition (KIP-734);
// the first record when none has a timestamp, and -1 and -1 when there is none.
func (e *Engine) OffsetOfMaxTime(id state.ID, partition int32) (offset, timestampMs int64, err error) {
	return e.search(Key{id, partition}, search{
		extents: youngestExtents,
		better:  func(recordMs int64, best found) bool { return best == nothing || recordMs > best.ms },
	})
}

// search is what to look for in a partition, by the timestamps of its records.
type search struct {
	extents func(*state.Partition) []state.Extent // where it may be
	better  func(recordMs int64, best found) bool // whether a record is wanted rather than the best one before it
	first   bool                                  // whether the first that is wanted is the best
}

// found is a record; its fields are -1 when there is none.
type found struct{ offset, ms int64 }

var nothing = found{-1, record.NoTimestamp}

// extentsSince returns the extents that hold the first record of a time or later: two, for what the first holds may all lie
// before the log start.
func extentsSince(p *state.Partition, ms int64) (extents []state.Extent) {
	for x := range p.Extents(p.LogStart) {
		if x.MaxTimestamp < ms {
			continue
		}
		if extents = append(extents, x); len(extents) == 2 {
			break
		}
	}
	return extents
}

// youngestExtents returns the extents that hold the first record with the largest timestamp: the first with that one, and
// before it the one that holds the log start, if it can, for its largest may lie before.
func youngestExtents(p *state.Partition) (extents []state.Extent) {
	var cut, youngest state.Extent
	for x := range p.Extents(p.LogStart) {
		switch {
		case x.Base < p.LogStart:
			cut = x
		case youngest.Bytes == 0 || x.MaxTimestamp > youngest.MaxTimestamp:
			youngest = x
		}
	}
	if cut.Bytes > 0 && (youngest.Bytes == 0 || cut.MaxTimestamp >= youngest.MaxTimestamp) {
		extents = append(extents, cut)
	}
	if youngest.Bytes > 0 {
		extents = append(extents, youngest)
	}
	return extents
}

// search looks for the best record of a partition. It begins anew when what it was about to read has been trimmed meanwhile.
func (e *Engine) search(k Key, s search) (offset, timestampMs int64, err error) {
	for range readTries {
		var best found
		if best, err = e.searchOnce(k, s); !errors.Is(err, journal.ErrTrimmed) {
			return best.offset, best.ms, err
		}
	}
	return -1, -1, kerr.KafkaStorageError
}

func (e *Engine) searchOnce(k Key, s search) (found, error) {
	start, extents, err := e.candidates(k, s)
	if err != nil {
		return nothing, err
	}
	var pins Pins
	defer pins.Release()
	best := nothing
	for _, x := range extents {
		bytes, err := e.extent(x, &pins)
		if err == nil {
			best, err = s.in(bytes, start, best)
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

// candidates returns where a partition starts, and the extents that may hold the record searched for.
func (e *Engine) candidates(k Key, s search) (start int64, extents []state.Extent, err error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	p := e.mu.state.Partition(k.ID, k.Partition)
	if p == nil {
		return 0, nil, kerr.UnknownTopicOrPartition
	}
	return p.LogStart, s.extents(p), nil
}

// searchFailed is what a search that cannot read ends in: it has to begin anew, or storage failed.
func (e *Engine) searchFailed(k Key, err error) error {
	if errors.Is(err, journal.ErrTrimmed) {
		return err
	}
	e.log.Error("search of a partition by time", "topic", k.ID, "partition", k.Partition, "err", err)
	return kerr.KafkaStorageError
}

// in looks for a better record than best in an extent, from offset start on.
func (s *search) in(extent []byte, start int64, best found) (found, error) {
	for b := range batches(extent) {
		for r, err := range b.Records() {
			if err != nil {
				return best, err
			}
			if r.Offset < start || !s.better(r.Timestamp, best) {
				continue
			}
			if best = (found{r.Offset, r.Timestamp}); s.first {
				return best, nil
			}
		}
	}
	return best, nil
}
