package engine

import (
	"sync/atomic"
	"time"

	"github.com/heraclitus/heraclitus/pkg/state"
)

// Pending is a set of commands whose outcomes are awaited together, such as the batches of one produce request. The zero
// value is ready for Reset. It is used again only after a Wait that returned true.
type Pending struct {
	Results []state.Result // by the index given with each command; complete once Wait has returned true

	left atomic.Int32  // commands without an outcome, and one more until Wait
	done chan struct{} // signalled by the outcome that finds none left
	late *time.Timer   // of Wait; kept, because a new one each time costs more than the waiting
}

// Reset makes Pending ready for up to n commands. The results of those that are never appended stay as they are here:
// zero, which callers overwrite as they like.
func (p *Pending) Reset(n int) {
	p.Results = append(p.Results[:0], make([]state.Result, n)...)
	p.left.Store(1)
	if p.done == nil {
		p.done = make(chan struct{}, 1)
	}
}

// Wait waits until every command appended has its outcome. It gives up, and returns false, after timeout (0 waits for ever) or
// when stop is closed; outcomes may then still be written, and Pending must be dropped.
func (p *Pending) Wait(timeout time.Duration, stop <-chan struct{}) bool {
	if p.left.Add(-1) == 0 {
		return true
	}
	var late <-chan time.Time
	if timeout > 0 {
		late = p.after(timeout)
		defer p.late.Stop()
	}
	select {
	case <-p.done:
		return true
	case <-late:
	case <-stop:
	}
	return false
}

func (p *Pending) after(d time.Duration) <-chan time.Time {
	if p.late == nil {
		p.late = time.NewTimer(d)
	} else {
		p.late.Reset(d)
	}
	return p.late.C
}

// Ready says whether Wait would return at once. It must not be called after Wait.
func (p *Pending) Ready() bool { return p.left.Load() == 1 }

func (p *Pending) add() { p.left.Add(1) }

// finish gives command i its outcome, and says whether whoever waits for it has to be woken.
func (p *Pending) finish(i int, r state.Result) (last bool) {
	p.Results[i] = r
	return p.left.Add(-1) == 0
}

func (p *Pending) wake() { p.done <- struct{}{} }
