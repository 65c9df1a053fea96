package auth

import (
	"cmp"
	"fmt"
	"net/netip"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// state is how far a session has come.
type state uint8

const (
	stateNew           state = iota // the mechanism is not chosen
	stateChosen                     // tokens are to come
	stateAuthenticated              // until the session expires, if it does; a handshake leads back to stateChosen then
	stateFailed                     // for good
)

// renewalWait is the least time between two beginnings of a re-authentication, as in Kafka.
const renewalWait = time.Second

// Session is one connection's conversation about who it is. It is not safe for concurrent use. Its zero value never lets
// anybody in.
type Session struct {
	authenticator *Authenticator // nil for one that asks nobody
	peer          netip.Addr
	state         state
	raw           bool
	mechanism     string   // chosen; of a session that is renewed, by the first handshake
	exchange      exchange // in stateChosen; nil there when the mechanism is another than before
	user          string
	expires       time.Time // zero for a session that does not
	renewed       time.Time // when the newest re-authentication began
	failure       *Refusal
	delay         time.Duration
}

// What sessions refuse, besides what a mechanism does. Kafka sends no words with a wrong handshake.
var (
	errMechanism = &Refusal{Code: kerr.UnsupportedSaslMechanism, Message: "SASL mechanism is not served", result: resultMechanism}
	errState     = &Refusal{Code: kerr.IllegalSaslState, Message: "SASL request at the wrong place", result: resultState}
	errOther     = &Refusal{Code: kerr.SaslAuthenticationFailed, Message: "SASL mechanism requested by client is not supported for re-authentication", result: resultMechanism}
	errLate      = &Refusal{Code: kerr.IllegalSaslState, Message: "SaslAuthenticate request received after successful authentication", result: resultState}
)

// Anonymous returns the session of a connection to a listener that asks nobody.
func Anonymous() *Session { return &Session{state: stateAuthenticated} }

// Mechanisms lists what Handshake accepts. It is not to be changed.
func (s *Session) Mechanisms() []string {
	if s.authenticator == nil {
		return nil
	}
	return s.authenticator.mechanisms
}

// Handshake chooses the mechanism. With raw the tokens follow without Kafka's framing, as before KIP-152. An error is a
// *Refusal: it ends the session, unless the session is authenticated already.
//
// An authenticated session that expires is renewed by a handshake and its tokens (KIP-368), but not more often than once a
// second; one that does not expire refuses it, as Kafka does where connections.max.reauth.ms is 0.
func (s *Session) Handshake(mechanism string, raw bool) error {
	switch {
	case s.state == stateAuthenticated:
		return s.renew(mechanism, raw)
	case s.state != stateNew || s.authenticator == nil:
		return s.fail(errState)
	}
	s.exchange = s.authenticator.exchange(mechanism, "authentication")
	if s.exchange == nil {
		return s.fail(errMechanism)
	}
	s.mechanism = mechanism
	s.state, s.raw = stateChosen, raw
	return nil
}

// renew begins a re-authentication. One by another mechanism than before is refused at its first token, as in Kafka.
func (s *Session) renew(mechanism string, raw bool) error {
	now := time.Now()
	if s.expires.IsZero() || now.Sub(s.renewed) < renewalWait {
		return errState
	}
	s.renewed = now
	s.exchange = s.authenticator.exchange(mechanism, "re-authentication")
	if s.exchange == nil {
		return s.fail(errMechanism)
	}
	if mechanism != s.mechanism {
		s.exchange = nil
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
	case s.exchange == nil:
		return nil, s.fail(errOther)
	}
	answer, done, refusal := s.exchange.step(token)
	if refusal == nil && done {
		refusal = s.admit(s.exchange.user())
	}
	if refusal != nil {
		return nil, s.fail(refusal)
	}
	return answer, nil
}

// admit lets the user in, or in again.
func (s *Session) admit(user string) *Refusal {
	if s.user != "" && s.user != user {
		message := fmt.Sprintf("Cannot change principals during re-authentication from User.%s: User.%s", s.user, user)
		return &Refusal{Code: kerr.SaslAuthenticationFailed, Message: message, result: resultRefused}
	}
	s.state, s.user, s.exchange = stateAuthenticated, user, nil
	if lifetime := s.authenticator.lifetime; lifetime > 0 {
		s.expires = time.Now().Add(lifetime)
	}
	s.count(resultAccepted)
	return nil
}

// fail ends the session, because of r.
func (s *Session) fail(r *Refusal) error {
	if s.state != stateFailed && s.authenticator != nil {
		s.delay = s.authenticator.failures.note(s.peer)
		s.count(r.result)
	}
	s.state, s.failure, s.exchange = stateFailed, r, nil
	return r
}

func (s *Session) count(result string) {
	s.authenticator.metrics.Authentications(cmp.Or(s.mechanism, "none"), result).Inc()
}

// Authenticated says whether the client may do more than authenticate itself.
func (s *Session) Authenticated() bool { return s.state == stateAuthenticated }

// Expired says whether the client may, after its session's lifetime, do nothing any more but authenticate itself again.
func (s *Session) Expired(now time.Time) bool { return !s.expires.IsZero() && now.After(s.expires) }

// Lifetime is how long an authenticated session lasts from the step that authenticated it; 0 for ever, and before that.
func (s *Session) Lifetime() time.Duration {
	if s.state != stateAuthenticated || s.authenticator == nil {
		return 0
	}
	return s.authenticator.lifetime
}

// Begun says whether a mechanism is chosen, and tokens are to come.
func (s *Session) Begun() bool { return s.state == stateChosen }

// Raw says whether the next frame is a token by itself, not a request.
func (s *Session) Raw() bool { return s.raw && s.state == stateChosen }

// User is who the client has proved to be; empty before that, and where nobody is asked.
func (s *Session) User() string { return s.user }

// Failure is why the session failed, in words for the log, or nil.
func (s *Session) Failure() error {
	switch {
	case s.failure == nil:
		return nil
	case s.failure.hint != "":
		return fmt.Errorf("%w (%s)", s.failure, s.failure.hint)
	}
	return s.failure
}

// Delay is how long the answer to the step that failed should be held back.
func (s *Session) Delay() time.Duration { return s.delay }
