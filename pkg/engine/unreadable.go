package engine

import (
	"maps"
	"sync"
	"time"

	"github.com/heraclitus/heraclitus/pkg/state"
)

const (
	unreadableWait = time.Minute // between two lines of the log about one partition
	unreadableMax  = 1000        // partitions that are remembered; others are not told of
)

// unreadable remembers which partitions the log was told of because they could not be read: consumers ask again at once, and
// there may be many.
type unreadable struct {
	mu   sync.Mutex
	told map[Key]time.Time
}

// isNews says whether the log is to be told of a partition.
func (u *unreadable) isNews(k Key) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	maps.DeleteFunc(u.told, func(_ Key, at time.Time) bool { return time.Since(at) >= unreadableWait })
	if _, told := u.told[k]; told || len(u.told) >= unreadableMax {
		return false
	}
	if u.told == nil {
		u.told = map[Key]time.Time{}
	}
	u.told[k] = time.Now()
	return true
}

// noteUnreadable tells the log, once a minute for each partition, why it could not be read.
func (e *Engine) noteUnreadable(k Key, err error) {
	if !e.unreadable.isNews(k) {
		return
	}
	var topic string
	e.View(func(s *state.State) {
		if t := s.Topic(k.ID); t != nil {
			topic = t.Name
		}
	})
	e.log.Error("partition cannot be read: more of the same is left out for a minute", "topic", topic, "partition", k.Partition, "err", err)
}
