package bare

import (
	"net"
	"sync"
)

const answersMax = 256 // answers a connection may owe before it stops reading

// answer is a piece of what a connection owes its client: n bytes of conn.out, then pieces of the ring.
type answer struct {
	after int64 // log position that has to be durable first
	n     int
	parts [][]byte
	unpin bool // the ring may be overwritten again once this is sent
}

type conn struct {
	s       *server
	nc      net.Conn
	in      []byte // read buffer
	from    int    // in[from:to] has been read and not yet handled
	to      int
	scratch []byte   // the answer being encoded
	pieces  []answer // the fetch answer being encoded

	mu      sync.Mutex
	due     sync.Cond // on mu: a commit has made an answer true, or the connection is closed
	sent    sync.Cond // on mu: answers have been sent
	out     []byte
	owed    []answer // in request order
	sending bool     // one goroutine is in flush
	listed  bool     // is in server.waiting
	closed  bool

	send []byte      // flush's copy of the front of out
	vecs net.Buffers // flush's pieces
	done []answer    // flush's answers
}

// serve starts the two goroutines of a connection.
func serve(s *server, nc net.Conn) {
	c := &conn{s: s, nc: nc, in: takeBuffer(readBytes)}
	c.due.L, c.sent.L = &c.mu, &c.mu
	go c.finish()
	go c.receive()
}

// receive reads and handles requests until the connection fails or sends nonsense.
func (c *conn) receive() {
	defer c.close()
	for {
		n, err := c.nc.Read(c.in[c.to:])
		if err != nil {
			return
		}
		c.to += n
		if !c.handleAll() {
			return
		}
		c.submit()
	}
}

// handleAll handles every whole frame of the read buffer and leaves room for the rest of a broken-off one.
func (c *conn) handleAll() bool {
	need := 4
	for c.to-c.from >= 4 {
		size := int(be.Uint32(c.in[c.from:]))
		if size < 8 || size > frameBytesMax {
			return false
		}
		if need = 4 + size; c.to-c.from < need {
			break
		}
		if !c.handle(c.in[c.from+4 : c.from+need]) {
			return false
		}
		c.from += need
		need = 4
	}
	c.makeRoom(need)
	return true
}

// makeRoom gets the read buffer ready for the rest of a frame of need bytes that starts at from. A buffer holds at
// least two frames, so that little is moved.
func (c *conn) makeRoom(need int) {
	old := c.in
	switch {
	case c.from == c.to:
		c.from, c.to = 0, 0
	case c.from+need <= len(old) && len(old)-c.to >= len(old)/4:
		return
	}
	if 2*need > len(old) && need > 4 {
		c.in = takeBuffer(2 * need)
		defer giveBuffer(old)
	}
	c.to = copy(c.in, old[c.from:c.to])
	c.from = 0
}

// submit sees to it that what the requests of one read have added to the log is committed and answered.
func (c *conn) submit() {
	if c.s.journal != nil {
		c.mu.Lock()
		list := !c.listed && len(c.owed) > 0
		c.listed = c.listed || list
		c.mu.Unlock()
		if list {
			c.s.await(c)
		}
		select {
		case c.s.kick <- struct{}{}:
		default: // a commit that has not begun yet will see it
		}
	}
	c.flush()
}

// push queues an answer: head, then the parts in a. It waits while the connection owes too much.
func (c *conn) push(a answer, head []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.owed) >= answersMax {
		c.mu.Unlock()
		c.submit()
		c.mu.Lock()
	}
	for len(c.owed) >= answersMax {
		c.sent.Wait()
	}
	a.n = len(head)
	c.out = append(c.out, head...)
	c.owed = append(c.owed, a)
}

// committed wakes the connection if it has an answer up to position durable, and says whether it waits for more.
func (c *conn) committed(durable int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.owed) > 0 && c.owed[0].after <= durable {
		c.due.Signal()
	}
	c.listed = !c.closed && len(c.owed) > 0 && c.owed[len(c.owed)-1].after > durable
	return c.listed
}

// finish sends answers that have waited for a commit.
func (c *conn) finish() {
	for c.awaitDue() {
		c.flush()
	}
}

func (c *conn) awaitDue() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.closed && (c.sending || !c.dueLocked()) {
		c.due.Wait()
	}
	return !c.closed
}

func (c *conn) dueLocked() bool {
	return len(c.owed) > 0 && c.owed[0].after <= c.s.log.durable.Load()
}

// flush sends every answer that is due, unless another goroutine is already at it.
func (c *conn) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sending {
		return
	}
	c.sending = true
	for c.dueLocked() {
		c.takeLocked()
		c.mu.Unlock()
		c.write()
		c.mu.Lock()
	}
	c.sending = false
	c.sent.Signal()
}

// takeLocked moves the answers that are due from the queue to where write finds them.
func (c *conn) takeLocked() {
	durable, n, bytes := c.s.log.durable.Load(), 0, 0
	for ; n < len(c.owed) && c.owed[n].after <= durable; n++ {
		bytes += c.owed[n].n
	}
	c.done = append(c.done[:0], c.owed[:n]...)
	c.send = append(c.send[:0], c.out[:bytes]...)
	c.owed = append(c.owed[:0], c.owed[n:]...)
	c.out = append(c.out[:0], c.out[bytes:]...)
}

// write sends what takeLocked has taken, in one call if it can.
func (c *conn) write() {
	rest, vecs := c.send, c.vecs[:0]
	from, pinned := 0, 0
	for _, a := range c.done {
		from += a.n
		if len(a.parts) > 0 {
			vecs = append(append(vecs, rest[:from:from]), a.parts...)
			rest, from = rest[from:], 0
		}
		if a.unpin {
			pinned++
		}
	}
	if len(rest) > 0 {
		vecs = append(vecs, rest)
	}
	c.vecs = vecs
	if _, err := vecs.WriteTo(c.nc); err != nil {
		c.nc.Close() // ends receive, which closes the rest
	}
	for range pinned {
		c.s.log.pinned.RUnlock()
	}
}

// close ends the connection. What it still owes is dropped.
func (c *conn) close() {
	c.nc.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for c.sending {
		c.sent.Wait()
	}
	for _, a := range c.owed {
		if a.unpin {
			c.s.log.pinned.RUnlock()
		}
	}
	c.owed = nil
	giveBuffer(c.in)
	c.due.Signal()
}
