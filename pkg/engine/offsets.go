package engine

import (
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// OffsetForTime returns the offset and timestamp (milliseconds) of the first record of a partition whose timestamp is ms or
// later; -1 and -1 when there is none.
func (e *Engine) OffsetForTime(id state.ID, partition int32, ms int64) (offset, timestampMs int64, err error) {
	return e.search(id, partition, func(x state.Extent, _ int64) bool { return x.MaxTimestamp >= ms },
		func(r record.Record) bool { return r.Timestamp >= ms })
}

// OffsetOfMaxTime returns the offset and timestamp of the first record with the largest timestamp of a partition (KIP-734);
// -1 and -1 when it holds none.
func (e *Engine) OffsetOfMaxTime(id state.ID, partition int32) (offset, timestampMs int64, err error) {
	largest := int64(-1)
	return e.search(id, partition, func(x state.Extent, max int64) bool { largest = max; return x.MaxTimestamp == max },
		func(r record.Record) bool { return r.Timestamp == largest })
}

// search looks through a partition for the first record that is wanted, in the extents that may hold one. mayHold is also
// told the largest timestamp of the whole partition.
func (e *Engine) search(id state.ID, partition int32, mayHold func(x state.Extent, max int64) bool, wanted func(record.Record) bool) (offset, timestampMs int64, err error) {
	start, extents, err := e.candidates(Key{id, partition}, mayHold)
	if err != nil {
		return -1, -1, err
	}
	var pins Pins
	defer pins.Release()
	for _, x := range extents {
		bytes, err := e.extent(x, &pins)
		if err != nil {
			e.log.Error("search of a partition by time", "topic", id, "partition", partition, "err", err)
			return -1, -1, kerr.KafkaStorageError
		}
		for b := range batches(bytes) {
			offset, timestampMs, err := find(b, start, wanted)
			if err != nil || offset >= 0 {
				return offset, timestampMs, err
			}
		}
		pins.Release()
	}
	return -1, -1, nil
}

// candidates returns the extents of a partition that may hold the record searched for, and where the partition starts.
func (e *Engine) candidates(k Key, mayHold func(x state.Extent, max int64) bool) (start int64, found []state.Extent, err error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	p := e.mu.state.Partition(k.ID, k.Partition)
	if p == nil {
		return 0, nil, kerr.UnknownTopicOrPartition
	}
	largest := int64(-1)
	for x := range p.Extents(p.LogStart) {
		largest = max(largest, x.MaxTimestamp)
	}
	for x := range p.Extents(p.LogStart) {
		if mayHold(x, largest) && len(found) < 2 { // what the first holds may all lie before the start; the second cannot
			found = append(found, x)
		}
	}
	return p.LogStart, found, nil
}

// find returns the first record of a batch that lies at or after start and is wanted; -1 and -1 when there is none.
func find(b record.Batch, start int64, wanted func(record.Record) bool) (offset, timestampMs int64, err error) {
	for r, err := range b.Records() {
		if err != nil {
			return -1, -1, err
		}
		if r.Offset >= start && wanted(r) {
			return r.Offset, r.Timestamp, nil
		}
	}
	return -1, -1, nil
}
