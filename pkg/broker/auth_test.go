package broker

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/config"
)

// TestExposureIsWarnedOf shows that whoever serves other machines is told at the start what they can do, without the
// password, and that nobody else is told.
func TestExposureIsWarnedOf(t *testing.T) {
	f := func(address string, enabled bool, mechanism, want string) {
		t.Helper()
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		var said bytes.Buffer
		b := &Broker{config: config.Default(), kafka: []net.Listener{l}, log: slog.New(slog.NewTextHandler(&said, nil))}
		b.config.Auth = config.Auth{Enabled: enabled, Mechanism: mechanism, PlainUsername: "u", PlainPassword: "hunter2"}
		b.warnOfExposure()
		if got := said.String(); !strings.Contains(got, want) || (want == "") != (got == "") || strings.Contains(got, "hunter2") {
			t.Errorf("listening at %s, auth.enabled = %v: the log has %q", address, enabled, got)
		}
	}
	f("127.0.0.1:0", false, "PLAIN", "")
	f("127.0.0.1:0", true, "PLAIN", "")
	f("0.0.0.0:0", false, "PLAIN", "everybody who reaches this address")
	f("0.0.0.0:0", true, "SCRAM-SHA-512, PLAIN", "reads the password")
	f("0.0.0.0:0", true, "SCRAM-SHA-512", "reads and changes what is sent")
}

// TestListenerName shows that the listener is known by Kafka's name for its protocol.
func TestListenerName(t *testing.T) {
	f := func(enabled bool, want string) {
		t.Helper()
		if got := listenerName(&config.Config{Auth: config.Auth{Enabled: enabled}}); got != want {
			t.Errorf("auth.enabled = %v: %s", enabled, got)
		}
	}
	f(false, "PLAINTEXT")
	f(true, "SASL_PLAINTEXT")
}
