package file

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/journal"
)

// mustOpen opens a journal on a simulated disk, for one test.
func mustOpen(t testing.TB, d *simDisk, o Options) *Journal {
	t.Helper()
	j, err := openOn(d, "sim", complete(o))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func mustAppend(t testing.TB, j *Journal, sizes ...int) {
	t.Helper()
	for _, n := range sizes {
		_, slot := j.Bounds()
		if err := j.Append(slot, entryOf(slot, n)); err != nil {
			t.Fatal(err)
		}
	}
}

// entryOf returns the entry that belongs to a slot.
func entryOf(slot uint64, n int) []byte { return bytes.Repeat([]byte{byte(slot) + 1}, n) }

// mustRead checks that slots from to below next hold what mustAppend put there, n bytes each.
func mustRead(t testing.TB, j *Journal, from, next uint64, n int) {
	t.Helper()
	for slot := from; slot < next; slot++ {
		p := make([]byte, n)
		if err := j.ReadAt(slot, p, 0); err != nil || !bytes.Equal(p, entryOf(slot, n)) {
			t.Fatalf("slot %d: %v, or other bytes", slot, err)
		}
	}
}

// file returns what a process sees of a file.
func (d *simDisk) file(name string) []byte { return d.seen()[name].cache }

// clone returns a disk with the same files.
func (d *simDisk) clone() *simDisk {
	c := newSimDisk(1)
	for name, f := range d.seen() {
		c.seen()[name] = &inode{disk: c, cache: bytes.Clone(f.cache), medium: bytes.Clone(f.cache), dirty: map[int]bool{}}
	}
	return c
}

// contents returns all files, to be compared.
func (d *simDisk) contents() map[string]string {
	all := map[string]string{}
	for name, f := range d.seen() {
		all[name] = string(f.cache)
	}
	return all
}

// What is not whole at the end is cut off, with a word in the log; the journal goes on at its place, and the next
// opening finds nothing to say. An entry is not whole when any of its sectors is missing.
func TestTornEntryIsCut(t *testing.T) {
	whole := newSimDisk(1)
	j := mustOpen(t, whole, small)
	mustAppend(t, j, 1000, 1000)
	end := int(j.currentLocked().table.end())
	mustAppend(t, j, 5000)
	j.Close()
	for at := end; at < end+entryHeaderBytes+5000; at += sectorBytes {
		d := whole.clone()
		clear(d.file(volumeName(0))[at:][:sectorBytes])
		var log bytes.Buffer
		o := small
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
		j := mustOpen(t, d, o)
		if _, next := j.Bounds(); next != 2 {
			t.Fatalf("sector at %d missing: next slot is %d, want 2", at, next)
		}
		want := fmt.Sprintf("file=sim/%s position=%d slot=2 bytes=5000", volumeName(0), end)
		if said := log.String(); at > end && !strings.Contains(said, want) {
			t.Errorf("sector at %d missing: the log has %q, want %q", at, said, want)
		}
		log.Reset()
		j.Close()
		j = mustOpen(t, d, o)
		if log.Len() > 0 {
			t.Errorf("sector at %d missing: opened again, the log has %q", at, log.String())
		}
		mustAppend(t, j, 1000, 1000)
		mustRead(t, j, 0, 4, 1000)
		j.Close()
	}
}

// An entry whose sync failed may be there for the next process, in memory, and not on the disk. Once that process has
// shown it, it must last: opening writes it once more. Without that, the power takes it away again.
func TestEndIsWrittenOnceMore(t *testing.T) {
	f := func(ignoresSame bool, want uint64) {
		t.Helper()
		d := newSimDisk(1)
		d.ignoresSame = ignoresSame
		j := mustOpen(t, d, small)
		mustAppend(t, j, 1000)
		j.currentLocked().handle = failingSync{j.currentLocked().handle.(*inode)}
		if err := j.Append(1, entryOf(1, 15_000)); !errors.Is(err, journal.ErrBroken) {
			t.Fatal(err)
		}
		j.Close()
		for range 2 {
			j = mustOpen(t, d, small)
			if _, next := j.Bounds(); next != 2 {
				t.Fatalf("the next slot is %d", next)
			}
			j.Close()
		}
		d.cutPower()
		j = mustOpen(t, d, small)
		if _, next := j.Bounds(); next != want {
			t.Errorf("the next slot is %d, want %d", next, want)
		}
		j.Close()
	}
	f(false, 2)
	f(true, 1)
}

// failingSync is a file whose syncs fail.
type failingSync struct{ *inode }

func (f failingSync) sync() error {
	f.dropDirty()
	return errFail
}

// An entry that is not whole before one that is there is damage: opening refuses with file and position, and changes
// nothing. The way out that the message names works.
func TestDamageBeforeTheEndIsRefused(t *testing.T) {
	whole := newSimDisk(1)
	j := mustOpen(t, whole, small)
	mustAppend(t, j, 1000)
	pos := int(j.currentLocked().table.end())
	mustAppend(t, j, 5000, 1000)
	j.Close()
	for at := pos; at < pos+entryHeaderBytes+5000; at += 97 {
		d := whole.clone()
		d.file(volumeName(0))[at] ^= 4
		before := d.contents()
		_, err := openOn(d, "sim", complete(small))
		want := fmt.Sprintf("slot 1 at byte %d of sim/%s", pos, volumeName(0))
		if !errors.Is(err, journal.ErrDamaged) || !strings.Contains(err.Error(), want) {
			t.Fatalf("byte %d changed: %v, want %q", at, err, want)
		}
		if !maps.Equal(before, d.contents()) {
			t.Fatalf("byte %d changed: opening changed the files", at)
		}
		d.seen()[volumeName(0)].cache = d.file(volumeName(0))[:pos]
		j := mustOpen(t, d, small)
		mustAppend(t, j, 1000)
		mustRead(t, j, 0, 2, 1000)
		j.Close()
	}
}

// Damage in a volume that opening does not read is found by Replay, and by whatever has to build the volume's table anew.
func TestDamageInOldVolumeIsFound(t *testing.T) {
	d := newSimDisk(1)
	j := mustOpen(t, d, small)
	mustAppend(t, j, slices.Repeat([]int{1000}, 40)...)
	j.Close()
	d.file(volumeName(0))[blockBytes*3+100] ^= 1
	j = mustOpen(t, d, small)
	err := j.Replay(0, func(uint64, []byte) error { return nil })
	want := fmt.Sprintf("slot 2 at byte %d of sim/%s", 3*blockBytes, volumeName(0))
	if !errors.Is(err, journal.ErrDamaged) || !strings.Contains(err.Error(), want) {
		t.Errorf("replay: %v, want %q", err, want)
	}
	if err := j.Replay(3, func(uint64, []byte) error { return nil }); err != nil {
		t.Errorf("replay behind the damage: %v", err)
	}
	j.Close()
	d.remove(slotsName(0))
	j = mustOpen(t, d, small)
	if err := j.ReadAt(5, nil, 0); !errors.Is(err, journal.ErrDamaged) {
		t.Errorf("read from a volume without a table: %v", err)
	}
}

// A directory that lacks a file, or has one with a spoilt first block, is refused rather than taken for a shorter journal.
func TestMissingFilesAreRefused(t *testing.T) {
	whole := newSimDisk(1)
	j := mustOpen(t, whole, small)
	mustAppend(t, j, slices.Repeat([]int{1000}, 60)...)
	if err := j.Trim(20); err != nil {
		t.Fatal(err)
	}
	j.Close()
	volumes := sortOut(first(whole.list())).volumes
	f := func(what string, spoil func(d *simDisk), want string) {
		t.Helper()
		d := whole.clone()
		spoil(d)
		before := d.contents()
		_, err := openOn(d, "sim", complete(small))
		if !errors.Is(err, journal.ErrDamaged) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", what, err, want)
		}
		if !maps.Equal(before, d.contents()) {
			t.Errorf("%s: opening changed the files", what)
		}
	}
	latest := volumes[len(volumes)-1]
	f("no floor", func(d *simDisk) { d.remove(floorName) }, "sim/FLOOR: it is missing")
	f("no volumes", func(d *simDisk) {
		for _, v := range volumes {
			d.remove(v.name)
		}
	}, "every file from slot 20 on: it is missing")
	f("no first volume", func(d *simDisk) { d.remove(volumes[0].name) },
		fmt.Sprintf("the file from slot 20 to below %d: it is missing", volumes[1].number))
	f("both floors spoilt", func(d *simDisk) { clear(d.file(floorName)) }, "sim/FLOOR")
	f("first block spoilt", func(d *simDisk) { d.file(latest.name)[20] ^= 1 }, "sim/"+latest.name+": first block: ")
	f("an empty last volume", func(d *simDisk) { d.seen()[latest.name].cache = nil }, "sim/"+latest.name+": first block: ")
	f("floor above the end", func(d *simDisk) { copy(d.file(floorName), encodeFloor(99)) },
		"every entry from slot 60 to the floor, 99: it is missing")
}

