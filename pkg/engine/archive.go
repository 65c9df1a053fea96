package engine

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/segment"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// The archiver takes records out of the journal: in the background it writes what a partition has gathered there into a segment, a
// Parquet object, and has the state put the segment in the place of the extents. Then nothing keeps the journal from being
// trimmed.
//
// The order of things is what makes a crash harmless at any moment: the object is written and read back, then an entry says
// that it counts, and only then the journal is trimmed, behind a checkpoint. An object that no entry speaks of is garbage, which
// is swept away, at the latest by the next start (inventory.go).

// archiver is what the archiver keeps between two jobs. It is one goroutine's.
type archiver struct {
	*Engine
	out   bytes.Buffer        // the segment being written
	known map[string]struct{} // keys of the objects there may be; nil before the inventory
	swept time.Time
	paced time.Time // when the work since the last rest began
	inRow int       // segments archived since the last turn of tidying up
}

// archiveLoop archives, merges, compacts and sweeps until the engine is closed.
func (e *Engine) archiveLoop() {
	defer close(e.archived)
	a := &archiver{Engine: e}
	tick := time.NewTicker(e.options.ArchiveCheck)
	defer tick.Stop()
	for {
		select {
		case <-e.stop:
			a.sweepLast()
			return
		case <-tick.C:
		case <-e.archive:
		}
		if err := a.work(); err != nil && e.Err() == nil && !e.stopped() {
			e.log.Error("archive, to be tried again", "err", err)
			a.rest(archiveRetryWait)
		}
	}
}

// archiveRetryWait is the pause after something failed: a disk without room, a bucket that does not answer.
const archiveRetryWait = 5 * time.Second

// work does all there is to do now, what frees the journal first.
func (a *archiver) work() error {
	a.paced = time.Now()
	for !a.stopped() && a.Err() == nil {
		if err := a.sweepSometimes(); err != nil {
			return err
		}
		if did, err := a.step(time.Now().UnixMilli()); err != nil || !did {
			return err
		}
	}
	return nil
}

// step does the most urgent thing, if there is one: to archive, but for a turn of tidying up after every few segments. Else, with so many
// partitions that there is always one to archive, or a store so slow, small segments would gather for ever.
func (a *archiver) step(nowMs int64) (did bool, err error) {
	if a.inRow >= mergeCount && !a.overgrown() {
		a.inRow = 0
		if did, err := a.tidyUp(nowMs); did {
			return did, err
		}
	}
	if job, ok := a.archiveNext(nowMs); ok {
		a.inRow++
		return true, a.archiveOne(job)
	}
	return a.tidyUp(nowMs)
}

// tidyUp merges or compacts, if there is something to.
func (a *archiver) tidyUp(nowMs int64) (did bool, err error) {
	if job, ok := a.mergeNext(); ok {
		return true, a.merge(job)
	}
	if job, ok := a.compactNext(nowMs); ok {
		return true, a.compact(job)
	}
	return false, nil
}

// archiveJob is a run of extents that becomes one segment.
type archiveJob struct {
	key     Key
	topic   string
	from    int64 // offset of the first record
	to      int64 // offset behind the last
	start   int64 // log start
	extents []state.Extent
}

// pressed says whether the journal is so large that it is time to archive whatever is in it.
func (e *Engine) pressed() bool {
	return e.journal.Size() > e.options.JournalBytesMax/2 || e.full.Load()
}

// overgrown says whether the journal is larger than it may be.
func (e *Engine) overgrown() bool { return e.journal.Size() > e.options.JournalBytesMax }

// archiveNext returns what is most worth archiving at a moment: of the partitions that have enough in the journal, or that
// have had it there for long enough, the one that holds the oldest entry. When the journal has grown too large any
// partition has enough.
func (e *Engine) archiveNext(nowMs int64) (job archiveJob, ok bool) {
	pressed := e.pressed()
	e.mu.RLock()
	defer e.mu.RUnlock()
	oldest := e.mu.state.Next()
	var best *state.Partition
	for t := range e.mu.state.Topics() {
		s := e.settingsOf(t)
		for i, p := range t.Partitions {
			slot, some := p.FirstSlot()
			if !some || slot >= oldest || !pressed && !ripe(p, int64(s.SegmentBytes), s.SegmentMs, nowMs) {
				continue
			}
			oldest, best = slot, p
			job.key, job.topic = Key{t.ID, int32(i)}, t.Name
		}
	}
	if best == nil {
		return job, false
	}
	job.take(best, min(int64(e.segmentBytes(job.key)), e.options.SegmentBytesMax))
	return job, true
}

// segmentBytes is the segment.bytes of a partition's topic.
func (e *Engine) segmentBytes(k Key) int { return e.settingsOf(e.mu.state.Topic(k.ID)).SegmentBytes }

