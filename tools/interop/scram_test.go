package interop

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/segmentio/kafka-go/sasl"
	kafkagoscram "github.com/segmentio/kafka-go/sasl/scram"
	franzsasl "github.com/twmb/franz-go/pkg/sasl"
	franzscram "github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/heraclitus/heraclitus/pkg/auth"
	"github.com/heraclitus/heraclitus/pkg/metrics"
)

// conversation is the client's side of a login: its next token, given the server's.
type conversation func(challenge []byte) (done bool, token []byte, err error)

// scramClients begin conversations with clients that others wrote, each with a library of its own.
var scramClients = map[string]func(ctx context.Context, m auth.Scram, name, password string) (first []byte, next conversation, err error){
	"franz-go": func(ctx context.Context, m auth.Scram, name, password string) ([]byte, conversation, error) {
		mechanism := franzscram.Auth{User: name, Pass: password}.AsSha256Mechanism()
		if m == auth.ScramSHA512 {
			mechanism = franzscram.Auth{User: name, Pass: password}.AsSha512Mechanism()
		}
		var session franzsasl.Session
		session, first, err := mechanism.Authenticate(ctx, "host")
		if err != nil {
			return nil, nil, err
		}
		return first, session.Challenge, nil
	},
	"kafka-go": func(ctx context.Context, m auth.Scram, name, password string) ([]byte, conversation, error) {
		algorithm := kafkagoscram.SHA256
		if m == auth.ScramSHA512 {
			algorithm = kafkagoscram.SHA512
		}
		mechanism, err := kafkagoscram.Mechanism(algorithm, name, password)
		if err != nil {
			return nil, nil, err
		}
		var session sasl.StateMachine
		session, first, err := mechanism.Start(ctx)
		if err != nil {
			return nil, nil, err
		}
		return first, func(b []byte) (bool, []byte, error) { return session.Next(ctx, b) }, nil
	},
}

// TestScramConversations shows, for random names and passwords, that clients that others wrote and our server
// understand each other: they come in with the right password and with no other, and, as the broken twin, they refuse
// a server whose signature is not the one they expect.
func TestScramConversations(t *testing.T) {
	rng := rand.New(rand.NewPCG(5802, 7677))
	for range 15 {
		name, password := randomText(rng), randomText(rng)
		for client, begin := range scramClients {
			for _, m := range []auth.Scram{auth.ScramSHA256, auth.ScramSHA512} {
				a := onlyUser(m, name, password)
				f := func(what, name, password string, forge, want bool) {
					t.Helper()
					first, next, err := begin(t.Context(), m, name, password)
					if err != nil {
						t.Fatal(err)
					}
					if in, err := converse(a, m, first, next, forge); in != want || (err == nil) != want {
						t.Errorf("%s, %s, %q with %q, %s: in %v, %v", client, m, name, password, what, in, err)
					}
				}
				f("right", name, password, false, true)
				f("forged signature", name, password, true, false)
				f("wrong password", name, password+"x", false, false)
				f("wrong name", name+"x", password, false, false)
			}
		}
	}
}

// onlyUser lets one user in.
func onlyUser(m auth.Scram, name, password string) *auth.Authenticator {
	c := auth.Credential{Salt: auth.NewSalt(), Iterations: auth.IterationsDefault}
	c.StoredKey, c.ServerKey = m.Keys(m.SaltedPassword(password, c.Salt, c.Iterations))
	return auth.New(auth.Options{
		Mechanisms: auth.MechanismNames(), Secret: []byte("secret"), Metrics: metrics.New(""),
		Users: func(given string, by auth.Scram) (auth.Credential, bool) { return c, given == name && by == m },
	})
}

// converse has a client talk to our server. It is in when both say so.
func converse(a *auth.Authenticator, m auth.Scram, token []byte, next conversation, forge bool) (in bool, err error) {
	s := a.Session(netip.Addr{})
	if err := s.Handshake(m.String(), false); err != nil {
		return false, err
	}
	for range 3 {
		answer, err := s.Step(token)
		if err != nil {
			return false, err
		}
		if s.Authenticated() && forge {
			answer[len("v=")] ^= 1
		}
		done, following, err := next(answer)
		if err != nil || done {
			return err == nil && done && s.Authenticated(), err
		}
		token = following
	}
	return false, fmt.Errorf("there is no end to it")
}

// randomText is what a name or password may be: of printable ASCII, commas and equals signs often among it.
func randomText(rng *rand.Rand) string {
	b := make([]byte, 1+rng.IntN(20))
	for i := range b {
		b[i] = byte('!' + rng.IntN('~'-'!'))
		if rng.IntN(4) == 0 {
			b[i] = ",="[rng.IntN(2)]
		}
	}
	return string(b)
}