// A format of a later version is not damage, and is left alone.
func TestLaterFormatIsRefused(t *testing.T) {
	d := newSimDisk(1)
	mustOpen(t, d, small).Close()
	block := d.file(volumeName(0))[:fileHeaderBytes]
	block[8] = formatVersion + 1
	seal(block)
	_, err := openOn(d, "sim", complete(small))
	if !errors.Is(err, errVersion) || errors.Is(err, journal.ErrDamaged) {
		t.Errorf("opened: %v", err)
	}
}

func first[T any](v T, _ error) T { return v }

// One copy of the floor is enough, and the floor does not fall when the higher copy was not being written.
func TestFloorHasTwoCopies(t *testing.T) {
	whole := newSimDisk(1)
	j := mustOpen(t, whole, small)
	mustAppend(t, j, 1, 1, 1, 1)
	if err := j.Trim(3); err != nil {
		t.Fatal(err)
	}
	j.Close()
	for _, at := range floorCopies {
		d := whole.clone()
		d.file(floorName)[at+17] ^= 1
		if floor, _ := mustOpen(t, d, small).Bounds(); floor != 3 {
			t.Errorf("copy at %d spoilt: the floor is %d", at, floor)
		}
	}
}

// Stored tables are only a help: without them, or with spoilt ones or another volume's, reads find everything, and make
// them anew.
func TestTablesAreRebuilt(t *testing.T) {
	whole := newSimDisk(1)
	j := mustOpen(t, whole, small)
	mustAppend(t, j, slices.Repeat([]int{1000}, 60)...)
	j.Close()
	good := bytes.Clone(whole.file(slotsName(0)))
	for what, spoil := range map[string]func(d *simDisk){
		"missing":   func(d *simDisk) { d.remove(slotsName(0)) },
		"empty":     func(d *simDisk) { d.seen()[slotsName(0)].cache = nil },
		"spoilt":    func(d *simDisk) { d.file(slotsName(0))[40] ^= 1 },
		"another's": func(d *simDisk) { d.rename(slotsName(15), slotsName(0)) },
	} {
		d := whole.clone()
		spoil(d)
		j := mustOpen(t, d, small)
		mustRead(t, j, 0, 60, 1000)
		j.Close()
		if !bytes.Equal(d.file(slotsName(0)), good) {
			t.Errorf("%s: the table is not made anew", what)
		}
	}
}

