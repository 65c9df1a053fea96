package s3

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/heraclitus/heraclitus/pkg/objstore/s3/s3test"
)

// BenchmarkAppend appends one entry after the other on a real server, as the engine does, and gives the median and
// the slowest of a hundred.
func BenchmarkAppend(b *testing.B) {
	server := s3test.Start(b)
	for _, n := range []int{100, 4 << 10, 64 << 10, 1 << 20, 4 << 20} {
		b.Run(fmt.Sprintf("%dKiB", n>>10), func(b *testing.B) {
			j := mustOpen(b, server.Open(b, fmt.Sprintf("bench-%d-%d", n, b.N)), Options{Log: small.Log})
			entry := make([]byte, n)
			took := make([]time.Duration, 0, b.N)
			b.SetBytes(int64(n))
			for b.Loop() {
				_, slot := j.Bounds()
				start := time.Now()
				if err := j.Append(slot, entry); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}

// BenchmarkReplay replays a thousand entries from a real server.
func BenchmarkReplay(b *testing.B) {
	store := s3test.Start(b).Open(b, "replay")
	j := mustOpen(b, store, Options{Log: small.Log})
	const entries, bytes = 1000, 64 << 10
	for slot := range uint64(entries) {
		if err := j.Append(slot, make([]byte, bytes)); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(entries * bytes)
	for b.Loop() {
		if err := j.Replay(0, func(uint64, []byte) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
