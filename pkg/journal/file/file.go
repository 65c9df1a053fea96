// Package file is the journal in a directory.
//
// # An entry's way
//
// Append writes header, entry and padding to the end of the current volume, as a file of entries is called here, with one
// pwritev of at most 1 MiB after the other, and syncs once, or leaves that to the next sync (sync.go). Then the entry
// gets its place in the volume's table of positions, and only from there on it is seen.
//
// Volumes have a fixed size and are not appended to: a write that makes a file longer, or is the first to a part of it,
// costs the sync a commit of the file system's own journal as well. So the next volume is filled with zeros while there
// is time, and trimmed volumes are used again under a new name; that doubles the commits a second. When load outruns
// the filling, a volume is taken as it is, which makes its syncs slower but no Append wait. What a volume held in a
// former use cannot come back: each use has a random epoch, written in the volume's first block and in each entry.
//
// # What must hold
//
//   - A volume's first block is durable before the volume gets its name, and the name before the first entry.
//   - An entry begins where the one before it ended, at a multiple of 4 KiB, and is not written before that one is
//     durable. So what forms no entry at the end is at most one that was never acknowledged, and may be cut; an entry
//     beyond it tells of damage. With an interval between syncs, an entry says for how many before it this is not so; what
//     stands behind a gap among those is cut off as well, and no volume but the last has any.
//   - A volume is given to the pool, which overwrites it, when the floor is durably above its last slot and no reader
//     holds it.
//
// FORMAT.md describes the bytes.
package file

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/heraclitus/heraclitus/pkg/journal"
)

const (
	defaultFileBytes     = 64 << 20
	defaultEntryBytesMax = 16 << 20
	defaultSparesMin     = 1
	defaultSparesMax     = 2

	fileBytesMax  = math.MaxUint32 &^ (blockBytes - 1) // positions have 32 bits
	writeBytesMax = 1 << 20                            // of one call: more gains nothing
	readersMax    = 16                                 // open volumes, the current one included
)

var zeros = make([]byte, writeBytesMax)

// Options of Open. The zero value is good.
type Options struct {
	// FileBytes is the size of a new volume: a multiple of 4096, room for two of the largest entries; 64 MiB when 0.
	FileBytes int64
	// EntryBytesMax is the length of the longest entry; 16 MiB when 0.
	EntryBytesMax int
	// SparesMin is how many volumes are filled ahead when there is time; 1 when 0. A burst goes at full speed as far as
	// they reach.
	SparesMin int
	// SparesMax is how many trimmed volumes are kept to be used again; 2 when 0, SparesMin when that is more. A journal
	// that is trimmed many volumes at a time wants as many.
	SparesMax int
	// SyncInterval is how long an entry may stay in memory before it is synced; 0 syncs every entry before Append returns.
	// With an interval, what a power cut leaves is still a prefix, which may lack the entries since the last [Journal.Sync]
	// that was completed; a process that is killed loses nothing.
	SyncInterval time.Duration
	// Log hears of what was cut off at the end, and of lack of space; slog.Default when nil.
	Log *slog.Logger

	newEpoch func() uint64 // random; not in tests of what it is for
}

// withDefaults fills in what is zero, and refuses what cannot work.
func (o Options) withDefaults() (Options, error) {
	o.FileBytes = orDefault(o.FileBytes, defaultFileBytes)
	o.EntryBytesMax = orDefault(o.EntryBytesMax, defaultEntryBytesMax)
	o.SparesMin = orDefault(o.SparesMin, defaultSparesMin)
	o.SparesMax = max(orDefault(o.SparesMax, defaultSparesMax), o.SparesMin)
	o.Log = orDefault(o.Log, slog.Default())
	if o.newEpoch == nil {
		o.newEpoch = randomEpoch
	}
	smallest := blockBytes + 2*o.entryCostMax()
	if o.EntryBytesMax < 0 || o.FileBytes < smallest || o.FileBytes > fileBytesMax || o.FileBytes%blockBytes != 0 {
		return o, fmt.Errorf("journal files of %d bytes for entries of up to %d: the size must be a multiple of %d from %d to %d",
			o.FileBytes, o.EntryBytesMax, blockBytes, smallest, int64(fileBytesMax))
	}
	return o, nil
}

