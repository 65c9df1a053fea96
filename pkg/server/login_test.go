package server

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/auth"
	"github.com/heraclitus/heraclitus/pkg/handler"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

var (
	rightToken = []byte("\x00u\x00p")
	wrongToken = []byte("\x00u\x00q")
)

const testLoginTimeout = time.Minute

// guard has a server ask who its clients are.
func guard(o *Options) {
	o.Auth = auth.New(auth.Options{Username: "u", Password: "p", Metrics: o.Metrics})
	o.LoginTimeout = testLoginTimeout
}

// loginTable is every row, those of a login as they are, the others answering nothing by themselves.
func loginTable() []handler.Row {
	table := tableOf(allAPIs()...)
	for _, row := range handler.Table() {
		if row.Key == wire.KeySaslHandshake || row.Key == wire.KeySaslAuthenticate {
			on(table, row.Key, nil, row.Finish)
		}
	}
	return table
}

// handshake chooses PLAIN and reads the answer.
func (c *client) handshake(version int16) {
	c.t.Helper()
	c.Write(request(wire.KeySaslHandshake, version, 1, &wire.SaslHandshakeRequest{Mechanism: auth.Plain}))
	c.receive(wire.KeySaslHandshake, version, 1)
}

// tokenRequest is a token, framed as the version of the handshake and of SaslAuthenticate want it.
func tokenRequest(handshake, version int16, token []byte) []byte {
	if handshake == 0 {
		return framed(token)
	}
	return request(wire.KeySaslAuthenticate, version, 2, &wire.SaslAuthenticateRequest{AuthBytes: token})
}

// TestLogin shows a login in each of its forms: before it the client is held to narrow limits, after it to none.
func TestLogin(t *testing.T) {
	s, address := start(t, loginTable(), guard)
	large := append(request(wire.KeyMetadata, 12, 3, &wire.MetadataRequest{}), make([]byte, 2*loginFrameBytesMax)...)
	binary.BigEndian.PutUint32(large, uint32(len(large)-sizeBytes))
	f := func(handshake, version int16) {
		t.Helper()
		c := dial(t, address)
		c.send(wire.KeyApiVersions, 3, 7)
		c.receive(wire.KeyApiVersions, 3, 7)
		c.handshake(handshake)
		c.Write(tokenRequest(handshake, version, rightToken))
		if handshake == 0 {
			var answer [sizeBytes]byte
			if _, err := io.ReadFull(c, answer[:]); err != nil || answer != [sizeBytes]byte{} {
				t.Fatalf("the raw token was answered by %x, %v", answer, err)
			}
		} else {
			c.receive(wire.KeySaslAuthenticate, version, 2)
		}
		c.Write(large)
		c.receive(wire.KeyMetadata, 12, 3)
	}
	f(0, 0)
	f(1, 0)
	f(1, 1)
	f(1, 2)
	if n := s.metrics.Authentications("PLAIN", "accepted").Get(); n != 4 {
		t.Errorf("%d were accepted", n)
	}
	if held := s.loginFrames.held(); held != 0 {
		t.Errorf("%d bytes of strangers' frames were not given back", held)
	}
}

// TestNobodyToAsk shows that a listener which asks clients who they are is not served by a server that knows nobody.
func TestNobodyToAsk(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := New(nil, loginTable(), testOptions())
	defer s.Shutdown(t.Context())
	if err := s.Serve(l, Listener{Name: "x", SASL: true}); err == nil || errors.Is(err, ErrClosed) {
		t.Errorf("served, and ended in %v", err)
	}
}

// TestUnknownClientsAreRefused shows that of a client that has not authenticated itself nothing is answered but ApiVersions
// and the SASL pair, at any point of a login; and, as the broken twin, that a server which asks nobody answers it all.
func TestUnknownClientsAreRefused(t *testing.T) {
	s, address := start(t, loginTable(), guard)
	_, open := start(t, loginTable(), nil)
	refused := uint64(0)
	for _, key := range allAPIs() {
		_, version, _, _ := wire.Versions(key)
		c := dial(t, open)
		c.send(key, version, 1)
		c.receive(key, version, 1)
		c.Close()
		for _, begun := range []bool{false, true} {
			if key == wire.KeySaslHandshake || key == wire.KeyApiVersions && !begun || key == wire.KeySaslAuthenticate && begun {
				continue
			}
			c := dial(t, address)
			if begun {
				c.handshake(1)
			}
			c.send(key, version, 1)
			c.ended()
			c.Close()
			refused++
		}
	}
	waitFor(t, func() bool { return s.metrics.ConnectionsClosed("unauthenticated").Get() == refused }, "all have been counted")
}

