package engine

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// unknownRetryWait is the pause before an entry whose outcome is unknown is appended again.
const unknownRetryWait = 100 * time.Millisecond

// leaderEpoch is the epoch of the only leader a partition has ever had.
const leaderEpoch = 0

// underWayMax is how many entries may be on their way into a journal that takes several.
const underWayMax = 4

// commitLoop is the committer: the only goroutine that appends to the journal and applies to the state. It ends when the
// writer is closed and empty.
func (e *Engine) commitLoop() {
	defer close(e.committed)
	var started time.Time
	for len(e.underWay) > 0 || !e.writer.ended() {
		select {
		case <-e.writer.work:
		case <-e.writer.full:
		case err := <-e.oldest():
			e.arrive(err)
		case done := <-e.seek:
			e.lookForRoom()
			close(done)
		}
		for e.mayCommit() {
			e.gather(started)
			started = time.Now()
			e.commit(e.writer.take())
		}
	}
}

// mayCommit says whether there is an entry to commit now. While others are under way one that is not full gathers on: it is
// there as soon as they are, and in a bucket each entry is paid for.
func (e *Engine) mayCommit() bool {
	if len(e.underWay) == 0 {
		return e.writer.waiting()
	}
	return len(e.underWay) < underWayMax && e.writer.ripe()
}

// gather waits, if the flush interval says so, until the interval since the last commit's start is over or an entry is
// full. A server at rest commits at once; a busy one commits at most once an interval.
func (e *Engine) gather(last time.Time) {
	wait := e.options.FlushInterval - time.Since(last)
	if wait <= 0 {
		return
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	for !e.writer.ripe() {
		select {
		case <-t.C:
			return
		case <-e.writer.full: // perhaps that of an entry that is gone
		case <-e.stop:
			return
		}
	}
}

// restrainWaitMax is the longest pause between two commits of records while the archiver is behind.
const restrainWaitMax = time.Second

// restrain waits when the journal has outgrown its limit, longer the further it has: producers are slowed down to what the
// archiver can take, well before there is no room left for either.
func (e *Engine) restrain(n *entry) {
	limit := e.options.JournalBytesMax
	over := e.journal.Size() - limit
	if over <= 0 || n.records == 0 {
		return
	}
	signal(e.archive)
	e.metrics.Restrained.Inc()
	wait := min(restrainWaitMax, time.Duration(float64(restrainWaitMax)*float64(over)/float64(limit/4)))
	select {
	case <-time.After(wait):
	case <-e.stop:
	}
}

// commit brings an entry on its way into the journal, and to the end of it where the journal takes one at a time.
func (e *Engine) commit(n *entry) {
	if err := e.Err(); err != nil {
		e.refuse(n.commands, err)
		e.writer.recycle(n)
		return
	}
	if e.fit(n); len(n.commands) == 0 {
		e.writer.recycle(n)
		return
	}
	n.slot, n.began = e.mu.state.Next()+uint64(len(e.underWay)), time.Now() // nobody but the committer changes the state
	if p, ok := e.journal.(journal.Pipeline); ok {
		e.begin(p, n)
		return
	}
	e.land(n, e.append(n))
}

// begin brings an entry on its way beside others.
func (e *Engine) begin(p journal.Pipeline, n *entry) {
	outcome := make(chan error, 1)
	n.outcome = outcome
	e.underWay = append(e.underWay, n)
	wait, err := p.Begin(n.slot, n.bytes)
	if err != nil {
		outcome <- err
		return
	}
	go func() { outcome <- wait() }()
}

// oldest tells the outcome of the oldest entry under way; nothing when there is none.
func (e *Engine) oldest() <-chan error {
	if len(e.underWay) == 0 {
		return nil
	}
	return e.underWay[0].outcome
}

// arrive lands the oldest entry under way. If its outcome is unknown, those that were begun after it have failed with it, and
// all are appended again, one after the other.
func (e *Engine) arrive(err error) {
	first := e.underWay[0]
	e.underWay = slices.Delete(e.underWay, 0, 1)
	if !errors.Is(err, journal.ErrUnknown) {
		e.land(first, err)
		return
	}
	for _, n := range e.underWay {
		<-n.outcome
	}
	e.land(first, e.appendAgain(first, err))
	for _, n := range e.underWay {
		e.land(n, e.append(n))
	}
	e.underWay = slices.Delete(e.underWay, 0, len(e.underWay))
}

// land makes an entry that is in the journal part of the state, or refuses it, and answers those who wait for it. After any
// error but a lack of space nothing is written any more.
func (e *Engine) land(n *entry, err error) {
	e.appends.Done(n.began, len(n.bytes), err)
	switch {
	case err == nil:
		err = e.apply(n.slot, n)
	case !errors.Is(err, journal.ErrNoSpace):
		err = fmt.Errorf("append entry %d of %d bytes to the journal: %w", n.slot, len(n.bytes), err)
		e.fail(err)
	}
	if err != nil {
		e.refuse(n.commands, err)
	} else {
		e.publish(n)
	}
	e.restrain(n)
	e.writer.recycle(n)
}

// append appends an entry until its outcome is known.
func (e *Engine) append(n *entry) error {
	if err := e.Err(); err != nil {
		return err
	}
	err := e.journal.Append(n.slot, n.bytes)
	if errors.Is(err, journal.ErrUnknown) {
		return e.appendAgain(n, err)
	}
	return err
}

// appendAgain appends the same bytes at the same slot until the outcome is definite. Only when the engine stops does it
// leave an outcome unknown, and then nothing else may be appended there: whoever opens the journal next finds out. Meanwhile
// the commands in the entries gathered so far wait, for as long as their clients let them, and others are refused.
func (e *Engine) appendAgain(n *entry, err error) error {
	e.noteStuck(n.slot, err)
	for {
		select {
		case <-time.After(unknownRetryWait):
		case <-e.stop:
			return err
		}
		if err = e.journal.Append(n.slot, n.bytes); !errors.Is(err, journal.ErrUnknown) {
			e.noteAnswer(err)
			return err
		}
	}
}

// noteStuck notes that the journal does not say what became of an entry.
func (e *Engine) noteStuck(slot uint64, err error) {
	e.log.Warn("journal entry has an unknown outcome: it is appended again until that is known", "slot", slot, "err", err)
	e.stuck.Store(&err)
	e.writer.setStuck(true)
}

// noteAnswer notes that it said so at last.
func (e *Engine) noteAnswer(err error) {
	e.stuck.Store(nil)
	e.writer.setStuck(false)
	if err == nil {
		e.log.Info("journal answers again")
	}
}

// apply folds a durable entry into the state and makes it readable.
func (e *Engine) apply(slot uint64, n *entry) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var err error
	e.results, err = e.mu.state.Apply(slot, n.bytes, e.results[:0])
	if err != nil {
		err = fmt.Errorf("BUG: our own journal entry does not apply: %w", err)
		e.fail(err)
		return err
	}
	for i, c := range n.commands {
		if r := &e.results[i]; c.batch > 0 && r.Code == kerr.None && !r.Duplicate {
			b := record.Batch(n.bytes[c.pos+state.ProduceHeaderBytes:])
			b.SetBaseOffset(r.Offset)
			b.SetLeaderEpoch(leaderEpoch)
		}
	}
	e.cache.add(slot, n.chunk, span{n.from, n.from + len(n.bytes)})
	return nil
}

