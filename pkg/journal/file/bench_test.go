package file

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
)

var benchSizes = []int{4 << 10, 64 << 10, 1 << 20}

func eachSize(b *testing.B, f func(b *testing.B, entry []byte)) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprintf("%dKiB", n>>10), func(b *testing.B) {
			b.SetBytes(int64(n))
			f(b, entryOf(0, n-entryHeaderBytes)) // whole blocks, as the bare loops write them
		})
	}
}

// BenchmarkAppend appends durably. In "trimmed" volumes are used again, as they are where the journal is trimmed as fast as
// it grows; in "kept" every volume is a new one.
func BenchmarkAppend(b *testing.B) {
	for _, kind := range []string{"trimmed", "kept"} {
		b.Run(kind, func(b *testing.B) {
			eachSize(b, func(b *testing.B, entry []byte) {
				j, err := Open(filepath.Join(b.TempDir(), "journal"), Options{SparesMax: 4})
				if err != nil {
					b.Fatal(err)
				}
				defer j.Close()
				if kind == "trimmed" {
					fillSpares(b, j)
				}
				for b.Loop() {
					_, slot := j.Bounds()
					if err := j.Append(slot, entry); err != nil {
						b.Fatal(err)
					}
					if kind == "trimmed" && len(j.mu.volumes) > 1 {
						if err := j.Trim(slot); err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		})
	}
}

// fillSpares has the journal go through some volumes before the clock runs, and stand in one that is used again.
func fillSpares(b *testing.B, j *Journal) {
	const slots = 5 * 4
	for slot := uint64(0); slot <= slots; slot++ {
		if slot == slots {
			if err := j.Trim(slots); err != nil {
				b.Fatal(err)
			}
		}
		if err := j.Append(slot, make([]byte, 15<<20)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBare is what the disk gives to a loop of pwritev and fdatasync: over a file that was written before, over
// one whose space is only allocated, and at the end of one that grows.
func BenchmarkBare(b *testing.B) {
	for _, kind := range []string{"overwriting", "allocated", "growing"} {
		b.Run(kind, func(b *testing.B) {
			eachSize(b, func(b *testing.B, entry []byte) {
				entry = append(entry, make([]byte, entryHeaderBytes)...)
				var h osHandle
				pos := int64(defaultFileBytes)
				for b.Loop() {
					if pos == defaultFileBytes {
						h, pos = bareFile(b, kind, h), 0
					}
					if err := h.writev([][]byte{entry}, pos); err != nil {
						b.Fatal(err)
					}
					if err := h.sync(); err != nil {
						b.Fatal(err)
					}
					pos += int64(len(entry))
				}
			})
		})
	}
}

// bareFile returns the file to go on with, which making takes no time of the benchmark.
func bareFile(b *testing.B, kind string, h osHandle) osHandle {
	b.StopTimer()
	defer b.StartTimer()
	if kind == "overwriting" && h.File != nil {
		return h
	}
	f, err := os.CreateTemp(b.TempDir(), "bare")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	h = osHandle{f}
	switch kind {
	case "overwriting":
		err = h.writeZeros(defaultFileBytes)
	case "allocated":
		_, err = h.allocate(defaultFileBytes)
	}
	if err == nil {
		err = h.sync()
	}
	if err != nil {
		b.Fatal(err)
	}
	return h
}

// BenchmarkOpen opens a journal in an empty directory and makes its first entry durable; then opens one with a volume
// full of entries.
func BenchmarkOpen(b *testing.B) {
	b.Run("new", func(b *testing.B) {
		dir := filepath.Join(b.TempDir(), "journal")
		for b.Loop() {
			j, err := Open(dir, Options{})
			if err == nil {
				err = j.Append(0, nil)
			}
			if err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			j.Close()
			if err := os.RemoveAll(dir); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
	})
	b.Run("full", func(b *testing.B) {
		dir := b.TempDir()
		j, err := Open(dir, Options{})
		if err != nil {
			b.Fatal(err)
		}
		for slot := uint64(0); slot < 1000; slot++ {
			if err := j.Append(slot, entryOf(slot, 60_000)); err != nil {
				b.Fatal(err)
			}
		}
		for b.Loop() {
			j.Close()
			if j, err = Open(dir, Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))}); err != nil {
				b.Fatal(err)
			}
		}
		j.Close()
	})
}

// BenchmarkReadAt reads 64 KiB of the page cache.
func BenchmarkReadAt(b *testing.B) {
	j, err := Open(b.TempDir(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	for slot := uint64(0); slot < 100; slot++ {
		if err := j.Append(slot, make([]byte, 1<<20)); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(64 << 10)
	b.RunParallel(func(pb *testing.PB) {
		p := make([]byte, 64<<10)
		for slot := uint64(0); pb.Next(); slot++ {
			if err := j.ReadAt(slot%100, p, 100_000); err != nil {
				b.Error(err)
			}
		}
	})
}
