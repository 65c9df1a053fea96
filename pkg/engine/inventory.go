package engine

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/heraclitus/heraclitus/pkg/state"
)

// What segments there are says the state; what objects there are, the store. The archiver keeps an inventory of the objects, from
// one listing at its start and from what it writes itself, and sweeps away those that the state does not speak of: of
// topics that are deleted, of records that retention let go, of segments that were merged, and what a crash left.
//
// That is safe without asking how old an object is. Nobody but this archiver writes segments: where another server could, on a
// bucket, our first entry has fenced it off before the listing, and what it still writes no entry of its own can make count.

// sweepInterval is how often the state is gone through for objects that it does not speak of any more.
const sweepInterval = 10 * time.Second

// segmentKey is what the keys of segments look like. Other objects beside them are left alone.
var segmentKey = regexp.MustCompile(`^` + state.SegmentsPrefix + `[^/]+/partition=[0-9]+/[0-9]{20}-[0-9]{20}-[0-9a-f]{16}\.parquet$`)

// IsSegmentKey says whether an object is a segment by its key: whether it goes when the state does not speak of it.
func IsSegmentKey(key string) bool { return segmentKey.MatchString(key) }

// list takes the inventory.
func (a *archiver) list() error {
	objects, err := a.store.List(context.Background(), state.SegmentsPrefix)
	if err != nil {
		return fmt.Errorf("list segments: %w", err)
	}
	a.known = map[string]struct{}{}
	for _, o := range objects {
		if IsSegmentKey(o.Key) {
			a.known[o.Key] = struct{}{}
		}
	}
	return nil
}

// sweepSometimes sweeps when it is time to, and takes the inventory first if there is none.
func (a *archiver) sweepSometimes() error {
	if time.Since(a.swept) < sweepInterval {
		return nil
	}
	if a.known == nil {
		if err := a.list(); err != nil {
			return err
		}
	}
	return a.sweep()
}

// sweepLast leaves no garbage behind when the server stops: who reads the objects as a table then finds no record twice.
func (a *archiver) sweepLast() {
	if a.known == nil {
		return
	}
	if err := a.sweep(); err != nil {
		a.log.Warn("objects that are not needed stay until the next start", "err", err)
	}
}

// sweep deletes the objects that the state does not speak of.
func (a *archiver) sweep() error {
	spokenOf := a.segmentKeys()
	if err := a.Err(); err != nil {
		return nil // what the journal holds is not known
	}
	for key := range a.known {
		if _, ok := spokenOf[key]; ok {
			continue
		}
		if err := a.store.Delete(context.Background(), key); err != nil {
			return fmt.Errorf("delete %s, which is not needed any more: %w", key, err)
		}
		delete(a.known, key)
	}
	a.swept = time.Now()
	return nil
}

// segmentKeys returns the keys of all segments.
func (e *Engine) segmentKeys() map[string]struct{} {
	keys := map[string]struct{}{}
	e.mu.RLock()
	defer e.mu.RUnlock()
	for t := range e.mu.state.Topics() {
		for i, p := range t.Partitions {
			for g := range p.Segments(0) {
				keys[g.Key(t.Name, int32(i))] = struct{}{}
			}
		}
	}
	return keys
}
