package server

import (
	"slices"
	"sync"
)

// budget bounds bytes that many connections hold together: frames being read, responses not yet written.
type budget struct {
	max int64
	mu  struct {
		sync.Mutex
		used    int64
		waiting []*waiter // first come, first served: a large claim is not starved by small ones
	}
}

// waiter is a claim that did not fit.
type waiter struct {
	bytes int64
	ready chan struct{} // closed once the bytes are the waiter's
}

func newBudget(max int64) *budget { return &budget{max: max} }

// acquire waits until n more bytes fit, and takes them. It gives up, and says false, when done is closed. A claim larger
// than the whole budget fits when nothing else is held.
func (b *budget) acquire(n int64, done <-chan struct{}) bool {
	w := b.join(n)
	if w == nil {
		return true
	}
	select {
	case <-w.ready:
		return true
	case <-done:
		b.leave(w)
		return false
	}
}

// take takes n bytes that are held already, whether they fit or not. A negative n gives bytes back.
func (b *budget) take(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.used += n
	b.wakeLocked()
}

// release gives n bytes back.
func (b *budget) release(n int64) { b.take(-n) }

// grant takes what is left, at most want and at least least bytes, and says how many that were.
func (b *budget) grant(want, least int64) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	granted := min(want, max(least, b.max-b.mu.used))
	b.mu.used += granted
	return granted
}

// held is how many bytes are taken now.
func (b *budget) held() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mu.used
}

// join takes n bytes if they fit and nobody waits already; else it queues a waiter for them.
func (b *budget) join(n int64) *waiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.mu.waiting) == 0 && b.fitsLocked(n) {
		b.mu.used += n
		return nil
	}
	w := &waiter{bytes: n, ready: make(chan struct{})}
	b.mu.waiting = append(b.mu.waiting, w)
	return w
}

// leave withdraws a claim, or gives back what it was granted in the meantime.
func (b *budget) leave(w *waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.mu.waiting, w); i >= 0 {
		b.mu.waiting = slices.Delete(b.mu.waiting, i, i+1)
	} else {
		b.mu.used -= w.bytes
	}
	b.wakeLocked()
}

func (b *budget) fitsLocked(n int64) bool { return b.mu.used+n <= b.max || b.mu.used == 0 }

// wakeLocked grants the waiting claims that fit by now, in their order.
func (b *budget) wakeLocked() {
	for len(b.mu.waiting) > 0 && b.fitsLocked(b.mu.waiting[0].bytes) {
		w := b.mu.waiting[0]
		b.mu.waiting = slices.Delete(b.mu.waiting, 0, 1)
		b.mu.used += w.bytes
		close(w.ready)
	}
}
