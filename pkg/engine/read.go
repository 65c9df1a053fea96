package engine

import (
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// Pins keep what Read returned in place. The zero value is ready.
type Pins struct {
	chunks  []*chunk
	buffers []*buffer
	parts   [][]byte       // of all reads
	extents []state.Extent // scratch of the last read
}

// Release lets go of everything that was read with p; the parts must not be touched any more. p may be used again.
func (p *Pins) Release() {
	for _, c := range p.chunks {
		c.release()
	}
	for _, b := range p.buffers {
		b.free()
	}
	p.chunks, p.buffers = emptied(p.chunks), emptied(p.buffers)
	p.parts, p.extents = emptied(p.parts), emptied(p.extents)
}

// pinsKeptMax is the number of things up to which their slices are used again.
const pinsKeptMax = 4096

// emptied returns a slice to be used again, without what was in it.
func emptied[T any](s []T) []T {
	if cap(s) > pinsKeptMax {
		return nil
	}
	clear(s)
	return s[:0]
}

// buffer is memory for what is read from the journal.
type buffer struct {
	bytes []byte
	owner *Engine
}

// bufferKeepBytesMax is the size up to which buffers are used again.
const bufferKeepBytesMax = 1 << 20

func (e *Engine) buffer(n int) *buffer {
	b, _ := e.buffers.Get().(*buffer)
	if b == nil || cap(b.bytes) < n {
		b = &buffer{make([]byte, n), e}
	}
	b.bytes = b.bytes[:n]
	return b
}

func (b *buffer) free() {
	if cap(b.bytes) <= bufferKeepBytesMax {
		b.owner.buffers.Put(b)
	}
}

// readTries is how often a read begins anew when what it was about to read has been trimmed meanwhile.
const readTries = 3

// Read returns whole batches of a partition, from the one that holds offset on, of up to bytesMax; the first one also if
// it is larger, when atLeastOne is set. At the high watermark there are none. It stops before what cannot be read, which is
// an error only where a read begins. The parts stay valid until pins are released.
// Errors: UnknownTopicOrPartition, OffsetOutOfRange, KafkaStorageError.
func (e *Engine) Read(id state.ID, partition int32, offset int64, bytesMax int, atLeastOne bool, pins *Pins) (Log, error) {
	for range readTries {
		log, err := e.locate(Key{id, partition}, offset, bytesMax, pins)
		if err != nil {
			return log, err
		}
		err = e.readExtents(&log, offset, bytesMax, atLeastOne, pins)
		if err == nil {
			return log, nil
		}
		if !errors.Is(err, journal.ErrTrimmed) {
			e.log.Error("read of a partition", "partition", partition, "topic", id, "offset", offset, "err", err)
			break
		}
	}
	return Log{Start: -1, HighWatermark: -1}, kerr.KafkaStorageError
}

// locate puts the extents from offset on into pins, as many as bytesMax asks for, and fills in the partition's offsets.
func (e *Engine) locate(k Key, offset int64, bytesMax int, pins *Pins) (Log, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	p := e.mu.state.Partition(k.ID, k.Partition)
	if p == nil {
		return Log{Start: -1, HighWatermark: -1}, kerr.UnknownTopicOrPartition
	}
	log := Log{Start: p.LogStart, HighWatermark: p.HighWatermark}
	if offset < p.LogStart || offset > p.HighWatermark {
		return log, kerr.OffsetOutOfRange
	}
	pins.extents = pins.extents[:0]
	if offset == p.HighWatermark {
		return log, nil
	}
	bytes := 0
	for x := range p.Extents(offset) {
		if len(pins.extents) > 0 { // the first one may hold little from offset on
			bytes += int(x.Bytes)
		}
		pins.extents = append(pins.extents, x)
		if bytes > bytesMax {
			break
		}
	}
	return log, nil
}

// readExtents fills log.Parts with the batches of pins.extents that hold records from offset on, up to bytesMax.
func (e *Engine) readExtents(log *Log, offset int64, bytesMax int, atLeastOne bool, pins *Pins) error {
	first := len(pins.parts)
	fits := func(n int) bool { return log.Bytes+n <= bytesMax || atLeastOne && log.Bytes == 0 }
read:
	for _, x := range pins.extents {
		if !fits(1) {
			break
		}
		bytes, err := e.extent(x, pins)
		if err != nil && log.Bytes == 0 {
			return err
		}
		if err != nil {
			break
		}
		for b := range batches(bytes) {
			if b.LastOffset() < offset {
				continue
			}
			if !fits(len(b)) {
				break read
			}
			pins.parts = append(pins.parts, b)
			log.Bytes += len(b)
		}
	}
	log.Parts = pins.parts[first:len(pins.parts):len(pins.parts)]
	return nil
}

// extent returns the bytes of an extent, from memory or from the journal, with the offsets in place.
func (e *Engine) extent(x state.Extent, pins *Pins) ([]byte, error) {
	if entry, c := e.cache.get(x.Slot); entry != nil {
		pins.chunks = append(pins.chunks, c)
		e.metrics.CacheHits.Inc()
		return entry[x.Pos : x.Pos+x.Bytes : x.Pos+x.Bytes], nil
	}
	e.metrics.CacheMisses.Inc()
	b := e.buffer(int(x.Bytes))
	pins.buffers = append(pins.buffers, b)
	start := time.Now()
	err := e.journal.ReadAt(x.Slot, b.bytes, int64(x.Pos))
	e.reads.Done(start, len(b.bytes), err)
	if err != nil {
		return nil, err
	}
	return b.bytes, number(b.bytes, x.Base)
}

// number writes offsets and leader epoch into the batches of an extent that was read from the journal, where they are as
// the producer sent them. It is also where damage on the medium is noticed.
func number(extent []byte, base int64) error {
	left := len(extent)
	for b := range batches(extent) {
		if !b.Intact() {
			break
		}
		b.SetBaseOffset(base)
		b.SetLeaderEpoch(leaderEpoch)
		base += int64(b.LastOffsetDelta()) + 1
		if left -= len(b); left > 0 {
			left -= state.ProduceHeaderBytes
		}
	}
	if left != 0 {
		return fmt.Errorf("batch at offset %d: %w", base, journal.ErrDamaged)
	}
	return nil
}

// batches yields the batches of an extent: see [state.Extent].
func batches(extent []byte) iter.Seq[record.Batch] {
	return func(yield func(record.Batch) bool) {
		for len(extent) >= record.HeaderBytes {
			n := record.Batch(extent).Size()
			if n < record.HeaderBytes || n > len(extent) || !yield(record.Batch(extent[:n:n])) {
				return
			}
			extent = extent[min(n+state.ProduceHeaderBytes, len(extent)):]
		}
	}
}

// Served counts all that was read with pins as sent to a consumer. Read does not: a fetch that waits reads more than once.
func (e *Engine) Served(pins *Pins) {
	for _, b := range pins.parts {
		e.metrics.MessagesOut.Add(int(record.Batch(b).Count()))
		e.metrics.BytesOut.Add(len(b))
	}
}
