package file

import (
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/journal"
)

// ReadAt implements journal.Journal.
func (j *Journal) ReadAt(slot uint64, p []byte, off int64) error {
	if err := j.readAt(slot, p, off); err != nil {
		return fmt.Errorf("read %d bytes at %d of slot %d of journal %s: %w", len(p), off, slot, j.dir, err)
	}
	return nil
}

func (j *Journal) readAt(slot uint64, p []byte, off int64) error {
	r, t, err := j.acquire(slot)
	if err != nil {
		return err
	}
	defer j.giveBack(r)
	start, end := t.span(slot - r.first)
	if off < 0 || off > end-start-int64(len(p)) {
		return fmt.Errorf("%w, which holds %d", journal.ErrRange, end-start)
	}
	_, err = r.handle.ReadAt(p, start+off)
	return err
}

// Replay implements journal.Journal.
func (j *Journal) Replay(from uint64, f func(slot uint64, entry []byte) error) error {
	next, err := j.replayEnd(from)
	if err != nil {
		return fmt.Errorf("replay journal %s from slot %d: %w", j.dir, from, err)
	}
	for slot := from; slot < next; {
		n, err := j.replayVolume(slot, next, f)
		if err != nil {
			return err
		}
		slot += n
	}
	return nil
}

// replayEnd returns the slot before which a replay from slot from ends, or why there can be none.
func (j *Journal) replayEnd(from uint64) (next uint64, err error) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if from == j.mu.next && !j.mu.closed {
		return from, nil
	}
	return j.mu.next, j.unreadableLocked(from)
}

// replayVolume replays the slots from from to below next that are in one volume, and returns how many they are.
func (j *Journal) replayVolume(from, next uint64, f func(slot uint64, entry []byte) error) (uint64, error) {
	r, t, err := j.acquire(from)
	if err != nil {
		return 0, fmt.Errorf("replay journal %s from slot %d: %w", j.dir, from, err)
	}
	defer j.giveBack(r)
	last := min(next, r.first+uint64(len(t)))
	s := newScanner(r)
	for slot := from; slot < last; slot++ {
		pos := t[:slot-r.first].end()
		entry, err := s.entry(pos, slot)
		if err != nil {
			return 0, j.unreadable(r.volume, pos, slot, err)
		}
		if err := f(slot, entry); err != nil {
			return 0, err
		}
	}
	return last - from, nil
}

// unreadable says that an entry that was acknowledged cannot be read: its place does not hold it, or the disk does not
// give it.
func (j *Journal) unreadable(v *volume, pos int64, slot uint64, err error) error {
	err = fmt.Errorf("slot %d at byte %d of %s: %w", slot, pos, j.path(volumeName(v.first)), err)
	if !isInvalid(err) {
		return err
	}
	return fmt.Errorf("%w: %w; restore the directory, and what was stored beside it at the same time, from a copy", journal.ErrDamaged, err)
}

// damaged tells of a file that does not hold what it should.
func (j *Journal) damaged(name string, err error) error {
	err = fmt.Errorf("%s: %w", j.path(name), err)
	if !isInvalid(err) {
		return err
	}
	return fmt.Errorf("%w: %w; restore the directory from a copy", journal.ErrDamaged, err)
}
