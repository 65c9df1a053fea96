package broker_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/auth"
	"github.com/heraclitus/heraclitus/pkg/broker"
	"github.com/heraclitus/heraclitus/pkg/broker/brokertest"
	"github.com/heraclitus/heraclitus/pkg/client"
	"github.com/heraclitus/heraclitus/pkg/config"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// scram has a broker with its data in dir let users in by SCRAM.
func scram(dir string) func(*config.Config) {
	return func(c *config.Config) {
		c.Storage.Path, c.Auth.Enabled, c.Auth.Mechanism = dir, true, "SCRAM-SHA-512"
		c.Storage.JournalFileBytes, c.Storage.JournalSpareBytes, c.Batching.MaxBatchSize, c.Topics.MaxMessageBytes = 4<<20, 0, 64<<10, 64<<10
	}
}

// upsert gives a user a password.
func upsert(t *testing.T, ask func(key, version int16, q wire.Message) (wire.Message, error), name, password string) {
	t.Helper()
	salt := auth.NewSalt()
	m, err := ask(wire.KeyAlterUserScramCredentials, 0, &wire.AlterUserScramCredentialsRequest{Upsertions: []wire.AlterUserScramCredentialsRequestScramCredentialUpsertion{{
		Name: name, Mechanism: int8(auth.ScramSHA512), Iterations: auth.IterationsDefault, Salt: salt,
		SaltedPassword: auth.ScramSHA512.SaltedPassword(password, salt, auth.IterationsDefault),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if u := m.(*wire.AlterUserScramCredentialsResponse).Results[0]; u.ErrorCode != 0 {
		t.Fatalf("%+v", u)
	}
}

// enter logs in and runs f.
func enter(t *testing.T, b *brokertest.Broker, name, password string, f func(*client.Client)) error {
	t.Helper()
	c, err := client.Dial(t.Context(), client.Options{Address: b.Address(), Mechanism: "SCRAM-SHA-512", Username: name, Password: password})
	if err == nil {
		f(c)
		c.Close()
	}
	return err
}

// TestUsersLast shows that users made while no broker ran are let in, that what changes through a broker lasts over its
// restart, and that who is in stays in though the password changes.
func TestUsersLast(t *testing.T) {
	dir := t.TempDir()
	c := config.Default()
	scram(dir)(&c)
	o, err := broker.OpenOffline(c, broker.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	upsert(t, o.Ask, "al", "first")
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	b := brokertest.Start(t, scram(dir))
	err = enter(t, b, "al", "first", func(al *client.Client) {
		upsert(t, al.Ask, "al", "second")
		upsert(t, al.Ask, "bo", "bo's")
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := enter(t, b, "al", "first", func(*client.Client) {}); err == nil || !strings.Contains(err.Error(), "invalid credentials") {
			t.Errorf("the old password: %v", err)
		}
		for name, password := range map[string]string{"al": "second", "bo": "bo's"} {
			if err := enter(t, b, name, password, func(*client.Client) {}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		b.Stop(t)
		b = brokertest.Start(t, scram(dir))
	}
}

// TestSaltOfNobodyLasts shows that a restart does not tell users from names that nobody has, by another salt.
func TestSaltOfNobodyLasts(t *testing.T) {
	dir := t.TempDir()
	salt := func() string {
		b := brokertest.Start(t, scram(dir))
		defer b.Stop(t)
		c, err := client.Dial(t.Context(), client.Options{Address: b.Address()})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Ask(wire.KeySaslHandshake, 1, &wire.SaslHandshakeRequest{Mechanism: "SCRAM-SHA-512"}); err != nil {
			t.Fatal(err)
		}
		m, err := c.Ask(wire.KeySaslAuthenticate, 2, &wire.SaslAuthenticateRequest{AuthBytes: []byte("n,,n=nobody,r=abc")})
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(m.(*wire.SaslAuthenticateResponse).AuthBytes), ",")
		return rest
	}
	if first, second := salt(), salt(); first != second || !strings.HasPrefix(first, "s=") {
		t.Errorf("once %s, then %s", first, second)
	}
}

// TestNobodyIsWarnedOf shows that a broker which can let nobody in says so at the start, and one that can does not.
func TestNobodyIsWarnedOf(t *testing.T) {
	f := func(mechanism string, users, want bool) {
		t.Helper()
		var said bytes.Buffer
		log := slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelWarn}))
		c := config.Default()
		scram(t.TempDir())(&c)
		c.KafkaPort, c.HTTPPort, c.Auth.Mechanism, c.Auth.PlainUsername, c.Auth.PlainPassword = 0, 0, mechanism, "u", "p"
		if users {
			o, err := broker.OpenOffline(c, broker.Options{Log: log})
			if err != nil {
				t.Fatal(err)
			}
			upsert(t, o.Ask, "al", "x")
			o.Close()
		}
		b, err := broker.Start(c, broker.Options{Log: log, Version: "test"})
		if err != nil {
			t.Fatal(err)
		}
		b.Stop(t.Context())
		if got := strings.Contains(said.String(), "heraclitus users set"); got != want {
			t.Errorf("%s, users %v: the log has %q", mechanism, users, said.String())
		}
	}
	f("SCRAM-SHA-256", false, true)
	f("SCRAM-SHA-256", true, false)
	f("SCRAM-SHA-256,PLAIN", false, false)
}
