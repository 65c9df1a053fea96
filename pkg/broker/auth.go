package broker

import (
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/heraclitus/heraclitus/pkg/auth"
	"github.com/heraclitus/heraclitus/pkg/engine"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// Times of logins.
const (
	loginTimeout      = 30 * time.Second
	loginFailureDelay = 100 * time.Millisecond // as with Kafka
)

// secretBytes is the size of the secret from which answers to users who do not exist are made.
const secretBytes = 32

// authenticator knows who may come in, by the settings and by the users in e; it is nil where everybody may.
func (b *Broker) authenticator(e *engine.Engine) (*auth.Authenticator, error) {
	c := &b.config.Auth
	if !c.Enabled {
		return nil, nil
	}
	o := auth.Options{
		Mechanisms: c.Mechanisms(), Username: c.PlainUsername, Password: c.PlainPassword, Users: credentials(e), Iterations: iterations(e),
		SessionLifetime: c.SessionLifetime(), FailureDelay: loginFailureDelay, Metrics: b.metrics,
	}
	if c.Scram() {
		var err error
		if o.Secret, err = secret(e); err != nil {
			return nil, err
		}
		b.warnOfNobody(e)
	}
	return auth.New(o), nil
}

// credentials looks users up in e.
func credentials(e *engine.Engine) func(name string, m auth.Scram) (auth.Credential, bool) {
	return func(name string, m auth.Scram) (found auth.Credential, ok bool) {
		e.View(func(s *state.State) {
			var c state.Credential
			c, ok = s.Credential(name, int8(m))
			found = auth.Credential{Salt: c.Salt, StoredKey: c.StoredKey, ServerKey: c.ServerKey, Iterations: c.Iterations}
		})
		return found, ok
	}
}

// iterations draws from what the users in e have.
func iterations(e *engine.Engine) func(m auth.Scram, draw uint32) int32 {
	return func(m auth.Scram, draw uint32) (n int32) {
		e.View(func(s *state.State) { n = s.Iterations(int8(m), draw) })
		return n
	}
}

// secret returns the cluster's secret, which is created when it is first needed.
func secret(e *engine.Engine) (known []byte, err error) {
	look := func(s *state.State) { known = s.Secret() }
	e.View(look)
	if len(known) > 0 {
		return known, nil
	}
	random := make([]byte, secretBytes)
	rand.Read(random)
	if _, err := e.Do(state.CreateSecret{Secret: random}); err != nil {
		return nil, fmt.Errorf("create the secret that SCRAM needs: %w", err)
	}
	e.View(look)
	return known, nil
}

// warnOfNobody says how to make the first user, if only users can log in and there are none.
func (b *Broker) warnOfNobody(e *engine.Engine) {
	users := 0
	e.View(func(s *state.State) { users = s.UserCount() })
	if users == 0 && !slices.Contains(b.config.Auth.Mechanisms(), auth.Plain) {
		b.log.Warn("auth.mechanism is SCRAM and there are no users, so nobody can log in: stop the server, run heraclitus users set NAME, and start it again")
	}
}
