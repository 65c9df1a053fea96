package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/heraclitus/heraclitus/pkg/wire"
	"github.com/heraclitus/heraclitus/tools/capture/frames"
)

const (
	frameBytesMax   = 100 << 20
	requestsMax     = 10_000 // of one connection, not yet answered
	clientHost      = "127.0.0.1"
	plainExchanges  = 1 // bare tokens from the client, each of which is answered by one
	scramExchanges  = 2
	handshakeTokens = 0 // the version of SaslHandshake that bare tokens follow
)

// relay stands between clients and one broker, and records what goes through it.
//
// A frame is recorded as it came. Responses that name the broker's address are passed on with the relay's in its place, so
// that clients come here with all their connections; and ApiVersions offers no more than limit allows, so that they choose
// the versions that are wanted.
type relay struct {
	listener net.Listener
	server   string // the broker's address
	limit    limit
	tape     *tape
	running  sync.WaitGroup
	open     struct {
		sync.Mutex
		all    map[net.Conn]bool
		closed bool
	}
}

// startRelay listens on a free port of this machine.
func startRelay(server string, limit limit) (*relay, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(clientHost, "0"))
	if err != nil {
		return nil, fmt.Errorf("listen for clients: %w", err)
	}
	r := &relay{listener: l, server: server, limit: limit, tape: new(tape)}
	r.open.all = map[net.Conn]bool{}
	r.running.Go(r.accept)
	return r, nil
}

// addr is where clients connect.
func (r *relay) addr() string { return r.listener.Addr().String() }

// stop ends all connections and returns what was recorded, and what went wrong while it was.
func (r *relay) stop() ([]frames.Frame, error) {
	r.listener.Close()
	r.open.Lock()
	r.open.closed = true
	for c := range r.open.all {
		c.Close()
	}
	r.open.Unlock()
	r.running.Wait()
	return r.tape.end()
}

func (r *relay) accept() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return // stopped
		}
		server, err := net.Dial("tcp", r.server)
		if err != nil {
			r.tape.fail(fmt.Errorf("connect to the broker: %w", err))
			client.Close()
			continue
		}
		r.serve(client, server)
	}
}

// serve relays in both directions until one side hangs up.
func (r *relay) serve(client, server net.Conn) {
	r.open.Lock()
	defer r.open.Unlock()
	if r.open.closed {
		client.Close()
		server.Close()
		return
	}
	r.open.all[client], r.open.all[server] = true, true
	c := &connection{relay: r, number: r.tape.connection(), client: client, server: server, sent: make(chan frames.Frame, requestsMax)}
	var both sync.WaitGroup
	both.Go(func() { c.run(c.request, client, server); close(c.sent) })
	both.Go(func() { c.run(c.response, server, client) })
	r.running.Go(func() {
		both.Wait()
		r.open.Lock()
		defer r.open.Unlock()
		delete(r.open.all, client)
		delete(r.open.all, server)
	})
}

// connection is a client's connection and the relay's own that belongs to it.
type connection struct {
	*relay
	number int
	client net.Conn
	server net.Conn
	sent   chan frames.Frame // requests that will be answered, in order
	tokens atomic.Int32      // bare tokens that the client will still send
}

// run passes frames on from one side to the other, each as pass makes it.
func (c *connection) run(pass func([]byte) ([]byte, error), from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	for {
		payload, err := readFrame(from)
		if err != nil {
			return // hung up
		}
		if payload, err = pass(payload); err != nil {
			c.tape.fail(err)
			return
		}
		if err := writeFrame(to, payload); err != nil {
			return
		}
	}
}

// request records what a client sends.
func (c *connection) request(payload []byte) ([]byte, error) {
	var f frames.Frame
	if c.tokens.Load() > 0 {
		c.tokens.Add(-1)
		f = frames.Frame{Key: frames.Token, Payload: payload}
	} else {
		var err error
		if f, err = frames.NewRequest(payload); err != nil {
			return nil, err
		}
	}
	f.Conn = c.number
	c.tape.add(f)
	if f.Answered() {
		c.sent <- f
	}
	return payload, nil
}

// response records what the broker answers, and makes of it what the client is to see.
func (c *connection) response(payload []byte) ([]byte, error) {
	to, ok := <-c.sent
	if !ok {
		return nil, errors.New("a response to no request")
	}
	f := frames.NewResponse(to, payload)
	c.tape.add(f)
	if f.Key == frames.Token {
		return payload, nil
	}
	header, body, err := f.Decode()
	if err != nil {
		return nil, err
	}
	c.expectTokens(to, body)
	if !c.rewrite(body) {
		return payload, nil
	}
	return f.Encode(header, body), nil
}

// expectTokens counts the bare tokens that follow a handshake.
func (c *connection) expectTokens(to frames.Frame, answer wire.Message) {
	a, ok := answer.(*wire.SaslHandshakeResponse)
	if !ok || a.ErrorCode != 0 || to.Version != handshakeTokens {
		return
	}
	n := int32(scramExchanges)
	if _, q, err := to.Decode(); err == nil && q.(*wire.SaslHandshakeRequest).Mechanism == "PLAIN" {
		n = plainExchanges
	}
	c.tokens.Store(n)
}

// hostPort is the relay's address in two.
func (r *relay) hostPort() (string, int32) {
	host, port, _ := net.SplitHostPort(r.addr())
	n, _ := strconv.ParseInt(port, 10, 32)
	return host, int32(n)
}

// readFrame reads a frame and returns what follows its length.
func readFrame(from io.Reader) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(from, length[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > frameBytesMax {
		return nil, fmt.Errorf("a frame of %d bytes", n)
	}
	payload := make([]byte, n)
	_, err := io.ReadFull(from, payload)
	return payload, err
}

// writeFrame writes a payload with its length before it.
func writeFrame(to io.Writer, payload []byte) error {
	_, err := to.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(payload))), payload...))
	return err
}
