package engine

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/segment"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/topic"
)

// archiveJob is a run of extents that becomes one segment.
type archiveJob struct {
	key     Key
	topic   string
	from    int64 // offset of the first record
	to      int64 // offset after the last
	start   int64 // log start
	extents []state.Extent
}

// segmentBytesOf is how much of the journal goes into one segment of a topic.
func (e *Engine) segmentBytesOf(s *topic.Settings) int64 {
	return min(int64(s.SegmentBytes), e.options.SegmentBytesMax)
}

// due says whether a partition is to be archived: it has enough in the journal, or something that came long enough ago. While
// the journal is too large, anything is enough.
func (e *Engine) due(p *state.Partition, s *topic.Settings, nowMs int64, pressed bool) bool {
	for x := range p.Extents(0) {
		return pressed || x.CameMs <= nowMs-s.SegmentMs || p.JournalBytes() >= e.segmentBytesOf(s)
	}
	return false
}

// archiveJob returns what to archive of a partition, if it is still due.
func (e *Engine) archiveJob(k Key, nowMs int64) (job archiveJob, ok bool) {
	pressed := e.pressed()
	e.mu.RLock()
	defer e.mu.RUnlock()
	t, p := e.mu.state.Topic(k.ID), e.mu.state.Partition(k.ID, k.Partition)
	if p == nil || !e.due(p, e.settingsOf(t), nowMs, pressed) {
		return job, false
	}
	job = archiveJob{key: k, topic: t.Name}
	job.take(p, e.segmentBytesOf(e.settingsOf(t)))
	return job, true
}

// take fills the job with a partition's first extents, up to bytesMax in all, or a single one that is larger.
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

// archiveOne writes a segment of a partition and stores it. The state is told later, of several at once.
func (a *archiver) archiveOne(k Key) error {
	j, ok := a.archiveJob(k, time.Now().UnixMilli())
	if !ok {
		return nil
	}
	start := time.Now()
	g, err := a.writeExtents(j)
	if errors.Is(err, journal.ErrTrimmed) && !a.holds(j) {
		return nil // retention was quicker
	}
	a.metrics.Storage("archive").Done(start, int(g.Bytes), err)
	if err != nil {
		return fmt.Errorf("archive offsets %d to %d of %s/%d: %w", j.from, j.to, j.topic, j.key.Partition, err)
	}
	c := state.ReplaceSegments{ID: j.key.ID, Partition: j.key.Partition, From: g.Base, To: g.End, Segments: []state.Segment{g}}
	a.stored = append(a.stored, stored{j.topic, c, time.Now()})
	if len(a.stored) == storedMax || time.Since(a.stored[0].at) > storedWaitMax {
		return a.tell()
	}
	return nil
}

// holds says whether a partition still holds in the journal what it did when the job was made.
func (e *Engine) holds(j archiveJob) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	p := e.mu.state.Partition(j.key.ID, j.key.Partition)
	if p == nil {
		return false
	}
	slot, ok := p.FirstSlot()
	return ok && slot == j.extents[0].Slot
}

// writeExtents writes the batches of a job's extents into an object, as many as a segment has room for: they may be compressed
// better than it is. Batches below the log start are left out.
func (a *archiver) writeExtents(j archiveJob) (state.Segment, error) {
	g := state.Segment{Base: j.from, End: j.to}
	w, err := a.begin(j.key, j.topic, g.Base)
	if err != nil {
		return g, err
	}
	for _, x := range j.extents {
		if w.Rows() > 0 && w.Bytes() >= a.options.SegmentBytesMax {
			g.End = x.Base
			break
		}
		if err := a.writeExtent(w, x, j.start); err != nil {
			return g, err
		}
		g.CameMs = max(g.CameMs, x.CameMs)
		if a.pace(); a.stopped() {
			return g, errStopped
		}
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

// codec is how the next segment is compressed: as the settings say; if they say Adaptive, well while there is time, and quickly
// while the journal is too large.
func (a *archiver) codec() (segment.Codec, int) {
	switch {
	case a.options.SegmentCodec != Adaptive:
		return segment.Codec(a.options.SegmentCodec), a.options.CompressionLevel
	case a.pressed():
		return segment.Snappy, 0
	}
	return segment.Zstd, a.options.CompressionLevel
}

// finishSegment ends a segment and stores its object. The bounds and times of g are given; the rest is filled in.
func (a *archiver) finishSegment(w *segment.Writer, topic string, partition int32, g state.Segment) (state.Segment, error) {
	meta, err := w.Close(g.End - 1)
	if err != nil {
		return g, err
	}
	g.Unique, g.Bytes, g.Records, g.MaxTimestamp = rand.Uint64(), meta.Bytes, meta.Records, meta.MaxTimestamp
	key := g.Key(topic, partition)
	a.known[g.Unique] = key
	return g, a.put(a.ctx, key, a.out.Bytes())
}

// stored is a segment whose object is stored, and the command that makes it count.
type stored struct {
	topic   string
	command state.ReplaceSegments
	at      time.Time
}

// The state is told of several segments at once, because a commit may take long while producers are slowed down.
const (
	storedMax     = 64
	storedWaitMax = time.Second
)

// tell has the state put the stored segments in the place of what they were made of, and trims the journal if it is too large.
func (a *archiver) tell() error {
	all := a.stored
	a.stored = a.stored[:0]
	if len(all) == 0 {
		return nil
	}
	var g Pending
	g.Reset(len(all))
	for i, s := range all {
		a.writer.appendCommand(command{pending: &g, index: i, archives: true}, s.command)
	}
	g.Wait(0, nil)
	var err error
	for i, s := range all {
		_, failed := a.outcome(s.topic, s.command, g.Results[i].Code)
		err = errors.Join(err, failed)
		if failed != nil {
			a.note(Key{s.command.ID, s.command.Partition}, failed)
		}
	}
	if err == nil && a.pressed() {
		err = a.shrink()
	}
	return err
}

// replace has the state put segments in the place of others, and then deletes the objects of those at once: whoever reads all
// objects as a table should not find records twice for longer than need be.
func (a *archiver) replace(topic string, c state.ReplaceSegments) (taken bool, err error) {
	_, err = a.Do(c)
	if taken, err = a.outcome(topic, c, kerr.Of(err)); taken {
		a.remove(c)
	}
	return taken, err
}

// outcome says what became of a command. One that came too late, because retention or the deletion of its topic was quicker, is
// not taken, and its objects are garbage.
func (a *archiver) outcome(topic string, c state.ReplaceSegments, code kerr.Code) (taken bool, err error) {
	switch code {
	case kerr.None:
		for _, g := range c.Segments {
			a.metrics.ArchivedBytes.Add(int(g.Bytes))
			a.metrics.ArchivedRecords.Add(int(g.Records))
		}
		return true, nil
	case kerr.InvalidRequest, kerr.UnknownTopicOrPartition:
		a.log.Info("segment comes too late: its records are gone", "topic", topic, "partition", c.Partition, "from", c.From, "to", c.To)
		return false, nil
	}
	return false, fmt.Errorf("replace offsets %d to %d of %s/%d: %w", c.From, c.To, topic, c.Partition, code)
}
