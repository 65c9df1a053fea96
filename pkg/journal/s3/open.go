package s3

import (
	"context"
	"errors"
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/objstore"
)

const (
	openTries  = 10   // of looking anew, because the journal was trimmed meanwhile
	claimTries = 1000 // of claiming a slot: one for each entry that the session before gets in, or each call that fails
	failureMax = 20   // of them that fail for other reasons than that somebody was faster
)

// errMoved tells that the journal was trimmed beyond what was seen of it.
var errMoved = errors.New("it is being trimmed by another server faster than it can be opened")

// A view is what a listing shows of the journal.
type view struct {
	floor   uint64
	lengths []int64 // of the objects from the floor on, without their headers; the last one may be a claim
	litter  []objstore.Object
	bytes   int64
}

func (v *view) next() uint64 { return v.floor + uint64(len(v.lengths)) }

// open finds the journal's bounds, and claims its next slot.
func (j *Journal) open(ctx context.Context) error {
	err := errMoved
	for try := 0; try < openTries && errors.Is(err, errMoved); try++ {
		err = j.tryOpen(ctx)
	}
	return err
}

func (j *Journal) tryOpen(ctx context.Context) error {
	v, err := j.look(ctx)
	if err != nil {
		return err
	}
	if err := j.take(ctx, v); err != nil {
		return err
	}
	// Until the claim was there, the session before could trim. Beyond the claim it can have come only if the slot claimed was
	// free because it had been trimmed; then the claim says nothing.
	floor, err := j.storedFloor(ctx)
	if err != nil {
		return err
	}
	if floor > v.next() {
		return errMoved
	}
	j.adopt(v, max(floor, v.floor))
	return nil
}

// adopt makes what was seen ours, from a floor on.
func (j *Journal) adopt(v *view, floor uint64) {
	for ; v.floor < floor; v.floor++ {
		v.litter = append(v.litter, objstore.Object{Key: slotKey(v.floor), Bytes: headerBytes + v.lengths[0]})
		v.lengths = v.lengths[1:]
	}
	j.mu.floor, j.mu.lengths, j.mu.bytes = v.floor, v.lengths, v.bytes
	j.trimming.litter = v.litter
}

// look lists the journal. Slots come before floors in the listing, so that what is missing from the floor on was never there.
func (j *Journal) look(ctx context.Context) (*view, error) {
	objects, err := j.store.List(ctx, slotPrefix)
	if err != nil {
		return nil, err
	}
	v := &view{floor: highestFloor(objects)}
	for _, o := range objects {
		slot, isSlot := slotOf(o.Key, slotPrefix)
		_, isFloor := slotOf(o.Key, floorPrefix)
		switch {
		case isFloor && o.Key != floorKey(v.floor), isSlot && slot < v.floor:
			v.litter = append(v.litter, o)
		case !isSlot:
			continue
		case slot > v.next():
			return nil, damaged(v.next(), errors.New("the object is missing, and later ones are there"))
		case o.Bytes < headerBytes:
			return nil, damaged(slot, fmt.Errorf("it has %d bytes", o.Bytes))
		default:
			v.lengths = append(v.lengths, o.Bytes-headerBytes)
		}
		v.bytes += o.Bytes
	}
	return v, nil
}

// highestFloor is the floor that a listing shows.
func highestFloor(objects []objstore.Object) (floor uint64) {
	for _, o := range objects {
		if f, ok := slotOf(o.Key, floorPrefix); ok {
			floor = max(floor, f)
		}
	}
	return floor
}

// storedFloor asks the store for the floor.
func (j *Journal) storedFloor(ctx context.Context) (uint64, error) {
	objects, err := j.store.List(ctx, floorPrefix)
	return highestFloor(objects), err
}

// take puts our claim into the next slot of the journal, and completes the view by what others append until that is done.
func (j *Journal) take(ctx context.Context, v *view) error {
	found, err := j.lastSeen(ctx, v)
	if err != nil {
		return err
	}
	failures := 0
	for range claimTries {
		if found.kind == kindClaim && found.session == j.session {
			return j.hold(ctx, found.slot)
		}
		j.session.number = max(j.session.number, found.session.number+1)
		if err = j.putClaim(ctx, v, found); err != nil && !isCondition(err) {
			if failures++; failures == failureMax {
				return err
			}
		}
		if found, err = j.after(ctx, v, found); err != nil {
			return err
		}
	}
	return errors.New("another server appends faster than this one can claim a slot: stop one of them")
}

