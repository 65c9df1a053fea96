package s3

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/objstore"
)

const (
	openTries  = 10   // of looking again, because the journal was trimmed or written meanwhile
	claimTries = 1000 // of claiming a slot: one for each entry that the session before gets in, or each call that fails
	failureMax = 20   // of them that fail for other reasons than that somebody was faster
)

// errMoved tells that the journal was trimmed beyond what was seen of it.
var errMoved = errors.New("it is being trimmed by another server faster than it can be opened")

// A view is what a listing shows of the journal.
type view struct {
	floor   uint64
	lengths []int64 // of the entries from the floor on
	litter  []objstore.Object
	bytes   int64
}

func (v *view) next() uint64 { return v.floor + uint64(len(v.lengths)) }

// open finds the journal's bounds, and claims its next slot.
func (j *Journal) open(ctx context.Context) error {
	err := errMoved
	for try := 0; try < openTries && mayPass(err); try++ {
		err = j.tryOpen(ctx)
	}
	return err
}

// mayPass tells whether another look may find what err says to be missing. While a server writes, a listing may miss an
// object and show a later one: so what looks like damage is looked at again as well.
func mayPass(err error) bool {
	return errors.Is(err, errMoved) || errors.Is(err, journal.ErrDamaged)
}

func (j *Journal) tryOpen(ctx context.Context) error {
	v, err := j.look(ctx)
	if err != nil {
		return err
	}
	if err := j.take(ctx, v); err != nil {
		return err
	}
	// Until the claim was there, the session before could trim. Beyond the claim it can have come only if the slot
	// claimed was free because it had been trimmed; then the claim says nothing.
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

// look lists the journal. Slots come before floors in the listing: whatever it shows from its floor on was not
// trimmed when it was listed, and what it misses there was not there.
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
		case slot >= v.next()+pipelineMax:
			return nil, damaged(v.next(), errors.New("the object is missing, and later ones are there"))
		case slot > v.next():
			if err := j.mustBeLeft(ctx, slot, v.next()); err != nil {
				return nil, err
			}
			continue
		case o.Bytes < headerBytes:
			return nil, damaged(slot, fmt.Errorf("it has %d bytes", o.Bytes))
		default:
			v.lengths = append(v.lengths, o.Bytes-headerBytes)
		}
		v.bytes += o.Bytes
	}
	return v, nil
}

