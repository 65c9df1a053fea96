package journaltest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/heraclitus/heraclitus/pkg/journal"
)

const (
	historyRounds = 40
	historyCalls  = 40 // of each caller
	checkTimeout  = 20 * time.Second
)

// A call is what a caller asked of the journal.
type call struct {
	kind callKind
	slot uint64 // of Trim: below
	id   uint64 // of Append: the entry's bytes
}

type callKind string

const (
	callAppend callKind = "append"
	callRead   callKind = "read"
	callTrim   callKind = "trim"
	callBounds callKind = "bounds"
)

// An answer is what the journal answered.
type answer struct {
	err         error // one of package journal, or errOther
	id          uint64
	floor, next uint64
}

func (c call) String() string { return fmt.Sprintf("%s %d (%d)", c.kind, c.slot, c.id) }

func (a answer) String() string { return fmt.Sprintf("%v (%d; %d, %d)", a.err, a.id, a.floor, a.next) }

var errOther = errors.New("another error")

// A state is a journal as the model has it. ids holds 8 bytes for each slot from base on.
type state struct {
	base, floor uint64
	ids         string
	broken      bool
}

func (s state) next() uint64 { return s.base + uint64(len(s.ids)/8) }

func (s state) id(slot uint64) uint64 {
	return binary.LittleEndian.Uint64([]byte(s.ids[(slot-s.base)*8:][:8]))
}

// step is the model: whether a journal in state s may answer a to c, and its state then.
func (s state) step(c call, a answer) (bool, state) {
	switch c.kind {
	case callAppend:
		return s.append(c, a)
	case callTrim:
		return s.trim(c, a)
	case callBounds:
		return a.floor == s.floor && a.next == s.next(), s
	}
	switch {
	case a.err == errOther:
		return true, s
	case c.slot < s.floor:
		return a.err == journal.ErrTrimmed, s
	case c.slot >= s.next():
		return a.err == journal.ErrAbsent, s
	}
	return a.err == nil && a.id == s.id(c.slot), s
}

func (s state) append(c call, a answer) (bool, state) {
	switch {
	case a.err == journal.ErrBroken:
		s.broken = true
		return true, s
	case s.broken:
		return false, s
	case c.slot < s.floor:
		return a.err == journal.ErrTrimmed, s
	case c.slot < s.next():
		return a.err == journal.ErrTaken, s
	case c.slot > s.next():
		return a.err == journal.ErrGap, s
	case a.err == nil:
		s.ids += string(binary.LittleEndian.AppendUint64(nil, c.id))
		return true, s
	}
	return a.err == journal.ErrNoSpace, s
}

func (s state) trim(c call, a answer) (bool, state) {
	switch {
	case a.err == journal.ErrBroken:
		s.broken = true
		return true, s
	case s.broken:
		return false, s
	case c.slot > s.next():
		return a.err == journal.ErrGap, s
	case a.err == nil:
		s.floor = max(s.floor, c.slot)
		return true, s
	}
	return a.err == journal.ErrNoSpace, s
}

var classes = []error{
	journal.ErrTaken, journal.ErrTrimmed, journal.ErrGap, journal.ErrAbsent,
	journal.ErrUnknown, journal.ErrNoSpace, journal.ErrBroken,
}

// classOf is the named error that err wraps.
func classOf(err error) error {
	if err == nil {
		return nil
	}
	for _, class := range classes {
		if errors.Is(err, class) {
			return class
		}
	}
	return errOther
}

// A history is recorded while callers call a journal.
type history struct {
	journal journal.Journal
	clock   atomic.Int64
	ids     atomic.Uint64
	callers sync.WaitGroup

	mu struct {
		sync.Mutex
		operations []porcupine.Operation
	}
}

