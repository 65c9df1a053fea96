package group

import (
	"time"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// expireLoop looks for offsets that nobody uses, until the coordinator is closed.
func (c *Coordinator) expireLoop() {
	defer close(c.stopped)
	tick := time.NewTicker(c.options.ExpiryCheck)
	defer tick.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-tick.C:
			c.Expire()
		}
	}
}

// Expire does at once what is done every ExpiryCheck: it forgets the offsets that have been of no use for OffsetsRetention
// (KIP-211), and then the groups without members that have none left.
func (c *Coordinator) Expire() {
	overdue := func(id string) (is bool) {
		if g, _ := c.find(id, false); g != nil {
			is = g.overdue() != nil
			g.unlock()
		}
		return is
	}
	var ids []string
	for _, id := range c.stored(func(*state.Group) bool { return true }) {
		if overdue(id) {
			ids = append(ids, id)
		}
	}
	together(len(ids), func(i int) {
		if g, _ := c.find(ids[i], false); g != nil {
			g.expire()
			g.unlock()
		}
	})
}

// expire forgets what is overdue, one thing after the other.
func (g *group) expire() {
	if c := g.overdue(); c != nil {
		g.write(c, func(code kerr.Code) {
			if code == kerr.None {
				g.expire()
			}
		})
	}
}

// overdue is the command that forgets offsets which have been of no use for too long, or, where there are none, a group that
// has no members either; nil when there is nothing to forget.
func (g *group) overdue() state.Command {
	command, ok := g.expiring()
	var due, void bool
	g.coordinator.engine.View(func(s *state.State) {
		due = ok && s.Expiring(&command)
		stored := s.Group(g.id)
		void = stored != nil && !stored.HasOffsets()
	})
	switch {
	case due:
		return command
	case void && g.state == empty && g.writing == 0:
		return state.DeleteGroup{GroupID: g.id}
	}
	return nil
}

// expiring is the command that forgets what the group has not used for too long: without members all, since it has had
// none; with consumers what they are not subscribed to. Of other groups with members nothing is known.
func (g *group) expiring() (state.ExpireOffsets, bool) {
	now := nowMs()
	c := state.ExpireOffsets{GroupID: g.id, NowMs: now, BeforeMs: now - g.coordinator.options.OffsetsRetention.Milliseconds(), SinceMs: -1}
	switch {
	case g.state == empty && g.protocolType != "":
		c.SinceMs = g.sinceMs
	case g.state == stable:
		topics, ok := g.subscribed()
		c.Subscribed = sorted(topics)
		return c, ok
	}
	return c, g.state == empty
}
