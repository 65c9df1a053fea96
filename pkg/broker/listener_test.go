package broker

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/config"
)

// TestExposureIsWarnedOf shows that whoever serves other machines is told at the start what they can do by each listener,
// without the password, and that nobody else is told.
func TestExposureIsWarnedOf(t *testing.T) {
	f := func(address, protocol, mechanism, clientAuth, want string) {
		t.Helper()
		socket, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer socket.Close()
		var said bytes.Buffer
		b := &Broker{config: config.Default(), log: slog.New(slog.NewTextHandler(&said, nil))}
		b.config.Auth = config.Auth{Enabled: true, Mechanism: mechanism, PlainUsername: "u", PlainPassword: "hunter2"}
		l := config.Listener{Name: "outside", Protocol: protocol}
		l.ClientAuth = clientAuth
		b.kafka = []*listener{{Listener: l, sockets: []net.Listener{socket}}}
		b.warnOfExposure(false)
		got := said.String()
		if !strings.Contains(got, want) || (want == "") != (got == "") || want != "" && !strings.Contains(got, "listener=outside") || strings.Contains(got, "hunter2") {
			t.Errorf("%s at %s, client_auth %s: the log has %q", protocol, address, clientAuth, got)
		}
	}
	f("127.0.0.1:0", config.Plaintext, "PLAIN", "none", "")
	f("127.0.0.1:0", config.SASLPlaintext, "PLAIN", "none", "")
	f("0.0.0.0:0", config.Plaintext, "PLAIN", "none", "anyone who reaches this address")
	f("0.0.0.0:0", config.SASLPlaintext, "SCRAM-SHA-512, PLAIN", "none", "can read the password")
	f("0.0.0.0:0", config.SASLPlaintext, "SCRAM-SHA-512", "none", "can read and change what is sent")
	f("0.0.0.0:0", config.SSL, "PLAIN", "none", "anyone who reaches this address")
	f("0.0.0.0:0", config.SSL, "PLAIN", "requested", "anyone who reaches this address")
	f("0.0.0.0:0", config.SSL, "PLAIN", "required", "")
	f("0.0.0.0:0", config.SASLSSL, "PLAIN", "none", "")
}

// TestUnaskedPasswordIsWarnedOf shows that whoever sets a password and forgets auth.enabled is told so.
func TestUnaskedPasswordIsWarnedOf(t *testing.T) {
	for _, enabled := range []bool{false, true} {
		var said bytes.Buffer
		b := &Broker{config: config.Default(), log: slog.New(slog.NewTextHandler(&said, nil))}
		b.config.Auth = config.Auth{Enabled: enabled, Mechanism: "PLAIN", PlainUsername: "u", PlainPassword: "hunter2"}
		b.warnOfExposure(false)
		if got := said.String(); strings.Contains(got, "everybody is let in") == enabled || strings.Contains(got, "hunter2") {
			t.Errorf("auth.enabled = %v: the log has %q", enabled, got)
		}
	}
}

// TestExposedProfilesAreWarnedOf shows that whoever serves profiles to other machines is told so, and nobody else.
func TestExposedProfilesAreWarnedOf(t *testing.T) {
	f := func(address string, profiles, warned bool) {
		t.Helper()
		socket, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer socket.Close()
		var said bytes.Buffer
		b := &Broker{config: config.Default(), log: slog.New(slog.NewTextHandler(&said, nil)), http: []net.Listener{socket}}
		b.warnOfExposure(profiles)
		if strings.Contains(said.String(), "Go's profiles") != warned {
			t.Errorf("%s, profiles %v: the log has %q", address, profiles, said.String())
		}
	}
	f("127.0.0.1:0", true, false)
	f("0.0.0.0:0", false, false)
	f("0.0.0.0:0", true, true)
}
