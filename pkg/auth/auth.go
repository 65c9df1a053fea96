// Package auth says who a connection is.
//
// An [Authenticator] knows who may come in at a listener. Each connection to it has a [Session], the conversation by which a
// client proves who it is: a handshake that chooses the mechanism, then tokens until the session is authenticated or has
// failed. A session that has failed stays so: another try takes another connection, and the answer to one comes
// the later, the more often its network address has failed lately. Sessions may have a lifetime, which clients extend by
// authenticating themselves again on the same connection (KIP-368).
//
// Mechanisms: PLAIN, whose one user is in the settings (plain.go), and SCRAM, whose users are where Options.Users looks them
// up, without their passwords (scram.go, credential.go).
//
// What must hold:
//   - A session lets nobody in by default: neither its zero value nor one of an Authenticator without users.
//   - Secrets are compared in constant time, and no error, log line or metric holds one, nor a name that a client gave:
//     people type passwords where names belong.
//   - What is kept of strangers is bounded.
package auth

import (
	"net/netip"
	"slices"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/metrics"
)

// Plain is the name of the mechanism by which clients show their password (RFC 4616).
const Plain = "PLAIN"

// MechanismNames lists every mechanism there is, by Kafka's name of it.
func MechanismNames() []string { return []string{Plain, ScramSHA256.String(), ScramSHA512.String()} }

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
	Mechanisms         []string // offered, some of MechanismNames; nil means PLAIN
	Username, Password string   // of the one user of PLAIN; neither may be empty where it is offered
	// Users returns the credential of a user of SCRAM; needed where that is offered. It is called by many connections at once.
	Users func(name string, m Scram) (Credential, bool)
	// Iterations returns how often the password of one of these users is hashed, chosen by draw, so that users who do not
	// exist seem to have the counts that real users have, each as often; 0 if there are no users. Nil means
	// IterationsDefault for all.
	Iterations func(m Scram, draw uint32) int32
	Secret     []byte // from which salts are made for users who do not exist: random, and the same for the life of the data

	// SessionLifetime is the time after which a client must authenticate itself again; 0 is for ever. Kafka's
	// connections.max.reauth.ms.
	SessionLifetime time.Duration
	// FailureDelay is by how much the answer to the first failure of an address is late. Kafka's
	// connection.failed.authentication.delay.ms.
	FailureDelay time.Duration
	Metrics      *metrics.Metrics
}

// Authenticator knows who may come in. It is safe for any number of connections at once.
type Authenticator struct {
	mechanisms []string
	plain      plainUser
	scram      scramUsers
	lifetime   time.Duration
	failures   failures
	metrics    *metrics.Metrics
}

// New returns an authenticator.
func New(o Options) *Authenticator {
	if o.Mechanisms == nil {
		o.Mechanisms = []string{Plain}
	}
	return &Authenticator{
		mechanisms: o.Mechanisms, plain: newPlainUser(o.Username, o.Password), scram: scramUsers{o.Users, o.Iterations, o.Secret},
		lifetime: o.SessionLifetime, failures: failures{delay: o.FailureDelay}, metrics: o.Metrics,
	}
}

// exchange is one run of a mechanism.
type exchange interface {
	// step takes the client's next token, which it does not keep, and returns the answer, and whether the client has proved
	// who it is by then. After a refusal it is not called again.
	step(token []byte) (answer []byte, done bool, refusal *Refusal)
	user() string // who the client has proved to be
}

// exchange begins a run of a mechanism; what it refuses is said to have failed during something. It is nil for a
// mechanism that is not offered.
func (a *Authenticator) exchange(mechanism, during string) exchange {
	if !slices.Contains(a.mechanisms, mechanism) {
		return nil
	}
	if m, ok := ScramNamed(mechanism); ok {
		return &scramExchange{users: &a.scram, mechanism: m, during: during}
	}
	return &plainExchange{&a.plain}
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
	hint    string // for the log alone
}

func (r *Refusal) Error() string { return r.Message }

// Unwrap returns the code.
func (r *Refusal) Unwrap() error { return r.Code }
