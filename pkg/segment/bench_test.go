package segment

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/xitongsys/parquet-go/parquet"
	"github.com/xitongsys/parquet-go/writer"
)

// Rows per second of one core, with the library's own writer of Go structs beside it. Values are JSON of a web log, which
// compresses as such things do.

const benchBatchBytes = 64 << 10

// logLine is a value of about n bytes.
func logLine(r *rand.Rand, n int) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `{"id":%d,"user":"u%05d","path":"/p/%d","status":%d`, r.Uint32(), r.IntN(20000), r.IntN(300), 200+r.IntN(4)*100)
	for i := 0; b.Len() < n-24; i++ {
		fmt.Fprintf(&b, `,"f%d":"%x"`, i, r.Uint32())
	}
	b.WriteString(`,"ok":true}`)
	return []byte(b.String())
}

// benchRows returns rows with keys and values of about n bytes.
func benchRows(n, count int) []Row {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	rows := make([]Row, count)
	for i := range rows {
		rows[i] = Row{Record: record.Record{Offset: int64(i), Timestamp: 1700000000000 + int64(i/7),
			Key: fmt.Appendf(nil, "user-%05d", r.IntN(20000)), Value: logLine(r, n)},
			ProducerID: 7, ProducerEpoch: 0, Sequence: int32(i)}
	}
	return rows
}

// batched makes uncompressed batches of rows.
func batched(b testing.TB, rows []Row) []record.Batch {
	var batches []record.Batch
	var builder record.Builder
	for i := range rows {
		r := &rows[i]
		if builder.Count() > 0 && builder.Bytes() > benchBatchBytes {
			batches = append(batches, mustBuild(b, &builder))
		}
		if builder.Count() == 0 {
			builder.Reset(record.Options{BaseOffset: r.Offset,
				Producer: &record.Producer{ID: r.ProducerID, Epoch: r.ProducerEpoch, Sequence: r.Sequence}})
		}
		if err := builder.Append(r.Record); err != nil {
			b.Fatal(err)
		}
	}
	return append(batches, mustBuild(b, &builder))
}

func mustBuild(b testing.TB, builder *record.Builder) record.Batch {
	batch, err := builder.Build(nil)
	if err != nil {
		b.Fatal(err)
	}
	builder.Reset(record.Options{})
	return batch
}

// perCore reports rows per second of processor time: what one core does when it is left alone.
func perCore(b *testing.B, rows []Row, since time.Duration) {
	b.ReportMetric(float64(len(rows))*float64(b.N)/(processorTime()-since).Seconds(), "rows/core-s")
}

// benches runs f with rows of 100 bytes and of 1 KiB, in whole segments of 64 MiB.
func benches(b *testing.B, f func(b *testing.B, rows []Row)) {
	for _, n := range []int{100, 1 << 10} {
		rows := benchRows(n, 64<<20/n)
		b.Run(fmt.Sprintf("%dB", n), func(b *testing.B) {
			f(b, rows)
			b.ReportMetric(0, "ns/op")
		})
	}
}

var benchCodecs = []struct {
	name  string
	codec Codec
	level int
}{{"snappy", Snappy, 0}, {"zstd-fastest", Zstd, 0}, {"zstd-3", Zstd, 3}}

func BenchmarkWrite(b *testing.B) {
	for _, c := range benchCodecs {
		b.Run(c.name, func(b *testing.B) {
			benches(b, func(b *testing.B, rows []Row) {
				batches := batched(b, rows)
				b.ReportAllocs()
				size := int64(0)
				since := processorTime()
				for b.Loop() {
					o := someOptions
					o.Codec, o.Level = c.codec, c.level
					w, err := NewWriter(io.Discard, o)
					if err != nil {
						b.Fatal(err)
					}
					for _, batch := range batches {
						if err := w.Append(batch); err != nil {
							b.Fatal(err)
						}
					}
					m, err := w.Close(rows[len(rows)-1].Offset)
					if err != nil {
						b.Fatal(err)
					}
					size = m.Bytes
				}
				perCore(b, rows, since)
				b.ReportMetric(float64(size)/float64(len(rows)), "bytes/row")
			})
		})
	}
}

// structRow is a row as the library's own writer takes it.
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

func BenchmarkWriteLibraryStructs(b *testing.B) {
	benches(b, func(b *testing.B, rows []Row) {
		b.ReportAllocs()
		since := processorTime()
		for b.Loop() {
			w, err := writer.NewParquetWriterFromWriter(io.Discard, new(structRow), 1)
			if err != nil {
				b.Fatal(err)
			}
			w.CompressionType, w.PageSize, w.RowGroupSize = parquet.CompressionCodec_SNAPPY, BlockBytes, RowGroupBytes
			for i := range rows {
				r := &rows[i]
				epoch := int32(r.ProducerEpoch)
				key, value := string(r.Key), string(r.Value)
				if err := w.Write(structRow{Offset: r.Offset, Timestamp: &r.Timestamp, Key: &key, Value: &value,
					ProducerID: &r.ProducerID, ProducerEpoch: &epoch, Sequence: &r.Sequence}); err != nil {
					b.Fatal(err)
				}
			}
			if err := w.WriteStop(); err != nil {
				b.Fatal(err)
			}
		}
		perCore(b, rows, since)
	})
}

func BenchmarkRebuild(b *testing.B) {
	for _, c := range benchCodecs[:2] {
		for _, batch := range []record.Codec{record.None, record.Snappy, record.LZ4} {
			b.Run(c.name+"/"+batch.String(), func(b *testing.B) {
				benches(b, func(b *testing.B, rows []Row) {
					o := someOptions
					o.Codec, o.Level = c.codec, c.level
					r := opened(b, written(b, o, rows))
					b.ReportAllocs()
					var dst []byte
					since := processorTime()
					for b.Loop() {
						for from := int64(0); from <= r.Footer().Last; {
							var err error
							if dst, from, err = r.Read(b.Context(), dst[:0], from, 1<<20, Rebuild{Codec: batch}); err != nil {
								b.Fatal(err)
							}
						}
					}
					perCore(b, rows, since)
				})
			})
		}
	}
}

// BenchmarkReadAnywhere reads 1 MiB from an offset at random, and what of the object that takes.
func BenchmarkReadAnywhere(b *testing.B) {
	rows := benchRows(1<<10, 128<<10)
	o := &object{b: written(b, someOptions, rows)}
	r, err := Open(b.Context(), o.get, int64(len(o.b)))
	if err != nil {
		b.Fatal(err)
	}
	o.gets.Store(0)
	o.bytes.Store(0)
	random := rand.New(rand.NewPCG(1, 2))
	var dst []byte
	for b.Loop() {
		if dst, _, err = r.Read(b.Context(), dst[:0], random.Int64N(int64(len(rows))), 1<<20, Rebuild{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(o.gets.Load())/float64(b.N), "gets/op")
	b.ReportMetric(float64(o.bytes.Load())/float64(b.N), "object-B/op")
}

// BenchmarkOpen reads the index of a segment of 256 MiB before compression.
func BenchmarkOpen(b *testing.B) {
	rows := benchRows(1<<10, 256<<10)
	object := written(b, someOptions, rows)
	b.ReportAllocs()
	var r *Reader
	for b.Loop() {
		r = opened(b, object)
	}
	b.ReportMetric(float64(r.Footer().MemoryBytes()), "footer-B")
}
