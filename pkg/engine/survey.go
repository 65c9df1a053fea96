package engine

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/heraclitus/heraclitus/pkg/state"
)

// survey says in which partitions there is something to do, the most urgent first.
type survey struct {
	archive []Key // the one that holds the oldest entry first: it keeps the journal from being trimmed
	merge   []Key
	compact []Key // the one that has most to gain first
}

func (s *survey) empty() bool { return len(s.archive)+len(s.merge)+len(s.compact) == 0 }

// surveyRatio is how many times as long as a survey takes the archiver waits before the next, when there was nothing to do: a
// survey of many partitions is work, too.
const surveyRatio = 20

// ranked is a partition and how urgent it is: the lowest rank is the first.
type ranked struct {
	key  Key
	rank float64
}

// survey looks at all partitions but those that are left alone because of trouble. While the journal is overgrown there is
// nothing to do but archive.
func (a *archiver) survey(nowMs int64) survey {
	start := time.Now()
	pressed, overgrown := a.pressed(), a.overgrown()
	maps.DeleteFunc(a.troubles, func(_ Key, t trouble) bool { return start.Sub(t.until) > troubleWaitMax }) // of topics that are gone
	var archive, merge, compact []ranked
	a.eachPartition(func(t *state.Topic, i int32, p *state.Partition) {
		key, s := Key{t.ID, i}, a.settingsOf(t)
		if len(a.troubles) > 0 && start.Before(a.troubles[key].until) {
			return
		}
		if slot, some := p.FirstSlot(); some && a.due(p, s, nowMs, pressed) {
			archive = append(archive, ranked{key, float64(slot)})
		}
		switch {
		case overgrown:
		case !s.Compact && a.mergeable(p, s) != nil:
			merge = append(merge, ranked{key: key})
		case s.Compact:
			if segments, ratio := cleanable(p, s, nowMs); len(segments) > 0 {
				compact = append(compact, ranked{key, -ratio})
			}
		}
	})
	a.surveyed = time.Since(start)
	a.pace()
	return survey{inOrder(archive), inOrder(merge), inOrder(compact)}
}

// inOrder returns the keys by rank.
func inOrder(all []ranked) (keys []Key) {
	slices.SortStableFunc(all, func(a, b ranked) int { return cmp.Compare(a.rank, b.rank) })
	for _, r := range all {
		keys = append(keys, r.key)
	}
	return keys
}

// partitionsAtOnce is how many partitions are looked at before the lock is given to whoever waits for it.
const partitionsAtOnce = 500

// eachPartition calls f with all partitions, under the lock, which it lets go of in between: a partition that is there all the
// time is seen once, one that comes or goes meanwhile perhaps. f must be brief, and keep nothing that later entries change.
func (e *Engine) eachPartition(f func(t *state.Topic, i int32, p *state.Partition)) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	n := 0
	for _, id := range e.mu.state.TopicIDs() {
		t := e.mu.state.Topic(id)
		for i := 0; t != nil && i < len(t.Partitions); i++ {
			f(t, int32(i), t.Partitions[i])
			if n++; n%partitionsAtOnce == 0 {
				e.mu.RUnlock()
				e.mu.RLock()
				t = e.mu.state.Topic(id)
			}
		}
	}
}
