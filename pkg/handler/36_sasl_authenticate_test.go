package handler

import (
	"testing"

	"github.com/heraclitus/heraclitus/pkg/auth"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// authenticate sends a token and compares the answer.
func (w *world) authenticate(version int16, token string, want kerr.Code, message string, last bool) {
	w.Helper()
	c := saslCall(w, wire.KeySaslAuthenticate, version, &wire.SaslAuthenticateRequest{AuthBytes: []byte(token)})
	r := decode(w, wire.NewResponse(c.Key), encode(c.Response, version), version).(*wire.SaslAuthenticateResponse)
	c.Response.Reset()
	if kerr.Code(r.ErrorCode) != want || r.ErrorMessage == nil || *r.ErrorMessage != message || c.Last != last || c.NoResponse {
		w.Errorf("v%d: %+v, last %v, no response %v", version, r, c.Last, c.NoResponse)
	}
	if len(r.AuthBytes) > 0 || r.SessionLifetimeMs != 0 {
		w.Errorf("v%d: %+v", version, r)
	}
}

func TestSaslAuthenticateEveryVersion(t *testing.T) {
	w := newWorld(t, Options{})
	const late = "SaslAuthenticate request received after successful authentication"
	eachVersion(wire.KeySaslAuthenticate, 0, func(v int16) {
		s := w.stranger()
		s.Handshake("PLAIN", false)
		w.authenticate(v, "\x00u\x00p", kerr.None, "", false)
		if s.User() != "u" {
			t.Errorf("v%d: user %q", v, s.User())
		}
		w.authenticate(v, "\x00u\x00p", kerr.IllegalSaslState, late, false)
		w.handshake(1, "PLAIN", kerr.IllegalSaslState, false) // KIP-368, without a lifetime
		w.stranger().Handshake("PLAIN", false)
		w.authenticate(v, "\x00u\x00q", kerr.SaslAuthenticationFailed, "Authentication failed: Invalid username or password", true)
		w.conn.Session = auth.Anonymous()
		w.authenticate(v, "\x00u\x00p", kerr.IllegalSaslState, late, false)
	})
}

// TestRawToken shows that a wrong raw token is not answered at all.
func TestRawToken(t *testing.T) {
	w := newWorld(t, Options{})
	f := func(token string, last bool) {
		t.Helper()
		w.stranger().Handshake("PLAIN", true)
		c := w.submit(wire.KeySaslAuthenticate, 0, &wire.SaslAuthenticateRequest{AuthBytes: []byte(token)})
		defer c.Reset()
		c.Raw = true
		if err := rowOf(c.Key).Finish(w.handler, c); err != nil || c.Last != last || c.NoResponse != last {
			t.Errorf("%v, last %v, no response %v", err, c.Last, c.NoResponse)
		}
	}
	f("\x00u\x00p", false)
	f("\x00u\x00q", true)
}
