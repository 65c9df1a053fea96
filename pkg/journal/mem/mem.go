// Package mem is the journal in RAM, for memory:// and for tests: it lasts as long as the process.
//
// Entries are copied, one after the other, into blocks of equal size: a stream of bytes in which every entry has a start
// and an end. What Trim leaves without entries goes to a short free list, so that a journal in a steady state touches no
// fresh memory: first-touch page faults cost more than the copy.
package mem

import (
	"fmt"
	"sync"

	"github.com/heraclitus/heraclitus/pkg/journal"
)

const (
	blockBytes     = 1 << 20
	spareBlocksMax = 64
	indexBytes     = 8 // what an entry takes in Journal.mu.ends, charged so that empty entries have a limit as well
)

// The limits of a journal opened without.
const (
	DefaultBytesMax      = 1 << 30
	DefaultEntryBytesMax = 16 << 20
)

// Options of Open.
type Options struct {
	// BytesMax is what the entries may hold; DefaultBytesMax when 0. What the first and the last block hold besides
	// entries, and spare blocks, come on top.
	BytesMax int64
	// EntryBytesMax is the length of the longest entry; DefaultEntryBytesMax when 0.
	EntryBytesMax int
}

// A Journal keeps its entries in memory. It implements journal.Journal.
type Journal struct {
	o Options

	mu struct {
		sync.RWMutex
		floor  uint64
		start  int64    // where the floor's entry starts in the stream
		ends   []int64  // by slot - floor: where the entry ends in the stream
		base   int64    // where blocks[0] starts in the stream
		blocks [][]byte // the stream from base on
		spares [][]byte
		closed bool
	}
}

var _ journal.Journal = (*Journal)(nil)

// Open returns an empty journal.
func Open(o Options) *Journal {
	if o.BytesMax == 0 {
		o.BytesMax = DefaultBytesMax
	}
	if o.EntryBytesMax == 0 {
		o.EntryBytesMax = DefaultEntryBytesMax
	}
	return &Journal{o: o}
}

// Append implements journal.Journal. It never answers ErrUnknown or ErrBroken.
func (j *Journal) Append(slot uint64, entry []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.refusalLocked(slot, int64(len(entry))); err != nil {
		return fmt.Errorf("append entry of %d bytes at slot %d: %w", len(entry), slot, err)
	}
	start := j.endLocked()
	end := start + int64(len(entry))
	j.growLocked(end)
	for start < end {
		n := copy(j.blockLocked(start), entry)
		start, entry = start+int64(n), entry[n:]
	}
	j.mu.ends = append(j.mu.ends, end)
	return nil
}

// Sync implements journal.Journal: there is nothing to do.
func (j *Journal) Sync() error {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if j.mu.closed {
		return fmt.Errorf("sync: %w", journal.ErrClosed)
	}
	return nil
}

// ReadAt implements journal.Journal.
func (j *Journal) ReadAt(slot uint64, p []byte, off int64) error {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if err := j.unreadableLocked(slot); err != nil {
		return fmt.Errorf("read %d bytes at %d of slot %d: %w", len(p), off, slot, err)
	}
	start, end := j.spanLocked(slot)
	if off < 0 || off > end-start-int64(len(p)) {
		return fmt.Errorf("read %d bytes at %d of slot %d, which holds %d: %w", len(p), off, slot, end-start, journal.ErrRange)
	}
	j.copyLocked(p, start+off)
	return nil
}

// Replay implements journal.Journal.
func (j *Journal) Replay(from uint64, f func(slot uint64, entry []byte) error) error {
	next, err := j.replayEnd(from)
	if err != nil {
		return fmt.Errorf("replay from slot %d: %w", from, err)
	}
	var entry []byte
	for slot := from; slot < next; slot++ {
		if entry, err = j.entry(slot, entry); err != nil {
			return err
		}
		if err := f(slot, entry); err != nil {
			return err
		}
	}
	return nil
}

// Trim implements journal.Journal.
func (j *Journal) Trim(below uint64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.mu.closed:
		return fmt.Errorf("trim below slot %d: %w", below, journal.ErrClosed)
	case below > j.nextLocked():
		return fmt.Errorf("trim below slot %d: %w", below, journal.ErrGap)
	case below <= j.mu.floor:
		return nil
	}
	n := below - j.mu.floor
	j.mu.start = j.mu.ends[n-1]
	j.mu.ends = j.mu.ends[n:]
	j.mu.floor = below
	j.recycleLocked()
	return nil
}

// Bounds implements journal.Journal.
func (j *Journal) Bounds() (floor, next uint64) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.mu.floor, j.nextLocked()
}

// Room implements journal.Journal: what is left of BytesMax.
func (j *Journal) Room() int64 { return j.o.BytesMax - j.Size() }

