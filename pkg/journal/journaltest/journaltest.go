// Package journaltest is the suite that every driver of package journal passes, and what tests of the journal's users need.
//
// A driver hands the suite a [Place]: somewhere journals are kept, which can be crashed, filled up, and made to fail,
// as far as the driver has something that can. [Run] runs every [Check] that the place allows. A check returns an error
// rather than failing a test, so that tests can show what the suite is worth: a driver broken on purpose must fail it.
package journaltest

import (
	"errors"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/journal"
)

// A Place is where journals of one driver are kept. It is empty at first. The suite opens one journal at a time on it.
type Place struct {
	// Open opens what is kept there.
	Open func() (journal.Journal, error)

	// EntryBytesMax is the length of the longest entry.
	EntryBytesMax int

	// Crash ends the process that has the journal open, and with power also the machine: what was not synced is kept or
	// lost in parts then. It is nil when nothing outlives the process.
	Crash func(power bool)

	// Fail makes the n-th operation from now on that changes something fail, as a disk does: parts of it may be done.
	// None does from now on when n is 0. The returned function tells whether it came to that. Fail is nil when nothing
	// can fail.
	Fail func(n int) (happened func() bool)

	// Fill takes all space there is, so that the next entries come to its end, or gives it back. It is nil when space
	// has no end.
	Fill func(full bool)
}

// A Check is one thing to be shown of a driver.
type Check struct {
	Name string

	run      func(t *trial)
	possible func(p *Place) bool
}

// Run runs the check on an empty place and returns what does not hold.
func (c Check) Run(p *Place) (err error) {
	t := &trial{Place: p}
	defer func() {
		if r := recover(); r != nil && r != errStop {
			panic(r)
		}
		if t.journal != nil {
			t.journal.Close()
		}
		err = errors.Join(t.errs...)
	}()
	c.run(t)
	return nil
}

// Checks returns the suite.
func Checks() []Check {
	return []Check{
		{"an entry is read back, whole and in part", entriesAreReadBack, always},
		{"slots are written once, in order", slotsAreWrittenOnce, always},
		{"an entry is copied", entriesAreCopied, always},
		{"replay goes in order, from any slot", replayIsOrdered, always},
		{"the floor rises, and refuses what is below", floorHolds, always},
		{"trimming gives space back", trimmingFrees, always},
		{"a closed journal answers so", closedAnswers, always},
		{"calls are linearizable", callsAreLinearizable, always},
		{"a full journal recovers by itself", fullRecovers, fills},
		{"what was acknowledged survives crashes", crashesLoseNothing, survives},
		{"what was acknowledged survives a failure anywhere", failuresLoseNothing, fails},
		{"calls are linearizable when something fails", failuresAreLinearizable, fails},
	}
}

func always(*Place) bool { return true }

func fills(p *Place) bool { return p.Fill != nil }

func survives(p *Place) bool { return p.Crash != nil }

func fails(p *Place) bool { return p.Crash != nil && p.Fail != nil }

// Run runs every check that is possible, each on a place of its own.
func Run(t *testing.T, newPlace func(t testing.TB) *Place) {
	probe := newPlace(t)
	for _, c := range Checks() {
		if !c.possible(probe) {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			if err := c.Run(newPlace(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// Failure runs the check of a name and returns what does not hold, for tests of the suite.
func Failure(t testing.TB, name string, newPlace func(t testing.TB) *Place) error {
	t.Helper()
	for _, c := range Checks() {
		if c.Name == name {
			return c.Run(newPlace(t))
		}
	}
	t.Fatalf("there is no check %q", name)
	return nil
}
