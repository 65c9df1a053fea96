package engine

import (
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/topic"
)

// Topic is a topic as it is at one moment.
type Topic struct {
	ID         state.ID
	Name       string
	Partitions int32
	Settings   *topic.Settings     // in effect: what was set on it, over the server's defaults; not to be changed
	Config     []state.ConfigEntry // what was set on it, sorted by name; not to be changed
}

// ClusterID is Kafka's cluster id: 22 characters, the same for the life of the data.
func (e *Engine) ClusterID() string {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.mu.state.ClusterID()
}

// Defaults returns the settings of topics that set nothing themselves.
func (e *Engine) Defaults() topic.Settings { return e.options.Topics }

// Topic returns the topic with a name.
func (e *Engine) Topic(name string) (Topic, bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.topicLocked(e.mu.state.TopicNamed(name))
}

// TopicByID returns the topic with an id.
func (e *Engine) TopicByID(id state.ID) (Topic, bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.topicLocked(e.mu.state.Topic(id))
}

// Topics returns all topics, by name.
func (e *Engine) Topics() []Topic {
	e.mu.RLock()
	defer e.mu.RUnlock()
	var all []Topic
	for t := range e.mu.state.Topics() {
		found, _ := e.topicLocked(t)
		all = append(all, found)
	}
	return all
}

// Configure changes the settings of a topic. They take effect at once, also for retention of what is there. It returns a
// [kerr.Code], UnknownTopicID when the topic is gone.
func (e *Engine) Configure(c state.ConfigureTopic) error {
	if _, err := e.Do(c); err != nil {
		return kerr.Of(err)
	}
	signal(e.reclaim)
	return nil
}

func (e *Engine) topicLocked(t *state.Topic) (Topic, bool) {
	if t == nil {
		return Topic{}, false
	}
	return Topic{t.ID, t.Name, int32(len(t.Partitions)), e.settingsOf(t), t.Config}, true
}

// settingsOf returns the settings in effect for a topic, which are worked out once. A setting that was accepted when it was made
// and that this release refuses is logged, and left at its default.
func (e *Engine) settingsOf(t *state.Topic) *topic.Settings {
	if known, ok := e.settings.Load(t); ok {
		return known.(*topic.Settings)
	}
	s := e.options.Topics
	for _, c := range t.Config {
		if err := s.Set(c.Name, c.Value); err != nil {
			e.log.Warn("topic has a setting that is not valid any more: the default holds", "topic", t.Name, "err", err)
		}
	}
	e.settings.Store(t, &s)
	return &s
}

// forgetSettings drops the settings of topics that are gone.
func (e *Engine) forgetSettings() {
	e.mu.RLock()
	defer e.mu.RUnlock()
	e.settings.Range(func(t, _ any) bool {
		if e.mu.state.Topic(t.(*state.Topic).ID) != t {
			e.settings.Delete(t)
		}
		return true
	})
}
