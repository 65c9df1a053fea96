package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// Options are what a batch is built with. The zero value is a plain batch of CreateTime at offset 0, without a producer.
type Options struct {
	BaseOffset    int64
	LeaderEpoch   int32
	Codec         Codec
	Level         Level
	TimestampType TimestampType
	AppendMs      int64     // with LogAppendTime: the timestamp of all records
	Producer      *Producer // nil: not idempotent
	Control       bool
}

// Producer is who wrote a batch, when it is an idempotent or transactional producer (KIP-98).
type Producer struct {
	ID            int64
	Epoch         int16
	Sequence      int32 // of the first record
	Transactional bool
}

// Builder makes a batch out of records. It may be used again after Reset; it keeps its buffer.
type Builder struct {
	options Options
	buf     []byte // a header that is still empty, and the encoded records
	count   int32
	last    int32 // offset delta
	baseMs  int64
	maxMs   int64
}

// Reset begins a batch.
func (b *Builder) Reset(o Options) {
	if b.buf == nil {
		b.buf = make([]byte, HeaderBytes)
	}
	*b = Builder{options: o, buf: b.buf[:HeaderBytes], last: -1, maxMs: NoTimestamp}
}

// Count returns how many records were appended.
func (b *Builder) Count() int { return int(b.count) }

// Bytes returns how large the batch has become, before compression.
func (b *Builder) Bytes() int { return len(b.buf) }

var errOffsets = errors.New("offsets do not rise")

// Append adds a record and copies its bytes. Offsets must rise from the base offset on; gaps are kept. A record that
// makes the batch larger than it may be, before compression, is refused with MessageTooLarge and not added.
func (b *Builder) Append(r Record) error {
	delta := r.Offset - b.options.BaseOffset
	if delta <= int64(b.last) || delta > math.MaxInt32 {
		return fmt.Errorf("append record at offset %d behind %d: %w", r.Offset, b.options.BaseOffset+int64(b.last), errOffsets)
	}
	if b.count == 0 {
		b.baseMs = r.Timestamp
	}
	n := 1 + varintBytes(r.Timestamp-b.baseMs) + varintBytes(delta) + fieldBytes(r.Key) + fieldBytes(r.Value) +
		varintBytes(int64(r.Headers.count)) + len(r.Headers.raw)
	if len(b.buf)+n > b.bytesMax() {
		return refuse(kerr.MessageTooLarge, "append record of %d bytes to batch of %d", n, len(b.buf))
	}
	b.count++
	b.last = int32(delta)
	b.maxMs = max(b.maxMs, r.Timestamp)
	b.encode(r, n)
	return nil
}

// Extend makes the batch stand for the offsets up to last, as far as a batch can, though the records of those after its
// own are gone: what compaction leaves. A consumer goes on after them. Records appended later come after last.
func (b *Builder) Extend(last int64) {
	b.last = max(b.last, int32(min(last-b.options.BaseOffset, math.MaxInt32)))
}

// encode writes a record of n bytes after its length.
func (b *Builder) encode(r Record, n int) {
	buf := binary.AppendVarint(b.buf, int64(n))
	buf = append(buf, 0)
	buf = binary.AppendVarint(buf, r.Timestamp-b.baseMs)
	buf = binary.AppendVarint(buf, int64(b.last))
	buf = appendField(buf, r.Key, r.Key == nil)
	buf = appendField(buf, r.Value, r.Value == nil)
	buf = binary.AppendVarint(buf, int64(r.Headers.count))
	b.buf = append(buf, r.Headers.raw...)
}

func (b *Builder) bytesMax() int {
	if b.options.Codec == None {
		return math.MaxInt32
	}
	return PlainBytesMax
}

var errNoRecords = errors.New("no records")

// Build appends the finished batch to dst and returns the batch alone. The builder is left as it was.
func (b *Builder) Build(dst []byte) (Batch, error) {
	var w *workspace
	if b.options.Codec != None {
		w = checking.get()
		defer checking.put(w)
	}
	return b.build(w, dst)
}

func (b *Builder) build(w *workspace, dst []byte) (Batch, error) {
	if b.count == 0 {
		return nil, fmt.Errorf("build batch: %w", errNoRecords)
	}
	from := len(dst)
	dst = append(dst, b.buf[:HeaderBytes]...)
	dst, err := b.appendRecords(w, dst)
	if err != nil {
		return nil, fmt.Errorf("build batch of %d records: %w", b.count, err)
	}
	batch := Batch(dst[from:])
	b.putHeader(batch)
	batch.seal()
	return batch, nil
}

func (b *Builder) appendRecords(w *workspace, dst []byte) ([]byte, error) {
	if b.options.Codec == None {
		return append(dst, b.buf[HeaderBytes:]...), nil
	}
	return w.compress(dst, b.options.Codec, b.options.Level, b.buf[HeaderBytes:])
}

func (b *Builder) putHeader(h Batch) {
	o := &b.options
	h.SetBaseOffset(o.BaseOffset)
	h.putInt32(lengthAt, int32(len(h)-prefixBytes))
	h.SetLeaderEpoch(o.LeaderEpoch)
	h[magicAt] = byte(Magic)
	binary.BigEndian.PutUint16(h[attributesAt:], o.attributes())
	h.putInt32(lastOffsetDeltaAt, b.last)
	h.putInt64(baseTimestampAt, b.baseMs)
	h.putInt64(maxTimestampAt, b.maxMs)
	if o.TimestampType == LogAppendTime {
		h.putInt64(maxTimestampAt, o.AppendMs)
	}
	p := Producer{NoProducerID, NoProducerEpoch, NoSequence, false}
	if o.Producer != nil {
		p = *o.Producer
	}
	h.putInt64(producerIDAt, p.ID)
	binary.BigEndian.PutUint16(h[producerEpochAt:], uint16(p.Epoch))
	h.putInt32(baseSequenceAt, p.Sequence)
	h.putInt32(countAt, b.count)
}

func (o *Options) attributes() uint16 {
	bits := uint16(o.Codec)
	if o.TimestampType == LogAppendTime {
		bits |= timestampTypeBit
	}
	if o.Producer != nil && o.Producer.Transactional {
		bits |= transactionalBit
	}
	if o.Control {
		bits |= controlBit
	}
	return bits
}

// Build makes a batch of records at once.
func Build(o Options, records ...Record) (Batch, error) {
	var b Builder
	b.Reset(o)
	for _, r := range records {
		if err := b.Append(r); err != nil {
			return nil, err
		}
	}
	return b.Build(nil)
}
