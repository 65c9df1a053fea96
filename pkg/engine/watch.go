package engine

import (
	"sync"
	"sync/atomic"

	"github.com/heraclitus/heraclitus/pkg/state"
)

// Key names a partition.
type Key struct {
	ID        state.ID
	Partition int32
}

// Watcher waits for records to be appended to some partitions.
type Watcher struct {
	C    chan struct{} // signalled once enough has been appended, or records have been taken away
	keys []Key
	need atomic.Int64 // bytes still to come
}

// watches holds all watchers, by partition.
type watches struct {
	count atomic.Int64 // of watchers, so that nobody pays for watches that nobody keeps
	mu    struct {
		sync.Mutex
		byKey map[Key]map[*Watcher]struct{}
	}
}

func (w *watches) init() { w.mu.byKey = map[Key]map[*Watcher]struct{}{} }

// Watch returns a watcher of partitions that is signalled when bytes of batches have been appended to them since. Whoever
// waits registers first and reads after, so that nothing appended in between is missed; and calls Unwatch in the end.
// The watcher keeps keys.
func (e *Engine) Watch(keys []Key, bytes int) *Watcher {
	w := &Watcher{C: make(chan struct{}, 1), keys: keys}
	w.need.Store(int64(bytes))
	e.watches.count.Add(1)
	e.metrics.FetchesWaiting.Inc()
	all := &e.watches.mu
	all.Lock()
	defer all.Unlock()
	for _, k := range keys {
		if all.byKey[k] == nil {
			all.byKey[k] = map[*Watcher]struct{}{}
		}
		all.byKey[k][w] = struct{}{}
	}
	return w
}

// Unwatch ends a watch.
func (e *Engine) Unwatch(w *Watcher) {
	e.watches.count.Add(-1)
	e.metrics.FetchesWaiting.Dec()
	all := &e.watches.mu
	all.Lock()
	defer all.Unlock()
	for _, k := range w.keys {
		delete(all.byKey[k], w)
		if len(all.byKey[k]) == 0 {
			delete(all.byKey, k)
		}
	}
}

// wake tells a partition's watchers that a batch of some bytes was appended to it.
func (w *watches) wake(k Key, bytes int) {
	if w.count.Load() == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for watcher := range w.mu.byKey[k] {
		if watcher.need.Add(-int64(bytes)) <= 0 {
			signal(watcher.C)
		}
	}
}

// wakeAll signals every watcher: a topic may be gone, or a log start moved.
func (w *watches) wakeAll() {
	if w.count.Load() == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, watchers := range w.mu.byKey {
		for watcher := range watchers {
			signal(watcher.C)
		}
	}
}
