package file

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync/atomic"

	"github.com/heraclitus/heraclitus/pkg/journal"
)

// A volume is one file of entries: a run of slots.
type volume struct {
	first   uint64
	size    int64        // of the file, in bytes
	refs    atomic.Int32 // the journal's until it is trimmed, its readers', and of whoever opens one. At 0 it goes to the pool.
	reader  *reader      // nil when it is not open. Under Journal.mu.
	trimmed bool         // Under Journal.mu.
}

// newVolume returns a volume with the journal's reference to it.
func newVolume(first uint64, size int64) *volume {
	v := &volume{first: first, size: size}
	v.refs.Store(1)
	return v
}

// A reader is an open volume: its handle, and where its entries are.
type reader struct {
	*volume
	handle handle
	epoch  uint64
	limit  int64 // where the last whole block ends
	table  table // of the current volume: under Journal.mu

	refs atomic.Int32 // the journal's until it is evicted, and of whoever reads. At 0 the handle is closed.
	used atomic.Int64 // when it was last asked for, in ticks of Journal.clock
}

// A table holds where each entry of a volume ends. The next one starts at the next multiple of blockBytes.
type table []uint32

// end is where the next entry goes.
func (t table) end() int64 {
	if len(t) == 0 {
		return blockBytes
	}
	return alignUp(int64(t[len(t)-1]))
}

// span is where the i-th entry's bytes, without the header, start and end.
func (t table) span(i uint64) (start, end int64) {
	return t[:i].end() + entryHeaderBytes, int64(t[i])
}

// acquire returns a reader of the volume that holds slot, with its table as it is now. The caller gives it back.
func (j *Journal) acquire(slot uint64) (*reader, table, error) {
	j.mu.RLock()
	if err := j.unreadableLocked(slot); err != nil {
		j.mu.RUnlock()
		return nil, nil, err
	}
	j.reads.Add(1)
	i := j.findLocked(slot)
	v := j.mu.volumes[i]
	if r := v.reader; r != nil {
		defer j.mu.RUnlock()
		r.refs.Add(1)
		r.used.Store(j.clock.Add(1))
		return r, r.table, nil
	}
	count := j.mu.volumes[i+1].first - v.first // the last one always has a reader
	v.refs.Add(1)
	j.mu.RUnlock()
	r, err := j.openVolume(v, count)
	if err != nil {
		j.releaseVolume(v)
		j.reads.Done()
		return nil, nil, err
	}
	j.keep(r)
	return r, r.table, nil
}

// unreadableLocked says why slot cannot be read; nil when it can.
func (j *Journal) unreadableLocked(slot uint64) error {
	switch {
	case j.mu.closed:
		return journal.ErrClosed
	case slot < j.mu.floor:
		return journal.ErrTrimmed
	case slot >= j.mu.next:
		return journal.ErrAbsent
	}
	return nil
}

// findLocked is the index of the volume that holds slot, which is not below the first one's.
func (j *Journal) findLocked(slot uint64) int {
	return sort.Search(len(j.mu.volumes), func(i int) bool { return j.mu.volumes[i].first > slot }) - 1
}

// openVolume opens a volume that is not current and holds count entries. It takes over the caller's reference to v.
func (j *Journal) openVolume(v *volume, count uint64) (*reader, error) {
	r, err := j.openReader(v)
	if err != nil {
		return nil, err
	}
	if r.table, err = j.loadTable(r, count); err == nil {
		return r, nil
	}
	if r.table, err = j.buildTable(r, count); err != nil {
		r.handle.close()
		return nil, err
	}
	r.refs.Add(1)
	j.storeTable(r)
	return r, nil
}

// newReader takes over a reference to v.
func newReader(v *volume, h handle, epoch uint64, limit int64) *reader {
	r := &reader{volume: v, handle: h, epoch: epoch, limit: limit}
	r.refs.Store(1)
	return r
}

// openReader opens a volume and reads its first block; there is no table yet.
func (j *Journal) openReader(v *volume) (*reader, error) {
	h, err := j.disk.open(volumeName(v.first))
	if err != nil {
		return nil, err
	}
	limit, epoch, err := readFileHeader(h)
	if err != nil {
		return nil, errors.Join(j.damaged(volumeName(v.first), fmt.Errorf("first block: %w", err)), h.close())
	}
	return newReader(v, h, epoch, limit), nil
}

// keep makes r the reader of its volume for those who come later, unless there is one by now, or no need.
func (j *Journal) keep(r *reader) {
	j.mu.Lock()
	if r.volume.reader != nil || r.trimmed || j.mu.closed {
		j.mu.Unlock()
		return
	}
	r.refs.Add(1)
	r.used.Store(j.clock.Add(1))
	r.volume.reader = r
	j.mu.readers = append(j.mu.readers, r)
	evicted := j.evictLocked()
	j.mu.Unlock()
	j.release(evicted)
}

// addCurrentLocked adds a new volume after the others, whose reader stays as long as it is current.
func (j *Journal) addCurrentLocked(r *reader) {
	r.volume.reader = r
	j.mu.volumes = append(j.mu.volumes, r.volume)
	j.mu.readers = append(j.mu.readers, r)
}

// evictLocked forgets the reader that was used least lately when there are too many, and returns it to be released.
func (j *Journal) evictLocked() *reader {
	if len(j.mu.readers) <= readersMax {
		return nil
	}
	current, oldest := j.currentLocked(), -1
	for i, r := range j.mu.readers {
		if r != current && (oldest < 0 || r.used.Load() < j.mu.readers[oldest].used.Load()) {
			oldest = i
		}
	}
	r := j.mu.readers[oldest]
	j.forgetLocked(r)
	return r
}

// forgetLocked takes the journal's own reader of a volume away; the caller releases it.
func (j *Journal) forgetLocked(r *reader) {
	i := slices.Index(j.mu.readers, r)
	j.mu.readers = slices.Delete(j.mu.readers, i, i+1)
	r.volume.reader = nil
}

// giveBack ends what acquire began.
func (j *Journal) giveBack(r *reader) {
	j.release(r)
	j.reads.Done()
}

// release gives a reference to a reader back; nil is none.
func (j *Journal) release(r *reader) {
	if r == nil || r.refs.Add(-1) > 0 {
		return
	}
	r.handle.close()
	j.releaseVolume(r.volume)
}

// releaseVolume gives a reference to a volume back. Whoever gives the last one, which was trimmed then, sends it to
// the pool.
func (j *Journal) releaseVolume(v *volume) {
	if v.refs.Add(-1) == 0 {
		j.pool.later(func() { j.pool.recycle(v) })
	}
}
