package engine

import (
	"bytes"
	"context"
	"errors"
	"time"
)

// The archiver takes records out of the journal. In the background it writes what has gathered there of a partition into a
// segment, a Parquet object (archive.go), and has the state put the segment in the place of the extents, so that nothing keeps
// the journal from being trimmed. It also merges small segments (merge.go), compacts (compact.go), and sweeps away objects that
// are not needed any more (inventory.go).
//
// The order of things makes a crash harmless at any moment: the object is written and read back, then an entry says that it
// counts, and only then is the journal trimmed, after a checkpoint. An object that no entry speaks of is garbage, which the
// next start sweeps away at the latest.

// archiver is what the archiver keeps between two jobs. It is one goroutine's.
type archiver struct {
	*Engine
	ctx      context.Context   // of its calls of the store
	out      bytes.Buffer      // the segment being written
	stored   []stored          // segments that the state has not been told of yet
	known    map[uint64]string // keys of the objects there may be, by the segment's Unique
	listed   bool              // known has what there was at the start
	swept    time.Time
	surveyed time.Duration // what the last survey took
	paced    time.Time     // when the work since the last rest began
	troubles map[Key]trouble
}

func newArchiver(e *Engine) *archiver {
	return &archiver{Engine: e, ctx: e.past.ctx, known: map[uint64]string{}, troubles: map[Key]trouble{}}
}

const (
	archiveRetryWait = 5 * time.Second // the pause after something failed: a disk without room, a bucket that does not answer
	outKeptBytesMax  = 1 << 20         // memory for segments that is kept while there is nothing to do
)

// archiveLoop archives, merges, compacts and sweeps until the engine is closed.
func (e *Engine) archiveLoop() {
	defer close(e.archived)
	a := newArchiver(e)
	wait := time.NewTimer(e.options.ArchiveCheck)
	defer wait.Stop()
	for {
		select {
		case <-e.stop:
			a.sweepLast()
			return
		case <-wait.C:
		case <-e.archive:
		}
		if a.work() != nil {
			a.rest(archiveRetryWait)
		}
		if a.out.Cap() > outKeptBytesMax {
			a.out = bytes.Buffer{}
		}
		wait.Reset(max(e.options.ArchiveCheck, surveyRatio*a.surveyed))
	}
}

// work does all there is to do now. What failed has been logged.
func (a *archiver) work() error {
	a.paced = time.Now()
	for !a.stopped() && a.Err() == nil {
		swept := a.sweepSometimes()
		found := a.survey(time.Now().UnixMilli())
		if err := errors.Join(swept, a.round(found)); err != nil || found.empty() {
			return err
		}
	}
	return nil
}

// round does what a survey has found: all there is to archive, which frees the journal, then all there is to merge, then one
// round of compaction. So none of these waits until there is nothing else to do, unless the journal has outgrown its limit.
func (a *archiver) round(found survey) error {
	err := a.each(found.archive, a.archiveOne)
	if err = errors.Join(err, a.tell()); err != nil || a.overgrown() {
		return err
	}
	if err := a.each(found.merge, a.mergeOne); err != nil {
		return err
	}
	return a.each(found.compact[:min(1, len(found.compact))], a.compactOne)
}

// failuresMax is how many partitions in a row may fail before that is blamed on the store, and there is a pause.
const failuresMax = 3

// each does a job for partitions, one after the other. Those where it fails do not hold up the others.
func (a *archiver) each(keys []Key, job func(Key) error) error {
	var all error
	for failures := 0; len(keys) > 0 && failures < failuresMax && !a.stopped() && a.Err() == nil; keys = keys[1:] {
		err := job(keys[0])
		a.note(keys[0], err)
		if failures++; err == nil {
			failures = 0
		}
		all = errors.Join(all, err)
	}
	return all
}

// trouble is that a job failed in a partition, which is left alone for a time, twice as long each time it fails again.
type trouble struct {
	until time.Time
	wait  time.Duration
}

const (
	troubleWaitMin = 2 * archiveRetryWait // so that others get their turn before it is tried again
	troubleWaitMax = time.Minute          // nobody waits for longer once a store that was away for long is back
)

// note notes what came of a job.
func (a *archiver) note(k Key, err error) {
	switch {
	case err == nil:
		delete(a.troubles, k)
	case a.Err() == nil && !a.stopped():
		wait := min(max(2*a.troubles[k].wait, troubleWaitMin), troubleWaitMax)
		a.troubles[k] = trouble{time.Now().Add(wait), wait}
		a.log.Error("archive, to be tried again", "in", wait, "err", err)
	}
}

// pressed says whether the journal is so large that it is time to archive whatever is in it.
func (e *Engine) pressed() bool {
	return e.journal.Size() > e.options.JournalBytesMax/2 || e.full.Load()
}

// overgrown says whether the journal is larger than it may be.
func (e *Engine) overgrown() bool { return e.journal.Size() > e.options.JournalBytesMax }
