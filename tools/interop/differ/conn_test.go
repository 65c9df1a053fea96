package differ

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/wire"
)

// A frame that is no answer is a fault: one that ends early, has bytes left over, answers another request, or says what its
// fields do not say. (Each is a broken twin of the good answer, in which no fault is found.)
func TestFaultsAreFound(t *testing.T) {
	f := func(what, want string, spoil func([]byte) []byte) {
		t.Helper()
		c := conversationWith(t, spoil)
		c.AskAt("step", 2, &wire.MetadataRequest{})
		if c.err != nil || len(c.answers) != 1 {
			t.Fatalf("%s: %d answers, %v", what, len(c.answers), c.err)
		}
		if got := c.answers[0].Fault; !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%s: fault %q, want %q", what, got, want)
		}
	}
	f("good", "", asIs)
	f("cut", "ends early", func(b []byte) []byte { return b[:len(b)-1] })
	f("cut after the header", "ends early", func(b []byte) []byte { return b[:4] })
	f("left over", "1 of", func(b []byte) []byte { return append(b, 0) })
	f("another", "answer to request 257", func(b []byte) []byte { b[2]++; return b })
	f("not canonical", "not what its own fields encode to", func(b []byte) []byte { put16(len(b)-10, -2)(b); return b })
}

// A connection that the server closes is an answer of its own, and the next step has a new one.
func TestClosedConnection(t *testing.T) {
	var close atomic.Bool // what the server does to the next request
	close.Store(true)
	c := conversationWith(t, func(b []byte) []byte {
		if close.Load() {
			return nil
		}
		return b
	})
	c.AskAt("closed", 2, &wire.MetadataRequest{})
	close.Store(false)
	c.AskAt("open", 2, &wire.MetadataRequest{})
	if len(c.answers) != 2 || connection(c.answers[0].Fields) != "closed" || connection(c.answers[1].Fields) != answered {
		t.Errorf("answers %v, %v", c.answers, c.err)
	}
}

// conversationWith is a conversation with a server that answers everything as if it were Metadata 2, in a payload
// that spoil has changed. Nothing left of the payload closes the connection.
func conversationWith(t *testing.T, spoil func([]byte) []byte) *Conversation {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			serve(nc, spoil)
		}
	}()
	c := (&Target{addr: l.Addr().String()}).converse(0)
	t.Cleanup(c.end)
	return c
}

func serve(nc net.Conn, spoil func([]byte) []byte) {
	defer nc.Close()
	for {
		var length [4]byte
		if _, err := io.ReadFull(nc, length[:]); err != nil {
			return
		}
		request := make([]byte, binary.BigEndian.Uint32(length[:]))
		if _, err := io.ReadFull(nc, request); err != nil {
			return
		}
		r := wire.MetadataResponse{ControllerID: 1} // ends with a null cluster id, the controller and no topics
		payload := spoil(r.Append(request[4:8:8], 2))
		if payload == nil {
			return
		}
		if _, err := nc.Write(frame(payload)); err != nil {
			return
		}
	}
}
