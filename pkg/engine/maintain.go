package engine

import (
	"errors"
	"time"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// maintainLoop looks after retention and makes checkpoints, until the engine is closed.
func (e *Engine) maintainLoop() {
	defer close(e.maintained)
	tick := time.NewTicker(e.options.RetentionCheck)
	defer tick.Stop()
	look := time.NewTicker(takeoverCheck)
	defer look.Stop()
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
		case <-look.C:
			e.noteTakeover()
		}
		if err != nil && e.Err() == nil {
			e.log.Error("maintenance, to be tried again", "err", err)
		}
	}
}

// takeoverCheck is how often a server looks whether another one has taken its storage over. While it writes it finds out by that.
const takeoverCheck = 5 * time.Second

// noteTakeover stops all writing if another server has taken the journal over.
func (e *Engine) noteTakeover() {
	p, ok := e.journal.(journal.Pipeline)
	if !ok || e.Err() != nil {
		return
	}
	if err := p.StillOurs(); errors.Is(err, journal.ErrTaken) {
		e.fail(err)
	}
}

// roomCheck returns a channel that says when to look for room again; nil while the engine is not full. When it becomes full,
// reclaim is signalled.
func (e *Engine) roomCheck() <-chan time.Time {
	if e.full.Load() {
		return time.After(roomCheckWait)
	}
	return nil
}

// Maintain does now what is done every RetentionCheck: it drops the records that retention lets go, forgets silent producers,
// and gives the space back.
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

func (e *Engine) hasProducersSilentSince(ms int64) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.mu.state.HasProducersSilentSince(ms)
}
