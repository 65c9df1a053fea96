package auth

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/metrics"
)

const (
	name   = "admin"
	secret = "the password"
)

var home = netip.MustParseAddr("192.0.2.1")

func newAuthenticator() *Authenticator {
	return New(Options{Username: name, Password: secret, FailureDelay: 100 * time.Millisecond, Metrics: metrics.New("")})
}

// begun is a session that waits for a token.
func begun(t *testing.T, a *Authenticator, peer netip.Addr) *Session {
	t.Helper()
	s := a.Session(peer)
	if err := s.Handshake(Plain, false); err != nil || !s.Begun() || s.Authenticated() {
		t.Fatalf("after the handshake: %v, begun %v, authenticated %v", err, s.Begun(), s.Authenticated())
	}
	return s
}

// TestPlain shows which tokens let a client in, what the others are told, in the words that real brokers of 4.3.1 used, and
// that these hold nothing of the token.
func TestPlain(t *testing.T) {
	f := func(token, want, result string) {
		t.Helper()
		a := newAuthenticator()
		s := begun(t, a, home)
		answer, err := s.Step([]byte(token))
		if got := fmt.Sprint(err); got != want || len(answer) != 0 {
			t.Errorf("%.40q: %q, answer %q, want %q", token, got, answer, want)
		}
		if in := err == nil; s.Authenticated() != in || (s.User() == name) != in || (s.Failure() == nil) != in || (s.Delay() == 0) != in {
			t.Errorf("%.40q: %+v after %v", token, s, err)
		}
		if err != nil && kerr.Of(err) != kerr.SaslAuthenticationFailed {
			t.Errorf("%.40q: code %v", token, kerr.Of(err))
		}
		if a.metrics.Authentications(Plain, result).Get() != 1 {
			t.Errorf("%.40q: not counted as %s", token, result)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%.40q: the password is in %q", token, err)
		}
	}
	const wrong = "Authentication failed: Invalid username or password"
	f("\x00admin\x00the password", "<nil>", "accepted")
	f("admin\x00admin\x00the password", "<nil>", "accepted")
	f("other\x00admin\x00the password", "Authentication failed: Client requested an authorization id that is different from username", "refused")
	f("other\x00admin\x00wrong", wrong, "refused")
	f("\x00admin\x00wrong", wrong, "refused")
	f("\x00admin\x00the passwor", wrong, "refused")
	f("\x00admin\x00the password ", wrong, "refused")
	f("\x00Admin\x00the password", wrong, "refused")
	f("\x00nobody\x00the password", wrong, "refused")
	f("\x00the password\x00admin", wrong, "refused")
	f("\x00\xff\xfe\x00x", wrong, "refused")
	f("\x00\x00the password", "Authentication failed: username not specified", "malformed")
	f("\x00admin\x00", "Authentication failed: password not specified", "malformed")
	f("", "Invalid SASL/PLAIN response: expected 3 tokens, got 1", "malformed")
	f("admin\x00the password", "Invalid SASL/PLAIN response: expected 3 tokens, got 2", "malformed")
	f("\x00admin\x00the password\x00", "Invalid SASL/PLAIN response: expected 3 tokens, got 4", "malformed")
	f("\x00admin\x00"+strings.Repeat("x", tokenBytesMax), "Authentication failed: SASL/PLAIN response is too long", "malformed")
}

