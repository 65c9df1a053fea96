package journaltest_test

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/journal/journaltest"
	"github.com/heraclitus/heraclitus/pkg/journal/mem"
)

// noFloor reads below the floor, as if nothing could have happened to those bytes.
type noFloor struct{ *mem.Journal }

func (j noFloor) ReadAt(slot uint64, p []byte, off int64) error {
	err := j.Journal.ReadAt(slot, p, off)
	if errors.Is(err, journal.ErrTrimmed) {
		return nil
	}
	return err
}

// overwrites takes an entry for a slot that is taken.
type overwrites struct{ *mem.Journal }

func (j overwrites) Append(slot uint64, entry []byte) error {
	err := j.Journal.Append(slot, entry)
	if errors.Is(err, journal.ErrTaken) {
		return nil
	}
	return err
}

// lowers has a floor that falls.
type lowers struct {
	*mem.Journal
	floor *atomic.Uint64
}

func (j lowers) Trim(below uint64) error {
	j.floor.Store(below)
	return j.Journal.Trim(below)
}

func (j lowers) Bounds() (floor, next uint64) {
	_, next = j.Journal.Bounds()
	return j.floor.Load(), next
}

// retries appends at the next slot when another one was asked for.
type retries struct{ *mem.Journal }

func (j retries) Append(slot uint64, entry []byte) error {
	err := j.Journal.Append(slot, entry)
	if errors.Is(err, journal.ErrTaken) || errors.Is(err, journal.ErrGap) {
		_, next := j.Bounds()
		return j.Journal.Append(next, entry)
	}
	return err
}

// The suite is worth something: a driver that breaks a promise fails it, also where only the linearizability of many
// calls can tell.
func TestBrokenTwinsFail(t *testing.T) {
	const entryBytesMax = 64 << 10
	f := func(twin func(*mem.Journal) journal.Journal, checks ...string) {
		t.Helper()
		newPlace := func(testing.TB) *journaltest.Place {
			return &journaltest.Place{
				Open: func() (journal.Journal, error) {
					return twin(mem.Open(mem.Options{EntryBytesMax: entryBytesMax})), nil
				},
				EntryBytesMax: entryBytesMax,
			}
		}
		for _, check := range checks {
			if journaltest.Failure(t, check, newPlace) == nil {
				t.Errorf("%T passes %q", twin(nil), check)
			}
		}
	}
	const (
		rises        = "the floor rises, and refuses what is below"
		once         = "slots are written once, in order"
		linearizable = "calls are linearizable"
	)
	f(func(j *mem.Journal) journal.Journal { return noFloor{j} }, rises, linearizable)
	f(func(j *mem.Journal) journal.Journal { return overwrites{j} }, once, linearizable)
	f(func(j *mem.Journal) journal.Journal { return lowers{j, &atomic.Uint64{}} }, rises, linearizable)
	f(func(j *mem.Journal) journal.Journal { return retries{j} }, once, linearizable)
}
