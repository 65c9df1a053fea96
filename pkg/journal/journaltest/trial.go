package journaltest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/heraclitus/heraclitus/pkg/journal"
)

// A trial is a check under way: a place, the journal that is open on it, and what was found wrong.
type trial struct {
	*Place
	journal journal.Journal
	errs    []error
}

// errStop ends a trial that cannot go on.
var errStop = errors.New("trial stopped")

// open opens the journal anew.
func (t *trial) open() journal.Journal {
	j, err := t.Open()
	if err != nil {
		t.stop("open: %w", err)
	}
	t.journal = j
	return j
}

// stop notes an error and ends the trial.
func (t *trial) stop(format string, args ...any) {
	t.errs = append(t.errs, fmt.Errorf(format, args...))
	panic(errStop)
}

// ends checks how a call ended.
func (t *trial) ends(err, want error, call string, args ...any) {
	if (err == nil) != (want == nil) || !errors.Is(err, want) {
		t.errs = append(t.errs, fmt.Errorf("%s: ended in %v, want %v", fmt.Sprintf(call, args...), err, want))
	}
}

// is checks a fact.
func (t *trial) is(fact bool, format string, args ...any) {
	if !fact {
		t.errs = append(t.errs, fmt.Errorf(format, args...))
	}
}

func (t *trial) hasBounds(floor, next uint64) {
	f, n := t.journal.Bounds()
	t.is(f == floor && n == next, "bounds are %d and %d, want %d and %d", f, n, floor, next)
}

// appends appends one entry each of the given sizes to the end.
func (t *trial) appends(sizes ...int) {
	for _, n := range sizes {
		_, slot := t.journal.Bounds()
		if err := t.journal.Append(slot, entryOf(slot, 0, n)); err != nil {
			t.stop("append %d bytes at slot %d: %w", n, slot, err)
		}
	}
}

// holds checks that want is in slot.
func (t *trial) holds(slot uint64, want []byte) {
	got := make([]byte, len(want))
	if err := t.journal.ReadAt(slot, got, 0); err != nil {
		t.ends(err, nil, "read slot %d", slot)
		return
	}
	t.is(bytes.Equal(got, want), "slot %d does not hold the %d bytes appended to it", slot, len(want))
	t.ends(t.journal.ReadAt(slot, make([]byte, 1), int64(len(want))), journal.ErrRange, "read slot %d behind its end", slot)
}

// replays replays from a slot and checks that the journal holds want there, by slot from from on.
func (t *trial) replays(from uint64, want ...[]byte) {
	slot := from
	err := t.journal.Replay(from, func(s uint64, entry []byte) error {
		t.is(s == slot, "replay from %d: slot %d comes where %d should", from, s, slot)
		if i := s - from; i < uint64(len(want)) {
			t.is(bytes.Equal(entry, want[i]), "replay from %d: slot %d does not hold its %d bytes", from, s, len(want[i]))
		}
		slot++
		return nil
	})
	t.ends(err, nil, "replay from slot %d", from)
	t.is(slot == from+uint64(len(want)), "replay from %d: ends at slot %d, want %d", from, slot, from+uint64(len(want)))
}

// entryOf returns n bytes that belong to a slot and a seed.
func entryOf(slot, seed uint64, n int) []byte {
	b := make([]byte, n+8)
	r := rand.NewPCG(slot, seed)
	for i := 0; i < n; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], r.Uint64())
	}
	return b[:n]
}
