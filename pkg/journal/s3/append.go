package s3

import (
	"errors"
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/objstore"
)

// putTries is how often Append writes before it answers that the outcome is unknown. It keeps what a single lost connection
// does from the caller.
const putTries = 3

// Append implements journal.Journal. It never answers ErrNoSpace. When another session has taken the journal over, the error
// wraps both ErrTaken and ErrBroken.
func (j *Journal) Append(slot uint64, entry []byte) error {
	j.appending.Lock()
	defer j.appending.Unlock()
	if err := j.append(slot, entry); err != nil {
		return fmt.Errorf("append %d bytes at slot %d: %w", len(entry), slot, err)
	}
	return nil
}

func (j *Journal) append(slot uint64, entry []byte) error {
	if err := j.refusal(slot, len(entry)); err != nil {
		return err
	}
	h := header{kind: kindEntry, slot: slot, session: j.session, first: j.first}
	j.appending.object = appendObject(j.appending.object[:0], h, entry)
	var last error
	for range putTries {
		err := j.put(slot, j.appending.object)
		if err == nil {
			j.publish(int64(len(entry)))
			return nil
		}
		done, asked := j.settle(slot)
		switch {
		case done:
			j.publish(int64(len(entry)))
			return nil
		case errors.Is(asked, journal.ErrTaken) || errors.Is(asked, errOther):
			return asked
		}
		last = errors.Join(err, asked)
	}
	return fmt.Errorf("%w: %w", journal.ErrUnknown, last)
}

// refusal says why an entry of n bytes may not go into slot; nil when it may.
func (j *Journal) refusal(slot uint64, n int) error {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if err := j.unwritableLocked(); err != nil {
		return err
	}
	switch next := j.nextLocked(); {
	case slot < j.mu.floor:
		return journal.ErrTrimmed
	case slot < next:
		return journal.ErrTaken
	case slot > next:
		return journal.ErrGap
	case n > j.o.EntryBytesMax:
		return fmt.Errorf("%w: the limit is %d", journal.ErrTooLarge, j.o.EntryBytesMax)
	}
	return nil
}

// put writes the object of a slot: in place of our claim, or where there is none.
func (j *Journal) put(slot uint64, object []byte) error {
	if slot == j.first {
		return j.store.PutIfMatch(j.calls, slotKey(slot), object, j.claim)
	}
	return j.store.PutIfAbsent(j.calls, slotKey(slot), object)
}

// errOther tells that the caller appends other bytes than before, where those may have been written.
var errOther = fmt.Errorf("%w: the slot holds other bytes, appended before: append those again", journal.ErrUnknown)

// settle asks the object of a slot whether it is the one that was to be appended, after a write that may have failed. It
// returns an error that wraps ErrTaken when the slot is another session's, and any other one when that is not known yet.
func (j *Journal) settle(slot uint64) (done bool, err error) {
	want, err := decodeHeader(j.appending.object)
	if err != nil {
		return false, err
	}
	is, err := j.header(j.calls, slot)
	switch {
	case errors.Is(err, objstore.ErrAbsent):
		return false, nil
	case err != nil:
		return false, err
	case is == want:
		return true, nil
	case is.session != j.session:
		return false, j.fence(slot, is)
	case is.kind == kindClaim:
		return false, nil
	}
	return false, errOther
}

// publish makes an entry of n bytes readable.
func (j *Journal) publish(n int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.mu.lengths = append(j.mu.lengths, n)
	j.mu.bytes += headerBytes + n
}