// TestRefusedLogin shows that a refused login is answered, that nothing sent behind it is, and that the connection ends.
func TestRefusedLogin(t *testing.T) {
	s, address := start(t, loginTable(), guard)
	refused := uint64(0)
	f := func(handshake, version int16) {
		t.Helper()
		c := dial(t, address)
		c.handshake(handshake)
		behind := request(wire.KeyMetadata, 12, 3, &wire.MetadataRequest{})
		c.Write(append(tokenRequest(handshake, version, wrongToken), behind...))
		if handshake > 0 {
			r := readResponse(t, c, wire.KeySaslAuthenticate, version, 2).(*wire.SaslAuthenticateResponse)
			if kerr.Code(r.ErrorCode) != kerr.SaslAuthenticationFailed {
				t.Errorf("v%d: %+v", version, r)
			}
		}
		c.Conn.(*net.TCPConn).CloseWrite()
		c.ended()
		c.Close()
		refused++
	}
	f(0, 0)
	f(1, 0)
	f(1, 1)
	f(1, 2)
	waitFor(t, func() bool { return s.metrics.ConnectionsClosed("login_refused").Get() == refused }, "all have been counted")
}

// TestRefusalStandsAlone shows, in time that does not pass, that a client which is refused has time to read why before
// the end of the connection comes, that nothing it sends meanwhile is answered, and that one which hangs up is let go at
// once.
func TestRefusalStandsAlone(t *testing.T) {
	f := func(hangUp bool, want time.Duration) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			s, c := pipeServer(t, loginTable(), guard)
			c.handshake(1)
			c.Write(tokenRequest(1, 2, wrongToken))
			readResponse(t, c, wire.KeySaslAuthenticate, 2, 2)
			answered := time.Now()
			if hangUp {
				c.Close()
			} else {
				c.send(wire.KeyMetadata, 12, 3)
				c.ended()
			}
			s.Shutdown(t.Context())
			if took := time.Since(answered); took != want {
				t.Errorf("hung up %v: the end came %v after the answer, want %v", hangUp, took, want)
			}
		})
	}
	f(true, 0)
	f(false, refusalTime)
}

// TestLoginFrames shows that requests before a login are small, and that what strangers have sent of them takes nothing of
// the room for the requests of others.
func TestLoginFrames(t *testing.T) {
	s, address := start(t, loginTable(), guard)
	c := dial(t, address)
	c.Write(binary.BigEndian.AppendUint32(nil, loginFrameBytesMax+1))
	c.ended()
	c.Close()
	waitFor(t, func() bool { return s.metrics.ConnectionsClosed("too_large").Get() == 1 }, "it has been counted")
	c = dial(t, address)
	c.Write(binary.BigEndian.AppendUint32(nil, loginFrameBytesMax))
	c.Write(make([]byte, loginFrameBytesMax/2))
	waitFor(t, func() bool { return s.loginFrames.held() >= loginFrameBytesMax/2 }, "half of it has been read")
	if held := s.frames.held(); held != 0 {
		t.Errorf("%d bytes of other requests' room are held", held)
	}
	c.Close()
	waitFor(t, func() bool { return s.loginFrames.held() == 0 }, "it has been given back")
}

// TestLoginTakesTime shows, in time that does not pass, that a client which does not authenticate itself is cut off, that
// one which has done so is not, and that a wrong password is answered late.
func TestLoginTakesTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const delay = 7 * time.Second
		f := func(token []byte, end time.Duration, reason string) {
			t.Helper()
			s, c := pipeServer(t, loginTable(), func(o *Options) {
				guard(o)
				o.Auth = auth.New(auth.Options{Username: "u", Password: "p", FailureDelay: delay, Metrics: o.Metrics})
			})
			began := time.Now()
			if token != nil {
				c.handshake(1)
				c.Write(tokenRequest(1, 2, token))
			}
			io.Copy(io.Discard, c)
			took := time.Since(began)
			synctest.Wait()
			if took < end || took > 3*end || s.metrics.ConnectionsClosed(reason).Get() != 1 {
				t.Errorf("token %q: ended after %v, want %v for %s", token, took, end, reason)
			}
		}
		f(nil, testLoginTimeout, "login_timeout")
		f(rightToken, testOptions().IdleTimeout, "idle")
		f(wrongToken, delay, "login_refused")
	})
}

