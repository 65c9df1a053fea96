package journaltest

import (
	"errors"
	"math/rand/v2"
	"sync/atomic"

	"github.com/heraclitus/heraclitus/pkg/journal"
)

const (
	crashRounds   = 60
	failureRounds = 120
	operationsMax = 40 // about what the calls of a round come to
)

// A ledger is what a journal owes: written by whoever calls it, held against what is there after a crash.
type ledger struct {
	trial *trial
	rand  *rand.Rand
	seed  uint64 // of the latest entry

	floor    uint64
	next     uint64
	entries  map[uint64]stamp // acknowledged, from the floor on
	perhaps  *stamp           // appended at next, with an outcome that is not known
	trimming uint64           // what the floor may be instead, if higher
	broken   bool
	crashed  atomic.Bool // the process has ended: what it appends is not repeated any more
}

// A stamp tells which bytes an entry has.
type stamp struct {
	slot, seed uint64
	bytes      int
}

func (s stamp) entry() []byte { return entryOf(s.slot, s.seed, s.bytes) }

func newLedger(t *trial, seed uint64) *ledger {
	return &ledger{trial: t, rand: rand.New(rand.NewPCG(seed, 0)), entries: map[uint64]stamp{}}
}

// step makes a call, at random.
func (l *ledger) step() {
	switch l.rand.IntN(10) {
	case 0:
		l.trim(l.floor + l.rand.Uint64N(l.next-l.floor+1))
	case 1, 2:
		l.read(l.floor + l.rand.Uint64N(l.next-l.floor+1))
	default:
		l.append(l.size())
	}
}

// size is the length of an entry, small ones more often.
func (l *ledger) size() int {
	most := l.trial.EntryBytesMax
	if l.rand.IntN(4) > 0 {
		most = min(most, 200)
	}
	return l.rand.IntN(most + 1)
}

// append appends n bytes, and tells whether they were acknowledged.
func (l *ledger) append(n int) bool {
	l.seed++
	s := stamp{l.next, l.seed, n}
	err := l.trial.journal.Append(s.slot, s.entry())
	for errors.Is(err, journal.ErrUnknown) && !l.crashed.Load() {
		err = l.trial.journal.Append(s.slot, s.entry())
	}
	switch {
	case err == nil:
		l.trial.is(!l.broken, "append at slot %d of a broken journal is acknowledged", s.slot)
		l.entries[s.slot] = s
		l.next++
	case errors.Is(err, journal.ErrNoSpace):
	case (errors.Is(err, journal.ErrBroken) || errors.Is(err, journal.ErrUnknown)) && !l.broken:
		l.broken = true
		l.perhaps = &s
	default:
		l.trial.ends(err, journal.ErrBroken, "append at slot %d", s.slot)
	}
	return err == nil
}

func (l *ledger) trim(below uint64) {
	err := l.trial.journal.Trim(below)
	switch {
	case err == nil:
		l.raise(below)
	case errors.Is(err, journal.ErrBroken) && l.broken:
	default:
		l.trimming = max(l.trimming, below)
		l.broken = l.broken || errors.Is(err, journal.ErrBroken)
		l.trial.is(errors.Is(err, journal.ErrBroken) || errors.Is(err, journal.ErrNoSpace), "trim below slot %d: %v", below, err)
	}
}

func (l *ledger) raise(floor uint64) {
	for ; l.floor < floor; l.floor++ {
		delete(l.entries, l.floor)
	}
}

func (l *ledger) read(slot uint64) {
	if s, ok := l.entries[slot]; ok {
		l.trial.holds(slot, s.entry())
		return
	}
	l.trial.ends(l.trial.journal.ReadAt(slot, nil, 0), journal.ErrAbsent, "read slot %d", slot)
}

// audit checks that the journal that is open now holds what it owes.
func (l *ledger) audit() {
	for slot := l.floor; slot <= l.next; slot++ {
		l.read(slot)
	}
}

// reopen opens the journal after the one before has ended, settles what was not known, and checks what it holds.
func (l *ledger) reopen() {
	floor, next := l.trial.open().Bounds()
	l.trial.is(floor == l.floor || floor > l.floor && floor == l.trimming,
		"the floor is %d after opening, was %d, with a trim below %d under way", floor, l.floor, l.trimming)
	if next == l.next+1 && l.perhaps != nil {
		l.entries[l.next] = *l.perhaps
		l.next = next
	}
	if next != l.next {
		l.trial.stop("the next slot is %d after opening, want %d", next, l.next)
	}
	l.raise(floor)
	l.perhaps, l.trimming, l.broken = nil, 0, false
	l.crashed.Store(false)
	l.audit()
	l.trial.replays(l.floor, l.all()...)
}

func (l *ledger) all() [][]byte {
	var all [][]byte
	for slot := l.floor; slot < l.next; slot++ {
		all = append(all, l.entries[slot].entry())
	}
	return all
}

// crash ends the process, and sometimes the machine with it.
func (l *ledger) crash() {
	l.crashed.Store(true)
	l.trial.Crash(l.rand.IntN(2) == 0)
	l.trial.journal.Close()
}

// crashesLoseNothing crashes again and again, between calls and in the middle of them.
func crashesLoseNothing(t *trial) {
	l := newLedger(t, 1)
	l.reopen()
	for range crashRounds {
		for range l.rand.IntN(20) {
			l.step()
		}
		if l.rand.IntN(3) == 0 {
			l.appendUntilCrash()
		}
		l.crash()
		l.reopen()
		if len(t.errs) > 0 {
			return
		}
	}
}

// appendUntilCrash has an append under way when the crash comes.
func (l *ledger) appendUntilCrash() {
	begun, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for i := 0; l.append(l.size()); i++ {
			if i == 5 {
				close(begun)
			}
		}
	}()
	<-begun
	l.crashed.Store(true)
	l.trial.Crash(true)
	<-ended
}

// failuresLoseNothing has every operation of a history fail once, the opening's included, and crashes after it.
func failuresLoseNothing(t *trial) {
	l := newLedger(t, 2)
	l.reopen()
	failed := 0
	for round := range failureRounds {
		happened := t.Fail(1 + round%operationsMax)
		for range 15 {
			l.step()
		}
		l.audit()
		l.crash()
		if j, err := t.Open(); err == nil {
			t.journal = j
			l.crash()
		} else if !happened() {
			t.stop("open: %w", err)
		}
		if happened() {
			failed++
		}
		t.Fail(0)
		l.reopen()
		if len(t.errs) > 0 {
			t.stop("with operation %d of round %d failing", 1+round%operationsMax, round)
		}
	}
	t.is(failed > failureRounds/3, "only %d of %d failures came about", failed, failureRounds)
}
