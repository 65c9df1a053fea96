package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// placed is an extent of a partition, with the offset after its last record.
type placed struct {
	state.Extent
	topic     *state.Topic
	partition int32
	end       int64
}

func (x *placed) name() string { return partitionName(x.topic.Name, x.partition) }

// placedExtents returns the extents of all partitions, in the order of the journal.
func placedExtents(s *state.State) (all []placed) {
	if s == nil {
		return nil
	}
	for t := range s.Topics() {
		for n, p := range t.Partitions {
			for x, end := range extents(p) {
				all = append(all, placed{x, t, int32(n), end})
			}
		}
	}
	slices.SortFunc(all, func(a, b placed) int { return cmp.Or(cmp.Compare(a.Slot, b.Slot), cmp.Compare(a.Pos, b.Pos)) })
	return all
}

// walker goes over the entries of the journal.
type walker struct {
	*verifier
	journal  inspection
	slot     uint64 // the next one
	end      uint64
	extents  []placed // from that slot on
	produced []produced
}

// produced is a batch in an entry.
type produced struct {
	state.Produced
	at uint32 // in the entry
}

// damagedMax is how many damaged entries are reported.
const damagedMax = 100

// walk checks every entry of the journal, and reads on after damage. Entries that a server trims meanwhile need not be checked
// any more.
func (v *verifier) walk(ctx context.Context, l *look) error {
	if l.journal == nil {
		return nil
	}
	w := walker{verifier: v, journal: l.journal, extents: placedExtents(l.state)}
	w.slot, w.end = l.journal.Bounds()
	w.extents = w.extents[w.extentsBelow(w.slot):] // checkState has reported those below
	for damaged := 0; w.slot < w.end; {
		err := w.journal.Replay(w.slot, func(slot uint64, entry []byte) error {
			w.entry(slot, entry)
			return ctx.Err()
		})
		switch {
		case errors.Is(err, journal.ErrTrimmed):
			err = w.follow(ctx, l)
		case errors.Is(err, journal.ErrDamaged):
			v.damage(entryName(w.slot), "%v", err)
			w.lose()
			if damaged++; damaged == damagedMax {
				v.note("journal", "so much is damaged that the rest is not looked at")
				return nil
			}
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// follow goes on from the floor to which a server has trimmed the journal.
func (w *walker) follow(ctx context.Context, l *look) error {
	j, err := w.storage.inspect(ctx)
	if err != nil {
		return err
	}
	l.journal.Close()
	l.journal, w.journal = j, j
	floor, _ := j.Bounds()
	if floor <= w.slot {
		return fmt.Errorf("entry %d: %w, and the floor is %d", w.slot, journal.ErrTrimmed, floor)
	}
	w.slot = floor
	w.extents = w.extents[w.extentsBelow(floor):]
	return nil
}

// extentsBelow returns how many extents lie in entries below a slot.
func (w *walker) extentsBelow(slot uint64) int {
	n, _ := slices.BinarySearchFunc(w.extents, slot, func(x placed, slot uint64) int { return cmp.Compare(x.Slot, slot) })
	return n
}

// lose skips an entry that cannot be read, and reports what was in it.
func (w *walker) lose() {
	n := w.extentsBelow(w.slot + 1)
	for _, x := range w.extents[:n] {
		w.damage(x.name(), "offsets %d to %d lie in entry %d of the journal, which cannot be read", x.Base, x.end-1, x.Slot)
	}
	w.extents = w.extents[n:]
	w.slot++
}

// entry checks an entry: its commands, their batches, and that the extents in it are made up of these.
func (w *walker) entry(slot uint64, entry []byte) {
	w.produced = w.produced[:0]
	records := int64(0)
	for c, err := range state.Commands(entry) {
		if err != nil {
			w.damage(entryName(slot), "%v", err)
			break
		}
		p, ok := c.Command.(state.Produced)
		if !ok {
			continue
		}
		if err := w.checkBatch(p.Batch); err != nil {
			w.damage(entryName(slot), "batch at byte %d, for partition %d of topic id %s: %v", c.At, p.Partition, p.ID, err)
		}
		w.produced = append(w.produced, produced{p, uint32(c.At + state.ProduceHeaderBytes)})
	}
	n := w.extentsBelow(slot + 1)
	for _, x := range w.extents[:n] {
		m, err := x.check(w.produced)
		if err != nil {
			w.damage(x.name(), "offsets %d to %d, in entry %d of the journal: %v", x.Base, x.end-1, slot, err)
		}
		records += m
	}
	w.extents, w.slot = w.extents[n:], slot+1
	w.count(func(s *Summary) { s.Entries, s.Records = s.Entries+1, s.Records+records })
	w.progress("entries", int64(slot), int64(w.end))
}

// checkBatch checks a batch by itself.
func (w *walker) checkBatch(b record.Batch) error {
	switch {
	case b.Magic() != record.Magic || b.Size() != len(b):
		return fmt.Errorf("it is of magic %d and %d bytes, in %d", b.Magic(), b.Size(), len(b))
	case !b.Intact():
		return errors.New("its checksum does not match")
	case w.Fast:
		return nil
	}
	next := b.BaseOffset()
	for r, err := range b.Records() {
		if err != nil {
			return err
		}
		if r.Offset != next {
			return fmt.Errorf("a record of offset %d where %d should be", r.Offset, next)
		}
		next++
	}
	if next != b.LastOffset()+1 {
		return fmt.Errorf("%d records, of which the last should have offset %d", b.Count(), b.LastOffset())
	}
	return nil
}

// check checks that an extent is made up of batches of an entry, and that its offsets are theirs. It returns how many records
// they have.
func (x *placed) check(batches []produced) (records int64, err error) {
	at, offset, youngest := x.Pos, x.Base, int64(record.NoTimestamp)
	for at < x.Pos+x.Bytes {
		n, found := slices.BinarySearchFunc(batches, at, func(b produced, at uint32) int { return cmp.Compare(b.at, at) })
		if !found || batches[n].ID != x.topic.ID || batches[n].Partition != x.partition {
			return records, fmt.Errorf("there is no batch of this partition at byte %d", at)
		}
		b := batches[n].Batch
		youngest = max(youngest, b.MaxTimestamp())
		records += int64(b.Count())
		offset += int64(b.LastOffsetDelta()) + 1
		at += uint32(len(b))
		if at < x.Pos+x.Bytes {
			at += state.ProduceHeaderBytes
		}
	}
	switch {
	case at != x.Pos+x.Bytes:
		return records, fmt.Errorf("its batches end at byte %d and not at %d", at, x.Pos+x.Bytes)
	case offset != x.end:
		return records, fmt.Errorf("its batches end before offset %d", offset)
	case youngest != x.MaxTimestamp:
		return records, fmt.Errorf("its largest timestamp is %d and not %d", youngest, x.MaxTimestamp)
	}
	return records, nil
}
