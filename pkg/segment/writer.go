package segment

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/xitongsys/parquet-go/layout"
	"github.com/xitongsys/parquet-go/writer"
)

// Writer writes one segment, row group by row group, as records come. It holds one row group in memory, compressed, and
// the index of what it has written. It is for one goroutine. After an error it can only be dropped.
type Writer struct {
	options Options
	out     *bufio.Writer
	parquet *writer.ParquetWriter
	pages   *pageBuilder
	index   index

	block      blockBuilder
	groupBytes int // of the blocks that are ready, before compression

	meta Meta
	err  error
}

// NewWriter begins a segment, which goes to w as it grows: memory or a local file, which does not keep the writer waiting. What
// has been written is a segment only once Close has returned nil: the caller makes it visible then, whole.
func NewWriter(w io.Writer, o Options) (*Writer, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("write segment: %w", err)
	}
	c, err := newCompressor(o.Codec, o.Level)
	if err != nil {
		return nil, fmt.Errorf("write segment: %w", err)
	}
	out := bufio.NewWriterSize(w, writeBytes)
	p, err := writer.NewParquetWriterFromWriter(out, schemaElements(), 1)
	if err != nil {
		return nil, fmt.Errorf("begin segment: %w", err)
	}
	meta := Meta{Topic: o.Topic, TopicID: o.TopicID, Partition: o.Partition, First: o.First,
		Last: o.First - 1, MaxTimestamp: math.MinInt64}
	return &Writer{options: o, out: out, parquet: p, pages: newPageBuilder(c, p.SchemaHandler), meta: meta}, nil
}

// Append adds all records of a batch of magic 2 that passed record.Check. Its offsets have to be higher than all before
// (ErrOrder). Control batches (ErrControl) and the batches of aborted transactions are the caller's to leave out. The
// bytes of b are not kept.
func (w *Writer) Append(b record.Batch) error {
	if w.err != nil {
		return w.err
	}
	if len(b) >= record.HeaderBytes && b.IsControl() {
		return w.fail(fmt.Errorf("append batch at offset %d: %w", b.BaseOffset(), ErrControl))
	}
	for r, err := range b.Records() {
		if err != nil {
			return w.fail(err)
		}
		row := Row{Record: r, TimestampType: b.TimestampType(), ProducerID: b.ProducerID(), ProducerEpoch: b.ProducerEpoch(),
			Sequence: sequenceAfter(b.BaseSequence(), r.Offset-b.BaseOffset())}
		if err := w.add(&row); err != nil {
			return w.fail(err)
		}
	}
	return nil
}

// AppendRow adds one record: for who merges or compacts segments. As with Append, its offset has to be higher than all
// before. The bytes of r are not kept.
func (w *Writer) AppendRow(r Row) error {
	if w.err != nil {
		return w.err
	}
	return w.fail(w.add(&r))
}

// Rows returns how many records were appended.
func (w *Writer) Rows() int64 { return w.meta.Records }

// Bytes returns about how large the segment is as yet, compressed; what was appended last may be missing.
func (w *Writer) Bytes() int64 { return w.parquet.Offset + w.parquet.Size }

// fail remembers err, if it is one: what is half written must not be gone on with.
func (w *Writer) fail(err error) error {
	if err != nil {
		w.err = fmt.Errorf("write segment of %s/%d from offset %d: %w", w.options.Topic, w.options.Partition, w.options.First, err)
	}
	return w.err
}

func (w *Writer) add(r *Row) error {
	if r.Offset <= w.meta.Last || r.Offset == math.MaxInt64 {
		return fmt.Errorf("record at offset %d behind %d: %w", r.Offset, w.meta.Last, ErrOrder)
	}
	n, err := rowSize(r)
	if err != nil {
		return err
	}
	if w.block.full(n, w.options.BlockBytes) {
		if err := w.endBlock(); err != nil {
			return err
		}
	}
	w.block.add(r, n)
	w.meta.add(r, n)
	return nil
}

// endBlock makes pages of what was gathered, and writes the row group if it is full.
func (w *Writer) endBlock() error {
	b := &w.block
	if b.rows == 0 {
		return nil
	}
	for l := range leafCount {
		c := &b.columns[l]
		page, err := w.pages.page(c, l)
		if err != nil {
			return err
		}
		path := w.parquet.SchemaHandler.ValueColumns[l]
		w.parquet.PagesMapBuf[path] = append(w.parquet.PagesMapBuf[path], page)
		w.parquet.Size += int64(len(page.RawData))
		w.index.add(l, c.bounds(&columns[l], b.rows), int32(len(page.RawData)))
	}
	w.parquet.NumRows += int64(b.rows)
	w.groupBytes += b.bytes
	b.reset()
	if w.groupBytes >= w.options.RowGroupBytes {
		return w.endGroup()
	}
	return nil
}

// endGroup writes the pages that are ready as a row group.
func (w *Writer) endGroup() error {
	if w.groupBytes == 0 {
		return nil
	}
	rows, at := w.parquet.NumRows, w.parquet.Offset
	if err := w.parquet.Flush(true); err != nil {
		return fmt.Errorf("write row group: %w", err)
	}
	w.parquet.PagesMapBuf = map[string][]*layout.Page{}
	w.parquet.ColumnIndexes, w.parquet.OffsetIndexes = nil, nil // ours is right: see index
	w.parquet.Footer.NumRows += rows
	w.pages.arena.reset()
	w.groupBytes = 0
	groups := w.parquet.Footer.RowGroups
	return w.index.endGroup(groups[len(groups)-1], len(groups)-1, at)
}

// Close writes what is left and the footer, and returns what the segment is. Last is the last offset that the segment stands
// for: at least that of the last record, and more where the offsets after that one have no record any more.
// Without any record it returns ErrNoRecords: the neighbours then stand for those offsets.
func (w *Writer) Close(last int64) (Meta, error) {
	switch {
	case w.err != nil:
		return Meta{}, w.err
	case w.meta.Records == 0:
		return Meta{}, w.fail(ErrNoRecords)
	case last < w.meta.Last || last == math.MaxInt64:
		return Meta{}, w.fail(fmt.Errorf("last offset %d, of the records %d: %w", last, w.meta.Last, ErrOrder))
	}
	w.meta.Last = last
	if err := w.close(); err != nil {
		return Meta{}, w.fail(err)
	}
	w.err = errClosed
	return w.meta, nil
}

var errClosed = errors.New("segment has been closed")

func (w *Writer) close() error {
	if err := w.endBlock(); err != nil {
		return err
	}
	if err := w.endGroup(); err != nil {
		return err
	}
	tail, err := w.index.tail(w.parquet.Footer, &w.meta, w.parquet.Offset)
	if err != nil {
		return err
	}
	if _, err := w.out.Write(tail); err != nil {
		return fmt.Errorf("write footer: %w", err)
	}
	if err := w.out.Flush(); err != nil {
		return fmt.Errorf("write footer: %w", err)
	}
	w.meta.Bytes = w.parquet.Offset + int64(len(tail))
	return nil
}
