package engine

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// maintainLoop looks after retention and makes checkpoints, until the engine is closed.
func (e *Engine) maintainLoop() {
	defer close(e.maintained)
	tick := time.NewTicker(e.options.RetentionCheck)
	defer tick.Stop()
	for {
		var err error
		select {
		case <-e.stop:
			return
		case <-e.roomCheck():
			e.seekRoom()
		case <-e.maintain:
			err = e.checkpoint()
		case <-e.reclaim:
			err = e.Maintain()
		case <-tick.C:
			err = e.Maintain()
		}
		if err != nil && e.Err() == nil {
			e.log.Error("maintenance, to be tried again", "err", err)
		}
	}
}

// roomCheck returns what says when to look for room; nil while the engine is not full, of which reclaim tells.
func (e *Engine) roomCheck() <-chan time.Time {
	if e.full.Load() {
		return time.After(roomCheckWait)
	}
	return nil
}

// Maintain does at once what is done every RetentionCheck: it drops the records that retention lets go, forgets silent
// producers, and gives the space back.
func (e *Engine) Maintain() error {
	now := time.Now().UnixMilli()
	err := errors.Join(e.retain(now), e.expire(now), e.shrink())
	e.seekRoom()
	e.forgetSettings()
	return err
}

// expire forgets the producers that have been silent for too long.
func (e *Engine) expire(nowMs int64) error {
	before := nowMs - e.options.ProducerIDExpiry.Milliseconds()
	if !e.hasProducersSilentSince(before) {
		return nil
	}
	_, err := e.Do(state.ExpireProducers{BeforeMs: before})
	return err
}

// retentionGroupMax is how many log starts are moved at a time.
const retentionGroupMax = 1000

// retain moves the log start of every partition that holds more, or older, records than its retention allows.
func (e *Engine) retain(nowMs int64) error {
	var g Group
	for moves := range slices.Chunk(e.outdated(nowMs), retentionGroupMax) {
		g.Reset(len(moves))
		for i := range moves {
			e.writer.appendCommand(command{group: &g, index: i, removes: true}, moves[i].MoveLogStart)
		}
		g.Wait(0, nil)
		for i, r := range g.Results {
			switch r.Code {
			case kerr.None:
				m := &moves[i]
				e.metrics.RetentionBytes.Add(int(m.bytes))
				e.log.Debug("retention lets records go", "topic", m.topic, "partition", m.Partition, "before", m.Offset, "bytes", m.bytes)
			case kerr.UnknownTopicOrPartition: // deleted meanwhile
			default:
				return fmt.Errorf("move the log start of partition %d of topic %v: %w", moves[i].Partition, moves[i].ID, r.Code)
			}
		}
	}
	return nil
}

// move is a log start to be moved.
type move struct {
	state.MoveLogStart
	topic string // its name
	bytes int64  // of batches that this drops
}

// outdated returns the moves that retention asks for at a moment.
func (e *Engine) outdated(nowMs int64) (moves []move) {
	e.eachPartition(func(t *state.Topic, i int32, p *state.Partition) {
		s := e.settingsOf(t)
		if !s.Delete {
			return
		}
		if start, bytes := retained(p, s.RetentionMs, s.RetentionBytes, nowMs); start > p.LogStart {
			moves = append(moves, move{state.MoveLogStart{ID: t.ID, Partition: i, Offset: start}, t.Name, p.Bytes - bytes})
		}
	})
	return moves
}

// retained returns the first offset of a partition to keep, in steps of pieces: those whose youngest record is older than
// ageMs are let go, and those without which bytesMax bytes remain. Negative limits mean none, as in Kafka. bytes is what is kept.
func retained(p *state.Partition, ageMs, bytesMax, nowMs int64) (start, bytes int64) {
	start, bytes = p.LogStart, p.Bytes
	for c := range pieces(p) {
		tooOld := ageMs >= 0 && c.youngestMs() < nowMs-ageMs
		tooMuch := bytesMax >= 0 && bytes-c.bytes >= bytesMax
		if bytes < p.Bytes {
			start = c.base
		}
		if !tooOld && !tooMuch {
			return start, bytes
		}
		bytes -= c.bytes
	}
	return p.HighWatermark, 0
}

func (e *Engine) hasProducersSilentSince(ms int64) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.mu.state.HasProducersSilentSince(ms)
}

// gauge brings up to date the metrics that are a matter of looking.
func (e *Engine) gauge() {
	e.mu.RLock()
	topics, partitions := e.mu.state.Count()
	e.mu.RUnlock()
	writable := 0.0
	if e.Ready() == nil {
		writable = 1
	}
	e.metrics.Writable.Set(writable)
	e.metrics.Topics.Set(float64(topics))
	e.metrics.Partitions.Set(float64(partitions))
	e.metrics.JournalBytes.Set(float64(e.journal.Size()))
	e.metrics.JournalRoomBytes.Set(float64(e.journal.Room()))
	e.metrics.CacheBytes.Set(float64(e.cache.bytes()))
	e.metrics.PastBytes.Set(float64(e.past.shelf.bytes()))
	e.gaugeSegments()
}

// gaugeSegments looks at what is archived, and at what is not yet.
func (e *Engine) gaugeSegments() {
	now := time.Now().UnixMilli()
	var segments, archived, waiting, oldest int64 = 0, 0, 0, now
	e.eachPartition(func(_ *state.Topic, _ int32, p *state.Partition) {
		for g := range p.Segments(0) {
			segments, archived = segments+1, archived+g.Bytes
		}
		for x := range p.Extents(0) {
			oldest = min(oldest, x.CameMs)
			break
		}
		waiting += p.JournalBytes()
	})
	e.metrics.Segments.Set(float64(segments))
	e.metrics.SegmentBytes.Set(float64(archived))
	e.metrics.ArchiveLagBytes.Set(float64(waiting))
	e.metrics.ArchiveLagSeconds.Set(float64(now-oldest) / 1000)
}
