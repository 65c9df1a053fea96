package file

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/heraclitus/heraclitus/pkg/journal"
)

// An Inspection is the journal in a directory as it is seen by somebody who does not touch it: nothing is locked, and
// nothing written, so that a server may be at work on it meanwhile. Its bounds are those of one moment. It is for one
// goroutine.
type Inspection struct {
	journal *Journal // never opened: it says what is damaged
	volumes []numbered
	notes   []string
}

// errOnlooker answers whatever would change the directory.
var errOnlooker = errors.New("the journal is only looked at")

// onlooker is a directory that is not locked, and cannot be changed.
type onlooker struct{ osDisk }

func (onlooker) create(string) (handle, error) { return nil, errOnlooker }
func (onlooker) rename(_, _ string) error      { return errOnlooker }
func (onlooker) remove(string) error           { return errOnlooker }
func (onlooker) sync() error                   { return errOnlooker }
func (d onlooker) open(name string) (handle, error) {
	return d.openFile(name, os.O_RDONLY)
}

// list leaves out what a server gives another name to, or removes, meanwhile.
func (d onlooker) list() (files []fileInfo, err error) {
	entries, err := fs.ReadDir(d.FS(), ".")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		info, err := e.Info()
		switch {
		case err == nil:
			files = append(files, fileInfo{e.Name(), info.Size()})
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
	}
	return files, nil
}

// inspectTries is how often a journal is looked at that is trimmed while one looks.
const inspectTries = 10

// Inspect looks at the journal in a directory. The error wraps journal.ErrDamaged when no server would open it, and
// fs.ErrNotExist when there is none.
func Inspect(dir string) (*Inspection, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("inspect journal: %w", err)
	}
	i, err := inspectOn(onlooker{osDisk{Root: root}}, dir)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("inspect journal %s: %w", dir, err), root.Close())
	}
	return i, nil
}

func inspectOn(d disk, dir string) (i *Inspection, err error) {
	for range inspectTries {
		i = &Inspection{journal: &Journal{dir: dir, disk: d}}
		err = i.look()
		if floor, unread := i.storedFloor(); unread != nil || floor == i.journal.mu.floor {
			break
		}
	}
	return i, err
}

// look finds the bounds as Open does. It reads the floor first: what is listed afterwards reaches as far as that, unless the
// floor is raised meanwhile.
func (i *Inspection) look() error {
	floor, unread := i.storedFloor()
	files, err := i.journal.disk.list()
	if err != nil {
		return err
	}
	l := sortOut(files)
	if !l.floor {
		if len(l.volumes) == 0 {
			return fs.ErrNotExist
		}
		return i.journal.damaged(floorName, errMissing)
	}
	if unread != nil {
		return i.journal.damaged(floorName, unread)
	}
	i.journal.mu.floor = floor
	if _, i.volumes, err = i.journal.split(l.volumes); err != nil {
		return err
	}
	for _, v := range i.volumes {
		i.journal.mu.bytes += v.size
	}
	if err := i.lookAtEnd(); err != nil {
		return err
	}
	i.noteFiles(files, l)
	return i.noteTables(l.tables)
}

// storedFloor reads the floor, and notes a copy that is not whole.
func (i *Inspection) storedFloor() (uint64, error) {
	h, err := i.journal.disk.open(floorName)
	if err != nil {
		return 0, err
	}
	defer h.close()
	floor, err := readFloor(h)
	for _, at := range floorCopies {
		if _, bad := readFloorCopy(h, at); bad != nil && err == nil {
			i.note("%s: the copy at byte %d is not whole (%v); the other one is", floorName, at, bad)
		}
	}
	return floor, err
}

func (i *Inspection) note(format string, args ...any) {
	if n := fmt.Sprintf(format, args...); !slices.Contains(i.notes, n) {
		i.notes = append(i.notes, n)
	}
}

// lookAtEnd finds the last entry. A server may append while it does: where an entry is missing and a later one is
// there, it looks again, and takes it for damage when it comes no further.
func (i *Inspection) lookAtEnd() error {
	if len(i.volumes) == 0 {
		return nil
	}
	j, last := i.journal, i.volumes[len(i.volumes)-1]
	r, err := j.openReader(newVolume(last.number, last.size))
	if err != nil {
		return err
	}
	defer r.handle.close()
	var left []leftover
	for seen := -1; ; seen = len(r.table) {
		s := newScanner(r)
		t, invalid := s.entries(math.MaxUint64)
		if !isInvalid(invalid) {
			return invalid
		}
		r.table, j.mu.next = t, r.first+uint64(len(t))
		if left, err = j.leftBehind(s, invalid); err == nil || len(t) == seen {
			break
		}
	}
	if err != nil {
		return err
	}
	i.noteLeft(r, left)
	if j.mu.next < j.mu.floor {
		err := fmt.Errorf("every entry from slot %d to the floor, %d: %w", j.mu.next, j.mu.floor, errMissing)
		return j.damaged(volumeName(r.first), err)
	}
	return nil
}

// noteLeft tells of what the next start cuts off.
func (i *Inspection) noteLeft(r *reader, left []leftover) {
	for _, l := range left {
		i.note("%s: slot %d, %d bytes at byte %d, is not written as a whole, or not yet: the next start cuts it off", volumeName(r.first), l.slot, l.length, l.pos)
	}
}

