package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/heraclitus/heraclitus/pkg/auth"
)

// Auth says who may connect.
type Auth struct {
	Enabled           bool   `toml:"enabled"`
	Mechanism         string `toml:"mechanism"` // one, or several with commas between them
	PlainUsername     string `toml:"plain_username"`
	PlainPassword     string `toml:"plain_password"`
	SessionLifetimeMs int64  `toml:"session_lifetime_ms"`
}

// secretBytesMax bounds a username and a password: one token has to hold both.
const secretBytesMax = 4 << 10

// Mechanisms lists what is offered to clients, in the order of the setting.
func (a *Auth) Mechanisms() []string {
	var all []string
	for name := range strings.SplitSeq(a.Mechanism, ",") {
		all = append(all, strings.TrimSpace(name))
	}
	return all
}

// Scram says whether clients may come in as users who are not in the settings.
func (a *Auth) Scram() bool {
	return slices.ContainsFunc(a.Mechanisms(), func(name string) bool { return name != auth.Plain })
}

// SessionLifetime is how long a client may go on before it must say again who it is; 0 for ever.
func (a *Auth) SessionLifetime() time.Duration { return Milliseconds(a.SessionLifetimeMs) }

// sessionLifetimeMsMin is the shortest lifetime with which clients get on: they renew their sessions when some nine tenths of it
// have passed, and may do so once a second (KIP-368).
const sessionLifetimeMsMin = 2000

func (c *Config) validateAuth(v *validator) {
	a := c.Auth
	seen := map[string]bool{}
	for _, name := range a.Mechanisms() {
		if !slices.Contains(auth.MechanismNames(), name) || seen[name] {
			v.wrong("auth.mechanism", a.Mechanism, fmt.Sprintf("one or more of %s, each once, with commas between them", strings.Join(auth.MechanismNames(), ", ")))
			break
		}
		seen[name] = true
	}
	lifetime := a.SessionLifetimeMs
	v.check(lifetime == 0 || lifetime >= sessionLifetimeMsMin && lifetime <= yearMs, "auth.session_lifetime_ms", lifetime,
		fmt.Sprintf("0, which is for ever, or from %d to %d", sessionLifetimeMsMin, int64(yearMs)))
	if a.Enabled && c.Storage.InMemory() && !seen[auth.Plain] && !slices.ContainsFunc(c.KafkaListeners(), func(l Listener) bool { return !l.UsesSASL() }) {
		v.wrong("auth.mechanism", a.Mechanism, `with "PLAIN" in it: in memory there are no users yet, and nobody could log in to make the first`)
	}
	if a.Enabled && seen[auth.Plain] {
		v.secret("auth.plain_username", a.PlainUsername, "the name that clients come by, or auth.enabled = false, which lets everybody in")
		v.secret("auth.plain_password", a.PlainPassword, "the password that clients come with, or auth.enabled = false, which lets everybody in")
	}
}

// secret checks a part of what clients prove who they are by. It never shows it: people mistake one part for the other.
func (v *validator) secret(setting, value, right string) {
	switch {
	case value == "":
		v.wrong(setting, value, right)
	case len(value) > secretBytesMax || strings.ContainsRune(value, 0):
		v.errs = append(v.errs, fmt.Errorf("%s: should have at most %d bytes, none of them NUL", setting, secretBytesMax))
	}
}
