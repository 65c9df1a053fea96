package state

import (
	"slices"
	"strings"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// ConfigureTopic sets configurations on a topic and removes some, for which the server's defaults hold again; what it does not
// name stays as it is. Refused with UnknownTopicID.
type ConfigureTopic struct {
	ID    ID
	Set   []ConfigEntry // sorted by name, each name once
	Unset []string      // names; one that is in Set too is set
}

func (ConfigureTopic) kind() byte { return kindConfigureTopic }

func (c ConfigureTopic) append(b []byte) []byte {
	b = append(b, c.ID[:]...)
	b = appendConfig(b, c.Set)
	b = appendUvarint(b, len(c.Unset))
	for _, name := range c.Unset {
		b = appendString(b, name)
	}
	return b
}

func (c *ConfigureTopic) decode(d *decoder) {
	c.ID = d.id()
	c.Set = d.config()
	for range d.count(1) {
		c.Unset = append(c.Unset, d.string())
	}
}

// configureTopic puts another Topic with the same partitions in the place of the old one, which readers may still hold.
func (s *State) configureTopic(c *ConfigureTopic, r *Result) {
	old := s.topics[c.ID]
	if old == nil {
		r.Code = kerr.UnknownTopicID
		return
	}
	t := *old
	t.Config = slices.Clone(c.Set)
	for _, had := range old.Config {
		named := func(e ConfigEntry) bool { return e.Name == had.Name }
		if !slices.ContainsFunc(c.Set, named) && !slices.Contains(c.Unset, had.Name) {
			t.Config = append(t.Config, had)
		}
	}
	slices.SortFunc(t.Config, func(a, b ConfigEntry) int { return strings.Compare(a.Name, b.Name) })
	t.Config = slices.Clip(t.Config)
	s.add(&t)
}