// TestWrongPlace shows what a session refuses in each state, and that a failure is for good.
func TestWrongPlace(t *testing.T) {
	good := []byte("\x00admin\x00the password")
	f := func(what string, s *Session, step func(*Session) error, want kerr.Code, in bool) {
		t.Helper()
		err := step(s)
		if kerr.Of(err) != want || s.Authenticated() != in {
			t.Errorf("%s: %v, authenticated %v", what, err, s.Authenticated())
		}
		if _, err := s.Step(good); kerr.Of(err) != kerr.IllegalSaslState || s.Authenticated() != in {
			t.Errorf("%s: the right token then gave %v, authenticated %v", what, err, s.Authenticated())
		}
	}
	handshake := func(mechanism string) func(*Session) error {
		return func(s *Session) error { return s.Handshake(mechanism, false) }
	}
	token := func(b []byte) func(*Session) error {
		return func(s *Session) error { _, err := s.Step(b); return err }
	}
	a := newAuthenticator()
	f("no handshake", a.Session(home), token(good), kerr.IllegalSaslState, false)
	f("another mechanism", a.Session(home), handshake("GSSAPI"), kerr.UnsupportedSaslMechanism, false)
	f("a mechanism in small letters", a.Session(home), handshake("plain"), kerr.UnsupportedSaslMechanism, false)
	f("a second handshake", begun(t, a, home), handshake(Plain), kerr.IllegalSaslState, false)
	f("a second token", begun(t, a, home), token([]byte("\x00admin\x00wrong")), kerr.SaslAuthenticationFailed, false)
	f("the right token", begun(t, a, home), token(good), kerr.None, true)
	f("once more", Anonymous(), handshake(Plain), kerr.IllegalSaslState, true)
	f("the zero value", &Session{}, handshake(Plain), kerr.IllegalSaslState, false)
	f("the zero value without a handshake", &Session{}, token(good), kerr.IllegalSaslState, false)
	f("no users", (&Authenticator{metrics: metrics.New("")}).Session(home), handshake("SCRAM-SHA-256"), kerr.UnsupportedSaslMechanism, false)
}

// TestNobodyComesInWithoutUsers shows that an authenticator which was given no user accepts no token.
func TestNobodyComesInWithoutUsers(t *testing.T) {
	s := begun(t, New(Options{Metrics: metrics.New("")}), home)
	if _, err := s.Step([]byte("\x00\x00")); err == nil || s.Authenticated() {
		t.Errorf("%v, authenticated %v", err, s.Authenticated())
	}
}

// TestRaw shows that raw tokens are expected from the handshake that announces them until the session's end.
func TestRaw(t *testing.T) {
	s := newAuthenticator().Session(home)
	before := s.Raw()
	s.Handshake(Plain, true)
	during := s.Raw()
	s.Step([]byte("\x00admin\x00the password"))
	if before || !during || s.Raw() || begun(t, newAuthenticator(), home).Raw() {
		t.Errorf("raw before %v, during %v, after %v", before, during, s.Raw())
	}
}

// TestRefusalCode shows that a refusal is its code to errors.As.
func TestRefusalCode(t *testing.T) {
	err := newAuthenticator().Session(home).Handshake("X", false)
	var r *Refusal
	if !errors.As(err, &r) || r.Code != kerr.UnsupportedSaslMechanism {
		t.Errorf("%v", err)
	}
}

// TestBackOff shows that each failure of an address is answered later than the one before, up to a limit, that others do
// not suffer from it, that it is forgotten, and that the right password is never late.
func TestBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuthenticator()
		f := func(peer string, want time.Duration) {
			t.Helper()
			s := begun(t, a, netip.MustParseAddr(peer))
			s.Step([]byte("\x00admin\x00wrong"))
			if s.Delay() != want {
				t.Errorf("%s: late by %v, want %v", peer, s.Delay(), want)
			}
		}
		for _, ms := range []time.Duration{100, 200, 400, 800, 1600, 3200, 3200, 3200} {
			f("192.0.2.1", ms*time.Millisecond)
		}
		f("192.0.2.2", 100*time.Millisecond)
		f("::ffff:192.0.2.2", 200*time.Millisecond)
		f("2001:db8::1", 100*time.Millisecond)
		f("2001:db8::2", 200*time.Millisecond)
		f("2001:db8:0:1::1", 100*time.Millisecond)
		s := begun(t, a, home)
		if _, err := s.Step([]byte("\x00admin\x00the password")); err != nil || s.Delay() != 0 {
			t.Errorf("the right password: %v, late by %v", err, s.Delay())
		}
		time.Sleep(failuresMemory + 1)
		f("192.0.2.1", 100*time.Millisecond)
	})
}

// TestFailuresAreBounded shows that a flood from everywhere takes no more memory than the limit.
func TestFailuresAreBounded(t *testing.T) {
	f := failures{delay: time.Millisecond}
	for i := range 3 * peersMax {
		f.note(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	if n := len(f.mu.peers); n != peersMax {
		t.Errorf("%d peers are remembered", n)
	}
}
