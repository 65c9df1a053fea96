package server

import (
	"container/list"
	"errors"
	"net/netip"
	"time"

	"github.com/heraclitus/heraclitus/pkg/auth"
)

// Limits of strangers, the connections whose clients are to prove who they are, by TLS or SASL, and have not done so yet.
const (
	strangersPart = 4               // of all connections one in so many may be a stranger's,
	strangersMin  = 64              // and so many where few connections are allowed,
	networkPart   = 2               // and of those one in so many may be of the same network
	strangerTime  = 5 * time.Second // in which nobody has to give way: a login takes a hundredth of it
)

// errCrowdedOut ends the connection of a stranger that has taken its time, when others want its place.
var errCrowdedOut = errors.New("others wanted the place of a client that did not say who it is")

// strangers is the waiting room: whoever has waited longest makes room for newcomers, so that clients which only sit
// there cannot fill it; nor can those of one network, however fast they come. The server's lock guards it.
type strangers struct {
	max    int
	list   list.List          // of *conn, in the order they came
	places map[netip.Addr]int // how many of them are of each network
}

// admitLocked lets a stranger in, whose place was the oldest one's if that is to be cut. It says false if there is no room.
func (s *strangers) admitLocked(c *conn) (oldest *conn, ok bool) {
	home := auth.Network(c.peer())
	switch {
	case s.places[home] >= s.max/networkPart && home.IsValid():
		oldest = s.oldestLocked(home)
	case s.list.Len() >= s.max:
		oldest = s.list.Front().Value.(*conn)
	}
	if oldest != nil {
		if time.Since(oldest.came) < strangerTime {
			return nil, false
		}
		s.forgetLocked(oldest)
	}
	c.came = time.Now()
	c.strange = s.list.PushBack(c)
	s.places[home]++
	return oldest, true
}

// oldestLocked is the oldest connection of a network that has some.
func (s *strangers) oldestLocked(home netip.Addr) *conn {
	e := s.list.Front()
	for auth.Network(e.Value.(*conn).peer()) != home {
		e = e.Next()
	}
	return e.Value.(*conn)
}

// forgetLocked takes out a connection that is known by now, or has ended.
func (s *strangers) forgetLocked(c *conn) {
	if c.strange == nil {
		return
	}
	s.list.Remove(c.strange)
	c.strange = nil
	home := auth.Network(c.peer())
	if s.places[home]--; s.places[home] == 0 {
		delete(s.places, home)
	}
}

// recognise ends being a stranger, once the client is known.
func (c *conn) recognise() {
	if c.listener.strange() && c.shared.Session.Authenticated() {
		c.server.mu.Lock()
		defer c.server.mu.Unlock()
		c.server.mu.strangers.forgetLocked(c)
	}
}