// mustBeLeft makes sure that the object of a slot beyond a free one was under way together with what should be there,
// and was left by a session that was ended, or that died.
func (j *Journal) mustBeLeft(ctx context.Context, slot, free uint64) error {
	h, err := j.header(ctx, slot)
	switch {
	case errors.Is(err, objstore.ErrAbsent):
		return errMoved
	case err == nil && slot-free > uint64(h.behind):
		return damaged(free, errors.New("the object is missing, and later ones are there"))
	}
	return err
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

// An end is where the journal ends, as it is found.
type end struct {
	last header // of the last entry, or of the floor if there is none
	free bool   // nothing is in the slot after it
	next header // what is there otherwise: a claim, or what a session left that was ended
}

// take puts our claim into the next slot of the journal, and completes the view by what others append until that is done.
func (j *Journal) take(ctx context.Context, v *view) error {
	e, err := j.findEnd(ctx, v)
	if err != nil {
		return err
	}
	failures := 0
	for range claimTries {
		if !e.free && e.next.kind == kindClaim && e.next.session == j.session {
			return j.hold(ctx, e.next)
		}
		j.session.number = max(j.session.number, e.last.session.number+1, e.next.session.number+1)
		if err = j.putClaim(ctx, v.next(), e); err != nil && !isCondition(err) {
			if failures++; failures == failureMax {
				return err
			}
		}
		if e, err = j.after(ctx, v, e); err != nil {
			return err
		}
	}
	return errors.New("another server appends faster than this one can claim a slot: stop one of them")
}

// isCondition tells that somebody was faster.
func isCondition(err error) bool {
	return errors.Is(err, objstore.ErrPrecondition) || errors.Is(err, objstore.ErrConflict)
}

// findEnd finds the end of the journal, and leaves what lies beyond out of the view. That is a claim, or what a
// session left that was ended; as many objects as may be under way can be of that kind.
func (j *Journal) findEnd(ctx context.Context, v *view) (end, error) {
	first := v.next() - min(uint64(len(v.lengths)), pipelineMax+1)
	headers, err := j.headers(ctx, first, v.next())
	if err != nil {
		return end{}, err
	}
	e := end{free: true}
	if first == v.floor {
		if e.last, err = j.floorHeader(ctx, v.floor); err != nil {
			return e, err
		}
	}
	for i, h := range headers {
		if h.kind == kindStone {
			return e, errMoved
		}
		if h.kind == kindClaim || h.session.number < e.last.session.number {
			v.cut(first + uint64(i))
			return end{last: e.last, next: h}, nil
		}
		e.last = h
	}
	return e, nil
}

// cut ends the view before a slot that holds no entry.
func (v *view) cut(slot uint64) {
	for v.next() > slot {
		v.bytes -= headerBytes + v.lengths[len(v.lengths)-1]
		v.lengths = v.lengths[:len(v.lengths)-1]
	}
}

// headers reads the headers of slots, at the same time.
func (j *Journal) headers(ctx context.Context, from, to uint64) ([]header, error) {
	headers, errs := make([]header, to-from), make([]error, to-from)
	var all sync.WaitGroup
	for i := range headers {
		all.Go(func() { headers[i], errs[i] = j.header(ctx, from+uint64(i)) })
	}
	all.Wait()
	err := errors.Join(errs...)
	if errors.Is(err, objstore.ErrAbsent) {
		return nil, errMoved
	}
	return headers, err
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

// putClaim puts our claim into a slot, in place of what was found there.
func (j *Journal) putClaim(ctx context.Context, slot uint64, e end) error {
	claim := appendObject(nil, header{kind: kindClaim, slot: slot, session: j.session}, nil)
	if e.free {
		return j.store.PutIfAbsent(ctx, slotKey(slot), claim)
	}
	version, err := j.version(ctx, e.next)
	if err != nil {
		return err
	}
	return j.store.PutIfMatch(ctx, slotKey(slot), claim, version)
}

// version returns the version of a slot's object. ErrPrecondition when it no longer has this header.
func (j *Journal) version(ctx context.Context, is header) (objstore.Version, error) {
	b, version, err := j.store.GetVersion(ctx, slotKey(is.slot))
	if err != nil {
		return "", err
	}
	if h, err := decodeHeader(b); err != nil || h != is {
		return "", fmt.Errorf("%s is not what it was: %w", slotKey(is.slot), objstore.ErrPrecondition)
	}
	return version, nil
}

// after returns where the journal ends after we tried to claim its next slot. What turns out to be an entry belongs
// to the view.
func (j *Journal) after(ctx context.Context, v *view, before end) (end, error) {
	h, err := j.header(ctx, v.next())
	switch {
	case errors.Is(err, objstore.ErrAbsent) && !before.free, err == nil && h.kind == kindStone:
		return before, errMoved // somebody has replaced it, and then trimmed
	case errors.Is(err, objstore.ErrAbsent):
		return before, nil
	case err != nil:
		return before, err
	case h.kind == kindEntry && h.session.number >= before.last.session.number:
		v.lengths = append(v.lengths, int64(h.length))
		v.bytes += headerBytes + int64(h.length)
		return end{last: h, free: true}, nil
	}
	return end{last: before.last, next: h}, nil
}

// hold notes the version of our claim, which the first entry replaces.
func (j *Journal) hold(ctx context.Context, claim header) (err error) {
	j.first = claim.slot
	if j.claim, err = j.version(ctx, claim); isCondition(err) {
		return errors.New("another server has claimed the journal at the same time: start one of them")
	}
	return err
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
