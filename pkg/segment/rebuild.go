package segment

import (
	"context"
	"errors"
	"math"
	"sync"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/record"
)

// batchBytesMax is how large a rebuilt batch becomes before compression, unless one record is larger: small enough for a
// fetch to end between two, large enough that their headers cost little.
const batchBytesMax = 128 << 10

// Rebuild says what rebuilt batches are like. The zero value is uncompressed and of leader epoch 0.
type Rebuild struct {
	Codec       record.Codec // None, LZ4 or Snappy; the others cost more than they save
	LeaderEpoch int32
}

// Read appends batches to dst that hold every record from an offset on, up to next-1, which is the end of a block. It takes as
// many blocks as hold about bytesMax before compression, and one at least. Behind the last record it appends
// nothing, and next is Last + 1.
//
// The batches are not those that the records came in, but say the same of each record. Batches cover the offsets between them,
// so that a consumer gets past offsets without records, too. A record that is too large for a compressed batch comes in one that
// is not compressed.
func (r *Reader) Read(ctx context.Context, dst []byte, from int64, bytesMax int, o Rebuild) (batches []byte, next int64, err error) {
	block := r.f.find(from)
	end := r.f.until(block, bytesMax)
	b := rebuilders.Get().(*rebuilder)
	defer b.release()
	b.dst, b.options = dst, o
	for t, err := range r.tables(ctx, block, end, allLeaves) {
		if err != nil {
			return dst, 0, r.wrap(err)
		}
		for row, err := range t.from(from) {
			if err == nil {
				err = b.add(row)
			}
			if err != nil {
				return dst, 0, r.wrap(err)
			}
		}
	}
	next = r.f.firstOf(end)
	if err := b.flush(next - 1); err != nil {
		return dst, 0, r.wrap(err)
	}
	return b.dst, next, nil
}

// rebuilder makes batches of rows.
type rebuilder struct {
	dst     []byte
	options Rebuild
	builder record.Builder
	batch   []byte // the one before the open one
	open    bool
	first   Row // of the open batch, without its bytes
}

var rebuilders = sync.Pool{New: func() any { return new(rebuilder) }}

// release gives b back, unless its buffers have grown too large to be kept.
func (b *rebuilder) release() {
	b.dst, b.open = nil, false
	if b.builder.Bytes() <= bufferKept && cap(b.batch) <= bufferKept {
		rebuilders.Put(b)
	}
}

// add adds a row to the open batch, or to a new one if it cannot be in that.
func (b *rebuilder) add(r *Row) error {
	if b.open && !b.takes(r) {
		if err := b.flush(r.Offset - 1); err != nil {
			return err
		}
	}
	if !b.open {
		b.begin(r, b.options.Codec)
	}
	err := b.builder.Append(r.Record)
	if b.builder.Count() == 0 && b.options.Codec != record.None && errors.Is(err, kerr.MessageTooLarge) {
		b.begin(r, record.None)
		err = b.builder.Append(r.Record)
	}
	return err
}

// takes says whether a row may be in the open batch: whether it reads there as it is.
func (b *rebuilder) takes(r *Row) bool {
	f := &b.first
	delta := r.Offset - f.Offset
	return b.builder.Bytes()+len(r.Key)+len(r.Value) < batchBytesMax && delta <= math.MaxInt32 &&
		r.TimestampType == f.TimestampType && (f.TimestampType == record.CreateTime || r.Timestamp == f.Timestamp) &&
		r.ProducerID == f.ProducerID && r.ProducerEpoch == f.ProducerEpoch && r.Sequence == sequenceAfter(f.Sequence, delta)
}

// begin opens a batch.
func (b *rebuilder) begin(r *Row, c record.Codec) {
	b.open, b.first = true, *r
	b.first.Record = record.Record{Offset: r.Offset, Timestamp: r.Timestamp}
	o := record.Options{BaseOffset: r.Offset, LeaderEpoch: b.options.LeaderEpoch, Codec: c,
		TimestampType: r.TimestampType, AppendMs: r.Timestamp,
		Producer: &record.Producer{ID: r.ProducerID, Epoch: r.ProducerEpoch, Sequence: r.Sequence}}
	b.builder.Reset(o)
}

// flush ends the open batch, if there is one, which then covers offsets up to last.
func (b *rebuilder) flush(last int64) error {
	if !b.open {
		return nil
	}
	b.open = false
	b.builder.Extend(last)
	batch, err := b.builder.Build(b.batch[:0])
	if err != nil {
		return err
	}
	b.batch = batch
	b.dst = append(b.dst, batch...)
	return nil
}