// ripe says whether a partition has enough in the journal to be archived.
func ripe(p *state.Partition, bytes int64, ageMs, nowMs int64) bool {
	for x := range p.Extents(0) {
		return x.CameMs <= nowMs-ageMs || p.JournalBytes() >= bytes
	}
	return false
}

// take fills the job with a partition's first extents, of so many bytes in all, or one that is larger.
func (j *archiveJob) take(p *state.Partition, bytesMax int64) {
	var bytes int64
	j.start, j.to = p.LogStart, p.HighWatermark
	for x := range p.Extents(0) {
		if bytes += int64(x.Bytes); bytes > bytesMax && len(j.extents) > 0 {
			j.to = x.Base
			break
		}
		j.extents = append(j.extents, x)
	}
	j.from = j.extents[0].Base
}

// archiveOne carries a job out.
func (a *archiver) archiveOne(j archiveJob) error {
	start := time.Now()
	g, err := a.writeExtents(j)
	if errors.Is(err, journal.ErrTrimmed) {
		return nil // retention was quicker
	}
	a.metrics.Storage("archive").Done(start, int(g.Bytes), err)
	if err != nil {
		return fmt.Errorf("archive offsets %d to %d of %s/%d: %w", j.from, j.to, j.topic, j.key.Partition, err)
	}
	_, err = a.replace(j.topic, state.ReplaceSegments{ID: j.key.ID, Partition: j.key.Partition, From: j.from, To: j.to, Segments: []state.Segment{g}})
	return err
}

// writeExtents writes the batches of a job's extents into an object. Batches below the log start are left out.
func (a *archiver) writeExtents(j archiveJob) (state.Segment, error) {
	g := state.Segment{Base: j.from, End: j.to}
	w, err := a.begin(j.key, j.topic, g.Base)
	if err != nil {
		return g, err
	}
	for _, x := range j.extents {
		if err := a.writeExtent(w, x, j.start); err != nil {
			return g, err
		}
		g.CameMs = max(g.CameMs, x.CameMs)
		a.pace()
	}
	return a.finishSegment(w, j.topic, j.key.Partition, g)
}

func (a *archiver) writeExtent(w *segment.Writer, x state.Extent, start int64) error {
	var pins Pins
	defer pins.Release()
	bytes, err := a.extent(x, &pins)
	if err != nil {
		return err
	}
	for b := range batches(bytes) {
		if b.LastOffset() < start {
			continue
		}
		if err := w.Append(b); err != nil {
			return err
		}
	}
	return nil
}

// begin begins a segment whose first offset is from.
func (a *archiver) begin(k Key, topic string, from int64) (*segment.Writer, error) {
	a.out.Reset()
	codec, level := a.codec()
	return segment.NewWriter(&a.out, segment.Options{Topic: topic, TopicID: k.ID, Partition: k.Partition, First: from, Codec: codec, Level: level})
}

// codec is how the next segment is compressed: as the settings say, or else well while there is time, and quickly while the
// journal is too large.
func (a *archiver) codec() (segment.Codec, int) {
	switch {
	case a.options.SegmentCodec != Adaptive:
		return segment.Codec(a.options.SegmentCodec), a.options.CompressionLevel
	case a.pressed():
		return segment.Snappy, 0
	}
	return segment.Zstd, a.options.CompressionLevel
}

// finishSegment ends a segment and stores its object. Of g the bounds and times are given; the rest is filled in.
func (a *archiver) finishSegment(w *segment.Writer, topic string, partition int32, g state.Segment) (state.Segment, error) {
	meta, err := w.Close(g.End - 1)
	if err != nil {
		return g, err
	}
	g.Unique, g.Bytes, g.Records, g.MaxTimestamp = rand.Uint64(), meta.Bytes, meta.Records, meta.MaxTimestamp
	key := g.Key(topic, partition)
	a.known[key] = struct{}{}
	return g, a.put(key, a.out.Bytes())
}

// replace has the state put segments in the place of what they were made of. One that comes too late, since retention or
// the deletion of its topic was quicker, is not taken, and its object is garbage.
func (a *archiver) replace(topic string, c state.ReplaceSegments) (taken bool, err error) {
	_, err = a.Do(c)
	switch code := kerr.Of(err); {
	case err == nil:
		for _, g := range c.Segments {
			a.metrics.ArchivedBytes.Add(int(g.Bytes))
			a.metrics.ArchivedRecords.Add(int(g.Records))
		}
		if len(c.Replaces) > 0 { // who reads all objects as a table is not to find records twice for longer than need be
			err = a.sweep()
		}
		return true, err
	case code == kerr.InvalidRequest || code == kerr.UnknownTopicOrPartition:
		a.log.Info("segment comes too late: its records are gone", "topic", topic, "partition", c.Partition, "from", c.From, "to", c.To)
		return false, nil
	}
	return false, fmt.Errorf("replace offsets %d to %d of %s/%d: %w", c.From, c.To, topic, c.Partition, err)
}
