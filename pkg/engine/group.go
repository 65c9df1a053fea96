package engine

import (
	"sync/atomic"
	"time"

	"github.com/heraclitus/heraclitus/pkg/state"
)

// Group is a set of commands whose outcomes are awaited together, such as the batches of one produce request. The zero
// value is ready for Reset. A group is used again only after a Wait that returned true.
type Group struct {
	Results []state.Result // by the index given with each command; complete once Wait has returned true

	left atomic.Int32  // commands without an outcome, and one more until Wait
	done chan struct{} // signalled by the outcome that finds none left
	late *time.Timer   // of Wait; kept, because a new one each time costs more than the waiting
}

// Reset makes the group ready for up to n commands. The results of those that are never appended stay as they are here:
// zero, which callers overwrite as they like.
func (g *Group) Reset(n int) {
	g.Results = append(g.Results[:0], make([]state.Result, n)...)
	g.left.Store(1)
	if g.done == nil {
		g.done = make(chan struct{}, 1)
	}
}

// Wait waits until every command appended has its outcome. It gives up, and returns false, after timeout (0 waits for ever) or
// when stop is closed; outcomes may then still be written, and the group must be dropped.
func (g *Group) Wait(timeout time.Duration, stop <-chan struct{}) bool {
	if g.left.Add(-1) == 0 {
		return true
	}
	var late <-chan time.Time
	if timeout > 0 {
		late = g.after(timeout)
		defer g.late.Stop()
	}
	select {
	case <-g.done:
		return true
	case <-late:
	case <-stop:
	}
	return false
}

func (g *Group) after(d time.Duration) <-chan time.Time {
	if g.late == nil {
		g.late = time.NewTimer(d)
	} else {
		g.late.Reset(d)
	}
	return g.late.C
}

// Ready says whether Wait would return at once. It must not be called after Wait.
func (g *Group) Ready() bool { return g.left.Load() == 1 }

func (g *Group) add() { g.left.Add(1) }

// finish gives command i its outcome, and says whether whoever waits for the group has to be woken.
func (g *Group) finish(i int, r state.Result) (last bool) {
	g.Results[i] = r
	return g.left.Add(-1) == 0
}

func (g *Group) wake() { g.done <- struct{}{} }
