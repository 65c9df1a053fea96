package engine

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// The state says what segments there are; the store, what objects there are. The archiver keeps an inventory of the objects, from
// one listing at its start and from what it writes itself, and sweeps away those that the state does not speak of: objects of
// topics that were deleted, of records that retention let go, of segments that were merged, and what a crash left.
//
// That is safe without asking how old an object is. Nobody but this archiver writes segments: where another server could, in a
// bucket, our first entry fenced it off before the listing, and no entry of its own can make count what it still writes. And where
// another server has fenced us off, which we notice with our next entry only, what it writes is not in our inventory: when the state does
// not speak of all that was listed, an entry of ours that is taken after the listing says that there was no such server by then.

// sweepInterval is how often the archiver goes through the state for objects that it does not speak of any more.
const sweepInterval = 10 * time.Second

// segmentKey is what the keys of segments look like. Other objects are left alone.
var segmentKey = regexp.MustCompile(`^` + state.SegmentsPrefix + `[^/]+/partition=[0-9]+/[0-9]{20}-[0-9]{20}-[0-9a-f]{16}\.parquet$`)

// IsSegmentKey says whether an object is a segment by its key, and is deleted when the state does not speak of it.
func IsSegmentKey(key string) bool { return segmentKey.MatchString(key) }

// list takes the inventory.
func (a *archiver) list() error {
	objects, err := a.store.List(a.ctx, state.SegmentsPrefix)
	if err != nil {
		return fmt.Errorf("list segments: %w", err)
	}
	found := map[uint64]string{}
	for _, o := range objects {
		if unique, ok := uniqueOf(o.Key); ok {
			found[unique] = o.Key
		}
	}
	if len(a.unspoken(found)) > 0 {
		if err := a.stillWrites(); err != nil {
			return fmt.Errorf("list segments: %w", err)
		}
	}
	maps.Copy(a.known, found)
	a.listed = true
	return nil
}

// unspoken returns those of some objects that the state does not speak of.
func (a *archiver) unspoken(objects map[uint64]string) map[uint64]string {
	left := maps.Clone(objects)
	a.eachPartition(func(_ *state.Topic, _ int32, p *state.Partition) {
		for g := range p.Segments(0) {
			delete(left, g.Unique)
		}
	})
	return left
}

// stillWrites appends an entry that changes nothing, and fails when the journal does not take it, as when another server has taken it over.
func (a *archiver) stillWrites() error {
	var g Pending
	g.Reset(1)
	a.writer.appendCommand(command{pending: &g, archives: true}, state.ExpireProducers{BeforeMs: math.MinInt64})
	g.Wait(0, nil)
	if code := g.Results[0].Code; code != kerr.None {
		return fmt.Errorf("write an entry: %w", code)
	}
	return nil
}

// uniqueOf returns what tells a segment apart, from its key; false when it is not the key of a segment.
func uniqueOf(key string) (uint64, bool) {
	if !IsSegmentKey(key) {
		return 0, false
	}
	digits := strings.TrimSuffix(key, ".parquet")
	unique, err := strconv.ParseUint(digits[len(digits)-16:], 16, 64)
	return unique, err == nil
}

// sweepSometimes sweeps when it is time to, and takes the inventory first if there is none. A failure is logged and holds up
// nothing else: the next sweep tries again.
func (a *archiver) sweepSometimes() error {
	if time.Since(a.swept) < sweepInterval {
		return nil
	}
	a.swept = time.Now()
	var err error
	if !a.listed {
		err = a.list()
	}
	if err = errors.Join(err, a.sweep()); err != nil && !a.stopped() {
		a.log.Error("clean up what is not needed any more, to be tried again", "in", sweepInterval, "err", err)
	}
	return err
}

// sweepLast leaves no garbage behind when the server stops: whoever reads the objects as a table then finds no record twice.
func (a *archiver) sweepLast() {
	a.ctx = a.upkeep.ctx // its own has ended
	if err := a.sweep(); err != nil {
		a.log.Warn("objects that are not needed stay until the next start", "err", err)
	}
}

// sweep deletes the objects that the state does not speak of. It must not be called while there are stored segments that the
// state has not been told of. It tries all, and returns the first error.
func (a *archiver) sweep() (err error) {
	garbage := a.unspoken(a.known)
	if a.Err() != nil || len(garbage) == 0 {
		return nil // what the journal holds is not known, or nothing is to go
	}
	if err := a.sync(); err != nil { // a power cut must not bring back a state that speaks of them
		return err
	}
	for unique := range garbage {
		if failed := a.drop(unique); failed != nil && err == nil {
			err = failed
		}
		if a.ctx.Err() != nil {
			break
		}
	}
	return err
}

// drop deletes an object.
func (a *archiver) drop(unique uint64) error {
	key := a.known[unique]
	if err := a.store.Delete(a.ctx, key); err != nil {
		return fmt.Errorf("delete %s, which is not needed any more: %w", key, err)
	}
	delete(a.known, unique)
	return nil
}

// remove deletes the objects that a command has replaced. What cannot be deleted now is left to the next sweep.
func (a *archiver) remove(c state.ReplaceSegments) {
	if a.sync() != nil { // as in sweep
		return
	}
	for _, unique := range c.Replaces {
		stays := func(g state.Segment) bool { return g.Unique == unique }
		if !slices.ContainsFunc(c.Segments, stays) && a.known[unique] != "" {
			a.drop(unique)
		}
	}
}