// publish tells the world of an applied entry: waiting readers, those who appended, and the metrics.
func (e *Engine) publish(n *entry) {
	e.metrics.CommitSeconds.Update(time.Since(n.since).Seconds())
	removed := false
	for i := range n.commands {
		c, r := &n.commands[i], &e.results[i]
		switch {
		case c.removes:
			removed = true
		case c.batch > 0 && r.Code == kerr.None && !r.Duplicate:
			e.watches.wake(c.key, c.batch)
			e.countIn(c)
		}
	}
	if removed {
		e.noteRemoved()
	}
	e.finish(n.commands, func(i int) state.Result { return e.results[i] })
	e.metrics.CommitCommands.Update(float64(len(n.commands)))
	e.metrics.CommitBytes.Update(float64(len(n.bytes)))
	e.noteGrowth(len(n.bytes))
}

// noteRemoved lets waiting fetches see that records are gone, and has their space reclaimed if it is needed.
func (e *Engine) noteRemoved() {
	e.watches.wakeAll()
	if e.full.Load() {
		signal(e.reclaim)
	}
}

func (e *Engine) countIn(c *command) {
	e.metrics.MessagesIn.Add(c.records)
	e.metrics.BytesIn.Add(c.batch)
	e.metrics.BatchBytes.Update(float64(c.batch))
	e.metrics.BatchMessages.Update(float64(c.records))
	e.metrics.MessageBytes.Update(float64(c.batch) / float64(max(c.records, 1)))
}

// refuse answers those whose commands are not committed, with an error that clients retry.
func (e *Engine) refuse(commands []command, err error) {
	if errors.Is(err, journal.ErrNoSpace) {
		e.noteNoSpace(err)
	}
	e.finish(commands, func(int) state.Result { return refused(kerr.KafkaStorageError) })
}

// finish gives the commands of one entry their outcomes, and only then wakes those who wait: whoever wakes finds all that came
// of the entry, and a connection answers all its requests in it with one write.
func (e *Engine) finish(commands []command, outcome func(i int) state.Result) {
	e.woken = e.woken[:0]
	for i, c := range commands {
		if c.pending.finish(c.index, outcome(i)) {
			e.woken = append(e.woken, c.pending)
		}
	}
	for _, g := range e.woken {
		g.wake()
	}
	clear(e.woken)
}

func refused(code kerr.Code) state.Result {
	return state.Result{Code: code, Offset: -1, LogStart: -1, AppendMs: -1}
}
