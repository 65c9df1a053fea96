package file

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The sizes that FORMAT.md gives are the sizes on disk.
func TestSizesOnDisk(t *testing.T) {
	f := func(what string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s takes %d bytes, want %d", what, got, want)
		}
	}
	d := newSimDisk(1)
	o := small
	o.newEpoch = func() uint64 { return 1 }
	j := mustOpen(t, d, o)
	f("an empty volume", int(j.Size()), 4096)
	for _, c := range []struct{ bytes, want int }{{0, 4096}, {1, 4096}, {4064, 4096}, {4065, 8192}, {20_000, 20_480}} {
		before := j.Size()
		mustAppend(t, j, c.bytes)
		f(fmt.Sprintf("an entry of %d bytes", c.bytes), int(j.Size()-before), c.want)
	}
	mustAppend(t, j, 20_000, 20_000)
	j.Close()
	f("the floor", len(d.file(floorName)), 8192)
	f("a volume", len(d.file(volumeName(0))), 64<<10)
	f("the table of 6 entries", len(d.file(slotsName(0))), 32+6*4+4)
	f("the header of a volume", len(bytes.TrimRight(d.file(volumeName(0))[:4096], "\x00")), 32)
	f("the header of an entry", bytes.IndexByte(d.file(volumeName(0))[8192:], 2), 32) // slot 1 holds bytes of 2
	f("a copy of the floor", len(bytes.TrimRight(d.file(floorName)[:4096], "\x00")), 32)
}

// writeVersion1 makes the journal of testdata/v1: slots 4 to 7 of eight, and at the end a torn slot 8.
func writeVersion1(t *testing.T) *simDisk {
	d := newSimDisk(1)
	j := mustOpen(t, d, Options{FileBytes: 16 << 10, EntryBytesMax: 4000, newEpoch: func() uint64 { return 0x1122334455667788 }})
	mustAppend(t, j, version1Sizes...)
	if err := j.Trim(4); err != nil {
		t.Fatal(err)
	}
	j.Close()
	torn := d.file(volumeName(6))[3*blockBytes:]
	clear(torn[7*sectorBytes : 8*sectorBytes])
	return d
}

var version1Sizes = []int{0, 1, 4000, 11, 12, 13, 14, 100, 4000}

// A journal of format version 1, as it was written once, can be opened for good; and version 1 is what is still written.
func TestFormatVersion1(t *testing.T) {
	const fixture = "testdata/v1"
	written := writeVersion1(t)
	for _, name := range []string{floorName, volumeName(3), slotsName(3), volumeName(6)} {
		want, err := os.ReadFile(filepath.Join(fixture, name))
		if err != nil || !bytes.Equal(written.file(name), want) {
			t.Errorf("%s is written differently from version 1 (%v)", name, err)
		}
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(fixture)); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	j, err := Open(dir, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if floor, next := j.Bounds(); floor != 4 || next != 8 {
		t.Fatalf("bounds are %d and %d, want 4 and 8", floor, next)
	}
	if !strings.Contains(log.String(), "position=12288 slot=8 bytes=4000") {
		t.Errorf("the log has %q", log.String())
	}
	for slot := uint64(4); slot < 8; slot++ {
		mustRead(t, j, slot, slot+1, version1Sizes[slot])
	}
	err = j.Replay(4, func(slot uint64, entry []byte) error {
		if !bytes.Equal(entry, entryOf(slot, version1Sizes[slot])) {
			return fmt.Errorf("slot %d holds %q", slot, entry)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