// A journal of many volumes keeps few of them open, and reads them all, also at the same time.
func TestFewVolumesAreOpen(t *testing.T) {
	j := mustOpen(t, newSimDisk(1), small)
	const slots = 15 * 3 * readersMax
	mustAppend(t, j, slices.Repeat([]int{1000}, slots)...)
	var all sync.WaitGroup
	for i := range uint64(4) {
		all.Go(func() {
			r := rand.New(rand.NewPCG(i, 0))
			for range 500 {
				p := make([]byte, 1000)
				slot := r.Uint64N(slots)
				if err := j.ReadAt(slot, p, 0); err != nil || !bytes.Equal(p, entryOf(slot, 1000)) {
					t.Errorf("slot %d: %v, or other bytes", slot, err)
				}
			}
		})
	}
	all.Wait()
	if n := len(j.mu.readers); n != readersMax {
		t.Errorf("%d volumes are open, want %d", n, readersMax)
	}
}

// A reader that is under way when its volume is trimmed reads what it asked for: the volume is used again after it.
func TestReadersKeepTheirVolume(t *testing.T) {
	d := newSimDisk(1)
	j := mustOpen(t, d, small)
	mustAppend(t, j, slices.Repeat([]int{1000}, 16)...)
	r, _, err := j.acquire(0)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Trim(16); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, j, slices.Repeat([]int{1000}, 60)...)
	p := make([]byte, 1000)
	if _, err := r.handle.ReadAt(p, blockBytes+entryHeaderBytes); err != nil || !bytes.Equal(p, entryOf(0, 1000)) {
		t.Errorf("a reader's bytes have changed: %v", err)
	}
	j.pool.call(func() {
		if d.seen()[volumeName(0)] == nil {
			t.Error("the volume is taken from its reader")
		}
	})
	j.giveBack(r)
	j.Close()
	if d.seen()[volumeName(0)] != nil {
		t.Error("the volume stays when its reader is done")
	}
}

