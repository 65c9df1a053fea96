package journaltest

import (
	"errors"
	"math"

	"github.com/heraclitus/heraclitus/pkg/journal"
)

// Sizes around what drivers may treat apart: nothing, headers, blocks of 4 KiB, writes of 1 MiB.
func (t *trial) sizes() []int {
	var sizes []int
	for _, around := range []int{32, 4 << 10, 1 << 20, 3 << 20} {
		for _, n := range []int{around - 33, around - 32, around - 31, around, around + 1} {
			if n >= 0 && n <= t.EntryBytesMax {
				sizes = append(sizes, n)
			}
		}
	}
	return append(sizes, t.EntryBytesMax, 0)
}

func entriesAreReadBack(t *trial) {
	j := t.open()
	sizes := t.sizes()
	t.appends(sizes...)
	t.hasBounds(0, uint64(len(sizes)))
	for i, n := range sizes {
		slot := uint64(i)
		want := entryOf(slot, 0, n)
		t.holds(slot, want)
		part := make([]byte, n/3)
		t.ends(j.ReadAt(slot, part, int64(n/2)), nil, "read the middle of slot %d", slot)
		t.is(string(part) == string(want[n/2:][:n/3]), "slot %d of %d bytes: the middle differs", slot, n)
		t.ends(j.ReadAt(slot, nil, int64(n)), nil, "read nothing at the end of slot %d", slot)
		t.ends(j.ReadAt(slot, nil, -1), journal.ErrRange, "read slot %d before its start", slot)
		t.ends(j.ReadAt(slot, nil, math.MaxInt64), journal.ErrRange, "read slot %d far behind its end", slot)
		t.ends(j.ReadAt(slot, make([]byte, n+1), 0), journal.ErrRange, "read slot %d beyond its end", slot)
	}
	t.ends(j.ReadAt(uint64(len(sizes)), nil, 0), journal.ErrAbsent, "read the next slot")
	t.ends(j.ReadAt(math.MaxUint64, nil, 0), journal.ErrAbsent, "read the last slot there could be")
}

func slotsAreWrittenOnce(t *trial) {
	j := t.open()
	t.hasBounds(0, 0)
	t.ends(j.Append(1, nil), journal.ErrGap, "append at slot 1 of an empty journal")
	t.appends(10, 20, 30)
	for slot := range uint64(3) {
		t.ends(j.Append(slot, []byte("other")), journal.ErrTaken, "append at taken slot %d", slot)
	}
	t.ends(j.Append(4, nil), journal.ErrGap, "append behind the next slot")
	t.ends(j.Append(math.MaxUint64, nil), journal.ErrGap, "append at the last slot there could be")
	t.ends(j.Append(3, make([]byte, t.EntryBytesMax+1)), journal.ErrTooLarge, "append an entry that is too large")
	t.hasBounds(0, 3)
	t.replays(0, entryOf(0, 0, 10), entryOf(1, 0, 20), entryOf(2, 0, 30))
	t.appends(40)
	t.hasBounds(0, 4)
}

func entriesAreCopied(t *trial) {
	j := t.open()
	b := entryOf(0, 0, 100)
	t.ends(j.Append(0, b), nil, "append")
	t.is(string(b) == string(entryOf(0, 0, 100)), "append changed the caller's bytes")
	clear(b)
	t.holds(0, entryOf(0, 0, 100))
	t.replays(0, entryOf(0, 0, 100))
	clearAll := func(_ uint64, entry []byte) error { clear(entry); return nil }
	t.ends(j.Replay(0, clearAll), nil, "replay")
	t.holds(0, entryOf(0, 0, 100))
}

func replayIsOrdered(t *trial) {
	j := t.open()
	t.replays(0)
	sizes := t.sizes()
	t.appends(sizes...)
	var all [][]byte
	for i, n := range sizes {
		all = append(all, entryOf(uint64(i), 0, n))
	}
	for from := range all {
		t.replays(uint64(from), all[from:]...)
	}
	next := uint64(len(all))
	t.replays(next)
	never := func(uint64, []byte) error { return errors.New("called") }
	t.ends(j.Replay(next+1, never), journal.ErrAbsent, "replay from behind the next slot")
	enough := errors.New("enough")
	calls := 0
	err := j.Replay(1, func(uint64, []byte) error { calls++; return enough })
	t.is(err == enough && calls == 1, "replay goes on after %d calls, or changes the error to %v", calls, err)
	t.ends(j.Trim(2), nil, "trim")
	t.ends(j.Replay(1, never), journal.ErrTrimmed, "replay from below the floor")
	t.replays(2, all[2:]...)
}

