// Package journal is the contract of the one ordered, durable log through which every change of the server flows.
//
// A journal is a sequence of entries, each in a numbered slot. An entry is bytes to the journal; what they mean is the
// engine's business. Drivers live in the folders beside this file: mem (RAM), file (a directory), s3 (a bucket). Package
// journaltest holds the suite that every driver passes, and this page is what that suite checks.
//
// # What must always hold
//
//  1. Slots are consecutive, begin at 0 in a new journal, and are written at most once, ever: not again after Trim, not
//     again after a crash.
//  2. An entry is readable from the moment its Append returned nil, and durable by then: it is there, whole and
//     unchanged, after a crash at any later moment. Before that it is not readable.
//  3. What a crash leaves is a prefix: all entries whose Append returned nil, perhaps the one whose Append was under
//     way or ended in [ErrUnknown] or [ErrBroken], and nothing after it.
//  4. The floor only rises, and it is durable before the space below it is given back. A slot below the floor is refused
//     to readers and to writers alike, for good: on a store where a slot is taken by creating an object, a late writer
//     would otherwise succeed at a slot that nobody will ever read.
//  5. After a failed sync nothing more is written. What the disk holds is then unknown, and a second sync that
//     succeeds would prove nothing about the first. Reads go on.
//  6. A journal that lacks room refuses entries and recovers by itself when there is room.
//
// # With an interval
//
// A driver may be opened to make entries durable some time after Append has returned. It says so in its options. Then
// a power cut may take acknowledged entries: those that no completed Sync, of the caller's or of the driver's own,
// covers. What is left is a prefix all the same, and the end of a process alone takes nothing. So the second and the
// third rule hold as they stand for crashes of the process, and for the power up to the last Sync; Trim and a
// successful Close make durable first. Whoever stores elsewhere what follows from entries calls Sync first.
//
// # Who calls what
//
// One goroutine at a time calls Append, or Begin: the engine's committer, which owns the next slot. Replay runs
// before the first Append. Everything else may be called by many goroutines at any time, also while Append, Trim or
// Close is under way.
package journal

import "errors"

// A Journal is an open journal. It is linearizable: Append, ReadAt, Trim and Bounds take effect at one moment each
// between call and return. An error wraps one of the named errors of this package, or tells of a failed read or of
// damage, and names the slot it is about.
type Journal interface {
	// Append stores entry in slot, which is the next one of [Journal.Bounds], and returns nil once it is durable.
	// The entry is not kept and not changed; it may be empty.
	//
	// Not written, for certain: ErrTaken, ErrTrimmed and ErrGap (slot is not the next one), ErrTooLarge, ErrNoSpace
	// (the same slot may take another entry later), ErrClosed, and ErrBroken after an Append that ended so. Perhaps
	// written: ErrUnknown, after which the caller repeats the same slot with the same bytes until the answer is another
	// one, and the first ErrBroken of an Append, whose outcome the next one to open the journal finds out.
	Append(slot uint64, entry []byte) error

	// Sync makes every entry durable that was appended before: at once where Append has done it already, as it does unless a
	// driver is opened otherwise. Errors: ErrBroken, ErrUnknown, ErrClosed.
	Sync() error

	// ReadAt fills p from the bytes of the entry in slot, beginning at byte off. Errors: ErrTrimmed below the floor,
	// ErrAbsent at or after the next slot, ErrRange when off and len(p) do not lie inside the entry, ErrClosed. After an
	// error p may hold anything. ReadAt need not notice damage on the medium: what it reads has checksums of its own.
	ReadAt(slot uint64, p []byte, off int64) error

	// Replay calls f with every entry from slot from up to the end, in order and checked; entry is borrowed until f
	// returns. It stops at f's first error and returns it as it is. Errors: ErrTrimmed when from is below the floor,
	// ErrAbsent when it is beyond the next slot, ErrDamaged, ErrClosed.
	Replay(from uint64, f func(slot uint64, entry []byte) error) error

	// Trim raises the floor to below, durably, and then gives back the space of the entries under it, at once or
	// later. It does nothing when the floor is there already. Errors: ErrGap when below is beyond the next slot,
	// ErrNoSpace, ErrUnknown, ErrBroken, ErrClosed. After ErrUnknown and after the first ErrBroken, whoever opens the
	// journal next may find the floor raised.
	Trim(below uint64) error

	// Bounds returns the first readable slot and the slot that the next Append takes; equal when nothing is readable.
	Bounds() (floor, next uint64)

	// Room returns how many bytes are sure to fit without asking for more space, in entries of any length, each of which
	// counts [EntryOverheadBytesMax] extra; math.MaxInt64 where space is not the journal's to know.
	Room() int64

	// MakeRoom waits until Room is at least n bytes, asking for more space where the driver can. ErrNoSpace: there is no
	// more to be had now. The engine calls it before it appends records, with a reserve on top, so that what frees space
	// (a topic deleted, a log start moved) can still be appended when records cannot.
	MakeRoom(n int64) error

	// Size returns how many bytes the entries hold now, with what the driver adds to each and with those that are
	// trimmed but not yet given back.
	Size() int64

	// Close gives the journal back; later calls answer ErrClosed, and Bounds what it last was. An Append under way
	// ends first. Nothing has to be closed to be safe: see the third rule.
	Close() error
}

