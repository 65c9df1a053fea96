package record

import (
	"fmt"
	"hash/crc32"
	"testing"
)

// The cost of what stands on the way of every record, beside the checksum alone, which no server can do without.

// benchRecords are n records of about size bytes that compress like JSON.
func benchRecords(n, size int) []Record {
	out := make([]Record, n)
	for i := range out {
		v := fmt.Appendf(nil, `{"id":%d,"at":"2024-05-01T12:%02d:00Z","user":"u%d","amount":%d.%02d,"text":"`, 1000000+i*7919, i%60, i*31%997, i*17%5000, i%100)
		for x := uint32(i + 1); len(v) < size-2; x = x*1664525 + 1013904223 {
			v = fmt.Appendf(v, "%x ", x>>20)
		}
		out[i] = Record{Offset: int64(i), Timestamp: 1700000000000 + int64(i), Key: fmt.Appendf(nil, "key-%d", i), Value: append(v, `"}`...)}
	}
	return out
}

func BenchmarkCRC(b *testing.B) {
	batch := mustBuild(b, Options{}, benchRecords(100, 1024)...)
	b.SetBytes(int64(len(batch)))
	for b.Loop() {
		crc32.Checksum(batch[attributesAt:], castagnoli)
	}
}

func BenchmarkCheck(b *testing.B) {
	for c := None; c <= Zstd; c++ {
		b.Run(c.String(), func(b *testing.B) {
			batch := mustBuild(b, Options{Codec: c}, benchRecords(100, 1024)...)
			rules := anyRules()
			b.ReportAllocs()
			b.SetBytes(100 << 10)
			for b.Loop() {
				if _, err := Check(batch, rules); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCheckOne is the other end: a batch of one record of 100 bytes.
func BenchmarkCheckOne(b *testing.B) {
	batch, rules := mustBuild(b, Options{}, benchRecords(1, 100)...), anyRules()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Check(batch, rules); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRecords(b *testing.B) {
	batch := mustBuild(b, Options{}, benchRecords(100, 1024)...)
	b.ReportAllocs()
	b.SetBytes(int64(len(batch)))
	for b.Loop() {
		n := 0
		for r, err := range batch.Records() {
			if err != nil {
				b.Fatal(err)
			}
			n += len(r.Value)
		}
	}
}

func BenchmarkBuild(b *testing.B) {
	for c := None; c <= Zstd; c++ {
		b.Run(c.String(), func(b *testing.B) {
			var builder Builder
			var dst []byte
			records := benchRecords(100, 1024)
			b.ReportAllocs()
			b.SetBytes(100 << 10)
			for b.Loop() {
				builder.Reset(Options{Codec: c})
				for _, r := range records {
					if err := builder.Append(r); err != nil {
						b.Fatal(err)
					}
				}
				dst, _ = builder.Build(dst[:0])
			}
		})
	}
}

func BenchmarkDowngrade(b *testing.B) {
	for c := None; c < Zstd; c++ {
		b.Run(c.String(), func(b *testing.B) {
			batch := mustBuild(b, Options{Codec: c}, benchRecords(100, 1024)...)
			var dst []byte
			b.ReportAllocs()
			b.SetBytes(100 << 10)
			for b.Loop() {
				dst, _, _ = Downgrade(dst[:0], batch, 1, 0, 1<<20)
			}
		})
	}
}