func floorHolds(t *trial) {
	j := t.open()
	t.ends(j.Trim(0), nil, "trim an empty journal below slot 0")
	t.ends(j.Trim(1), journal.ErrGap, "trim an empty journal below slot 1")
	t.appends(100, 200, 300, 400)
	t.ends(j.Trim(2), nil, "trim below slot 2")
	t.hasBounds(2, 4)
	for slot := range uint64(2) {
		t.ends(j.ReadAt(slot, make([]byte, 1), 0), journal.ErrTrimmed, "read trimmed slot %d", slot)
		t.ends(j.Append(slot, nil), journal.ErrTrimmed, "append at trimmed slot %d", slot)
	}
	t.ends(j.Trim(1), nil, "trim below a lower slot")
	t.ends(j.Trim(5), journal.ErrGap, "trim below a slot behind the next one")
	t.hasBounds(2, 4)
	t.replays(2, entryOf(2, 0, 300), entryOf(3, 0, 400))
	t.ends(j.Trim(4), nil, "trim everything")
	t.hasBounds(4, 4)
	t.replays(4)
	t.appends(500)
	t.holds(4, entryOf(4, 0, 500))
}

// trimmingFrees goes through more than a small place holds, which takes that trimmed space is used again.
func trimmingFrees(t *trial) {
	j := t.open()
	n := t.EntryBytesMax / 2
	t.appends(n, n)
	most := j.Size()
	t.is(most >= 2*int64(n), "size is %d with %d bytes in it", most, 2*n)
	for range 100 {
		t.appends(n)
		_, next := j.Bounds()
		t.ends(j.Trim(next-1), nil, "trim below slot %d", next-1)
		t.holds(next-1, entryOf(next-1, 0, n))
	}
	t.is(j.Size() <= 16*most, "size is %d with one entry left, and was %d with two", j.Size(), most)
	t.is(j.MakeRoom(1) == nil && j.Room() >= 1, "there is no room")
}

func closedAnswers(t *trial) {
	j := t.open()
	t.appends(1, 2, 3)
	t.ends(j.Trim(1), nil, "trim")
	t.ends(j.Close(), nil, "close")
	t.ends(j.Close(), nil, "close again")
	t.ends(j.Append(3, nil), journal.ErrClosed, "append")
	t.ends(j.Sync(), journal.ErrClosed, "sync")
	t.ends(j.ReadAt(2, nil, 0), journal.ErrClosed, "read")
	never := func(uint64, []byte) error { return errors.New("called") }
	for from := range uint64(5) {
		t.ends(j.Replay(from, never), journal.ErrClosed, "replay from slot %d", from)
	}
	t.ends(j.Trim(2), journal.ErrClosed, "trim")
	t.hasBounds(1, 3)
}

// fullRecovers fills the place, and shows that reads go on, that what Room promises can be appended, that nothing of a
// refused entry is seen, and that its slot takes another one when there is space again.
func fullRecovers(t *trial) {
	j := t.open()
	t.appends(1000)
	t.Fill(true)
	slot, n := uint64(1), t.EntryBytesMax/8
	for ; ; slot++ {
		promised := j.Room() >= int64(n)+journal.EntryOverheadBytesMax
		err := j.Append(slot, entryOf(slot, 0, n))
		if err != nil {
			t.ends(err, journal.ErrNoSpace, "append to a full journal")
			t.is(!promised, "append at slot %d: no space where Room promised it", slot)
			break
		}
	}
	t.is(errors.Is(j.MakeRoom(math.MaxInt64), journal.ErrNoSpace), "a full journal makes room")
	t.hasBounds(0, slot)
	t.ends(j.Append(slot, entryOf(slot, 0, n)), journal.ErrNoSpace, "append to a full journal again")
	t.ends(j.ReadAt(slot, nil, 0), journal.ErrAbsent, "read what was refused")
	for s := uint64(1); s < slot; s++ {
		t.holds(s, entryOf(s, 0, n))
	}
	t.Fill(false)
	t.ends(j.MakeRoom(int64(n)+journal.EntryOverheadBytesMax), nil, "make room when there is space again")
	t.is(j.Room() >= int64(n), "room is %d after it was made for %d", j.Room(), n)
	t.ends(j.Append(slot, entryOf(slot, 1, n)), nil, "append when there is space again")
	t.holds(slot, entryOf(slot, 1, n))
}
