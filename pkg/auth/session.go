package auth

import (
	"net/netip"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// state is how far a session has come.
type state uint8

const (
	stateNew           state = iota // the mechanism is not chosen
	stateChosen                     // tokens are to come
	stateAuthenticated              // for good: sessions have no end but their connection's
	stateFailed                     // for good
)

// Session is one connection's conversation about who it is. It is not safe for concurrent use. Its zero value never lets
// anybody in.
type Session struct {
	authenticator *Authenticator // nil for one that asks nobody
	peer          netip.Addr
	state         state
	raw           bool
	user          string
	failure       *Refusal
	delay         time.Duration
}

// What sessions refuse, besides what a mechanism does. Kafka sends no words with a wrong handshake.
var (
	errMechanism = &Refusal{kerr.UnsupportedSaslMechanism, "SASL mechanism is not served", resultMechanism}
	errState     = &Refusal{kerr.IllegalSaslState, "SASL request at the wrong place", resultState}
	errLate      = &Refusal{kerr.IllegalSaslState, "SaslAuthenticate request received after successful authentication", resultState}
)

// Anonymous returns the session of a connection to a listener that asks nobody.
func Anonymous() *Session { return &Session{state: stateAuthenticated} }

// Mechanisms lists what Handshake accepts.
func (s *Session) Mechanisms() []string {
	if s.authenticator == nil {
		return nil
	}
	return []string{Plain}
}

// Handshake chooses the mechanism. With raw the tokens follow without Kafka's framing, as before KIP-152. An error is a
// *Refusal: it ends the session, unless the session is authenticated already. (To authenticate once more, KIP-368, is
// refused as Kafka refuses it where connections.max.reauth.ms is 0: a session has no end that it could put off.)
func (s *Session) Handshake(mechanism string, raw bool) error {
	switch {
	case s.state == stateAuthenticated:
		return errState
	case s.state != stateNew || s.authenticator == nil:
		return s.fail(errState)
	case mechanism != Plain:
		return s.fail(errMechanism)
	}
	s.state, s.raw = stateChosen, raw
	return nil
}

// Step takes the client's next token, which it does not keep, and returns the answer. Whether that was the last step is
// Authenticated's to say. An error is a *Refusal: it ends the session, unless the session is authenticated already.
func (s *Session) Step(token []byte) (answer []byte, err error) {
	switch {
	case s.state == stateAuthenticated:
		return nil, errLate
	case s.state != stateChosen:
		return nil, s.fail(errState)
	}
	name, refusal := s.authenticator.user.verify(token)
	if refusal != nil {
		return nil, s.fail(refusal)
	}
	s.state, s.user = stateAuthenticated, name
	s.authenticator.metrics.Authentications(resultAccepted).Inc()
	return nil, nil
}

// fail ends the session, because of r.
func (s *Session) fail(r *Refusal) error {
	if s.state != stateFailed && s.authenticator != nil {
		s.delay = s.authenticator.failures.note(s.peer)
		s.authenticator.metrics.Authentications(r.result).Inc()
	}
	s.state, s.failure = stateFailed, r
	return r
}

// Authenticated says whether the client may do more than authenticate itself.
func (s *Session) Authenticated() bool { return s.state == stateAuthenticated }

// Begun says whether a mechanism is chosen, and tokens are to come.
func (s *Session) Begun() bool { return s.state == stateChosen }

// Raw says whether the next frame is a token by itself, not a request.
func (s *Session) Raw() bool { return s.raw && s.state == stateChosen }

// User is who the client has proved to be; empty before that, and where nobody is asked.
func (s *Session) User() string { return s.user }

// Failure is why the session failed, or nil.
func (s *Session) Failure() error {
	if s.failure == nil {
		return nil
	}
	return s.failure
}

// Delay is how long the answer to the step that failed should be held back.
func (s *Session) Delay() time.Duration { return s.delay }
