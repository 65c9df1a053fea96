package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// A journal that runs out of room refuses records first, together with everything that clients may do in any amount, then other
// commands, and last of all the commands that give space back: each kind leaves a reserve to those that follow.
const (
	recordReserveBytes  = 1 << 20
	commandReserveBytes = recordReserveBytes / 2
)

// roomCheckWait is how long a full engine waits before it looks for room again.
const roomCheckWait = time.Second

// removes says whether a command takes records away: it gives space back, and waiting fetches must hear of it.
func removes(c state.Command) bool {
	switch c.(type) {
	case state.DeleteTopic, state.MoveLogStart:
		return true
	}
	return false
}

// archives says whether a command says that records are archived, which gives back space of the journal, too.
func archives(c state.Command) bool {
	_, ok := c.(state.ReplaceSegments)
	return ok
}

// reserveBytes is how much room a command leaves in the journal.
func (c *command) reserveBytes() int64 {
	switch {
	case c.removes || c.archives:
		return 0
	case c.batch > 0 || c.bulk:
		return recordReserveBytes
	}
	return commandReserveBytes
}

// fit sees to it that an entry leaves the journal its reserves. Where it would not, the commands that have to leave the most are
// refused, until it does or nothing is left of it.
func (e *Engine) fit(n *entry) {
	for n.reserveBytes > 0 {
		err := e.journal.MakeRoom(int64(len(n.bytes)) + journal.EntryOverheadBytesMax + n.reserveBytes)
		if err == nil {
			return
		}
		e.refuse(n.shed(), err)
	}
}

// shed takes the commands that have to leave the largest reserve out of an entry that is not committed yet.
func (n *entry) shed() (gone []command) {
	all, bytes, largest := n.commands, n.bytes, n.reserveBytes
	n.commands, n.bytes, n.records, n.reserveBytes = all[:0], bytes[:0], 0, 0
	for i, c := range all {
		end := len(bytes)
		if i+1 < len(all) {
			end = all[i+1].pos
		}
		if c.reserveBytes() == largest {
			gone = append(gone, c)
			continue
		}
		from := c.pos
		c.pos = len(n.bytes)
		n.bytes = append(n.bytes, bytes[from:end]...)
		n.add(c)
	}
	return gone
}

// noteNoSpace notes that something was refused for lack of space. When an entry of the usual size has no room either, the engine
// is full: it refuses records without asking, and has space reclaimed.
func (e *Engine) noteNoSpace(err error) {
	switch {
	case e.roomy():
		e.log.Warn("storage has no room for a large entry, which is refused", "err", err)
	case e.full.CompareAndSwap(false, true):
		e.log.Error("storage is full: produce is refused until there is room", "err", err)
		signal(e.reclaim)
	}
}

// roomy says whether an entry of the usual size has room. Only the committer may ask: only it makes room in the journal.
func (e *Engine) roomy() bool {
	return e.journal.MakeRoom(int64(e.options.EntryBytesMax)+journal.EntryOverheadBytesMax+recordReserveBytes) == nil
}

// lookForRoom has records accepted again when there is room.
func (e *Engine) lookForRoom() {
	if e.Err() == nil && e.full.Load() && e.roomy() {
		e.full.Store(false)
		e.log.Info("storage has room again: produce is accepted")
	}
}

// seekRoom has the committer look for room if the engine is full, and returns when that is done.
func (e *Engine) seekRoom() {
	if !e.full.Load() {
		return
	}
	done := make(chan struct{})
	select {
	case e.seek <- done:
		<-done
	case <-e.committed:
	}
}

// Ready returns why records are not accepted now, or nil.
func (e *Engine) Ready() error {
	if err := e.Err(); err != nil {
		return err
	}
	if e.full.Load() {
		return errors.New("storage is full: produce is refused until there is room")
	}
	if err := e.stuck.Load(); err != nil {
		return fmt.Errorf("storage does not answer: %w", *err)
	}
	return nil
}
