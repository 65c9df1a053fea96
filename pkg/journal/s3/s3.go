// Package s3 is the journal in a bucket, or in any other object store that keeps the conditions of writes: an object
// for each entry, under the number of its slot.
//
// # An entry's way
//
// Append writes the object of the next slot if there is none, and that is the whole commit: the store decides who is first,
// and shows all of an object or nothing. When the answer is lost, the object itself says whose it is: every process that
// opens the journal begins a session, with a number and a random name that are in all it writes.
//
// # Who may write
//
// The newest session. It begins with a claim, an object in the next slot that holds no entry, and its first entry
// replaces that claim. So whoever wrote before finds its next slot taken, by a session other than its own, and writes
// nothing any more. Sessions follow each other as slots do: nothing of an older one comes after a claim. Objects of
// an older one may lie there, of entries that were under way together when it was ended. They never became entries,
// and are replaced when their slot's turn comes.
//
// # What must hold
//
//   - A slot is taken by creating its object. One from the floor on is replaced only where it is a claim, by its own
//     session or by a newer one, or what an older session left beyond its end; whoever replaces it names the version.
//   - Objects are deleted only below the floor, which an object of its own has raised before. A delete that comes late
//     therefore does no harm.
//   - The object in the first slot of a session is not deleted but becomes a stone. Else a writer of the session before that
//     wakes up after that slot was trimmed would find it free, take it, and acknowledge what nobody will ever read.
//   - What is not known is asked, not guessed: no answer but the object's own bytes says that an entry is written.
//
// FORMAT.md describes the objects.
package s3

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"math"
	"sync"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/objstore"
)

const defaultEntryBytesMax = 16 << 20

// Options of Open. The zero value is good.
type Options struct {
	// EntryBytesMax is the length of the longest entry; 16 MiB when 0.
	EntryBytesMax int
	// Log hears of sessions: of this one's begin, and of another one that takes the journal over; slog.Default when nil.
	Log *slog.Logger
}

// A session is a process's right to write. The number orders sessions, the name tells apart those that began at the
// same time.
type session struct {
	number uint64
	name   [16]byte
}

// A Journal keeps its entries in an object store. It implements journal.Pipeline.
type Journal struct {
	store   objstore.Store
	o       Options
	session session
	first   uint64 // slot of the session's claim
	claim   objstore.Version

	calls context.Context // of all calls of the store; ended by GiveUp and by Close
	end   context.CancelFunc

	appending struct { // held by Begin: one at a time
		sync.Mutex
		begun  uint64        // the next slot that no entry under way has
		last   *upload       // the newest one
		places chan struct{} // taken by each entry under way
		free   chan []byte   // memory of objects
	}
	trimming struct { // held by Trim: one at a time
		sync.Mutex
		litter []objstore.Object // below the floor, to be deleted
		stones []string          // keys of those that were found there, in order
	}

	mu struct {
		sync.RWMutex
		floor   uint64
		lengths []int64 // of the entries from the floor on
		bytes   int64   // of all objects
		failed  bool    // an entry that was under way, and so all those begun after it
		fenced  error   // why nothing more may be written
		closed  bool
	}
}

var _ journal.Pipeline = (*Journal)(nil)

// Open opens the journal in a store and begins a session, which ends the one of whoever had it open before. ctx bounds the
// opening alone. The store stays the caller's.
func Open(ctx context.Context, store objstore.Store, o Options) (*Journal, error) {
	if o.EntryBytesMax == 0 {
		o.EntryBytesMax = defaultEntryBytesMax
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	j := &Journal{store: store, o: o}
	rand.Read(j.session.name[:])
	if err := j.open(ctx); err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	j.start(context.Background())
	floor, next := j.Bounds()
	o.Log.Info("journal opened: a server that had it open before writes no more", "session", j.session.number, "floor", floor, "next", next)
	return j, nil
}

// start makes an opened journal ready for calls.
func (j *Journal) start(ctx context.Context) {
	j.calls, j.end = context.WithCancel(ctx)
	j.appending.begun = j.nextLocked()
	j.appending.places = make(chan struct{}, pipelineMax)
	j.appending.free = make(chan []byte, pipelineMax)
}

// Bounds implements journal.Journal.
func (j *Journal) Bounds() (floor, next uint64) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.mu.floor, j.nextLocked()
}

func (j *Journal) nextLocked() uint64 { return j.mu.floor + uint64(len(j.mu.lengths)) }

// Sync implements journal.Journal: there is nothing to do.
func (j *Journal) Sync() error {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if j.mu.closed {
		return fmt.Errorf("sync: %w", journal.ErrClosed)
	}
	return nil
}

// Room implements journal.Journal. A bucket has no end that it would tell of.
func (j *Journal) Room() int64 { return math.MaxInt64 }

// MakeRoom implements journal.Journal.
func (j *Journal) MakeRoom(int64) error { return nil }

// Size implements journal.Journal: what the objects hold.
func (j *Journal) Size() int64 {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.mu.bytes
}

// Close implements journal.Journal. What is under way ends first, and is not tried again. Objects that are trimmed but not
// deleted yet are left to whoever opens it next.
func (j *Journal) Close() error {
	j.appending.Lock()
	defer j.appending.Unlock()
	j.mu.Lock()
	j.mu.closed = true
	j.mu.Unlock()
	if j.appending.last != nil {
		<-j.appending.last.ended
	}
	j.end()
	j.trimming.Lock()
	defer j.trimming.Unlock()
	return nil
}

// fence notes that another session has taken the journal over, and returns the error of all writes from then on.
func (j *Journal) fence(slot uint64, by header) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.mu.fenced == nil {
		j.mu.fenced = fmt.Errorf("%w: %w: session %d began at slot %d, and ends ours, which is %d",
			journal.ErrBroken, journal.ErrTaken, by.session.number, slot, j.session.number)
		j.o.Log.Error("another server has taken the journal over: this one writes no more", "slot", slot, "session", by.session.number, "ours", j.session.number)
	}
	return j.mu.fenced
}

// unwritableLocked says why nothing can be written; nil when it can.
func (j *Journal) unwritableLocked() error {
	if j.mu.closed {
		return journal.ErrClosed
	}
	return j.mu.fenced
}
