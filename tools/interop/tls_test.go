package interop

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/heraclitus/heraclitus/pkg/freeport"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	franzplain "github.com/twmb/franz-go/pkg/sasl/plain"

	"github.com/heraclitus/heraclitus/pkg/certificate/certificatetest"
)

// tlsConfig is a server with three listeners by TLS: SASL_SSL on its own port, and two more ports, where anybody may
// come in by SSL, and whoever shows a certificate.
const tlsConfig = `
[auth]
enabled = true
plain_username = %q
plain_password = %q
[tls]
enabled = true
certificate_file = %q
key_file = %q
[[listeners]]
name = "open"
protocol = "SSL"
port = %d
[[listeners]]
name = "mutual"
protocol = "SSL"
port = %d
client_ca_file = %q
`

// TestTLS shows that franz-go comes in by SSL, by SSL with a certificate of its own and by SASL_SSL, and is told to
// stay with the listener it came by; that it is refused, at once and by all of them, without what they ask for; and
// that the log says why, once, and no password.
func TestTLS(t *testing.T) {
	a, stranger := certificatetest.New(t), certificatetest.New(t)
	broker, app := a.Issue(t, "broker"), a.Issue(t, "app")
	open, mutual := freePort(t), freePort(t)
	s := start(t, "memory://", fmt.Sprintf(tlsConfig, saslUser, saslPassword, broker.CertificateFile, broker.KeyFile, open, mutual, a.File))
	byPassword := func(password string) kgo.Opt {
		return kgo.SASL(franzplain.Auth{User: saslUser, Pass: password}.AsMechanism())
	}
	at := func(port int) kgo.Opt { return kgo.SeedBrokers(fmt.Sprintf("localhost:%d", port)) }
	by := func(c *tls.Config) kgo.Opt { return kgo.DialTLSConfig(c) }

	f := func(name string, opts ...kgo.Opt) {
		t.Run(name, func(t *testing.T) {
			roundTrip(t, franz(t, s, append(opts, kgo.AllowAutoTopicCreation())...), "tls-"+name)
		})
	}
	f("SSL", at(open), by(a.Trust()))
	f("mutual", at(mutual), by(a.Trust(app)))
	f("SASL_SSL", at(s.Kafka), by(a.Trust()), byPassword(saslPassword))

	refused := func(name, want string, opts ...kgo.Opt) {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			err := franz(t, s, append(opts, kgo.RequestRetries(0))...).Ping(ctx)
			if err == nil || ctx.Err() != nil || !strings.Contains(err.Error(), want) {
				t.Errorf("the client says %v, want %q", err, want)
			}
		})
	}
	refused("another authority", "unknown authority", at(open), by(stranger.Trust()))
	refused("no certificate", "certificate required", at(mutual), by(a.Trust()))
	refused("a stranger's certificate", "unknown certificate authority", at(mutual), by(a.Trust(stranger.Issue(t, "app"))))
	refused("a wrong password", kerr.SaslAuthenticationFailed.Message, at(s.Kafka), by(a.Trust()), byPassword("wrong"))
	refused("plain text", "", at(open))

	for _, want := range []string{"reason=refused_by_client", "reason=no_certificate", "reason=untrusted_certificate", "reason=login_refused", "reason=not_tls"} {
		// The client may know of its end before the log does.
		for late := time.Now().Add(20 * time.Second); !strings.Contains(s.Output(1000), want) && time.Now().Before(late); {
			time.Sleep(time.Millisecond)
		}
		if n := strings.Count(s.Output(1000), want); n != 1 {
			t.Errorf("the log says %s %d times, want once:\n%s", want, n, s.Output(1000))
		}
	}
	if strings.Contains(s.Output(1000), saslPassword) {
		t.Error("the password is in the log")
	}
}

// roundTrip produces records, large ones too, and reads them back.
func roundTrip(t *testing.T, client *kgo.Client, topic string) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var sent []*kgo.Record
	for i := range 50 {
		sent = append(sent, &kgo.Record{Topic: topic, Partition: 0, Value: bytes.Repeat([]byte{byte(i)}, 1+i*4_000)})
	}
	if err := client.ProduceSync(ctx, sent...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}})
	for i, got := range franzConsume(ctx, t, client, len(sent)) {
		if !bytes.Equal(got.value, sent[i].Value) {
			t.Fatalf("record %d came back as %d other bytes", i, len(got.value))
		}
	}
}

// freePort is a port that nobody listens on.
func freePort(t *testing.T) int {
	t.Helper()
	port, err := freeport.Get()
	if err != nil {
		t.Fatal(err)
	}
	return port
}
