package state

import (
	"cmp"
	"iter"
	"maps"
	"slices"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// PartitionsMax is how many partitions a topic may have.
const PartitionsMax = 100_000

// Topic is a topic and its partitions. Its fields are read-only outside this package; ID, Name and Config never change: a
// ConfigureTopic puts another Topic in its place.
type Topic struct {
	ID         ID
	Name       string
	Config     []ConfigEntry // what was set on it, sorted by name
	CreatedMs  int64
	Partitions []*Partition // by partition number, from 0 without gaps
}

// Topic returns the topic with an id, or nil.
func (s *State) Topic(id ID) *Topic { return s.topics[id] }

// TopicNamed returns the topic with a name, or nil.
func (s *State) TopicNamed(name string) *Topic { return s.names[name] }

// Topics yields all topics, by name.
func (s *State) Topics() iter.Seq[*Topic] {
	sorted := slices.SortedFunc(maps.Values(s.topics), func(a, b *Topic) int { return cmp.Compare(a.Name, b.Name) })
	return slices.Values(sorted)
}

// TopicIDs returns the ids of all topics, in no order.
func (s *State) TopicIDs() []ID {
	return slices.AppendSeq(make([]ID, 0, len(s.topics)), maps.Keys(s.topics))
}

// Partition returns a partition, or nil when the topic or the number is unknown.
func (s *State) Partition(id ID, partition int32) *Partition {
	t := s.topics[id]
	if t == nil || partition < 0 || int(partition) >= len(t.Partitions) {
		return nil
	}
	return t.Partitions[partition]
}

func (s *State) createTopic(c *CreateTopic, r *Result) {
	if taken := cmp.Or(s.names[c.Name], s.topics[c.ID]); taken != nil {
		r.Code, r.TopicID = kerr.TopicAlreadyExists, taken.ID
		return
	}
	if c.Partitions < 1 || c.Partitions > PartitionsMax {
		r.Code = kerr.InvalidPartitions
		return
	}
	t := &Topic{ID: c.ID, Name: c.Name, Config: c.Config, CreatedMs: c.NowMs}
	t.grow(int(c.Partitions))
	s.add(t)
}

func (s *State) add(t *Topic) {
	s.topics[t.ID] = t
	s.names[t.Name] = t
}

func (t *Topic) grow(count int) {
	for len(t.Partitions) < count {
		t.Partitions = append(t.Partitions, &Partition{})
	}
}

func (s *State) deleteTopic(c *DeleteTopic, r *Result) {
	t := s.topics[c.ID]
	if t == nil {
		r.Code = kerr.UnknownTopicID
		return
	}
	delete(s.topics, t.ID)
	delete(s.names, t.Name)
	s.forgetOffsets(t.ID)
}

func (s *State) addPartitions(c *AddPartitions, r *Result) {
	t := s.topics[c.ID]
	switch {
	case t == nil:
		r.Code = kerr.UnknownTopicID
	case int(c.Count) <= len(t.Partitions) || c.Count > PartitionsMax:
		r.Code = kerr.InvalidPartitions
	default:
		t.grow(int(c.Count))
	}
}

// Count returns how many topics there are, and how many partitions they have.
func (s *State) Count() (topics, partitions int) {
	for _, t := range s.topics {
		partitions += len(t.Partitions)
	}
	return len(s.topics), partitions
}

// FirstSlot returns the slot of the oldest entry that any partition still needs, or Next when none does.
func (s *State) FirstSlot() uint64 {
	first := s.next
	for _, t := range s.topics {
		for _, p := range t.Partitions {
			if slot, ok := p.FirstSlot(); ok {
				first = min(first, slot)
			}
		}
	}
	return first
}
