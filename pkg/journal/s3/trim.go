package s3

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/objstore"
)

const (
	deletersMax = 16   // at the same time
	stonesMax   = 1000 // kept: a writer that sleeps while so many sessions come and go is not waited for
)

// Trim implements journal.Journal. What cannot be deleted now is by the next Trim, of this session or of a later one.
func (j *Journal) Trim(below uint64) error {
	j.trimming.Lock()
	defer j.trimming.Unlock()
	if err := j.trim(below); err != nil {
		return fmt.Errorf("trim below slot %d: %w", below, err)
	}
	return nil
}

func (j *Journal) trim(below uint64) error {
	needed, err := j.needsTrim(below)
	if err != nil || !needed {
		return err
	}
	if err := j.StillOurs(); err != nil {
		return err
	}
	if err := j.writeFloor(below); err != nil {
		return err
	}
	j.raiseFloor(below)
	j.sweep()
	return nil
}

func (j *Journal) needsTrim(below uint64) (bool, error) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if err := j.unwritableLocked(); err != nil {
		return false, err
	}
	if below > j.nextLocked() {
		return false, journal.ErrGap
	}
	return below > j.mu.floor, nil
}

// StillOurs implements journal.Pipeline: it looks whether another session has claimed the next slot. One may yet do so at any moment: a floor that we raise
// then is one that it would raise as well, but it might be reading what we delete, and have to start again.
func (j *Journal) StillOurs() error {
	_, next := j.Bounds()
	h, err := j.header(j.calls, next)
	switch {
	case err == nil && j.isNewer(h):
		return j.fence(next, h)
	case err != nil && !errors.Is(err, objstore.ErrAbsent):
		return fmt.Errorf("%w: %w", journal.ErrUnknown, err)
	}
	return nil
}

// writeFloor makes a floor durable. It may be written any number of times: the highest one counts.
func (j *Journal) writeFloor(floor uint64) (err error) {
	last, err := j.sessionBelow(floor)
	if err != nil {
		return fmt.Errorf("%w: %w", journal.ErrUnknown, err)
	}
	object := appendObject(nil, header{kind: kindFloor, slot: floor, session: last}, nil)
	for range putTries {
		if err = j.store.Put(j.calls, floorKey(floor), object); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%w: %w", journal.ErrUnknown, err)
}

// sessionBelow returns the session of the last entry below a slot: what comes after it is of the same one, or of a
// newer one.
func (j *Journal) sessionBelow(slot uint64) (session, error) {
	if slot > j.first {
		return j.session, nil
	}
	h, err := j.header(j.calls, slot-1)
	return h.session, err
}

// raiseFloor ends the reading of what lies below, and turns it into litter, with the floor before.
func (j *Journal) raiseFloor(below uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.mu.floor > 0 {
		j.trimming.litter = append(j.trimming.litter, objstore.Object{Key: floorKey(j.mu.floor), Bytes: headerBytes})
	}
	j.mu.bytes += headerBytes
	for slot := j.mu.floor; slot < below; slot++ {
		n := headerBytes + j.mu.lengths[slot-j.mu.floor]
		j.trimming.litter = append(j.trimming.litter, objstore.Object{Key: slotKey(slot), Bytes: n})
	}
	j.mu.lengths = j.mu.lengths[below-j.mu.floor:]
	j.mu.floor = below
}

// sweep deletes the litter, but for stones, as far as that succeeds.
func (j *Journal) sweep() {
	var mu sync.Mutex
	var left []objstore.Object
	j.each(j.trimming.litter, func(ctx context.Context, o objstore.Object) {
		isStone, err := j.clear(ctx, o)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err != nil:
			left = append(left, o)
		case isStone:
			j.trimming.stones = append(j.trimming.stones, o.Key)
		}
	})
	j.trimming.litter = left
	slices.Sort(j.trimming.stones)
	for len(j.trimming.stones) > stonesMax && j.store.Delete(j.calls, j.trimming.stones[0]) == nil {
		j.trimming.stones = j.trimming.stones[1:]
		j.resize(-headerBytes)
	}
}

// each calls f for objects, a few at a time, until the journal is closed.
func (j *Journal) each(objects []objstore.Object, f func(ctx context.Context, o objstore.Object)) {
	queue := make(chan objstore.Object)
	var all sync.WaitGroup
	for range min(deletersMax, len(objects)) {
		all.Go(func() {
			for o := range queue {
				f(j.calls, o)
			}
		})
	}
	for _, o := range objects {
		queue <- o
	}
	close(queue)
	all.Wait()
}

// clear deletes an object below the floor, unless it is a stone, or has to become one.
func (j *Journal) clear(ctx context.Context, o objstore.Object) (isStone bool, err error) {
	if slot, ok := slotOf(o.Key, slotPrefix); ok && slot <= j.first { // all others are ours, and none the first
		h, err := j.header(ctx, slot)
		switch {
		case errors.Is(err, objstore.ErrAbsent):
			j.resize(-o.Bytes)
			return false, nil
		case errors.Is(err, journal.ErrDamaged):
		case err != nil:
			return false, err
		case h.kind == kindStone:
			return true, nil
		case h.kind == kindEntry && h.flags&flagFirst != 0:
			return true, j.petrify(ctx, o, h)
		}
	}
	if err := j.store.Delete(ctx, o.Key); err != nil {
		return false, err
	}
	j.resize(-o.Bytes)
	return false, nil
}

// petrify leaves a stone of the first entry of a session.
func (j *Journal) petrify(ctx context.Context, o objstore.Object, h header) error {
	stone := appendObject(nil, header{kind: kindStone, slot: h.slot, session: h.session}, nil)
	err := j.store.Put(ctx, o.Key, stone)
	if err == nil {
		j.resize(headerBytes - o.Bytes)
	}
	return err
}

func (j *Journal) resize(bytes int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.mu.bytes += bytes
}