// MakeRoom implements journal.Journal.
func (j *Journal) MakeRoom(n int64) error {
	if room := j.Room(); room < n {
		return fmt.Errorf("make room for %d bytes where %d of %d are left: %w", n, room, j.o.BytesMax, journal.ErrNoSpace)
	}
	return nil
}

// Size implements journal.Journal.
func (j *Journal) Size() int64 {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.sizeLocked()
}

// Close implements journal.Journal and frees the entries.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.mu.closed = true
	j.mu.blocks, j.mu.spares = nil, nil
	return nil
}

// refusalLocked says why an entry of n bytes may not go into slot; nil when it may.
func (j *Journal) refusalLocked(slot uint64, n int64) error {
	next := j.nextLocked()
	switch {
	case j.mu.closed:
		return journal.ErrClosed
	case slot < j.mu.floor:
		return journal.ErrTrimmed
	case slot < next:
		return journal.ErrTaken
	case slot > next:
		return journal.ErrGap
	case n > int64(j.o.EntryBytesMax):
		return fmt.Errorf("%w: the limit is %d", journal.ErrTooLarge, j.o.EntryBytesMax)
	case n+indexBytes > j.o.BytesMax-j.sizeLocked():
		return journal.ErrNoSpace
	}
	return nil
}

// unreadableLocked says why slot cannot be read; nil when it can.
func (j *Journal) unreadableLocked(slot uint64) error {
	switch {
	case j.mu.closed:
		return journal.ErrClosed
	case slot < j.mu.floor:
		return journal.ErrTrimmed
	case slot >= j.nextLocked():
		return journal.ErrAbsent
	}
	return nil
}

// replayEnd returns the slot before which a replay from slot from ends, or why there can be none.
func (j *Journal) replayEnd(from uint64) (next uint64, err error) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	next = j.nextLocked()
	if from == next && !j.mu.closed {
		return next, nil
	}
	return next, j.unreadableLocked(from)
}

// entry returns a copy of a slot's entry, in the memory of buf if it is large enough.
func (j *Journal) entry(slot uint64, buf []byte) ([]byte, error) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if err := j.unreadableLocked(slot); err != nil {
		return nil, fmt.Errorf("replay slot %d: %w", slot, err)
	}
	start, end := j.spanLocked(slot)
	if n := int(end - start); n > cap(buf) {
		buf = make([]byte, n)
	}
	buf = buf[:end-start]
	j.copyLocked(buf, start)
	return buf, nil
}

func (j *Journal) nextLocked() uint64 { return j.mu.floor + uint64(len(j.mu.ends)) }

// endLocked is where the next entry starts in the stream.
func (j *Journal) endLocked() int64 {
	if n := len(j.mu.ends); n > 0 {
		return j.mu.ends[n-1]
	}
	return j.mu.start
}

// spanLocked is where a readable slot's entry starts and ends in the stream.
func (j *Journal) spanLocked(slot uint64) (start, end int64) {
	i := slot - j.mu.floor
	if i == 0 {
		return j.mu.start, j.mu.ends[0]
	}
	return j.mu.ends[i-1], j.mu.ends[i]
}

func (j *Journal) sizeLocked() int64 {
	return j.endLocked() - j.mu.start + int64(len(j.mu.ends))*indexBytes
}

// blockLocked is the rest of the block that holds position pos of the stream.
func (j *Journal) blockLocked(pos int64) []byte {
	pos -= j.mu.base
	return j.mu.blocks[pos/blockBytes][pos%blockBytes:]
}

func (j *Journal) copyLocked(p []byte, pos int64) {
	for len(p) > 0 {
		n := copy(p, j.blockLocked(pos))
		p, pos = p[n:], pos+int64(n)
	}
}

// growLocked adds blocks until the stream can hold end bytes.
func (j *Journal) growLocked(end int64) {
	for j.mu.base+int64(len(j.mu.blocks))*blockBytes < end {
		j.mu.blocks = append(j.mu.blocks, j.newBlockLocked())
	}
}

func (j *Journal) newBlockLocked() []byte {
	n := len(j.mu.spares)
	if n == 0 {
		return make([]byte, blockBytes)
	}
	b := j.mu.spares[n-1]
	j.mu.spares = j.mu.spares[:n-1]
	return b
}

// recycleLocked gives back the blocks that lie before the first entry.
func (j *Journal) recycleLocked() {
	for len(j.mu.blocks) > 0 && j.mu.base+blockBytes <= j.mu.start {
		if len(j.mu.spares) < spareBlocksMax {
			j.mu.spares = append(j.mu.spares, j.mu.blocks[0])
		}
		j.mu.blocks[0] = nil
		j.mu.blocks = j.mu.blocks[1:]
		j.mu.base += blockBytes
	}
}
