package file

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/journal"
)

// These tests show that an onlooker sees of a journal what a server would, whole, torn or damaged, that it changes
// nothing, and that a server at work beside it does not confuse it.

// fingerprint is a checksum of all files in a directory, and of their names.
func fingerprint(t *testing.T, dir string) string {
	t.Helper()
	h := sha256.New()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		fmt.Fprintf(h, "%s %d %s", name, len(b), b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// seen returns the slots that an onlooker can replay from a slot on, and what ended that.
func seen(i *Inspection, from uint64) (slots []uint64, err error) {
	err = i.Replay(from, func(slot uint64, entry []byte) error {
		if !bytes.Equal(entry, entryOf(slot, len(entry))) {
			return fmt.Errorf("slot %d holds other bytes", slot)
		}
		slots = append(slots, slot)
		return nil
	})
	return slots, err
}

func mustInspect(t *testing.T, dir string) *Inspection {
	t.Helper()
	i, err := Inspect(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close() })
	return i
}

func TestInspectVersion1(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/v1")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"notes.txt", "spare-7", "FLOOR.tmp", slotsName(3)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before := fingerprint(t, dir)
	i := mustInspect(t, dir)
	if floor, next := i.Bounds(); floor != 4 || next != 8 || i.Size() != 32<<10 {
		t.Errorf("bounds are %d and %d, %d bytes", floor, next, i.Size())
	}
	for from := uint64(4); from <= 8; from++ {
		if slots, err := seen(i, from); err != nil || len(slots) != int(8-from) {
			t.Errorf("from %d: slots %d, %v", from, slots, err)
		}
	}
	if _, err := seen(i, 3); !errors.Is(err, journal.ErrTrimmed) {
		t.Errorf("below the floor: %v", err)
	}
	if _, err := seen(i, 9); !errors.Is(err, journal.ErrAbsent) {
		t.Errorf("beyond the end: %v", err)
	}
	notes := strings.Join(i.Notes(), "\n")
	for _, want := range []string{"slot 8, 4000 bytes at byte 12288, is not written as a whole", "notes.txt: not a file of a journal", "FLOOR.tmp: was being made", slotsName(3) + ": not usable"} {
		if !strings.Contains(notes, want) {
			t.Errorf("%q is not among the notes:\n%s", want, notes)
		}
	}
	if len(i.Notes()) != 4 || fingerprint(t, dir) != before {
		t.Errorf("looking has changed something, or notes too much:\n%s", notes)
	}
}

// TestInspectDamage shows that an onlooker names damage, and reads on behind it when asked to.
func TestInspectDamage(t *testing.T) {
	dir := t.TempDir()
	j, err := Open(dir, small)
	if err != nil {
		t.Fatal(err)
	}
	mustAppend(t, j, 20_000, 20_000, 20_000, 5000, 5000, 5000) // two volumes
	j.Close()
	f := func(what, name string, at int64, want string) {
		t.Helper()
		copied := t.TempDir()
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(copied, name))
		if err != nil {
			t.Fatal(err)
		}
		b[at] ^= 4
		if err := os.WriteFile(filepath.Join(copied, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
		var slots []uint64
		i, err := Inspect(copied)
		if err == nil {
			defer i.Close()
			slots, err = seen(i, 0)
		}
		if !errors.Is(err, journal.ErrDamaged) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v after slots %d; want %q", what, err, slots, want)
		}
		if i != nil {
			if rest, err := seen(i, uint64(len(slots))+1); err != nil || len(slots)+1+len(rest) != 6 {
				t.Errorf("%s: behind it are slots %d, %v", what, rest, err)
			}
		}
	}
	f("an entry's bytes", volumeName(0), 30_000, "slot 1 at byte 24576")
	f("an entry's header", volumeName(0), 24_576, "slot 1 at byte 24576")
	f("the second volume's first entry", volumeName(3), 5000, "slot 3 at byte 4096")
	f("a volume's first block", volumeName(3), 3, "it is not a file of a journal")

	if err := os.Rename(filepath.Join(dir, floorName), filepath.Join(dir, "x")); err != nil {
		t.Fatal(err)
	}
	if _, err := Inspect(dir); !errors.Is(err, journal.ErrDamaged) || !strings.Contains(err.Error(), floorName) {
		t.Errorf("without the floor: %v", err)
	}
	if _, err := Inspect(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty directory: %v", err)
	}
}

// meanwhile is a disk on which something happens after its first listing.
type meanwhile struct {
	disk
	happens func()
}

func (m *meanwhile) list() ([]fileInfo, error) {
	files, err := m.disk.list()
	if m.happens != nil {
		m.happens()
		m.happens = nil
	}
	return files, err
}

// An onlooker takes it for no damage that the journal is appended to and trimmed beyond the files that it has listed.
func TestTrimmedAfterTheListing(t *testing.T) {
	d := newSimDisk(1)
	j := mustOpen(t, d, small)
	defer j.Close()
	mustAppend(t, j, 10, 10)
	i, err := inspectOn(&meanwhile{d, func() {
		for j.Size() < 3*small.FileBytes {
			mustAppend(t, j, small.EntryBytesMax)
		}
		_, next := j.Bounds()
		if err := j.Trim(next); err != nil {
			t.Fatal(err)
		}
	}}, "sim")
	if err != nil {
		t.Fatal(err)
	}
	floor, next := j.Bounds()
	if f, n := i.Bounds(); f != floor || n != next {
		t.Errorf("bounds are seen to be %d and %d, they are %d and %d", f, n, floor, next)
	}
}

// TestInspectBesideAServer shows that an onlooker beside a server that appends and trims, whose volumes are used
// again, sees entries as they were written and no damage.
func TestInspectBesideAServer(t *testing.T) {
	dir := t.TempDir()
	j, err := Open(dir, small)
	if err != nil {
		t.Fatal(err)
	}
	var server sync.WaitGroup
	defer j.Close()
	defer server.Wait()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	server.Go(func() {
		for slot := uint64(0); ctx.Err() == nil; slot++ {
			err := j.Append(slot, entryOf(slot, int(slot*997%15_000)))
			if err == nil && slot%7 == 6 {
				err = j.Trim(slot - 3)
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	var entries, trimmed int
	for range 300 {
		i, err := Inspect(dir)
		if err != nil {
			t.Fatal(err)
		}
		floor, _ := i.Bounds()
		slots, err := seen(i, floor)
		if entries += len(slots); errors.Is(err, journal.ErrTrimmed) {
			trimmed++
		} else if err != nil {
			t.Fatal(err)
		}
		i.Close()
	}
	if entries == 0 {
		t.Error("no entry was seen")
	}
	t.Logf("%d entries were seen; the server was faster %d times", entries, trimmed)
}
