package file

import (
	"errors"
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/journal"
)

// Append implements journal.Journal. It never answers ErrUnknown.
func (j *Journal) Append(slot uint64, entry []byte) error {
	j.appending.Lock()
	defer j.appending.Unlock()
	if err := j.append(slot, entry); err != nil {
		return fmt.Errorf("append %d bytes at slot %d of journal %s: %w", len(entry), slot, j.dir, err)
	}
	return nil
}

func (j *Journal) append(slot uint64, entry []byte) error {
	if err := j.refusal(slot, len(entry)); err != nil {
		return err
	}
	r, pos, err := j.place(slot, int64(len(entry)))
	if err != nil {
		return err
	}
	j.pool.appended()
	encodeEntryHeader(&j.appending.header, r.epoch, slot, j.unsynced(), entry)
	written := writeEntry(r.handle, pos, j.appending.header[:], entry)
	if j.o.SyncInterval > 0 {
		err = j.written(written)
	} else {
		err = j.durably(r.handle, written)
	}
	if err != nil {
		return err
	}
	return j.publish(r, pos+entryHeaderBytes+int64(len(entry)))
}

// refusal says why an entry of n bytes may not go into slot; nil when it may.
func (j *Journal) refusal(slot uint64, n int) error {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if err := j.unwritableLocked(); err != nil {
		return err
	}
	switch {
	case slot < j.mu.floor:
		return journal.ErrTrimmed
	case slot < j.mu.next:
		return journal.ErrTaken
	case slot > j.mu.next:
		return journal.ErrGap
	case n > j.o.EntryBytesMax:
		return fmt.Errorf("%w: the limit is %d", journal.ErrTooLarge, j.o.EntryBytesMax)
	}
	return nil
}

// place finds room for an entry of n bytes: in the current volume, or at the start of a new one that becomes current.
func (j *Journal) place(slot uint64, n int64) (*reader, int64, error) {
	j.mu.RLock()
	r := j.currentLocked()
	pos := r.table.end()
	j.mu.RUnlock()
	if pos+entryHeaderBytes+n <= r.limit {
		return r, pos, nil
	}
	if err := j.sync(); err != nil { // only the last volume may hold what is not durable
		return nil, 0, err
	}
	r, err := j.pool.take(slot)
	switch {
	case errors.Is(err, journal.ErrNoSpace):
		return nil, 0, err
	case err != nil:
		return nil, 0, j.breaks(err)
	}
	j.setCurrent(r)
	return r, blockBytes, nil
}

// setCurrent makes r's volume the current one, and has the table of the one before it stored.
func (j *Journal) setCurrent(r *reader) {
	j.mu.Lock()
	full := j.currentLocked()
	full.used.Store(j.clock.Add(1))
	j.mu.bytes += full.volume.size
	j.addCurrentLocked(r)
	evicted := j.evictLocked()
	full.refs.Add(1)
	j.mu.Unlock()
	j.release(evicted)
	j.storeTable(full)
}

// publish makes the entry that ends at end readable, unless a Trim has broken the journal meanwhile.
func (j *Journal) publish(r *reader, end int64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.unwritableLocked(); err != nil {
		return err
	}
	r.table = append(r.table, uint32(end))
	j.mu.next++
	if j.o.SyncInterval == 0 {
		j.mu.durable = j.mu.next
		return nil
	}
	j.syncing.due()
	return nil
}

// writeEntry writes header, entry and padding at pos, in calls of at most writeBytesMax.
func writeEntry(h handle, pos int64, header, entry []byte) error {
	left := [][]byte{header, entry, zeros[:padding(len(header)+len(entry))]}
	for {
		call, bytes := [][]byte(nil), 0
		for len(left) > 0 && bytes < writeBytesMax {
			part := left[0][:min(len(left[0]), writeBytesMax-bytes)]
			call, bytes = append(call, part), bytes+len(part)
			if left[0] = left[0][len(part):]; len(left[0]) == 0 {
				left = left[1:]
			}
		}
		if bytes == 0 {
			return nil
		}
		if err := h.writev(call, pos); err != nil {
			return err
		}
		pos += int64(bytes)
	}
}

// padding is what n bytes lack to whole blocks.
func padding(n int) int { return int(alignUp(int64(n))) - n }
