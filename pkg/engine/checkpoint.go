package engine

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/heraclitus/heraclitus/pkg/state"
)

// checkpointPrefix begins the keys of checkpoints; the slot that a replay goes on with follows, in 20 digits.
const checkpointPrefix = "checkpoints/"

func checkpointKey(slot uint64) string { return fmt.Sprintf("%s%020d", checkpointPrefix, slot) }

// noteGrowth asks for a checkpoint when the journal has grown enough since the last.
func (e *Engine) noteGrowth(bytes int) {
	if e.grown.Add(int64(bytes)) > e.options.CheckpointBytes {
		signal(e.maintain)
	}
}

// recover loads the newest checkpoint that is whole and applies the journal after it.
func (e *Engine) recover() error {
	start := time.Now()
	s, err := e.load()
	if err != nil {
		return err
	}
	from := s.Next()
	if floor, next := e.journal.Bounds(); from < floor || from > next {
		return fmt.Errorf("checkpoint at entry %d does not fit the journal, which holds entries %d to %d: one of them is from elsewhere, or was lost", from, floor, next)
	}
	err = e.journal.Replay(from, func(slot uint64, entry []byte) error {
		e.results, err = s.Apply(slot, entry, e.results[:0])
		e.grown.Add(int64(len(entry)))
		return err
	})
	if err != nil {
		return fmt.Errorf("replay the journal: %w", err)
	}
	e.mu.state = s
	e.log.Info("state recovered", "checkpoint", from, "entries", s.Next()-from, "took", time.Since(start).Round(time.Microsecond))
	return nil
}

// load returns the state of the newest checkpoint, or a new state when there is none.
func (e *Engine) load() (*state.State, error) {
	keys, err := e.checkpoints()
	if err != nil || len(keys) == 0 {
		return state.New(), err
	}
	key := keys[len(keys)-1]
	b, err := e.store.Get(context.Background(), key)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	s, err := state.Restore(b)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	e.checkpointed.Store(s.Next())
	return s, nil
}

func (e *Engine) checkpoints() ([]string, error) {
	keys, err := e.store.List(context.Background(), checkpointPrefix)
	if err != nil {
		return nil, fmt.Errorf("list checkpoints: %w", err)
	}
	return keys, nil
}

// checkpoint stores the state as it is now and removes the checkpoint before. The new one is read back first: once the
// journal is trimmed, nothing else knows what it says.
func (e *Engine) checkpoint() error {
	e.mu.RLock()
	s := e.mu.state.Clone()
	e.mu.RUnlock()
	if s.Next() == e.checkpointed.Load() {
		return e.trim()
	}
	e.grown.Store(0)
	if err := e.journal.Sync(); err != nil { // a checkpoint must not be ahead of what a power cut leaves of the journal
		return fmt.Errorf("make the journal durable before a checkpoint: %w", err)
	}
	start := time.Now()
	b := s.AppendSnapshot(nil)
	err := e.put(checkpointKey(s.Next()), b)
	e.metrics.Storage("checkpoint").Done(start, len(b), err)
	if err != nil {
		return fmt.Errorf("write checkpoint at entry %d: %w", s.Next(), err)
	}
	e.checkpointed.Store(s.Next())
	if err := e.removeOld(); err != nil {
		return err
	}
	return e.trim()
}

func (e *Engine) put(key string, b []byte) error {
	if err := e.store.Put(context.Background(), key, b); err != nil {
		return err
	}
	stored, err := e.store.Get(context.Background(), key)
	if err != nil {
		return err
	}
	if !bytes.Equal(stored, b) {
		return fmt.Errorf("%s reads back differently from how it was written", key)
	}
	return nil
}

// removeOld removes all checkpoints but the newest.
func (e *Engine) removeOld() error {
	keys, err := e.checkpoints()
	for ; err == nil && len(keys) > 1; keys = keys[1:] {
		err = e.store.Delete(context.Background(), keys[0])
	}
	return err
}

// trim gives back the journal below the checkpoint and below what the partitions still need.
func (e *Engine) trim() error {
	e.mu.RLock()
	below := min(e.checkpointed.Load(), e.mu.state.FirstSlot())
	e.mu.RUnlock()
	floor, _ := e.journal.Bounds()
	if below <= floor {
		return nil
	}
	start := time.Now()
	err := e.journal.Trim(below)
	e.metrics.Storage("trim").Done(start, 0, err)
	if err != nil {
		return fmt.Errorf("trim the journal below entry %d: %w", below, err)
	}
	return nil
}

// shrink gives back what the journal need not hold any more, with a new checkpoint when that would make a difference. It trims
// first: on a full disk there may be no room for the checkpoint until then.
func (e *Engine) shrink() error {
	if err := e.trim(); err != nil {
		return err
	}
	if e.full.Load() || e.grown.Load() > e.options.CheckpointBytes/4 {
		return e.checkpoint()
	}
	return nil
}