// caller makes calls, as many as next gives, in a goroutine.
func (h *history) caller(id int, next func(r *rand.Rand) call) {
	h.callers.Add(1)
	go func() {
		defer h.callers.Done()
		r := rand.New(rand.NewPCG(uint64(id), h.ids.Add(1)))
		for range historyCalls {
			c := next(r)
			o := porcupine.Operation{ClientId: id, Input: c, Call: h.clock.Add(1)}
			o.Output = h.call(c)
			o.Return = h.clock.Add(1)
			h.mu.Lock()
			h.mu.operations = append(h.mu.operations, o)
			h.mu.Unlock()
		}
	}()
}

func (h *history) call(c call) (a answer) {
	switch c.kind {
	case callAppend:
		entry := binary.LittleEndian.AppendUint64(nil, c.id)
		err := h.journal.Append(c.slot, entry)
		for errors.Is(err, journal.ErrUnknown) { // until it is definite: the contract asks this of the caller
			err = h.journal.Append(c.slot, entry)
		}
		a.err = classOf(err)
	case callTrim:
		a.err = classOf(h.journal.Trim(c.slot))
	case callBounds:
		a.floor, a.next = h.journal.Bounds()
	case callRead:
		var b [8]byte
		a.err = classOf(h.journal.ReadAt(c.slot, b[:], 0))
		if a.err == nil {
			a.id = binary.LittleEndian.Uint64(b[:])
		}
	}
	return a
}

// near is a slot near those that can be read.
func (h *history) near(r *rand.Rand) uint64 {
	floor, next := h.journal.Bounds()
	return max(floor+r.Uint64N(next-floor+4), 2) - 2
}

// record runs an appender, a trimmer and readers at the same time.
func (h *history) record() {
	h.caller(0, func(r *rand.Rand) call {
		_, slot := h.journal.Bounds()
		if r.IntN(8) == 0 {
			slot = h.near(r)
		}
		return call{kind: callAppend, slot: slot, id: h.ids.Add(1)}
	})
	h.caller(1, func(r *rand.Rand) call {
		if r.IntN(2) == 0 {
			return call{kind: callBounds}
		}
		return call{kind: callTrim, slot: h.near(r)}
	})
	for id := 2; id < 5; id++ {
		h.caller(id, func(r *rand.Rand) call { return call{kind: callRead, slot: h.near(r)} })
	}
	h.callers.Wait()
}

// check says what is wrong with the history of a journal that began empty, with its next slot base.
func (h *history) check(base uint64) error {
	model := porcupine.Model{
		Init:              func() any { return state{base: base, floor: base} },
		Step:              func(s, in, out any) (bool, any) { return s.(state).step(in.(call), out.(answer)) },
		DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v: %+v", in, out) },
	}
	switch porcupine.CheckOperationsTimeout(model, h.mu.operations, checkTimeout) {
	case porcupine.Ok:
		return nil
	case porcupine.Unknown:
		return fmt.Errorf("no order of %d calls was found within %v", len(h.mu.operations), checkTimeout)
	}
	return fmt.Errorf("no order of these calls explains their answers:\n%s", h)
}

// String lists the calls in the order of their ends.
func (h *history) String() string {
	var b strings.Builder
	for _, o := range h.mu.operations {
		fmt.Fprintf(&b, "%d-%d caller %d: %v: %v\n", o.Call, o.Return, o.ClientId, o.Input, o.Output)
	}
	return b.String()
}

// linear records a history on the trial's journal, with something armed at its beginning, and checks it.
func (t *trial) linear(arm func()) {
	_, base := t.journal.Bounds()
	t.ends(t.journal.Trim(base), nil, "trim everything")
	h := &history{journal: t.journal}
	arm()
	h.record()
	if err := h.check(base); err != nil {
		t.stop("%w", err)
	}
}

func callsAreLinearizable(t *trial) {
	t.open()
	for range historyRounds {
		t.linear(func() {})
	}
}

func failuresAreLinearizable(t *trial) {
	failed := 0
	for round := range historyRounds {
		t.open()
		happened := func() bool { return false }
		t.linear(func() { happened = t.Fail(1 + round) })
		if happened() {
			failed++
		}
		t.Fail(0)
		t.Crash(false)
		t.journal.Close()
	}
	t.is(failed > historyRounds/2, "only %d of %d failures came about", failed, historyRounds)
}
