package file

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/heraclitus/heraclitus/pkg/journal"
)

// syncing is what makes entries durable that Append has only written. Its lock is held by whoever syncs the current
// volume: one at a time, so that a failure is told to one, and ends writing before the next one begins.
type syncing struct {
	sync.Mutex
	wake chan struct{} // there is something to sync
	stop chan struct{}
	loop sync.WaitGroup
}

// startSyncing begins to sync every interval, if there is one.
func (j *Journal) startSyncing() {
	if j.o.SyncInterval == 0 {
		return
	}
	j.syncing.wake, j.syncing.stop = make(chan struct{}, 1), make(chan struct{})
	j.syncing.loop.Go(j.syncEvery)
}

// due says that there is something to sync.
func (s *syncing) due() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// end ends the goroutine. The lock must be free.
func (s *syncing) end() {
	if s.stop != nil {
		close(s.stop)
	}
	s.loop.Wait()
}

// syncEvery syncs what was appended, an interval after the first of it. A journal at rest wakes nobody.
func (j *Journal) syncEvery() {
	wait := time.NewTimer(0)
	for {
		select {
		case <-j.syncing.wake:
		case <-j.syncing.stop:
			return
		}
		wait.Reset(j.o.SyncInterval)
		select {
		case <-wait.C:
		case <-j.syncing.stop:
			return
		}
		if err := j.sync(); err != nil {
			if !errors.Is(err, journal.ErrClosed) {
				j.o.Log.Error("journal: entries that were acknowledged may not last, and no more are taken",
					"journal", j.dir, "error", err)
			}
			return
		}
	}
}

// Sync implements journal.Journal.
func (j *Journal) Sync() error {
	if err := j.sync(); err != nil {
		return fmt.Errorf("sync journal %s: %w", j.dir, err)
	}
	return nil
}

func (j *Journal) sync() error {
	j.syncing.Lock()
	defer j.syncing.Unlock()
	if err := j.unwritable(); err != nil {
		return err
	}
	return j.syncWritten()
}

// syncWritten makes durable what is written when it begins; entries may be appended meanwhile. The caller holds j.syncing.
func (j *Journal) syncWritten() error {
	r, next, err := j.holdUnsynced()
	if r == nil {
		return err
	}
	defer j.release(r)
	if err := r.handle.sync(); err != nil {
		return j.breaks(err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.mu.durable = next
	return nil
}

// holdUnsynced returns the current volume's reader, which the caller releases, and the next slot; nil when nothing has to
// be synced, or with the reason why nothing can be.
func (j *Journal) holdUnsynced() (r *reader, next uint64, err error) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if j.mu.durable == j.mu.next {
		return nil, 0, nil
	}
	if err := j.unwritableLocked(); err != nil {
		return nil, 0, err
	}
	r = j.currentLocked()
	r.refs.Add(1)
	return r, j.mu.next, nil
}

// unsynced is how many entries at the end may not be durable now.
func (j *Journal) unsynced() uint32 {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return uint32(min(j.mu.next-j.mu.durable, math.MaxUint32))
}

// unwritable says why nothing can be written; nil when it can.
func (j *Journal) unwritable() error {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.unwritableLocked()
}
