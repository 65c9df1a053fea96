package server

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// TestBudgetOrder shows that claims which do not fit wait in their order, large ones before later small ones.
func TestBudgetOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(100)
		b.acquire(80, nil)
		var served atomic.Int32
		claim := func(n int64) {
			go func() {
				b.acquire(n, nil)
				served.Add(1)
			}()
			synctest.Wait()
		}
		claim(90)
		claim(10)
		if served.Load() != 0 {
			t.Fatal("a claim overtook an earlier one that waits")
		}
		b.release(80)
		synctest.Wait()
		if served.Load() != 2 || b.held() != 100 {
			t.Errorf("%d claims served, %d bytes held; want 2 and 100", served.Load(), b.held())
		}
	})
}

// TestBudgetGiveUp shows that a claim withdrawn leaves nothing behind and does not hold up those after it.
func TestBudgetGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(100)
		b.acquire(80, nil)
		done := make(chan struct{})
		large, small := true, false
		go func() { large = b.acquire(90, done) }()
		synctest.Wait()
		go func() { small = b.acquire(10, nil) }()
		synctest.Wait()
		close(done)
		synctest.Wait()
		if large || !small || b.held() != 90 {
			t.Errorf("large %v, small %v, %d bytes held; want false, true, 90", large, small, b.held())
		}
	})
}

// TestBudgetGrant shows that a grant shrinks to what is left, but not below what makes progress.
func TestBudgetGrant(t *testing.T) {
	b := newBudget(100)
	f := func(want, least, granted int64) {
		t.Helper()
		if got := b.grant(want, least); got != granted {
			t.Errorf("granted %d of %d, want %d", got, want, granted)
		}
	}
	f(60, 10, 60)
	f(60, 10, 40)
	f(60, 10, 10)
	f(5, 10, 5)
	if b.held() != 115 {
		t.Errorf("%d bytes held, want 115", b.held())
	}
}

// TestBudgetOversize shows that a claim larger than the budget is served when it is alone.
func TestBudgetOversize(t *testing.T) {
	b := newBudget(100)
	if !b.acquire(500, nil) || b.held() != 500 {
		t.Error("a lone claim over the budget was not served")
	}
}

// TestBudgetGrow shows that holders who cannot go on without more do not wait for each other for ever: one overdraws, at
// once and further, and the next one only after it has ended that. Without overdrawing both wait and the test deadlocks.
func TestBudgetGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(100)
		b.acquire(50, nil)
		b.acquire(50, nil)
		first, ok := b.grow(40, false, nil)
		if !first || !ok {
			t.Fatalf("the first to grow: overdrawn %v, granted %v", first, ok)
		}
		var second atomic.Bool
		go func() {
			b.grow(40, false, nil)
			second.Store(true)
		}()
		synctest.Wait()
		if second.Load() {
			t.Fatal("two holders have overdrawn")
		}
		if _, ok := b.grow(10, first, nil); !ok || b.held() != 150 {
			t.Fatalf("who has overdrawn grows on: granted %v, %d bytes held", ok, b.held())
		}
		b.endOverdraft()
		synctest.Wait()
		if !second.Load() {
			t.Error("the second holder still waits after the first has ended")
		}
	})
}

// TestBudgetGrowFirst shows that who holds a part comes before those who hold nothing.
func TestBudgetGrowFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(100)
		b.acquire(90, nil)
		b.acquire(10, nil)
		b.grow(10, false, nil) // takes the one overdraft
		var grown, begun atomic.Bool
		go func() { b.acquire(30, nil); begun.Store(true) }()
		synctest.Wait()
		go func() { b.grow(30, false, nil); grown.Store(true) }()
		synctest.Wait()
		b.release(40)
		synctest.Wait()
		if !grown.Load() || begun.Load() {
			t.Errorf("grown %v, begun %v; want the holder served and the newcomer waiting", grown.Load(), begun.Load())
		}
		b.release(70)
		synctest.Wait()
		if !begun.Load() {
			t.Error("the newcomer still waits although there is room")
		}
	})
}

// TestBudgetGrowOrder shows that holders who wait for more are served in the order they came.
func TestBudgetGrowOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(100)
		b.acquire(100, nil)
		b.grow(10, false, nil) // takes the one overdraft
		served := make(chan string, 2)
		for _, name := range []string{"first", "second"} {
			go func() { b.grow(40, false, nil); served <- name }()
			synctest.Wait()
		}
		b.release(50)
		synctest.Wait()
		if name := <-served; name != "first" || len(served) != 0 {
			t.Errorf("the %s to come is served, and %d more", name, len(served))
		}
		b.release(40)
		<-served
	})
}

// TestBudgetNeverExceeded shows, with many connections claiming at once, that the bound holds at every moment.
func TestBudgetNeverExceeded(t *testing.T) {
	b := newBudget(100)
	var inside atomic.Int64
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 500 {
				n := int64(10 + i*10)
				b.acquire(n, nil)
				if total := inside.Add(n); total > 100 {
					t.Errorf("%d bytes held at once", total)
				}
				inside.Add(-n)
				b.release(n)
			}
		})
	}
	wg.Wait()
	if b.held() != 0 {
		t.Errorf("%d bytes held at the end", b.held())
	}
}
