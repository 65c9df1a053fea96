package engine

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestShelfReadsOnce has many ask for one thing at once: it is read once, and all get it.
func TestShelfReadsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(100)
		var reads, found atomic.Int32
		read := func() (any, int64, error) {
			reads.Add(1)
			time.Sleep(time.Second)
			return "thing", 10, nil
		}
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				v, there, err := s.get(shelfKey{1, 2}, read)
				if v != "thing" || err != nil {
					t.Errorf("got %v, %v", v, err)
				}
				if there {
					found.Add(1)
				}
			})
		}
		all.Wait()
		if reads.Load() != 1 || found.Load() != 19 || s.bytes() != 10 || !s.has(shelfKey{1, 2}) || s.has(shelfKey{2, 1}) {
			t.Errorf("%d reads, %d found it, %d bytes", reads.Load(), found.Load(), s.bytes())
		}
	})
}

// TestShelfForgets shows that what was asked for longest ago goes first, that the newest stays even if it is too large, and that
// a failure is not kept.
func TestShelfForgets(t *testing.T) {
	s := newShelf(100)
	f := func(part, bytes int64, want bool) {
		t.Helper()
		_, found, err := s.get(shelfKey{1, part}, func() (any, int64, error) { return part, bytes, nil })
		if err != nil || found != want {
			t.Errorf("part %d: found %v, %v", part, found, err)
		}
	}
	f(1, 40, false)
	f(2, 40, false)
	f(1, 40, true)
	f(3, 40, false) // in the place of 2
	f(1, 40, true)
	f(2, 40, false) // in the place of 3
	f(4, 500, false)
	if s.bytes() != 500 || s.has(shelfKey{1, 1}) || !s.has(shelfKey{1, 4}) {
		t.Errorf("%d bytes", s.bytes())
	}
	failure := errors.New("lost")
	for range 2 {
		if _, found, err := s.get(shelfKey{2, 1}, func() (any, int64, error) { return nil, 0, failure }); found || err != failure {
			t.Errorf("found %v, %v", found, err)
		}
	}
}

// TestSmallSegmentsTakeLittle reads segments of a few records, of which many are to have a place on the shelf. Each took 2 MiB once.
func TestSmallSegmentsTakeLittle(t *testing.T) {
	r := newRig(t, Options{})
	id := r.create("orders", 1, forEver, atOnce)
	for i := range mergeCount - 1 {
		r.produce(id, batchOf(fmt.Sprint(i)))
		r.archive()
	}
	if got := r.values(id, 0); len(got) != mergeCount-1 {
		t.Fatalf("read %q", got)
	}
	if got := r.past.shelf.bytes(); got > (mergeCount-1)*(16<<10) {
		t.Errorf("%d bytes on the shelf", got)
	}
}
