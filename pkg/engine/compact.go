package engine

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/heraclitus/heraclitus/pkg/segment"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/topic"
)

// Compaction keeps the last record of every key, as Kafka's LogCleaner does. It goes over segments only: what still lies in the
// journal is never compacted. One round has two steps. It reads the dirty segments, which no round has been over, and
// remembers for each key where it came last. Then it rewrites every segment up to there without the records that this makes
// superfluous. Segments that lose nothing stay as they are.
//
// A record without a value, a tombstone, says that its key is gone. It is kept until delete.retention.ms after the first round
// over it, so that a reader who began before has the time to come past it. Records without a key go with the first round.

// compactJob is a round over one partition.
type compactJob struct {
	key      Key
	topic    string
	settings *topic.Settings
	segments []state.Segment // from the first one on, up to what may be compacted
	dirty    int64           // offset from which on no round has been over them
	end      int64           // of the partition
}

// compactOne does a round over a partition, if it is still worth it.
func (a *archiver) compactOne(k Key) error {
	if j, ok := a.compactJob(k, time.Now().UnixMilli()); ok && !a.overgrown() {
		return a.compact(j)
	}
	return nil
}

func (e *Engine) compactJob(k Key, nowMs int64) (job compactJob, ok bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	t, p := e.mu.state.Topic(k.ID), e.mu.state.Partition(k.ID, k.Partition)
	if p == nil {
		return job, false
	}
	s := e.settingsOf(t)
	segments, _ := cleanable(p, s, nowMs)
	return compactJob{k, t.Name, s, segments, p.CleanedTo, p.HighWatermark}, s.Compact && len(segments) > 0
}

// overdue stands for the dirty ratio of a partition that has waited longer than its topic allows: above that of any other.
const overdue = 2.0

// cleanable returns the segments of a partition that may be compacted now, and the share of their bytes that is dirty. They end
// before records younger than min.compaction.lag.ms. There are none unless the share is at least min.cleanable.dirty.ratio, or a
// dirty record is older than max.compaction.lag.ms.
func cleanable(p *state.Partition, s *topic.Settings, nowMs int64) (segments []state.Segment, ratio float64) {
	var clean, dirty int64
	oldest := int64(math.MaxInt64)
	for g := range p.Segments(p.LogStart) {
		c := piece{maxTimestamp: g.MaxTimestamp, cameMs: g.CameMs}
		if g.End > p.CleanedTo && s.MinCompactionLagMs > 0 && c.youngestMs() > nowMs-s.MinCompactionLagMs {
			break
		}
		segments = append(segments, g)
		if g.End <= p.CleanedTo {
			clean += g.Bytes
			continue
		}
		dirty += g.Bytes
		oldest = min(oldest, c.youngestMs())
	}
	ratio = float64(dirty) / float64(max(clean+dirty, 1))
	switch {
	case dirty == 0:
		return nil, 0
	case oldest < nowMs-s.MaxCompactionLagMs: // never, when it is the default, the longest time there is
		return segments, overdue
	case ratio < s.MinCleanableDirtyRatio:
		return nil, 0
	}
	return segments, ratio
}

// keyHash stands for a record's key: 128 bits of SHA-256, so that nobody finds two keys with the same.
type keyHash [16]byte

func hashOf(key []byte) keyHash {
	sum := sha256.Sum256(key)
	return keyHash(sum[:16])
}

// lastOffsets says at which offset each key came last among the dirty records, up to an offset.
type lastOffsets struct {
	offsets map[keyHash]int64
	keysMax int
	to      int64
}

// note takes a record in; false when there is no room for another key, so that the records end before this one.
func (l *lastOffsets) note(key []byte, offset int64) bool {
	if key != nil {
		h := hashOf(key)
		if _, known := l.offsets[h]; !known && len(l.offsets) >= l.keysMax {
			return false
		}
		l.offsets[h] = offset
	}
	l.to = offset + 1
	return true
}

// superfluous says whether compaction takes a record away: another with its key came later, it has no key, or it is a tombstone
// whose time is over.
func (l *lastOffsets) superfluous(key, value []byte, offset int64, tombstonesGo bool) bool {
	switch {
	case offset >= l.to:
		return false
	case key == nil:
		return true
	case value == nil && tombstonesGo:
		return true
	}
	last, known := l.offsets[hashOf(key)]
	return known && last > offset
}

// compact carries out a round. Groups of segments are rewritten in order, from the first on, and the round ends where one comes
// too late: that a tombstone has been gone over must mean that everything before it has been.
func (a *archiver) compact(j compactJob) error {
	start := time.Now()
	written, err := a.compactRound(j, start.UnixMilli())
	a.metrics.Storage("compact").Done(start, written, err)
	if err != nil {
		return fmt.Errorf("compact %s/%d: %w", j.topic, j.key.Partition, err)
	}
	return nil
}