// What a volume held in its former use is not read again, even where it looks like entries of the present one: a client
// that knows the format can produce records that do. Only the epoch, which it cannot know, tells them apart; with one
// that it knows it succeeds.
func TestStaleBytesAreNotReplayed(t *testing.T) {
	f := func(newEpoch func() uint64, want uint64) {
		t.Helper()
		const known = 7
		perVolume := uint64(small.FileBytes/blockBytes) - 1
		stale := encodeFileHeader(known)
		for slot := perVolume; slot < 2*perVolume; slot++ {
			var header [entryHeaderBytes]byte
			encodeEntryHeader(&header, known, slot, 0, nil)
			stale = append(append(stale, header[:]...), zeros[:blockBytes-entryHeaderBytes]...)
		}
		d := newSimDisk(1)
		d.seen()[spareName(1)] = &inode{disk: d, cache: stale, medium: bytes.Clone(stale), dirty: map[int]bool{}}
		o := small
		o.newEpoch = newEpoch
		j := mustOpen(t, d, o)
		mustAppend(t, j, make([]int, perVolume+1)...)
		j.Close()
		j = mustOpen(t, d, o)
		if _, next := j.Bounds(); next != perVolume+want {
			t.Errorf("%d entries are in the second volume, want %d", next-perVolume, want)
		}
		j.Close()
	}
	f(randomEpoch, 1)
	f(func() uint64 { return 7 }, uint64(small.FileBytes/blockBytes)-1)
}

// A full disk can be trimmed, and what is trimmed is used for the next entry at once.
func TestTrimOnFullDisk(t *testing.T) {
	d := newSimDisk(1)
	j := mustOpen(t, d, small)
	mustAppend(t, j, slices.Repeat([]int{1000}, 20)...)
	d.fill(true)
	var err error
	for err == nil {
		_, next := j.Bounds()
		err = j.Append(next, entryOf(next, 1000))
	}
	if !errors.Is(err, journal.ErrNoSpace) {
		t.Fatal(err)
	}
	for range 100 {
		_, next := j.Bounds()
		if err := j.Trim(next - 2); err != nil {
			t.Fatal(err)
		}
		mustAppend(t, j, 1000)
	}
}

// What Room promises can be appended without new space, whatever the lengths of the entries.
func TestRoomIsTrue(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		d := newSimDisk(1)
		j := mustOpen(t, d, small)
		if err := j.MakeRoom(r.Int64N(200_000)); err != nil {
			t.Fatal(err)
		}
		j.pool.call(func() {}) // a spare in the making is ready, or will not be
		d.fill(true)
		room := j.Room()
		for {
			n := r.IntN(small.EntryBytesMax + 1)
			if room -= int64(n) + journal.EntryOverheadBytesMax; room < 0 {
				break
			}
			mustAppend(t, j, n)
		}
		j.Close()
	}
}

// A new file is filled with zeros from end to end, step by step; a recycled one need not be. While there is no space
// the pool waits longer and longer, says so once, and says when it is over.
func TestPoolPrepares(t *testing.T) {
	d := newSimDisk(1)
	var log bytes.Buffer
	o := complete(Options{FileBytes: 5 << 20, EntryBytesMax: 1 << 20, Log: slog.New(slog.NewTextHandler(&log, nil))})
	p := newPool(d, o, "sim", 0)
	d.fill(true)
	var last int64
	for range 10 {
		wait, more := p.prepare()
		if !more || int64(wait) < last || wait > retryMax || wait < retryMin {
			t.Errorf("waits %v after %v", wait, last)
		}
		last = int64(wait)
	}
	if said := log.String(); strings.Count(said, "\n") != 1 || last != int64(retryMax) {
		t.Errorf("waits %v in the end, says %q", last, said)
	}
	d.fill(false)
	steps := 0
	for _, more := p.prepare(); more; _, more = p.prepare() {
		steps++
	}
	if steps != 6 || len(p.ready) != 1 || p.ready[0].filled != o.FileBytes {
		t.Errorf("%d steps, %d spares", steps, len(p.ready))
	}
	if said := log.String(); strings.Count(said, "\n") != 2 {
		t.Errorf("says %q", said)
	}
	before := len(d.file("spare-11"))
	p.adopt("spare-11", int64(before))
	if _, more := p.prepare(); more {
		t.Error("a recycled file is filled")
	}
}

