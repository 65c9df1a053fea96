package engine

import (
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/objstore"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// Pins keep what Read returned in place. The zero value is ready.
type Pins struct {
	chunks   []*chunk
	buffers  []*buffer
	parts    [][]byte       // of all reads
	segments []at           // scratch of the last read
	extents  []state.Extent // likewise
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
	p.parts, p.segments, p.extents = emptied(p.parts), emptied(p.segments), emptied(p.extents)
}

// pinsKeptMax is the capacity up to which slices of pins are used again.
const pinsKeptMax = 4096

// emptied returns an empty slice on the memory of s, or nil if that is too large to keep.
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

// Log is what can be read of a partition.
type Log struct {
	Start         int64    // log start offset
	HighWatermark int64    // offset that the next record gets
	Parts         [][]byte // of Read: whole batches, in order; not to be changed
	Bytes         int      // of Parts
}

// Offsets returns a partition's offsets, or UnknownTopicOrPartition.
func (e *Engine) Offsets(id state.ID, partition int32) (Log, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	p := e.mu.state.Partition(id, partition)
	if p == nil {
		return Log{Start: -1, HighWatermark: -1}, kerr.UnknownTopicOrPartition
	}
	return Log{Start: p.LogStart, HighWatermark: p.HighWatermark}, nil
}

// readTries is how often a read is tried when what it was about to read has gone meanwhile.
const readTries = 3

// Read returns whole batches of a partition, from the one that holds offset on, up to bytesMax in all; with atLeastOne the
// first one even if it is larger. At the high watermark there are none. It stops before what cannot be read, which is an error
// only at the very beginning. The parts stay valid until pins are released.
// Errors: UnknownTopicOrPartition, OffsetOutOfRange, KafkaStorageError.
func (e *Engine) Read(id state.ID, partition int32, offset int64, bytesMax int, atLeastOne bool, pins *Pins) (Log, error) {
	for range readTries {
		log, err := e.locate(Key{id, partition}, offset, bytesMax, pins)
		if err != nil {
			return log, err
		}
		r := reading{Log: log, offset: offset, bytesMax: bytesMax, atLeastOne: atLeastOne, pins: pins, first: len(pins.parts)}
		if err = e.readParts(&r); err == nil || r.Bytes > 0 {
			r.Parts = pins.parts[r.first:len(pins.parts):len(pins.parts)]
			return r.Log, nil
		}
		if !gone(err) {
			e.noteUnreadable(Key{id, partition}, fmt.Errorf("read at offset %d: %w", offset, err))
			break
		}
	}
	return Log{Start: -1, HighWatermark: -1}, kerr.KafkaStorageError
}

// gone says whether what was to be read is not there any more, so that the state has to be asked again where it is: the
// journal has been trimmed, or a segment replaced.
func gone(err error) bool {
	return errors.Is(err, journal.ErrTrimmed) || errors.Is(err, objstore.ErrAbsent)
}

// locate puts the segments and extents from offset on into pins, as many as bytesMax asks for, and returns the partition's
// offsets.
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
	pins.segments, pins.extents = pins.segments[:0], pins.extents[:0]
	if offset == p.HighWatermark {
		return log, nil
	}
	bytes := 0
	for g := range p.Segments(offset) {
		if bytes > bytesMax {
			return log, nil
		}
		if len(pins.segments) > 0 { // the first one may hold little from offset on, or nothing: compaction leaves gaps
			bytes += int(g.Bytes)
		}
		pins.segments = append(pins.segments, at{e.mu.state.Topic(k.ID).Name, k.Partition, g})
	}
	for x := range p.Extents(offset) {
		if len(pins.extents) > 0 { // likewise
			bytes += int(x.Bytes)
		}
		pins.extents = append(pins.extents, x)
		if bytes > bytesMax {
			break
		}
	}
	return log, nil
}

// reading is a read under way.
type reading struct {
	Log
	offset     int64 // of the next record wanted
	bytesMax   int
	atLeastOne bool
	pins       *Pins
	first      int // of the parts that are this read's
}

// full says whether not even a small batch fits.
func (r *reading) full() bool { return !r.fits(1) }

func (r *reading) fits(n int) bool { return r.Bytes+n <= r.bytesMax || r.atLeastOne && r.Bytes == 0 }

// put takes a batch in, unless it lies before what is wanted; false when it does not fit.
func (r *reading) put(b record.Batch) bool {
	if b.LastOffset() < r.offset {
		return true
	}
	if !r.fits(len(b)) {
		return false
	}
	r.pins.parts = append(r.pins.parts, b)
	r.Bytes += len(b)
	r.offset = b.LastOffset() + 1
	return true
}

// readParts puts in the batches of the segments and the extents in pins, up to the first that does not fit.
func (e *Engine) readParts(r *reading) error {
	for _, g := range r.pins.segments {
		if more, err := e.readSegment(r, g); err != nil || !more {
			return err
		}
	}
	for _, x := range r.pins.extents {
		if r.full() {
			return nil
		}
		bytes, err := e.extent(x, r.pins)
		if err != nil {
			return err
		}
		for b := range batches(bytes) {
			if !r.put(b) {
				return nil
			}
		}
	}
	return nil
}

// readSegment puts in the batches of a segment; more is false once one does not fit.
func (e *Engine) readSegment(r *reading, g at) (more bool, err error) {
	for offset := max(r.offset, g.Base); offset < g.End; {
		if r.full() {
			return false, nil
		}
		found, err := e.past.run(g, offset)
		if err != nil {
			return false, err
		}
		for b := range found.batches(offset) {
			if !r.put(b) {
				return false, nil
			}
		}
		offset = found.next
	}
	return true, nil
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

// number writes offsets and leader epoch into the batches of an extent that was read from the journal, where they lie as the
// producer sent them. It is also where damage on the medium is noticed.
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

// Served counts what was read with pins as sent to a consumer. Read does not: a fetch that waits reads more than once.
func (e *Engine) Served(pins *Pins) {
	for _, b := range pins.parts {
		e.metrics.MessagesOut.Add(int(record.Batch(b).Count()))
		e.metrics.BytesOut.Add(len(b))
	}
}
