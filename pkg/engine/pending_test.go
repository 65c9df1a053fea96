package engine

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// TestPending shows when outcomes are waited for, in vain, not at all, and again: they come to the Pending that they belong to.
func TestPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		id := r.create("orders", 1, forEver)
		g := new(Pending)
		f := func(n int, timeout time.Duration, stop <-chan struct{}, hold, ready, want bool) {
			t.Helper()
			release := func() {}
			if hold {
				release = r.journal.hold()
			}
			g.Reset(n)
			for i := range n {
				r.AppendBatch(g, i, id, 0, batchOf("a"))
			}
			synctest.Wait()
			if got := g.Ready(); got != ready {
				t.Errorf("%d batches: ready %v", n, got)
			}
			if got := g.Wait(timeout, stop); got != want {
				t.Errorf("%d batches: waited %v", n, got)
			}
			for i, result := range g.Results {
				if want && (result.Code != kerr.None || result.Offset < 0) {
					t.Errorf("batch %d of %d: %+v", i, n, result)
				}
			}
			if release(); !want {
				g = new(Pending) // as who gave up must
				synctest.Wait()
			}
		}
		stopped := make(chan struct{})
		close(stopped)
		f(0, 0, nil, false, true, true)
		f(3, 0, nil, false, true, true)
		f(3, time.Second, nil, true, false, false)
		f(3, time.Second, nil, false, true, true)
		f(3, 0, stopped, true, false, false)
		f(1, time.Second, stopped, false, true, true)
		start := time.Now()
		f(1, time.Second, nil, true, false, false)
		f(1, 2*time.Second, nil, true, false, false)
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("gave up after %v", took)
		}
	})
}

// TestPendingIsUsedAgain uses one Pending over and over while outcomes come from another goroutine.
func TestPendingIsUsedAgain(t *testing.T) {
	r := newRig(t, Options{})
	id := r.create("orders", 1, forEver)
	var g Pending
	next := int64(0)
	for i := range 500 {
		n := i % 4
		g.Reset(n)
		for j := range n {
			r.AppendBatch(&g, j, id, 0, batchOf("a"))
		}
		if !g.Wait(time.Hour, nil) {
			t.Fatal("gave up")
		}
		for _, result := range g.Results {
			if result.Offset != next {
				t.Fatalf("offset %d, want %d", result.Offset, next)
			}
			next++
		}
	}
	if _, err := r.Do(state.DeleteTopic{ID: id}); err != nil {
		t.Error(err)
	}
}