// noteFiles tells of files that are not the journal's, and of what a server that was killed has left.
func (i *Inspection) noteFiles(files []fileInfo, l listing) {
	known := append([]string{lockName, floorName}, l.litter...)
	for _, numbered := range [][]numbered{l.volumes, l.tables, l.spares} {
		for _, f := range numbered {
			known = append(known, f.name)
		}
	}
	for _, f := range files {
		if !slices.Contains(known, f.name) {
			i.note("%s: not a file of a journal; it is left alone", f.name)
		}
	}
	for _, name := range l.litter {
		i.note("%s: was being made, or is; the next start removes it", name)
	}
}

// noteTables tells of tables of positions that would not be used. They can be rebuilt, so that is no damage.
func (i *Inspection) noteTables(tables []numbered) error {
	for n := 0; n+1 < len(i.volumes); n++ {
		v, count := i.volumes[n], i.volumes[n+1].number-i.volumes[n].number
		if !slices.ContainsFunc(tables, func(t numbered) bool { return t.number == v.number }) {
			continue
		}
		r, err := i.journal.openReader(newVolume(v.number, v.size))
		if err != nil {
			return err
		}
		_, err = i.journal.loadTable(r, count)
		r.handle.close()
		if err != nil {
			i.note("%s: not usable (%v); it is made anew when it is needed", slotsName(v.number), err)
		}
	}
	return nil
}

// Bounds returns the first slot that can be read and the one after the last, as they were when Inspect looked.
func (i *Inspection) Bounds() (floor, next uint64) { return i.journal.mu.floor, i.journal.mu.next }

// Size returns how many bytes the files of entries hold.
func (i *Inspection) Size() int64 { return i.journal.mu.bytes }

// Notes says, a sentence each, what there is in the directory that is remarkable and no damage: what a crash has
// left, and files of others. Beside a running server some of it is what that has under way.
func (i *Inspection) Notes() []string { return i.notes }

// Close gives the directory back.
func (i *Inspection) Close() error {
	return i.journal.disk.(onlooker).Root.Close()
}

// Replay calls f with every entry from slot from up to the end, as Journal.Replay does, and also from a slot
// beyond damage. ErrTrimmed also when a server trims meanwhile.
func (i *Inspection) Replay(from uint64, f func(slot uint64, entry []byte) error) error {
	floor, next := i.Bounds()
	switch {
	case from < floor:
		return fmt.Errorf("replay from slot %d: %w", from, journal.ErrTrimmed)
	case from > next:
		return fmt.Errorf("replay from slot %d: %w", from, journal.ErrAbsent)
	}
	for n, v := range i.volumes {
		end := next
		if n+1 < len(i.volumes) {
			end = i.volumes[n+1].number
		}
		if from >= end {
			continue
		}
		if err := i.replayVolume(v, from, end, f); err != nil {
			return err
		}
		from = end
	}
	return nil
}

// replayVolume replays the slots of a volume from from to below end.
func (i *Inspection) replayVolume(v numbered, from, end uint64, f func(slot uint64, entry []byte) error) error {
	r, err := i.journal.openReader(newVolume(v.number, v.size))
	if err != nil {
		return i.orTrimmed(from, err)
	}
	defer r.handle.close()
	s := newScanner(r)
	pos, err := s.find(from)
	for slot := from; slot < end; slot++ {
		var entry []byte
		if err == nil {
			entry, err = s.entry(pos, slot)
		}
		if err != nil {
			return i.orTrimmed(slot, i.journal.unreadable(r.volume, pos, slot, err))
		}
		if err := f(slot, entry); err != nil {
			return err
		}
		pos = alignUp(pos + entryHeaderBytes + int64(len(entry)))
	}
	return nil
}

// orTrimmed is why a slot cannot be read: because a server has trimmed it, if that is so.
func (i *Inspection) orTrimmed(slot uint64, err error) error {
	if floor, unread := i.storedFloor(); unread == nil && floor > slot {
		return fmt.Errorf("slot %d: %w", slot, journal.ErrTrimmed)
	}
	return err
}

// find returns where the entry of a slot begins, by the headers at the blocks: what lies before it may be damaged.
func (s *scanner) find(slot uint64) (int64, error) {
	if slot == s.r.first {
		return blockBytes, nil
	}
	for pos := int64(blockBytes); pos < s.r.limit; pos += blockBytes {
		h, err := s.header(pos)
		if err == nil && h.slot == slot {
			return pos, nil
		}
		if err != nil && !errors.Is(err, errNoEntry) {
			return pos, err
		}
	}
	return 0, errNoEntry
}

// InUse says whether the process that took the journal in a directory last is still alive. It asks without taking the
// lock, which could keep a server from starting: so it is wrong where another process has that one's number by now.
func InUse(dir string) bool {
	b, err := os.ReadFile(filepath.Join(dir, lockName))
	if err != nil {
		return false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid <= 0 {
		return false
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	defer p.Release()
	err = p.Signal(syscall.Signal(0))
	return err == nil || errors.Is(err, os.ErrPermission)
}