// A trimmed volume is used again under another name, up to SparesMax of them, and removed beyond.
func TestTrimmedVolumesAreUsedAgain(t *testing.T) {
	d := newSimDisk(1)
	o := small
	o.SparesMax = 3
	j := mustOpen(t, d, o)
	mustAppend(t, j, slices.Repeat([]int{1000}, 15*10)...)
	files := map[*inode]bool{}
	for _, v := range sortOut(first(d.list())).volumes {
		files[d.seen()[v.name]] = true
	}
	if err := j.Trim(15*10 - 1); err != nil {
		t.Fatal(err)
	}
	j.Close()
	l := sortOut(first(d.list()))
	again := 0
	for _, s := range l.spares {
		if files[d.seen()[s.name]] {
			again++
		}
	}
	if len(l.spares) != 3 || again < 2 || len(l.volumes) != 1 || len(l.tables) != 0 {
		t.Errorf("%d spares, of which %d were volumes, and %d volumes and %d tables are left",
			len(l.spares), again, len(l.volumes), len(l.tables))
	}
}

// A directory belongs to one process at a time. Whoever comes second learns which one it is.
func TestDirectoryIsLocked(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "journal")
	j, err := Open(dir, small)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(dir, small)
	if want := fmt.Sprintf("lock %s: in use by process %d", dir, os.Getpid()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("opened twice: %v, want %q", err, want)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	if j, err = Open(dir, small); err != nil {
		t.Fatal(err)
	}
	j.Close()
}

// Options that cannot work are refused with what would.
func TestOptionsAreChecked(t *testing.T) {
	f := func(o Options) {
		t.Helper()
		if j, err := Open(t.TempDir(), o); err == nil || !strings.Contains(err.Error(), "must be a multiple of 4096 from") {
			t.Errorf("%+v: %v %v", o, j, err)
		}
	}
	f(Options{FileBytes: 64<<20 + 1})
	f(Options{FileBytes: 16 << 20})
	f(Options{FileBytes: 4 << 30})
	f(Options{FileBytes: -4096})
	f(Options{EntryBytesMax: -1})
	f(Options{EntryBytesMax: 40 << 20})
}

// A journal whose volumes had another size goes on with them, and with new ones of the size asked for.
func TestFileBytesMayChange(t *testing.T) {
	d := newSimDisk(1)
	larger := small
	larger.FileBytes *= 2
	for i, o := range []Options{small, larger, small} {
		j := mustOpen(t, d, o)
		mustAppend(t, j, slices.Repeat([]int{1000}, 50)...)
		mustRead(t, j, 0, uint64(i+1)*50, 1000)
		if err := j.Trim(0); err != nil {
			t.Fatal(err)
		}
		j.Close()
	}
}

// Whatever was written over a place of a volume and over the floor, and wherever the volume was cut, opening ends in a
// journal that works or in an error.
func FuzzOpen(f *testing.F) {
	d := newSimDisk(1)
	j := mustOpen(f, d, small)
	mustAppend(f, j, 0, 10, 5000, 10)
	j.Close()
	f.Add(uint16(blockBytes*2), []byte{1, 2, 3}, encodeFloor(1)[:floorCopyBytes], uint16(blockBytes*3+1))
	f.Add(uint16(12), []byte{0}, []byte{}, uint16(0))
	f.Fuzz(func(t *testing.T, at uint16, patch, floor []byte, length uint16) {
		c := d.clone()
		copy(c.file(volumeName(0))[at:], patch)
		copy(c.file(floorName), floor)
		if length > 0 {
			c.seen()[volumeName(0)].cache = c.file(volumeName(0))[:length]
		}
		j, err := openOn(c, "sim", complete(small))
		if err != nil {
			return
		}
		defer j.Close()
		from, next := j.Bounds()
		err = j.Replay(from, func(uint64, []byte) error { return nil })
		if err == nil {
			err = j.Append(next, []byte("entry"))
		}
		if err != nil {
			t.Errorf("a journal that could be opened: %v", err)
		}
	})
}
