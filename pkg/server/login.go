package server

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/heraclitus/heraclitus/pkg/auth"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// loginFrameBytesMax bounds a request of a client that has not authenticated itself. Tokens have half of it at most.
// (Kafka's sasl.server.max.receive.size is 512 KiB, for mechanisms that we do not serve.) The frames of strangers have a
// budget of their own, in which each has room for one: nobody waits for it, neither known clients nor other strangers.
const loginFrameBytesMax = 32 << 10

// refusalTime is how long the answer to a refused login stands alone before the connection's end follows it. Clients hang
// up by themselves once they have read it; some, such as kafka-python, overlook an answer that arrives together with the
// end, and report a network failure. (Kafka closes at once.)
const refusalTime = time.Second

// Endings of a connection whose client is not known, or not any more.
var (
	errUnauthenticated = errors.New("request before authentication")
	errLoginRefused    = errors.New("authentication refused")
	errLoginTimeout    = errors.New("not authenticated in time")
	errExpired         = errors.New("session has expired")
)

// session begins the conversation about who a client is.
func (s *Server) session(l *Listener, nc net.Conn) *auth.Session {
	if !l.SASL {
		return auth.Anonymous()
	}
	return s.options.Auth.Session(addrPort(nc.RemoteAddr()).Addr())
}

// beginLogin holds a client that must authenticate itself to narrow limits, until endLogin.
func (c *conn) beginLogin() {
	if c.shared.Session.Authenticated() {
		return
	}
	c.frames.bytesMax = min(c.server.options.FrameBytesMax, loginFrameBytesMax)
	c.frames.budget = c.server.loginFrames
	c.login = time.AfterFunc(c.server.options.LoginTimeout, func() {
		c.fail(errLoginTimeout)
		c.stop()
	})
}

// endLogin lifts the limits once the client is known. No frame is held: the requests of a login are not pipelined.
func (c *conn) endLogin() {
	if c.login == nil || !c.shared.Session.Authenticated() {
		return
	}
	c.forgetLogin()
	c.frames.bytesMax = c.server.options.FrameBytesMax
	c.frames.budget = c.server.frames
	c.recognise()
}

// forgetLogin stops the clock of a login.
func (c *conn) forgetLogin() {
	if c.login != nil {
		c.login.Stop()
		c.login = nil
	}
}

// admit refuses what a client may not ask yet, or not any more: a session that has expired can only be renewed (KIP-368).
// (Kafka answers some of these before it hangs up, with ILLEGAL_SASL_STATE; we hang up.)
func (c *conn) admit(key int16) error {
	s := c.shared.Session
	switch {
	case s.Authenticated() && s.Expired(c.frames.now) && key != wire.KeySaslHandshake:
		return fmt.Errorf("%w: %s", errExpired, wire.Name(key))
	case s.Authenticated():
		return nil
	case s.Failure() != nil:
	case key == wire.KeySaslHandshake:
		return nil
	case key == wire.KeyApiVersions && !s.Begun():
		return nil
	case key == wire.KeySaslAuthenticate && s.Begun():
		return nil
	}
	return fmt.Errorf("%w: %s", errUnauthenticated, wire.Name(key))
}

// token makes a frame that is a token by itself a call.
func (c *conn) token(fr frame) *call {
	call := c.begin(c.server.apis[wire.KeySaslAuthenticate], fr)
	call.Raw, call.Version, call.CorrelationID, call.ClientID = true, 0, 0, ""
	call.Request.(*wire.SaslAuthenticateRequest).AuthBytes = fr.bytes
	call.api.metrics.Count(call.Version)
	return call
}

// appendResponse appends the response of a call with its header, if it has one.
func (c *call) appendResponse(b []byte) []byte {
	if c.Raw {
		return append(b, c.Response.(*wire.SaslAuthenticateResponse).AuthBytes...)
	}
	header := wire.ResponseHeader{CorrelationID: c.CorrelationID}
	b = header.Append(b, wire.ResponseHeaderVersion(c.Key, c.Version))
	return c.Response.Append(b, c.Version)
}

// holdBack waits before a failed login is answered, so that guessing takes time.
func (c *conn) holdBack() {
	delay := time.NewTimer(c.shared.Session.Delay())
	defer delay.Stop()
	select {
	case <-delay.C:
	case <-c.done:
	}
}

// turnAway ends a connection whose login failed, once that is answered.
func (c *conn) turnAway() {
	c.flush()
	c.fail(fmt.Errorf("%w: %w", errLoginRefused, c.shared.Session.Failure()))
	c.stop()
}
