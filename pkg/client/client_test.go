package client

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/auth"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/metrics"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// These tests show what the client makes of servers that do not behave, above all that it believes no server that has not
// proved that it knows the user. That it gets on with one that does, the tests of the broker and the command line show.

// serve answers connections, each with f, and returns where.
func serve(t *testing.T, f func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { f(c); c.Close() }()
		}
	}()
	return l.Addr().String()
}

// answering is a server whose answer to each request f makes; nil hangs up.
func answering(f func(key int16, q wire.Message) wire.Message) func(net.Conn) {
	return func(c net.Conn) {
		for {
			var size [sizeBytes]byte
			if _, err := io.ReadFull(c, size[:]); err != nil {
				return
			}
			frame := make([]byte, binary.BigEndian.Uint32(size[:]))
			io.ReadFull(c, frame)
			key, version := int16(binary.BigEndian.Uint16(frame)), int16(binary.BigEndian.Uint16(frame[2:]))
			var r kbin.Reader
			r.Reset(frame, 1<<20)
			var header wire.RequestHeader
			header.Decode(&r, wire.RequestHeaderVersion(key, version))
			q := wire.NewRequest(key)
			q.Decode(&r, version)
			m := f(key, q)
			if m == nil {
				return
			}
			back := wire.ResponseHeader{CorrelationID: header.CorrelationID}
			c.Write(framed(m.Append(back.Append(nil, wire.ResponseHeaderVersion(key, version)), version)))
		}
	}
}

func framed(b []byte) []byte { return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...) }

// knowing is a server that knows the user "u", whose password is "p"; change may spoil its tokens.
func knowing(change func([]byte)) func(net.Conn) {
	salt := auth.NewSalt()
	stored, key := auth.ScramSHA256.Keys(auth.ScramSHA256.SaltedPassword("p", salt, auth.IterationsDefault))
	a := auth.New(auth.Options{
		Mechanisms: auth.MechanismNames(), Secret: []byte("secret"), Metrics: metrics.New(""),
		Users: func(name string, _ auth.Scram) (auth.Credential, bool) {
			return auth.Credential{Salt: salt, StoredKey: stored, ServerKey: key, Iterations: auth.IterationsDefault}, name == "u"
		},
	})
	return func(c net.Conn) {
		s := a.Session(netip.Addr{})
		answering(func(_ int16, q wire.Message) wire.Message {
			switch q := q.(type) {
			case *wire.SaslHandshakeRequest:
				return &wire.SaslHandshakeResponse{ErrorCode: int16(kerr.Of(s.Handshake(q.Mechanism, false))), Mechanisms: s.Mechanisms()}
			case *wire.SaslAuthenticateRequest:
				token, err := s.Step(q.AuthBytes)
				change(token)
				return &wire.SaslAuthenticateResponse{AuthBytes: token, ErrorCode: int16(kerr.Of(err))}
			}
			return nil
		})(c)
	}
}

func TestLogin(t *testing.T) {
	f := func(change func([]byte), mechanism, password, want string) {
		t.Helper()
		c, err := Dial(t.Context(), Options{Address: serve(t, knowing(change)), Mechanism: mechanism, Username: "u", Password: password})
		if err == nil {
			c.Close()
		}
		if said := text(err); !strings.Contains(said, want) || (want == "") != (err == nil) || strings.Contains(said, "hunter2") {
			t.Errorf("%s: %v, want %q", mechanism, err, want)
		}
	}
	honest := func([]byte) {}
	f(honest, "SCRAM-SHA-256", "p", "")
	f(honest, "SCRAM-SHA-256", "hunter2", "SASL_AUTHENTICATION_FAILED")
	f(honest, "PLAIN", "hunter2", "SASL_AUTHENTICATION_FAILED")
	f(honest, "GSSAPI", "p", `the server offers "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512", not GSSAPI: UNSUPPORTED_SASL_MECHANISM`)
	f(func(b []byte) {
		if strings.HasPrefix(string(b), "v=") {
			b[2] ^= 1
		}
	}, "SCRAM-SHA-256", "p", "the server has not proved by SCRAM-SHA-256 that it knows the user")
	f(func(b []byte) {
		if strings.HasPrefix(string(b), "r=") {
			b[2] ^= 1
		}
	}, "SCRAM-SHA-256", "p", "its nonce is not an answer to ours")
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestAnswersThatAreNone(t *testing.T) {
	f := func(server func(net.Conn), want string) {
		t.Helper()
		c, err := Dial(t.Context(), Options{Address: serve(t, server)})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Ask(wire.KeyDescribeUserScramCredentials, 0, &wire.DescribeUserScramCredentialsRequest{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	says := func(b []byte) func(net.Conn) {
		return func(c net.Conn) { io.ReadFull(c, make([]byte, 20)); c.Write(b); io.Copy(io.Discard, c) }
	}
	f(answering(func(int16, wire.Message) wire.Message { return nil }), "does it want a login, or TLS?")
	f(says([]byte("HTTP/1.1 400")), "this is no Kafka server")
	f(says(framed([]byte("x"))), "read the answer")
	other := &wire.DescribeUserScramCredentialsResponse{}
	header := wire.ResponseHeader{CorrelationID: 7}
	f(says(framed(other.Append(header.Append(nil, 1), 0))), "answer 7 to request 1")
}