// A Pipeline is a journal that takes entries while others are under way, as pays where each has a long way. It never answers
// ErrNoSpace.
type Pipeline interface {
	Journal

	// Begin begins an Append, and returns what waits for its end. The slot is the next one that was not begun.
	// Entries become readable, and outcomes known, in the order of the slots: whatever befalls an entry befalls those
	// begun after it. After ErrUnknown the caller begins or appends it and them again, with the same bytes, in the
	// same order. A bounded number may be under way; Begin waits while there are so many. The entry is not kept.
	Begin(slot uint64, entry []byte) (wait func() error, err error)

	// StillOurs asks the store whether another process has opened the journal since: then the error wraps both ErrTaken and
	// ErrBroken. ErrUnknown when the store does not say.
	StillOurs() error

	// GiveUp ends all waiting for a store that does not answer: the outcome of every entry under way, and of all
	// later ones, is ErrUnknown. Nothing but Close may follow.
	GiveUp()
}

// EntryOverheadBytesMax bounds what any driver adds to an entry in the count of [Journal.Room]: a header, and padding to
// the block size of a disk.
const EntryOverheadBytesMax = 8 << 10

// The errors of a journal, to be tested by errors.Is.
var (
	// ErrTaken: the slot holds an entry already. If it is not the caller's own, another writer is at work.
	ErrTaken = errors.New("slot is taken")
	// ErrTrimmed: the slot is below the floor; its entry is gone for good.
	ErrTrimmed = errors.New("slot is below the journal's floor")
	// ErrGap: the slot lies beyond the next one. Nothing was done.
	ErrGap = errors.New("slot is beyond the journal's end")
	// ErrAbsent: there is no entry in the slot yet.
	ErrAbsent = errors.New("slot holds no entry yet")
	// ErrRange: the bytes asked for do not lie inside the entry.
	ErrRange = errors.New("bytes lie outside the entry")
	// ErrTooLarge: the entry is longer than the journal was opened for.
	ErrTooLarge = errors.New("entry is too large")
	// ErrUnknown: the answer was lost, the entry may be stored or not. Append the same bytes at the same slot again.
	ErrUnknown = errors.New("outcome is unknown")
	// ErrNoSpace: nothing was written for lack of space. The same call may succeed later.
	ErrNoSpace = errors.New("no space left in the journal")
	// ErrBroken: a write or a sync failed, so nothing more may be written until the journal is opened again.
	ErrBroken = errors.New("journal is broken and takes no more writes")
	// ErrDamaged: what is stored is not what was written, and not what a crash can leave.
	ErrDamaged = errors.New("journal is damaged")
	// ErrClosed: the journal is closed.
	ErrClosed = errors.New("journal is closed")
)
