// Package auth says who a connection is.
//
// An [Authenticator] knows who may come in at a listener. Each connection to it has a [Session], the conversation by which a
// client proves who it is: a handshake that chooses the mechanism, then tokens until the session is authenticated or has
// failed. A session that has failed stays so: another try takes another connection, and the answer to one comes
// the later, the more often its network address has failed lately.
//
// What must hold:
//   - A session lets nobody in by default: neither its zero value nor one of an Authenticator without users.
//   - Secrets are compared in constant time, and no error, log line or metric holds one, nor a name that a client gave: people
//     type passwords where names belong.
//   - What is kept of strangers is bounded.
package auth

import (
	"net/netip"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/metrics"
)

// Plain is the name of the only mechanism served (RFC 4616).
const Plain = "PLAIN"

// tokenBytesMax is the size of the largest token that is looked at.
const tokenBytesMax = 16 << 10

// Results of an authentication, as they are counted.
const (
	resultAccepted  = "accepted"
	resultRefused   = "refused"   // wrong name or password
	resultMalformed = "malformed" // not a token of the mechanism
	resultMechanism = "mechanism" // a mechanism that is not served
	resultState     = "state"     // a step at the wrong place
)

// Options are what an Authenticator is made of.
type Options struct {
	Username, Password string        // of the one user there is; neither may be empty
	FailureDelay       time.Duration // by which the first failure of an address is answered late; Kafka's connection.failed.authentication.delay.ms
	Metrics            *metrics.Metrics
}

// Authenticator knows who may come in. It is safe for any number of connections at once.
type Authenticator struct {
	user     user
	failures failures
	metrics  *metrics.Metrics
}

// New returns an authenticator.
func New(o Options) *Authenticator {
	return &Authenticator{user: newUser(o.Username, o.Password), failures: failures{delay: o.FailureDelay}, metrics: o.Metrics}
}

// Session begins the conversation with a client at this address.
func (a *Authenticator) Session(peer netip.Addr) *Session {
	return &Session{authenticator: a, peer: peer}
}

// Refusal is why a step of a session was refused. It wraps its code.
type Refusal struct {
	Code    kerr.Code
	Message string // Kafka's words, for the client and for the log
	result  string
}

func (r *Refusal) Error() string { return r.Message }

// Unwrap returns the code.
func (r *Refusal) Unwrap() error { return r.Code }
