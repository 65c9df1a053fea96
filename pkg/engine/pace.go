package engine

import (
	"errors"
	"time"
)

// The archiver works for some time and then rests, several times as long, so that it takes a fifth of a core from clients; half
// a core while the journal is too large; and once that has outgrown its limit there is no rest.
const (
	workMax   = 20 * time.Millisecond
	restMax   = 200 * time.Millisecond
	restRatio = 4
)

// pace rests if it is time to.
func (a *archiver) pace() {
	worked := time.Since(a.paced)
	if worked < workMax {
		return
	}
	switch {
	case a.overgrown():
	case a.pressed():
		a.rest(min(worked, restMax))
	default:
		a.rest(min(restRatio*worked, restMax))
	}
	a.paced = time.Now()
}

// paceRows is after how many rows the archiver looks whether it is time for a rest.
const paceRows = 1024

// rest waits, unless the engine is closed meanwhile.
func (a *archiver) rest(d time.Duration) {
	select {
	case <-time.After(d):
	case <-a.stop:
	}
}

// errStopped says that work was left undone because the engine is being closed.
var errStopped = errors.New("stopped")
