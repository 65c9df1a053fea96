package file

import (
	"testing"
	"testing/synctest"
	"time"
)

// SparesMin files are made and filled ahead, each of them filled before the next one is made, so that Room tells of
// filled ones but for the last; trimmed ones count, and are kept as well.
func TestSparesAreFilledAhead(t *testing.T) {
	o := complete(Options{FileBytes: 1 << 20, EntryBytesMax: 100 << 10, SparesMin: 3, Log: small.Log})
	if o.SparesMax != 3 {
		t.Errorf("%d spares are kept", o.SparesMax)
	}
	p := newPool(newSimDisk(1), o, "sim", 0)
	for _, more := p.prepare(); more; _, more = p.prepare() {
		for _, s := range p.ready[:len(p.ready)-1] {
			if !s.isFilled() {
				t.Fatal("a spare is made before the one before it is filled")
			}
		}
	}
	if len(p.ready) != 3 || !p.ready[2].isFilled() || p.room.Load() < 2<<20 {
		t.Errorf("%d spares with room for %d bytes", len(p.ready), p.room.Load())
	}
	if _, err := p.takeNow(0); err != nil {
		t.Fatal(err)
	}
	if _, more := p.prepare(); !more || len(p.ready) != 3 {
		t.Errorf("%d spares after one is taken", len(p.ready))
	}
}

// Filling leaves the disk to entries while there are some, and only then.
func TestFillingRestsWhileEntriesAreAppended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(newSimDisk(1), complete(small), "sim", 0)
		f := func(want time.Duration) {
			t.Helper()
			if got := p.rest(time.Millisecond); got != want {
				t.Errorf("rests %v, want %v", got, want)
			}
		}
		f(0)
		p.appended()
		f(fillRest * time.Millisecond)
		time.Sleep(idleAfter)
		f(fillRest * time.Millisecond)
		time.Sleep(1)
		f(0)
	})
}
