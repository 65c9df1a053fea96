package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/objstore"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// CheckpointsPrefix begins the keys of checkpoints; the slot that a replay goes on with follows, in 20 digits. Beside each lies
// a second copy of it: the journal before a checkpoint is gone, so it must not be lost to one bad block.
const (
	CheckpointsPrefix = "checkpoints/"
	copySuffix        = ".copy"
)

func checkpointKey(slot uint64) string { return fmt.Sprintf("%s%020d", CheckpointsPrefix, slot) }

// CheckpointSlot returns the slot that a replay goes on with from the checkpoint of a key, or from its second copy; ok is false
// when the key is not one of a checkpoint.
func CheckpointSlot(key string) (slot uint64, isCopy, ok bool) {
	name, isCopy := strings.CutSuffix(key, copySuffix)
	slot, err := strconv.ParseUint(strings.TrimPrefix(name, CheckpointsPrefix), 10, 64)
	return slot, isCopy, err == nil && name == checkpointKey(slot)
}

// noteGrowth asks for a checkpoint when the journal has grown enough since the last.
func (e *Engine) noteGrowth(bytes int) {
	if e.grown.Add(int64(bytes)) > e.options.CheckpointBytes {
		signal(e.maintain)
	}
}

// recover loads the newest checkpoint and applies the journal after it.
func (e *Engine) recover() error {
	start := time.Now()
	s, err := e.load()
	if err != nil {
		return err
	}
	from := s.Next()
	if floor, next := e.journal.Bounds(); from < floor || from > next {
		return fmt.Errorf("checkpoint at entry %d does not fit the journal, which holds entries %d to %d: restore the whole storage folder from a copy of one time", from, floor, next)
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
	e.log.Info("state recovered", "clean_stop", s.Next() == from, "checkpoint", from, "entries", s.Next()-from, "took", time.Since(start).Round(time.Microsecond))
	return nil
}

// load returns the state of the newest checkpoint, or a new state when there is none. The newest one or its copy must be
// readable: there is no older one, or the journal has been trimmed since.
func (e *Engine) load() (*state.State, error) {
	slots, err := e.checkpoints()
	if err != nil || len(slots) == 0 {
		return state.New(), err
	}
	slot := slots[len(slots)-1]
	s, err := e.restore(slot, checkpointKey(slot))
	if errors.Is(err, state.ErrSnapshot) || errors.Is(err, objstore.ErrAbsent) {
		e.log.Warn("checkpoint is damaged: its copy is read", "err", err)
		damage := err
		if s, err = e.restore(slot, checkpointKey(slot)+copySuffix); err != nil {
			err = errors.Join(damage, err)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("without the newest checkpoint or its copy the journal cannot be understood: restore the whole storage folder from a copy of one time: %w", err)
	}
	e.checkpointed.Store(slot)
	return s, nil
}

// restore reads the checkpoint at a slot under its name, or that of its copy.
func (e *Engine) restore(slot uint64, key string) (*state.State, error) {
	b, err := e.store.Get(e.upkeep.ctx, key)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	s, err := state.Restore(b)
	if err == nil && s.Next() != slot {
		err = fmt.Errorf("it is the checkpoint at entry %d: %w", s.Next(), state.ErrSnapshot)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	return s, nil
}

// checkpoints returns the slots of which there are checkpoints, or copies of them, in order. Other objects are left alone.
func (e *Engine) checkpoints() ([]uint64, error) {
	objects, err := e.store.List(e.upkeep.ctx, CheckpointsPrefix)
	if err != nil {
		return nil, fmt.Errorf("list checkpoints: %w", err)
	}
	var slots []uint64
	for _, o := range objects {
		if slot, _, ok := CheckpointSlot(o.Key); ok {
			slots = append(slots, slot)
		}
	}
	return slices.Compact(slots), nil
}

// checkpoint stores the state as it is now, removes older checkpoints, and trims the journal.
func (e *Engine) checkpoint() error {
	e.upkeep.Lock()
	defer e.upkeep.Unlock()
	return e.checkpointLocked()
}

func (e *Engine) checkpointLocked() error {
	e.mu.RLock()
	s, err := e.mu.state.Clone(), e.Err()
	e.mu.RUnlock()
	if err != nil {
		return err // an entry may have been applied in part
	}
	if s.Next() != e.checkpointed.Load() {
		e.grown.Store(0)
		err := e.keep(s)
		if e.upkeep.overdue = err != nil; err != nil {
			return fmt.Errorf("write checkpoint at entry %d: %w", s.Next(), err)
		}
		e.checkpointed.Store(s.Next())
	}
	return errors.Join(e.removeOld(), e.trim())
}

// keep stores a state as the checkpoint at the slot it has come to.
func (e *Engine) keep(s *state.State) error {
	if err := e.sync(); err != nil { // a checkpoint must not be ahead of what a power cut leaves of the journal
		return err
	}
	start := time.Now()
	b := s.AppendSnapshot(nil)
	err := e.put(e.upkeep.ctx, checkpointKey(s.Next()), b)
	e.metrics.Storage("checkpoint").Done(start, len(b), err)
	if err != nil {
		return err
	}
	if err := e.put(e.upkeep.ctx, checkpointKey(s.Next())+copySuffix, b); err != nil {
		e.log.Warn("checkpoint has no second copy", "err", err)
	}
	return nil
}

// sync makes every applied entry durable: what is done outside of the journal must not be ahead of it.
func (e *Engine) sync() error {
	if err := e.journal.Sync(); err != nil {
		return e.broken(fmt.Errorf("make the journal durable: %w", err))
	}
	return nil
}

// broken passes on an error of the journal, and notes when nothing can be written any more.
func (e *Engine) broken(err error) error {
	if errors.Is(err, journal.ErrBroken) {
		e.fail(err)
	}
	return err
}

// put stores an object and reads it back, piece by piece: once the journal is trimmed, nothing else knows what it says.
func (e *Engine) put(ctx context.Context, key string, b []byte) error {
	if err := e.store.Put(ctx, key, b); err != nil {
		return err
	}
	buffer := e.buffer(min(len(b), readBackBytes))
	defer buffer.free()
	for off := 0; off < len(b); {
		stored := buffer.bytes[:min(len(b)-off, len(buffer.bytes))]
		if err := e.store.GetRange(ctx, key, stored, int64(off)); err != nil {
			return err
		}
		if string(stored) != string(b[off:off+len(stored)]) {
			return fmt.Errorf("%s reads back differently from how it was written", key)
		}
		off += len(stored)
	}
	return nil
}

// readBackBytes is how much of an object is read back at a time.
const readBackBytes = 1 << 20

// removeOld removes the checkpoints before the last one.
func (e *Engine) removeOld() error {
	slots, err := e.checkpoints()
	for _, slot := range slots {
		if err == nil && slot < e.checkpointed.Load() {
			err = errors.Join(e.store.Delete(e.upkeep.ctx, checkpointKey(slot)),
				e.store.Delete(e.upkeep.ctx, checkpointKey(slot)+copySuffix))
		}
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
		return e.broken(fmt.Errorf("trim the journal below entry %d: %w", below, err))
	}
	return nil
}

// shrink gives back what the journal need not hold any more, after a new checkpoint when that would make a difference. It trims
// before that, too: on a full disk there may be no room for the checkpoint until then.
func (e *Engine) shrink() error {
	e.upkeep.Lock()
	defer e.upkeep.Unlock()
	if err := e.trim(); err != nil {
		return err
	}
	if e.upkeep.overdue || e.full.Load() || e.grown.Load() > min(e.options.CheckpointBytes, e.options.JournalBytesMax)/4 {
		return e.checkpointLocked()
	}
	return nil
}
