package file

import (
	"errors"
	"fmt"
)

// loadTable reads the stored table of a volume that holds count entries.
func (j *Journal) loadTable(r *reader, count uint64) (table, error) {
	if count > uint64(r.limit/blockBytes) {
		return nil, errors.New("more entries than blocks")
	}
	h, err := j.disk.open(slotsName(r.first))
	if err != nil {
		return nil, err
	}
	b := make([]byte, slotsHeaderBytes+4*count+4)
	_, err = h.ReadAt(b, 0)
	if err := errors.Join(err, h.close()); err != nil {
		return nil, err
	}
	return decodeSlots(b, r.epoch, r.first, count)
}

// buildTable makes the table of a volume that holds count entries from the entries.
func (j *Journal) buildTable(r *reader, count uint64) (table, error) {
	t, err := newScanner(r).entries(count)
	if err != nil {
		return nil, j.unreadable(r.volume, t.end(), r.first+uint64(len(t)), err)
	}
	return t, nil
}

// storeTable has a table written that no longer changes, and then releases its reader. It is not synced: a table that
// cannot be read, or not written, is made again from the entries.
func (j *Journal) storeTable(r *reader) {
	j.pool.later(func() {
		defer j.release(r)
		if err := replaceFile(j.disk, slotsName(r.first), encodeSlots(r.epoch, r.first, r.table), false); err != nil {
			j.o.Log.Warn("journal: positions are not stored", "file", j.path(slotsName(r.first)), "error", err)
		}
	})
}

// replaceFile makes a file that holds b, whole or not at all; its name is durable after the next sync of the disk.
func replaceFile(d disk, name string, b []byte, durable bool) error {
	h, err := d.create(name + unfinished)
	if err != nil {
		return err
	}
	err = h.writev([][]byte{b}, 0)
	if err == nil && durable {
		err = h.sync()
	}
	err = errors.Join(err, h.close())
	if err == nil {
		err = d.rename(name+unfinished, name)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), d.remove(name+unfinished))
	}
	return nil
}
