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
	ids := c.stored(func(*state.Group) bool { return true })
	together(len(ids), func(i int) {
		if g, _ := c.find(ids[i], false); g != nil {
			g.expire()
			g.unlock()
		}
	})
}

func (g *group) expire() {
	command, ok := g.expiring()
	var due, void bool
	g.coordinator.engine.View(func(s *state.State) {
		due = ok && s.Expiring(&command)
		stored := s.Group(g.id)
		void = stored != nil && !stored.HasOffsets()
	})
	switch {
	case due:
		g.write(command, func(code kerr.Code) {
			if code == kerr.None {
				g.expire()
			}
		})
	case void && g.state == empty && g.writing == 0:
		g.write(state.DeleteGroup{GroupID: g.id}, nil)
	}
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
