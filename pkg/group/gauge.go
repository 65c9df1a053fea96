package group

import (
	"maps"
	"slices"

	"github.com/heraclitus/heraclitus/pkg/state"
)

// gauge counts groups and their members, for a scrape of the metrics. Groups may change while it does: the counts are each
// right at some moment of it.
func (c *Coordinator) gauge() {
	c.mu.Lock()
	present := slices.Collect(maps.Values(c.mu.groups))
	c.mu.Unlock()
	var groups [dead]int
	members := 0
	for _, g := range present {
		g.mu.Lock()
		if g.state != dead {
			groups[g.state]++
			members += len(g.members)
		}
		g.mu.Unlock()
	}
	groups[empty] += c.absent(present)
	for p := empty; p < dead; p++ {
		c.options.Metrics.Groups(p.String()).Set(float64(groups[p]))
	}
	c.options.Metrics.GroupMembers.Set(float64(members))
}

// absent is how many groups last that are not in memory. They have no members.
func (c *Coordinator) absent(present []*group) int {
	n := 0
	c.engine.View(func(s *state.State) {
		n = s.GroupCount()
		for _, g := range present {
			if s.Group(g.id) != nil {
				n--
			}
		}
	})
	return n
}
