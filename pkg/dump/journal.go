package dump

import (
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/journal/file"
	"github.com/heraclitus/heraclitus/pkg/journal/s3"
)

// volume writes a file of entries.
func (d *dumper) volume() error {
	epoch, entries, err := file.ReadVolume(d, d.src.Bytes)
	if err != nil {
		return err
	}
	d.line(0, "journal file, %d bytes, epoch %016x", d.src.Bytes, epoch)
	for w := range entries {
		unsynced := ""
		if w.Unsynced > 0 {
			unsynced = fmt.Sprintf(", %d before it perhaps not durable", w.Unsynced)
		}
		if w.Err != nil {
			d.line(0, "slot %d at byte %d: %d bytes%s: %v", w.Slot, w.At, w.Length, unsynced, w.Err)
		} else {
			d.line(0, "slot %d at byte %d: %d bytes, checksum ok%s", w.Slot, w.At, w.Length, unsynced)
			d.entry(w.Entry)
		}
		if err := d.failed(); err != nil {
			return err
		}
	}
	return nil
}

// floor writes the two copies of a floor.
func (d *dumper) floor() error {
	floors, errs := file.ReadFloors(d, d.src.Bytes)
	for i, floor := range floors {
		if errs[i] != nil {
			d.line(0, "floor, copy %d: %v", i, errs[i])
			continue
		}
		d.line(0, "floor, copy %d: slot %d", i, floor)
	}
	return nil
}

// slots writes a table of positions.
func (d *dumper) slots() error {
	b, err := d.whole()
	if err != nil {
		return err
	}
	epoch, first, ends, err := file.ReadSlots(b)
	if err != nil {
		return err
	}
	d.line(0, "positions of the journal file of epoch %016x, checksum ok", epoch)
	for i, end := range ends {
		d.line(1, "slot %d ends at byte %d", first+uint64(i), end)
	}
	return nil
}

// object writes an object of a journal in a bucket.
func (d *dumper) object() error {
	b, err := d.whole()
	if err != nil {
		return err
	}
	o, err := s3.ReadObject(b)
	if o.Kind == "" {
		return err
	}
	about := fmt.Sprintf("journal %s, slot %d, session %d", o.Kind, o.Slot, o.Session)
	if o.First {
		about += ", the first of its session"
	}
	if o.Behind > 0 {
		about += fmt.Sprintf(", %d before it perhaps not stored", o.Behind)
	}
	if err != nil {
		d.line(0, "%s: %v", about, err)
		return nil
	}
	d.line(0, "%s: %d bytes, checksum ok", about, len(o.Entry))
	d.entry(o.Entry)
	return d.failed()
}
