package s3

import (
	"errors"
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/objstore"
)

const (
	// pipelineMax is how many entries may be under way at the same time. It is part of the format: an object that
	// lies further beyond the end was not left there by a session that was ended.
	pipelineMax = 16

	// putTries is how often an entry is written before the answer is that the outcome is unknown. It keeps what a
	// single lost connection does from the caller.
	putTries = 4
)

// An upload is an entry under way.
type upload struct {
	slot     uint64
	object   []byte
	replaces objstore.Version // of an object in its slot that is not the journal's, or is our claim
	before   *upload          // in the slot before, if that was under way when this one began
	ended    chan struct{}
	err      error // once it has ended
}

// Append implements journal.Journal. It never answers ErrNoSpace. When another session has taken the journal over, the error
// wraps both ErrTaken and ErrBroken.
func (j *Journal) Append(slot uint64, entry []byte) error {
	wait, err := j.Begin(slot, entry)
	if err != nil {
		return err
	}
	return wait()
}

// Begin implements journal.Pipeline. Up to 16 entries may be under way.
func (j *Journal) Begin(slot uint64, entry []byte) (wait func() error, err error) {
	j.appending.Lock()
	defer j.appending.Unlock()
	j.beginAnew()
	if err := j.refusal(slot, len(entry)); err != nil {
		return nil, fmt.Errorf("append %d bytes at slot %d: %w", len(entry), slot, err)
	}
	j.appending.places <- struct{}{}
	if j.hasFailed() { // which may be why there is a place: in it this entry would lie too far beyond the end
		<-j.appending.places
		return nil, fmt.Errorf("append %d bytes at slot %d: behind another entry: %w", len(entry), slot, journal.ErrUnknown)
	}
	u := &upload{slot: slot, object: j.encode(slot, entry), before: j.appending.last, ended: make(chan struct{})}
	if slot == j.first {
		u.replaces = j.claim
	}
	j.appending.last = u
	j.appending.begun++
	go j.upload(u)
	return func() error {
		<-u.ended
		return u.err
	}, nil
}

// GiveUp implements journal.Pipeline.
func (j *Journal) GiveUp() { j.end() }

// beginAnew forgets what was under way when an entry failed: it will be begun again.
func (j *Journal) beginAnew() {
	if !j.hasFailed() {
		return
	}
	<-j.appending.last.ended
	j.mu.Lock()
	defer j.mu.Unlock()
	j.mu.failed = false
	j.appending.last, j.appending.begun = nil, j.nextLocked()
}

// hasFailed tells whether an entry that was under way has failed, and nothing has been begun again since.
func (j *Journal) hasFailed() bool {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.mu.failed
}

// refusal says why an entry of n bytes may not be begun in slot; nil when it may.
func (j *Journal) refusal(slot uint64, n int) error {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if err := j.unwritableLocked(); err != nil {
		return err
	}
	switch begun := j.appending.begun; {
	case slot < j.mu.floor:
		return journal.ErrTrimmed
	case slot < begun:
		return journal.ErrTaken
	case slot > begun:
		return journal.ErrGap
	case n > j.o.EntryBytesMax:
		return fmt.Errorf("%w: the limit is %d", journal.ErrTooLarge, j.o.EntryBytesMax)
	}
	return nil
}

// encode returns the object of an entry, in memory that was used before if there is some.
func (j *Journal) encode(slot uint64, entry []byte) []byte {
	var b []byte
	select {
	case b = <-j.appending.free:
	default:
	}
	_, next := j.Bounds()
	h := header{kind: kindEntry, slot: slot, session: j.session, behind: uint32(slot - next)}
	if slot == j.first {
		h.flags = flagFirst
	}
	return appendObject(b[:0], h, entry)
}

// upload brings an entry to its end, after the one before it.
func (j *Journal) upload(u *upload) {
	err := j.write(u)
	if u.before != nil {
		<-u.before.ended
		if u.before.err != nil {
			err = fmt.Errorf("behind another entry: %w", u.before.err)
		}
		u.before = nil
	}
	if err != nil {
		u.err = fmt.Errorf("append %d bytes at slot %d: %w", len(u.object)-headerBytes, u.slot, err)
	}
	j.publish(u)
	select {
	case j.appending.free <- u.object:
	default:
	}
	u.object = nil
	close(u.ended)
	<-j.appending.places
}

// publish makes an entry readable, or notes that it failed.
func (j *Journal) publish(u *upload) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if u.err != nil {
		j.mu.failed = true
		return
	}
	j.mu.lengths = append(j.mu.lengths, int64(len(u.object)-headerBytes))
	j.mu.bytes += int64(len(u.object))
}

// write writes an entry until it is known to be there, or not.
func (j *Journal) write(u *upload) error {
	var last error
	for range putTries {
		err := j.put(u)
		if err == nil {
			return nil
		}
		done, asked := j.settle(u)
		switch {
		case done:
			return nil
		case errors.Is(asked, journal.ErrTaken) || errors.Is(asked, errOther):
			return asked
		}
		if last = errors.Join(err, asked); j.Sync() != nil || j.calls.Err() != nil { // closing, or given up
			break
		}
	}
	return fmt.Errorf("%w: %w", journal.ErrUnknown, last)
}

// put writes the object of a slot: in place of what is known to be there, or where there is none.
func (j *Journal) put(u *upload) error {
	if u.replaces != "" {
		return j.store.PutIfMatch(j.calls, slotKey(u.slot), u.object, u.replaces)
	}
	return j.store.PutIfAbsent(j.calls, slotKey(u.slot), u.object)
}

// errOther tells that the caller appends other bytes than before, where those may have been written.
var errOther = fmt.Errorf("%w: the slot holds other bytes, appended before: append those again", journal.ErrUnknown)

// settle asks the object of a slot whether it is the one that was to be appended, after a write that may have failed.
// It returns an error that wraps ErrTaken when the slot is a newer session's, and any other one when that is not
// known yet. Of an older session it is what was under way when that was ended, and is replaced.
func (j *Journal) settle(u *upload) (done bool, err error) {
	want, err := decodeHeader(u.object)
	if err != nil {
		return false, err
	}
	is, err := j.header(j.calls, u.slot)
	switch {
	case errors.Is(err, objstore.ErrAbsent):
		u.replaces = ""
		return false, nil
	case err != nil:
		return false, err
	case is.same(want):
		return true, nil
	case j.isNewer(is):
		return false, j.fence(u.slot, is)
	case is.session == j.session && is.kind != kindClaim:
		return false, errOther
	}
	u.replaces, err = j.version(j.calls, is)
	return false, err
}

// isNewer tells that an object is of a session that has ended ours.
func (j *Journal) isNewer(h header) bool {
	return h.session != j.session && h.session.number >= j.session.number
}
