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

// TestLRUReadsOnce has many ask for one item at once: it is read once, and all get it.
func TestLRUReadsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newLRU(100)
		var reads, found atomic.Int32
		read := func() (any, int64, error) {
			reads.Add(1)
			time.Sleep(time.Second)
			return "item", 10, nil
		}
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				v, there, err := c.get(lruKey{1, 2}, read)
				if v != "item" || err != nil {
					t.Errorf("got %v, %v", v, err)
				}
				if there {
					found.Add(1)
				}
			})
		}
		all.Wait()
		if reads.Load() != 1 || found.Load() != 19 || c.bytes() != 10 || !c.has(lruKey{1, 2}) || c.has(lruKey{2, 1}) {
			t.Errorf("%d reads, %d found it, %d bytes", reads.Load(), found.Load(), c.bytes())
		}
	})
}

// TestLRUForgets shows that the least recently used item goes first, that the newest stays even if it is too large, and that a
// failure is not kept.
func TestLRUForgets(t *testing.T) {
	c := newLRU(100)
	f := func(part, bytes int64, want bool) {
		t.Helper()
		_, found, err := c.get(lruKey{1, part}, func() (any, int64, error) { return part, bytes, nil })
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
	if c.bytes() != 500 || c.has(lruKey{1, 1}) || !c.has(lruKey{1, 4}) {
		t.Errorf("%d bytes", c.bytes())
	}
	failure := errors.New("lost")
	for range 2 {
		if _, found, err := c.get(lruKey{2, 1}, func() (any, int64, error) { return nil, 0, failure }); found || err != failure {
			t.Errorf("found %v, %v", found, err)
		}
	}
}

// TestSmallSegmentsTakeLittle reads segments of a few records, many of which must fit in the cache. Each took 2 MiB once.
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
	if got := r.past.cache.bytes(); got > (mergeCount-1)*(16<<10) {
		t.Errorf("%d bytes in the cache", got)
	}
}
