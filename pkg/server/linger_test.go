package server

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/heraclitus/heraclitus/pkg/auth"
	"github.com/heraclitus/heraclitus/pkg/handler"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// unreadBytes are sent behind the request that ends a connection: more than the server has read by then.
const unreadBytes = 256 << 10

// TestLastAnswerIsNotReset shows that a client can read to the end what it was answered before its connection is closed,
// though it has sent more than was read: its login was refused, it asked for what is not served, or a handler hung up on
// it. Closing a connection with bytes unread resets it, which is what the broken twin does: a server that reads no more
// once it has stopped reading.
func TestLastAnswerIsNotReset(t *testing.T) {
	f := func(reason string, table []handler.Row, change func(*Options), requests []byte, answers func(io.Reader)) {
		t.Helper()
		for _, twin := range []bool{false, true} {
			s, address := startLingering(t, table, change, twin)
			c := dial(t, address)
			c.Write(append(bytes.Clone(requests), make([]byte, unreadBytes)...))
			c.CloseWrite()
			waitFor(t, func() bool { return s.metrics.ConnectionsClosed(reason).Get() == 1 }, reason)
			c.SetReadDeadline(time.Now().Add(patience))
			all, err := io.ReadAll(c)
			if reset := err != nil; reset != twin {
				t.Errorf("%s, broken twin %v: %v behind %d bytes", reason, twin, err, len(all))
			}
			if !twin {
				answers(bytes.NewReader(all))
			}
		}
	}
	first := func(r io.Reader) { readResponse(t, r, wire.KeyMetadata, 12, 1) }
	refusal := func(r io.Reader) {
		readResponse(t, r, wire.KeySaslHandshake, 1, 1)
		readResponse(t, r, wire.KeySaslAuthenticate, 2, 2)
	}
	handshake := request(wire.KeySaslHandshake, 1, 1, &wire.SaslHandshakeRequest{Mechanism: auth.Plain})
	metadata := request(wire.KeyMetadata, 12, 1, &wire.MetadataRequest{})
	hangUp := func(*handler.Handler, *handler.Call) error { return errors.New("no") }
	table := on(tableOf(wire.KeyMetadata, wire.KeyListGroups), wire.KeyListGroups, nil, hangUp)
	f("login_refused", loginTable(), guard, append(handshake, tokenRequest(1, 2, wrongToken)...), refusal)
	f("unsupported", table, nil, append(metadata, request(wire.KeyFetch, 12, 2, &wire.FetchRequest{})...), first)
	f("refused", table, nil, append(metadata, request(wire.KeyListGroups, 3, 2, &wire.ListGroupsRequest{})...), first)
}

// startLingering is start, or starts the broken twin.
func startLingering(t *testing.T, table []handler.Row, change func(*Options), twin bool) (*Server, string) {
	t.Helper()
	s, address := start(t, table, change)
	if !twin {
		return s, address
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(hasty{l}, Listener{Name: "hasty", SASL: s.options.Auth != nil})
	return s, l.Addr().String()
}

// hasty accepts connections that read nothing any more once they have been told to stop, by a deadline in the past, and that
// cannot be closed for writing alone.
type hasty struct{ net.Listener }

type hastyConn struct {
	net.Conn
	stopped atomic.Bool
}

func (l hasty) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &hastyConn{Conn: c}, err
}

func (c *hastyConn) SetReadDeadline(deadline time.Time) error {
	if deadline.Before(time.Now()) {
		c.stopped.Store(true)
	}
	return c.Conn.SetReadDeadline(deadline)
}

func (c *hastyConn) Read(b []byte) (int, error) {
	if c.stopped.Load() {
		return 0, os.ErrDeadlineExceeded
	}
	return c.Conn.Read(b)
}
