package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"strings"
	"syscall"
	"time"

	"github.com/xitongsys/parquet-go/parquet"
	"github.com/xitongsys/parquet-go/reader"
	"github.com/xitongsys/parquet-go/source"
	"github.com/xitongsys/parquet-go/writer"

	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/segment"
)

// What rates are compared with: the same rows through the Parquet library as it comes, in a loop without anything else, and
// through the layer of segments, without a server around it.

const batchBytesMax = 1_000_000 // that servers take as they come

// logLine is a value of n bytes, which compresses as lines of logs do.
func logLine(r *rand.Rand, n int) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `{"id":%d,"user":"u%05d","path":"/p/%d","status":%d`, r.Uint32(), r.IntN(20000), r.IntN(300), 200+r.IntN(4)*100)
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, `,"f%d":"%x"`, i, r.Uint32())
	}
	return []byte(b.String()[:n])
}

// logBatch is a batch of lines of n bytes, all different, as long as servers take them: what is sent again and again compresses no
// better for it than what is not, because blocks that are compressed are shorter. They are young, or retention would let them go.
func logBatch(n int) (record.Batch, error) {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	var b record.Builder
	b.Reset(record.Options{})
	now := time.Now().UnixMilli()
	for i := int64(0); b.Bytes() < batchBytesMax-2*n; i++ {
		if err := b.Append(record.Record{Offset: i, Timestamp: now + i/7, Value: logLine(r, n)}); err != nil {
			return nil, err
		}
	}
	return b.Build(nil)
}

// perCore returns how many rows f does in a second of processor time, which is this process's, and of which it takes some.
func perCore(least time.Duration, rows int64, f func() error) (float64, error) {
	times, before := int64(0), processorTime()
	for processorTime()-before < least {
		if err := f(); err != nil {
			return 0, err
		}
		times++
	}
	return float64(rows*times) / (processorTime() - before).Seconds(), nil
}

// processorTime is what this process has used, in user and kernel mode.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic("BUG: a process does not know its own processor time: " + err.Error())
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// codec is a way to compress segments.
type codec struct {
	name    string // as archive.compression has it
	segment segment.Codec
	library parquet.CompressionCodec
}

var codecs = []codec{
	{"snappy", segment.Snappy, parquet.CompressionCodec_SNAPPY},
	{"zstd", segment.Zstd, parquet.CompressionCodec_ZSTD},
}

// loop is a batch, and how often it goes into one segment.
type loop struct {
	batch record.Batch
	each  int64 // records of the batch
	times int64
	codec codec
}

func newLoop(valueBytes int, bytes int64, c codec) (*loop, error) {
	b, err := logBatch(valueBytes)
	if err != nil {
		return nil, err
	}
	return &loop{b, int64(b.Count()), max(bytes/int64(len(b)), 1), c}, nil
}

func (l *loop) rows() int64 { return l.each * l.times }

// batches are the batch again and again, at offsets that follow each other. Afterwards it is as it was.
func (l *loop) batches() iter.Seq[record.Batch] {
	return func(yield func(record.Batch) bool) {
		defer l.batch.SetBaseOffset(0)
		for i := range l.times {
			if l.batch.SetBaseOffset(i * l.each); !yield(l.batch) {
				return
			}
		}
	}
}

// writeSegment writes a segment.
func (l *loop) writeSegment(to io.Writer) error {
	w, err := segment.NewWriter(to, segment.Options{Topic: topicName, Codec: l.codec.segment})
	if err != nil {
		return err
	}
	for b := range l.batches() {
		if err := w.Append(b); err != nil {
			return err
		}
	}
	_, err = w.Close(l.rows() - 1)
	return err
}

// readSegment rebuilds the batches of a segment.
func (l *loop) readSegment(object []byte) error {
	get := func(_ context.Context, p []byte, off int64) error {
		copy(p, object[off:])
		return nil
	}
	r, err := segment.Open(context.Background(), get, int64(len(object)))
	if err != nil {
		return err
	}
	var dst []byte
	for from := int64(0); from < l.rows(); {
		if dst, from, err = r.Read(context.Background(), dst[:0], from, 1<<20, segment.Rebuild{}); err != nil {
			return err
		}
	}
	return nil
}

// structRow is a row as the library takes it: a Go struct.
type structRow struct {
	Offset        int64          `parquet:"name=offset, type=INT64, encoding=DELTA_BINARY_PACKED"`
	Timestamp     *int64         `parquet:"name=timestamp, type=INT64, encoding=DELTA_BINARY_PACKED"`
	Key           *string        `parquet:"name=key, type=BYTE_ARRAY"`
	Value         *string        `parquet:"name=value, type=BYTE_ARRAY"`
	Headers       []structHeader `parquet:"name=headers, type=LIST"`
	TimestampType int32          `parquet:"name=timestamp_type, type=INT32"`
	ProducerID    *int64         `parquet:"name=producer_id, type=INT64, encoding=DELTA_BINARY_PACKED"`
	ProducerEpoch *int32         `parquet:"name=producer_epoch, type=INT32"`
	Sequence      *int32         `parquet:"name=sequence, type=INT32, encoding=DELTA_BINARY_PACKED"`
}

type structHeader struct {
	Key   string  `parquet:"name=key, type=BYTE_ARRAY"`
	Value *string `parquet:"name=value, type=BYTE_ARRAY"`
}

// writeStructs has the library write the same rows.
func (l *loop) writeStructs(to io.Writer) error {
	w, err := writer.NewParquetWriterFromWriter(to, new(structRow), 1)
	if err != nil {
		return err
	}
	w.CompressionType, w.PageSize, w.RowGroupSize = l.codec.library, segment.BlockBytes, segment.RowGroupBytes
	for b := range l.batches() {
		for r, err := range b.Records() {
			if err != nil {
				return err
			}
			value := string(r.Value)
			if err := w.Write(structRow{Offset: r.Offset, Timestamp: &r.Timestamp, Value: &value}); err != nil {
				return err
			}
		}
	}
	return w.WriteStop()
}

// readStructs has it read them.
func (l *loop) readStructs(object []byte) error {
	r, err := reader.NewParquetReader(&memoryFile{Reader: bytes.NewReader(object), object: object}, new(structRow), 1)
	if err != nil {
		return err
	}
	defer r.ReadStop()
	rows := make([]structRow, 1000)
	for left := l.rows(); left > 0; left -= int64(len(rows)) {
		rows = rows[:min(left, int64(cap(rows)))]
		if err := r.Read(&rows); err != nil {
			return err
		}
		if len(rows) == 0 {
			return fmt.Errorf("%d rows are missing", left)
		}
	}
	return nil
}

// memoryFile is a file as the library wants it, to be read.
type memoryFile struct {
	*bytes.Reader
	object []byte
}

func (f *memoryFile) Open(string) (source.ParquetFile, error) {
	return &memoryFile{bytes.NewReader(f.object), f.object}, nil
}
func (f *memoryFile) Create(string) (source.ParquetFile, error) { return nil, io.ErrClosedPipe }
func (f *memoryFile) Write([]byte) (int, error)                 { return 0, io.ErrClosedPipe }
func (f *memoryFile) Close() error                              { return nil }