func orDefault[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// entryCostMax is what the largest entry takes of a volume.
func (o Options) entryCostMax() int64 { return alignUp(entryHeaderBytes + int64(o.EntryBytesMax)) }

// A Journal keeps its entries in the files of a directory. It implements journal.Journal.
type Journal struct {
	dir  string
	o    Options
	disk disk
	pool *pool

	appending struct { // held by Append: one at a time
		sync.Mutex
		header [entryHeaderBytes]byte
	}
	trimming struct { // held by Trim: one at a time
		sync.Mutex
		floor handle
	}
	syncing syncing
	reads   sync.WaitGroup // calls that hold a reader
	clock   atomic.Int64   // ticks with every use of a reader

	mu struct {
		sync.RWMutex
		floor   uint64
		next    uint64
		durable uint64    // what is below it is synced; not below the first slot of the current volume
		volumes []*volume // in the order of their slots; the last one is current, and always there
		readers []*reader // those of volumes[...].reader that are not nil
		bytes   int64     // of all volumes but the current one
		broken  error     // the failure that ended writing
		closed  bool
	}
}

var _ journal.Journal = (*Journal)(nil)

// Bounds implements journal.Journal.
func (j *Journal) Bounds() (floor, next uint64) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.mu.floor, j.mu.next
}

// Room implements journal.Journal: what is left of the current volume, and the volumes that stand ready. Of those, a largest
// entry each is left out, for the bytes lost at the end of a volume when the next entry does not fit.
func (j *Journal) Room() int64 {
	j.mu.RLock()
	defer j.mu.RUnlock()
	r := j.currentLocked()
	return r.limit - r.table.end() + j.pool.room.Load()
}

// MakeRoom implements journal.Journal.
func (j *Journal) MakeRoom(n int64) error {
	for j.Room() < n {
		if err := j.pool.grow(); err != nil {
			return fmt.Errorf("make room for %d bytes in journal %s: %w", n, j.dir, err)
		}
	}
	return nil
}

// Size implements journal.Journal: whole volumes, and of the current one what is written.
func (j *Journal) Size() int64 {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.mu.bytes + j.currentLocked().table.end()
}

// Close implements journal.Journal. It waits for calls that read or write, so that another process finds nobody at work.
func (j *Journal) Close() error {
	j.appending.Lock()
	defer j.appending.Unlock()
	j.trimming.Lock()
	defer j.trimming.Unlock()
	readers, lost, ok := j.finish()
	if !ok {
		return nil
	}
	j.syncing.end()
	j.reads.Wait()
	j.pool.close()
	for _, r := range readers {
		j.release(r)
	}
	return errors.Join(lost, j.trimming.floor.close(), j.disk.close())
}

// finish makes durable what can be, and then lets no more calls begin. It returns the readers to give back; false when it
// has been done before.
func (j *Journal) finish() (readers []*reader, lost error, ok bool) {
	j.syncing.Lock()
	defer j.syncing.Unlock()
	lost = j.syncWritten()
	readers, ok = j.markClosed()
	return readers, lost, ok
}

// markClosed lets no call begin from now on, and returns the readers to give back; false when it has been done before.
func (j *Journal) markClosed() ([]*reader, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.mu.closed {
		return nil, false
	}
	j.mu.closed = true
	return j.mu.readers, true
}

// path is how messages name a file.
func (j *Journal) path(name string) string { return filepath.Join(j.dir, name) }

func (j *Journal) currentLocked() *reader { return j.mu.volumes[len(j.mu.volumes)-1].reader }

// unwritableLocked says why nothing can be written; nil when it can.
func (j *Journal) unwritableLocked() error {
	switch {
	case j.mu.closed:
		return journal.ErrClosed
	case j.mu.broken != nil:
		return fmt.Errorf("%w since this: %w", journal.ErrBroken, j.mu.broken)
	}
	return nil
}

// written completes a write that ended in err. Lack of space, which only file systems that never overwrite can answer
// here, leaves everything as it was.
func (j *Journal) written(err error) error {
	switch {
	case err == nil:
		return nil
	case isNoSpace(err):
		return fmt.Errorf("%w: %w", journal.ErrNoSpace, err)
	}
	return j.breaks(err)
}

// durably completes a write to h that ended in written, and syncs it.
func (j *Journal) durably(h handle, written error) error {
	if err := j.written(written); err != nil {
		return err
	}
	if err := h.sync(); err != nil {
		return j.breaks(err)
	}
	return nil
}

// breaks ends writing: a write or a sync failed, so what the disk holds is not known, and a later sync that succeeds
// would not prove that it holds what this one was about.
func (j *Journal) breaks(err error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.mu.broken = err
	return fmt.Errorf("%w: %w", journal.ErrBroken, err)
}