// TestSessionExpires shows, in time that does not pass, what a client may ask whose session has a lifetime: before its end
// everything, after it nothing but to renew it (KIP-368). In the middle of renewing it may do nothing else.
func TestSessionExpires(t *testing.T) {
	const lifetime = 10 * time.Second
	ask := func(key, version int16) func(*client) {
		return func(c *client) { c.send(key, version, 9); c.receive(key, version, 9) }
	}
	refused := func(key, version int16) func(*client) {
		return func(c *client) { c.send(key, version, 9); c.ended() }
	}
	login := func(handshake int16) func(*client) {
		return func(c *client) {
			c.handshake(handshake)
			c.Write(tokenRequest(handshake, 2, rightToken))
			if handshake == 0 {
				io.ReadFull(c, make([]byte, sizeBytes))
				return
			}
			r := readResponse(t, c, wire.KeySaslAuthenticate, 2, 2).(*wire.SaslAuthenticateResponse)
			if r.ErrorCode != 0 || r.SessionLifetimeMs != lifetime.Milliseconds() {
				t.Errorf("login: %+v", r)
			}
		}
	}
	wait := func(d time.Duration) func(*client) { return func(*client) { time.Sleep(d) } }
	begin := func(c *client) { c.handshake(1) }
	metadata, late := ask(wire.KeyMetadata, 12), refused(wire.KeyMetadata, 12)
	f := func(end string, steps ...func(*client)) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			s, c := pipeServer(t, loginTable(), func(o *Options) {
				guard(o)
				o.Auth = auth.New(auth.Options{Username: "u", Password: "p", SessionLifetime: lifetime, Metrics: o.Metrics})
			})
			for _, step := range steps {
				step(c)
			}
			c.Close()
			synctest.Wait()
			if s.metrics.ConnectionsClosed(end).Get() != 1 {
				t.Errorf("the connection did not end by %s", end)
			}
		})
	}
	f("client", login(1), metadata, wait(lifetime), metadata)
	f("session_expired", login(1), wait(lifetime+1), late)
	f("session_expired", login(0), wait(lifetime), metadata, wait(1), late)
	f("session_expired", login(1), wait(lifetime+1), refused(wire.KeyApiVersions, 3))
	f("session_expired", login(1), wait(lifetime+1), refused(wire.KeySaslAuthenticate, 2))
	f("client", login(1), wait(lifetime+1), login(1), metadata, wait(lifetime), metadata, login(0), wait(lifetime), metadata)
	f("session_expired", login(1), login(1), wait(lifetime), metadata, wait(1), late)
	f("unauthenticated", login(1), begin, late)
	f("unauthenticated", login(1), begin, refused(wire.KeyApiVersions, 3))
}

// TestRenewalAmongRequests shows that requests before and behind a renewal are answered, in order, though the ones before
// are still in flight when it begins.
func TestRenewalAmongRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		records := make(chan struct{})
		table := on(loginTable(), wire.KeyFetch, nil, func(*handler.Handler, *handler.Call) error { <-records; return nil })
		_, c := pipeServer(t, table, func(o *Options) {
			guard(o)
			o.Auth = auth.New(auth.Options{Username: "u", Password: "p", SessionLifetime: time.Minute, Metrics: o.Metrics})
		})
		c.handshake(1)
		c.Write(tokenRequest(1, 2, rightToken))
		c.receive(wire.KeySaslAuthenticate, 2, 2)
		c.send(wire.KeyFetch, 12, 3, 4)
		c.Write(request(wire.KeySaslHandshake, 1, 5, &wire.SaslHandshakeRequest{Mechanism: auth.Plain}))
		synctest.Wait()
		close(records)
		c.receive(wire.KeyFetch, 12, 3, 4)
		c.receive(wire.KeySaslHandshake, 1, 5)
		c.Write(tokenRequest(1, 2, rightToken))
		c.send(wire.KeyFetch, 12, 6)
		c.receive(wire.KeySaslAuthenticate, 2, 2)
		c.receive(wire.KeyFetch, 12, 6)
	})
}
