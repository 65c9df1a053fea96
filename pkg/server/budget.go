package server

import (
	"slices"
	"sync"
)

// budget bounds bytes that many connections hold together: frames being read, responses not yet written.
//
// Whoever holds nothing waits until there is room. Whoever holds a part and cannot go on without more, such as a half-read
// frame, must not wait for others in the same position, or all would wait for ever: one holder at a time may overdraw. So
// no more is ever held than the budget and one largest frame.
type budget struct {
	max int64
	mu  struct {
		sync.Mutex
		used      int64
		overdrawn bool     // somebody has overdrawn, and not yet ended it
		waiting   []*claim // first those that hold something already, then the others; each in the order they came
	}
}

// claim is a request for bytes.
type claim struct {
	bytes     int64
	growing   bool          // by a holder of a part
	overdrawn bool          // granted by overdrawing
	ready     chan struct{} // closed once it is granted
}

func newBudget(max int64) *budget { return &budget{max: max} }

// acquire waits until n bytes fit, and takes them. It gives up, and says false, when done is closed. A claim larger than
// the whole budget fits when nothing else is held.
func (b *budget) acquire(n int64, done <-chan struct{}) bool {
	return b.tryAcquire(n) || b.wait(&claim{bytes: n}, done)
}

// tryAcquire is acquire where nobody has to wait, which is nearly always.
func (b *budget) tryAcquire(n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	fits := len(b.mu.waiting) == 0 && b.roomLocked(n)
	if fits {
		b.mu.used += n
	}
	return fits
}

// grow is acquire for a holder of a part. overdrawn says whether this holder has overdrawn, before and after; once it has, it
// no longer waits, and ends that with endOverdraft.
func (b *budget) grow(n int64, overdrawn bool, done <-chan struct{}) (nowOverdrawn, ok bool) {
	if overdrawn {
		b.take(n)
		return true, true
	}
	c := &claim{bytes: n, growing: true}
	ok = b.wait(c, done)
	return c.overdrawn, ok
}

// endOverdraft lets another holder overdraw.
func (b *budget) endOverdraft() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.overdrawn = false
	b.wakeLocked()
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

// full says whether more is held than should be, so that nothing new may be begun.
func (b *budget) full() bool { return b.held() > b.max }

// held is how many bytes are taken now.
func (b *budget) held() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mu.used
}

// wait waits until a claim is granted, or done is closed.
func (b *budget) wait(c *claim, done <-chan struct{}) bool {
	if b.join(c) {
		return true
	}
	select {
	case <-c.ready:
		return true
	case <-done:
		b.leave(c)
		return false
	}
}

// join grants a claim if its turn is now; else it queues it.
func (b *budget) join(c *claim) (granted bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	turn := len(b.mu.waiting)
	if newcomer := slices.IndexFunc(b.mu.waiting, func(w *claim) bool { return !w.growing }); c.growing && newcomer >= 0 {
		turn = newcomer
	}
	if turn == 0 && b.fitsLocked(c) {
		b.takeLocked(c)
		return true
	}
	c.ready = make(chan struct{})
	b.mu.waiting = slices.Insert(b.mu.waiting, turn, c)
	return false
}

// leave withdraws a claim, or gives back what it was granted in the meantime.
func (b *budget) leave(c *claim) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.mu.waiting, c); i >= 0 {
		b.mu.waiting = slices.Delete(b.mu.waiting, i, i+1)
	} else {
		b.mu.used -= c.bytes
		b.mu.overdrawn = b.mu.overdrawn && !c.overdrawn
		c.overdrawn = false
	}
	b.wakeLocked()
}

// wakeLocked grants the waiting claims whose turn it is by now.
func (b *budget) wakeLocked() {
	for len(b.mu.waiting) > 0 && b.fitsLocked(b.mu.waiting[0]) {
		c := b.mu.waiting[0]
		b.mu.waiting = slices.Delete(b.mu.waiting, 0, 1)
		b.takeLocked(c)
		close(c.ready)
	}
}

func (b *budget) roomLocked(n int64) bool { return b.mu.used+n <= b.max || b.mu.used == 0 }

func (b *budget) fitsLocked(c *claim) bool {
	return b.roomLocked(c.bytes) || c.growing && !b.mu.overdrawn
}

func (b *budget) takeLocked(c *claim) {
	if !b.roomLocked(c.bytes) {
		c.overdrawn, b.mu.overdrawn = true, true
	}
	b.mu.used += c.bytes
}