// isCondition tells that somebody was faster.
func isCondition(err error) bool {
	return errors.Is(err, objstore.ErrPrecondition) || errors.Is(err, objstore.ErrConflict)
}

// lastSeen returns the header of the newest object, of the floor if there is no other, and leaves a claim out of the view.
func (j *Journal) lastSeen(ctx context.Context, v *view) (header, error) {
	if len(v.lengths) == 0 {
		return j.floorHeader(ctx, v.floor)
	}
	h, err := j.header(ctx, v.next()-1)
	if errors.Is(err, objstore.ErrAbsent) {
		return h, errMoved
	}
	if h.kind == kindClaim {
		v.lengths = v.lengths[:len(v.lengths)-1]
		v.bytes -= headerBytes
	}
	return h, err
}

// floorHeader returns the header of the object of a floor, an empty one for a journal that has none.
func (j *Journal) floorHeader(ctx context.Context, floor uint64) (header, error) {
	b, err := j.store.Get(ctx, floorKey(floor))
	switch {
	case errors.Is(err, objstore.ErrAbsent) && floor == 0:
		return header{}, nil
	case errors.Is(err, objstore.ErrAbsent):
		return header{}, errMoved
	case err != nil:
		return header{}, err
	}
	h, err := decodeHeader(b)
	if err != nil {
		return h, fmt.Errorf("%s: %w: %w", floorKey(floor), journal.ErrDamaged, err)
	}
	return h, nil
}

// putClaim puts our claim into the next slot, in place of another one if that was found there.
func (j *Journal) putClaim(ctx context.Context, v *view, found header) error {
	slot := v.next()
	claim := appendObject(nil, header{kind: kindClaim, slot: slot, session: j.session, first: slot}, nil)
	if found.kind != kindClaim {
		return j.store.PutIfAbsent(ctx, slotKey(slot), claim)
	}
	b, version, err := j.store.GetVersion(ctx, slotKey(slot))
	if err != nil {
		return err
	}
	if h, err := decodeHeader(b); err != nil || h != found {
		return fmt.Errorf("%s is not what it was: %w", slotKey(slot), objstore.ErrPrecondition)
	}
	return j.store.PutIfMatch(ctx, slotKey(slot), claim, version)
}

// after returns what is in the next slot after we tried to claim it, or what was found before if that is nothing. What turns
// out to be an entry belongs to the view.
func (j *Journal) after(ctx context.Context, v *view, before header) (header, error) {
	h, err := j.header(ctx, v.next())
	switch {
	case errors.Is(err, objstore.ErrAbsent) && before.kind == kindClaim:
		return h, errMoved // somebody has replaced, and then trimmed it
	case errors.Is(err, objstore.ErrAbsent):
		return before, nil
	case err != nil:
		return h, err
	case h.kind == kindStone:
		return h, errMoved
	case h.kind == kindEntry:
		v.lengths = append(v.lengths, int64(h.length))
		v.bytes += headerBytes + int64(h.length)
	}
	return h, nil
}

// hold notes the version of our claim, which the first entry replaces.
func (j *Journal) hold(ctx context.Context, slot uint64) error {
	b, version, err := j.store.GetVersion(ctx, slotKey(slot))
	if err != nil {
		return err
	}
	if h, err := decodeHeader(b); err != nil || h.session != j.session {
		return errors.New("another server has claimed the journal at the same time: start one of them")
	}
	j.first, j.claim = slot, version
	return nil
}

// header reads the header of a slot's object.
func (j *Journal) header(ctx context.Context, slot uint64) (header, error) {
	b := make([]byte, headerBytes)
	err := j.store.GetRange(ctx, slotKey(slot), b, 0)
	switch {
	case errors.Is(err, objstore.ErrRange):
		return header{}, damaged(slot, errNotOurs)
	case err != nil:
		return header{}, err
	}
	h, err := decodeHeader(b)
	if err == nil && h.slot != slot {
		err = fmt.Errorf("it is the object of slot %d", h.slot)
	}
	if err != nil {
		return h, damaged(slot, err)
	}
	return h, nil
}
