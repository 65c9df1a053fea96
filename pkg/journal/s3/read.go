package s3

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/objstore"
)

// How far Replay reads ahead.
const (
	aheadMax      = 32
	aheadBytesMax = 64 << 20
)

// ReadAt implements journal.Journal.
func (j *Journal) ReadAt(slot uint64, p []byte, off int64) error {
	if err := j.readAt(slot, p, off); err != nil {
		return fmt.Errorf("read %d bytes at %d of slot %d: %w", len(p), off, slot, err)
	}
	return nil
}

func (j *Journal) readAt(slot uint64, p []byte, off int64) error {
	length, err := j.length(slot)
	switch {
	case err != nil:
		return err
	case off < 0 || off > length-int64(len(p)):
		return fmt.Errorf("%w, which holds %d", journal.ErrRange, length)
	case len(p) == 0:
		return nil
	}
	return j.missing(slot, j.store.GetRange(j.calls, slotKey(slot), p, headerBytes+off))
}

// length returns how long the entry of a slot is, or why it cannot be read.
func (j *Journal) length(slot uint64) (int64, error) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if err := j.unreadableLocked(slot); err != nil {
		return 0, err
	}
	return j.mu.lengths[slot-j.mu.floor], nil
}

// unreadableLocked says why slot cannot be read; nil when it can.
func (j *Journal) unreadableLocked(slot uint64) error {
	switch {
	case j.mu.closed:
		return journal.ErrClosed
	case slot < j.mu.floor:
		return journal.ErrTrimmed
	case slot >= j.nextLocked():
		return journal.ErrAbsent
	}
	return nil
}

// missing says why an object could not be read, if it could not: the journal was closed or trimmed meanwhile, perhaps by the
// session before, or the object is damaged.
func (j *Journal) missing(slot uint64, err error) error {
	if err == nil {
		return nil
	}
	if _, gone := j.length(slot); gone != nil {
		return gone
	}
	if !errors.Is(err, objstore.ErrAbsent) && !errors.Is(err, objstore.ErrRange) && !errors.Is(err, journal.ErrDamaged) {
		return err
	}
	floor, asked := j.storedFloor(j.calls)
	switch {
	case asked != nil:
		return errors.Join(err, asked)
	case slot < floor:
		return fmt.Errorf("%w, raised by another server", journal.ErrTrimmed)
	case errors.Is(err, journal.ErrDamaged):
		return err
	}
	return damaged(slot, err)
}

// Replay implements journal.Journal. It reads some entries ahead.
func (j *Journal) Replay(from uint64, f func(slot uint64, entry []byte) error) error {
	next, err := j.replayEnd(from)
	if err != nil {
		return fmt.Errorf("replay from slot %d: %w", from, err)
	}
	a := &ahead{journal: j, next: from, end: next}
	var stop context.CancelFunc
	a.ctx, stop = context.WithCancel(j.calls)
	defer a.readers.Wait()
	defer stop()
	for slot := from; slot < next; slot++ {
		entry, err := a.entry(slot)
		if err != nil {
			return fmt.Errorf("replay slot %d: %w", slot, j.missing(slot, err))
		}
		if err := f(slot, entry); err != nil {
			return err
		}
	}
	return nil
}

// replayEnd returns the slot before which a replay from slot from ends, or why there can be none.
func (j *Journal) replayEnd(from uint64) (next uint64, err error) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	next = j.nextLocked()
	if from == next && !j.mu.closed {
		return next, nil
	}
	return next, j.unreadableLocked(from)
}

// ahead reads the objects of consecutive slots, several at a time.
type ahead struct {
	journal   *Journal
	ctx       context.Context
	next, end uint64 // slots yet to be asked for
	asked     []*asked
	bytes     int64 // of them
	readers   sync.WaitGroup
}

// An asked object is on its way.
type asked struct {
	length int64
	came   chan struct{}
	object []byte
	err    error
}

// entry returns the next entry, and has those after it come.
func (a *ahead) entry(slot uint64) ([]byte, error) {
	for a.next < a.end && len(a.asked) < aheadMax {
		length, err := a.journal.length(a.next)
		if len(a.asked) > 0 && (err != nil || a.bytes+length > aheadBytesMax) {
			break
		}
		if err != nil {
			return nil, err
		}
		a.ask(length)
	}
	first := a.asked[0]
	a.asked = a.asked[1:]
	a.bytes -= first.length
	<-first.came
	if first.err != nil {
		return nil, first.err
	}
	return decodeEntry(first.object, slot)
}

// ask has the next object come.
func (a *ahead) ask(length int64) {
	n := &asked{length: length, came: make(chan struct{})}
	key := slotKey(a.next)
	a.asked = append(a.asked, n)
	a.bytes += length
	a.next++
	a.readers.Go(func() {
		defer close(n.came)
		n.object, n.err = a.journal.store.Get(a.ctx, key)
	})
}
