package state

import (
	"slices"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// TestConfigureTopic shows that configurations are set, replaced and taken off one by one, that a snapshot keeps them, and that
// a clone and whoever holds the topic from before see nothing of it.
func TestConfigureTopic(t *testing.T) {
	s, id := New(), ID{1}
	var slot uint64
	do := func(want kerr.Code, c Command) {
		t.Helper()
		results, err := s.Apply(slot, AppendCommand(nil, c), nil)
		if err != nil || results[0].Code != want {
			t.Fatalf("%+v: %v, %v", c, results, err)
		}
		slot++
	}
	has := func(s *State, want ...ConfigEntry) {
		t.Helper()
		if got := s.TopicNamed("t").Config; !slices.Equal(got, want) || s.Topic(id) != s.TopicNamed("t") {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	a, b, c := ConfigEntry{"a", "1"}, ConfigEntry{"b", "2"}, ConfigEntry{"c", "3"}
	do(kerr.UnknownTopicID, ConfigureTopic{ID: id})
	do(kerr.None, CreateTopic{ID: id, Name: "t", Partitions: 2, Config: []ConfigEntry{b}})
	before, clone := s.Topic(id), s.Clone()

	do(kerr.None, ConfigureTopic{ID: id, Set: []ConfigEntry{a, c}, Unset: []string{"nothing"}})
	has(s, a, b, c)
	if s.Topic(id).Partitions[1] != before.Partitions[1] {
		t.Error("the partitions are others")
	}
	do(kerr.None, ConfigureTopic{ID: id, Set: []ConfigEntry{{"b", "20"}}, Unset: []string{"a", "b"}})
	has(s, ConfigEntry{"b", "20"}, c)
	if has(clone, b); !slices.Equal(before.Config, []ConfigEntry{b}) {
		t.Errorf("the topic from before has %v", before.Config)
	}
	restored, err := Restore(s.AppendSnapshot(nil))
	if err != nil {
		t.Fatal(err)
	}
	has(restored, ConfigEntry{"b", "20"}, c)
	do(kerr.None, ConfigureTopic{ID: id, Unset: []string{"b", "c"}})
	has(s)
}