func (a *archiver) compactRound(j compactJob, nowMs int64) (written int, err error) {
	last, err := a.readKeys(j)
	if err != nil {
		return 0, err
	}
	for _, group := range j.groups(last.to, min(int64(j.settings.SegmentBytes), a.options.SegmentBytesMax), nowMs) {
		c, err := a.compactGroup(j, group, last, nowMs)
		if err != nil {
			return written, err
		}
		if c.CleanedTo <= j.dirty && slices.Equal(c.Segments, group) {
			continue // it stays as it is
		}
		written += bytesOf(c.Segments)
		if taken, err := a.replace(j.topic, c); err != nil || !taken {
			return written, err
		}
	}
	return written, nil
}

// readKeys goes over the dirty records, as many as there is room for the keys of.
func (a *archiver) readKeys(j compactJob) (*lastOffsets, error) {
	last := &lastOffsets{offsets: map[keyHash]int64{}, keysMax: a.options.CompactionKeys, to: j.dirty}
	for _, g := range j.segments {
		if g.End <= j.dirty {
			continue
		}
		err := a.eachRow(at{j.topic, j.key.Partition, g}, max(j.dirty, g.Base), func(r *segment.Row) error {
			if !last.note(r.Key, r.Offset) {
				return errNoRoom
			}
			return nil
		})
		if errors.Is(err, errNoRoom) {
			break
		}
		if err != nil {
			return nil, err
		}
		last.to = g.End
	}
	return last, nil
}

var errNoRoom = errors.New("no room for more keys")

// groups divides the segments that begin below an offset into runs that may become one segment each. A run holds only segments
// whose tombstones are not kept longer for it: dirty ones, or ones whose tombstones go now.
func (j *compactJob) groups(to, bytesMax, nowMs int64) (groups [][]state.Segment) {
	var bytes int64
	var before string
	for _, g := range j.segments {
		if g.Base >= to {
			break
		}
		class := j.class(g, to, nowMs)
		if len(groups) == 0 || class != before || class == alone || bytes+g.Bytes > bytesMax {
			groups, bytes = append(groups, nil), 0
		}
		last := &groups[len(groups)-1]
		*last, bytes, before = append(*last, g), bytes+g.Bytes, class
	}
	return groups
}

// Classes of segments in a round.
const (
	dirty   = "dirty"   // the round goes over it for the first time
	settled = "settled" // its tombstones go
	alone   = "alone"   // its tombstones stay for now, or the round ends in it
)

func (j *compactJob) class(g state.Segment, to, nowMs int64) string {
	switch {
	case g.End > to:
		return alone
	case g.CleanedMs == 0:
		return dirty
	case j.tombstonesGo(g, nowMs):
		return settled
	}
	return alone
}

// tombstonesGo says whether the tombstones of a segment have been kept for long enough since a round first went over them.
func (j *compactJob) tombstonesGo(g state.Segment, nowMs int64) bool {
	return g.CleanedMs > 0 && g.CleanedMs <= nowMs-j.settings.DeleteRetentionMs
}

// compactGroup rewrites the segments of a group, if that makes a difference, and returns the command that says so.
func (a *archiver) compactGroup(j compactJob, group []state.Segment, last *lastOffsets, nowMs int64) (state.ReplaceSegments, error) {
	g := state.Segment{Base: group[0].Base, End: group[len(group)-1].End, CleanedMs: cleanedMs(group, last.to, nowMs)}
	removed := 0
	keep := func(from state.Segment, r *segment.Row) bool {
		if r.Offset != j.end-1 && last.superfluous(r.Key, r.Value, r.Offset, j.tombstonesGo(from, nowMs)) {
			removed++
			return false
		}
		return true
	}
	var err error
	written := []state.Segment{group[0]}
	written[0].CleanedMs = g.CleanedMs
	if len(group) > 1 || a.loses(at{j.topic, j.key.Partition, group[0]}, keep) {
		removed = 0
		written, err = a.rewrite(j.key, j.topic, group, g, keep)
	}
	c := replacing(j.key, group, written...)
	c.CleanedTo = min(g.End, last.to)
	a.metrics.CompactedRecords.Add(removed)
	return c, err
}

// cleanedMs is when the first round over a group was: now, for dirty segments. The segment that the round ends in stays dirty.
func cleanedMs(group []state.Segment, to, nowMs int64) int64 {
	if group[len(group)-1].End > to {
		return group[0].CleanedMs
	}
	first := int64(0)
	for _, g := range group {
		first = max(first, g.CleanedMs)
	}
	return cmp.Or(first, nowMs)
}

// loses says whether a segment loses a row; also of one that cannot be read, which comes out when it is rewritten.
func (a *archiver) loses(g at, keep keeper) bool {
	return a.eachRow(g, g.Base, func(r *segment.Row) error {
		if !keep(g.Segment, r) {
			return errLost
		}
		return nil
	}) != nil
}

var errLost = errors.New("a row is lost")
