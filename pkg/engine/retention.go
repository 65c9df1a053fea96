package engine

import (
	"errors"
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

// Maintain does at once what is done every RetentionCheck: it drops the records that retention lets go, forgets silent
// producers, and gives the space back.
func (e *Engine) Maintain() error {
	now := time.Now().UnixMilli()
	if err := e.retain(now); err != nil {
		return err
	}
	before := now - e.options.ProducerIDExpiry.Milliseconds()
	if e.hasProducersSilentSince(before) {
		if _, err := e.Do(state.ExpireProducers{BeforeMs: before}); err != nil {
			return err
		}
	}
	e.forgetSettings()
	e.gauge()
	return e.shrink()
}

// retain moves the log start of every partition that holds more, or older, records than its retention allows.
func (e *Engine) retain(nowMs int64) error {
	for _, c := range e.outdated(nowMs) {
		_, err := e.Do(c)
		if err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
			return err
		}
	}
	return nil
}

// outdated returns the commands that retention asks for at a moment.
func (e *Engine) outdated(nowMs int64) []state.MoveLogStart {
	e.mu.RLock()
	defer e.mu.RUnlock()
	var moves []state.MoveLogStart
	for t := range e.mu.state.Topics() {
		s := e.settingsOf(t)
		if !s.Delete {
			continue
		}
		for i, p := range t.Partitions {
			if start := retained(p, s.RetentionMs, s.RetentionBytes, nowMs); start > p.LogStart {
				moves = append(moves, state.MoveLogStart{ID: t.ID, Partition: int32(i), Offset: start})
			}
		}
	}
	return moves
}

// retained returns the first offset of a partition to keep, in steps of extents: those whose youngest record is older than
// ageMs are let go, and those without which bytesMax bytes remain. Negative limits mean none, as in Kafka.
func retained(p *state.Partition, ageMs, bytesMax, nowMs int64) int64 {
	bytes := p.Bytes
	for x := range p.Extents(p.LogStart) {
		tooOld := ageMs >= 0 && x.MaxTimestamp >= 0 && x.MaxTimestamp < nowMs-ageMs
		tooMuch := bytesMax >= 0 && bytes-int64(x.Bytes) >= bytesMax
		if !tooOld && !tooMuch {
			return x.Base
		}
		bytes -= int64(x.Bytes)
	}
	return p.HighWatermark
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
	e.metrics.Topics.Set(float64(topics))
	e.metrics.Partitions.Set(float64(partitions))
	e.metrics.JournalBytes.Set(float64(e.journal.Size()))
	e.metrics.JournalRoomBytes.Set(float64(e.journal.Room()))
	e.metrics.CacheBytes.Set(float64(e.cache.bytes()))
}
