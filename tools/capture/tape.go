package main

import (
	"errors"
	"sync"

	"github.com/heraclitus/heraclitus/tools/capture/frames"
)

// tape is what was recorded of a conversation, in the order in which it went through the relay.
type tape struct {
	mu struct {
		sync.Mutex
		frames      []frames.Frame
		connections int
		err         error
	}
}

// connection begins another connection and returns its number.
func (t *tape) connection() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mu.connections++
	return t.mu.connections
}

// add records a frame. It has to be called before the frame is passed on, so that an answer is never recorded before what it
// answers, whichever connections both are on.
func (t *tape) add(f frames.Frame) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mu.frames = append(t.mu.frames, f)
}

// fail keeps what went wrong.
func (t *tape) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mu.err = errors.Join(t.mu.err, err)
}

// end returns what was recorded, and what went wrong.
func (t *tape) end() ([]frames.Frame, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.mu.frames, t.mu.err
}
