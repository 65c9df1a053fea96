package handler

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/auth"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/metrics"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// stranger begins a session of a client that must authenticate itself.
func (w *world) stranger() *auth.Session {
	a := auth.New(auth.Options{Username: "u", Password: "p", Metrics: metrics.New("")})
	w.conn.Session = a.Session(netip.MustParseAddr("192.0.2.1"))
	return w.conn.Session
}

// saslCall runs a SASL request and returns its call, whose Response is filled.
func saslCall(w *world, key, version int16, q wire.Message) *Call {
	w.Helper()
	c := w.submit(key, version, q)
	c.Last, c.NoResponse, c.Raw = false, false, false
	if err := rowOf(key).Finish(w.handler, c); err != nil {
		w.Fatal(err)
	}
	return c
}

// handshake asks for a mechanism and compares the answer.
func (w *world) handshake(version int16, mechanism string, want kerr.Code, last bool, mechanisms ...string) {
	w.Helper()
	c := saslCall(w, wire.KeySaslHandshake, version, &wire.SaslHandshakeRequest{Mechanism: mechanism})
	r := decode(w, wire.NewResponse(c.Key), encode(c.Response, version), version).(*wire.SaslHandshakeResponse)
	c.Response.Reset()
	if kerr.Code(r.ErrorCode) != want || c.Last != last || !slices.Equal(r.Mechanisms, mechanisms) {
		w.Errorf("v%d %q: %v, last %v, mechanisms %q", version, mechanism, kerr.Code(r.ErrorCode), c.Last, r.Mechanisms)
	}
}

func TestSaslHandshakeEveryVersion(t *testing.T) {
	w := newWorld(t, Options{})
	eachVersion(wire.KeySaslHandshake, 0, func(v int16) {
		s := w.stranger()
		w.handshake(v, "PLAIN", kerr.None, false, "PLAIN")
		if raw := v == 0; s.Raw() != raw || !s.Begun() {
			t.Errorf("v%d: raw %v, begun %v", v, s.Raw(), s.Begun())
		}
		w.handshake(v, "PLAIN", kerr.IllegalSaslState, true)
		w.stranger()
		w.handshake(v, "GSSAPI", kerr.UnsupportedSaslMechanism, true, "PLAIN")
		w.conn.Session = auth.Anonymous()
		w.handshake(v, "PLAIN", kerr.IllegalSaslState, false)
		w.handshake(v, "GSSAPI", kerr.IllegalSaslState, false)
	})
}
