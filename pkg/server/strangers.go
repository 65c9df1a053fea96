package server

import (
	"container/list"
	"errors"
	"time"
)

// Limits of strangers, the connections whose clients are to prove who they are, by TLS or SASL, and have not done so yet.
const (
	strangersPart = 4               // of all connections one in so many may be a stranger's,
	strangersMin  = 64              // and so many where few connections are allowed
	strangerTime  = 5 * time.Second // in which nobody has to give way to others: a login takes a hundredth of it
)

// errCrowdedOut ends the connection of a stranger that has taken its time, when others want its place.
var errCrowdedOut = errors.New("others wanted the place of a client that did not say who it is")

// strangers is the waiting room: whoever stays longest without a word makes room for those who come, so that it cannot be
// filled by clients that only sit there. The server's lock guards it.
type strangers struct {
	max  int
	list list.List // of *conn, in the order they came
}

// admitLocked lets a stranger in, whose place was the oldest one's if that is to be cut. It says false if there is no room.
func (s *strangers) admitLocked(c *conn) (oldest *conn, ok bool) {
	if s.list.Len() >= s.max {
		oldest = s.list.Front().Value.(*conn)
		if time.Since(oldest.came) < strangerTime {
			return nil, false
		}
		s.forgetLocked(oldest)
	}
	c.came = time.Now()
	c.strange = s.list.PushBack(c)
	return oldest, true
}

// forgetLocked takes out a connection that is known by now, or has ended.
func (s *strangers) forgetLocked(c *conn) {
	if c.strange != nil {
		s.list.Remove(c.strange)
		c.strange = nil
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
