package broker_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/heraclitus/heraclitus/pkg/broker"
	"github.com/heraclitus/heraclitus/pkg/broker/brokertest"
	"github.com/heraclitus/heraclitus/pkg/certificate/certificatetest"
	"github.com/heraclitus/heraclitus/pkg/config"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// lines is a log that can be read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// that returns the lines that contain something.
func (l *lines) that(contain string) (all []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		if strings.Contains(line, contain) {
			all = append(all, line)
		}
	}
	return all
}

// What no log may show: passwords that are right or wrong.
const rightSecret, wrongSecret = "right-hunter2", "wrong-hunter2"

// plainToken is a token of PLAIN but for the password.
const plainToken = "\x00" + user + "\x00"

// shortSession is the shortest lifetime of a session that may be set.
const shortSession = 2 * time.Second

// saslBegin chooses a mechanism, and says what the answer is.
func saslBegin(t *testing.T, c net.Conn, mechanism string) string {
	r := askOn[*wire.SaslHandshakeResponse](t, c, wire.KeySaslHandshake, 1, &wire.SaslHandshakeRequest{Mechanism: mechanism})
	return fmt.Sprintf("handshake %d %v, ", r.ErrorCode, r.Mechanisms)
}

// saslToken sends a token, and says what the answer is.
func saslToken(t *testing.T, c net.Conn, token string) string {
	r := askOn[*wire.SaslAuthenticateResponse](t, c, wire.KeySaslAuthenticate, 2, &wire.SaslAuthenticateRequest{AuthBytes: []byte(token)})
	return fmt.Sprintf("token %d, ", r.ErrorCode)
}

// enters logs in, and says what the answer is.
func enters(t *testing.T, b *brokertest.Broker) string {
	c := dial(t, b.Address(), nil)
	defer c.Close()
	saslBegin(t, c, "PLAIN")
	return saslToken(t, c, plainToken+rightSecret)
}

// says sends bytes, and says what comes before the end of the connection.
func says(c net.Conn, b []byte) string {
	c.SetDeadline(time.Now().Add(time.Minute))
	c.Write(b)
	answer, err := io.ReadAll(c)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) { // which comes where what was sent last was not read
		return err.Error()
	}
	return fmt.Sprintf("%x, end", answer)
}

// asks sends a request again and again, for as long as it is answered, and says what ends that.
func asks(c net.Conn, request []byte) string {
	c.SetDeadline(time.Now().Add(time.Minute))
	for {
		c.Write(request)
		var length [4]byte
		_, err := io.ReadFull(c, length[:])
		if err == nil {
			_, err = io.CopyN(io.Discard, c, int64(getLength(length)))
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return "no end"
		case err != nil:
			return "end"
		}
	}
}

// TestRefusals shows, for each way in which a client may come wrongly, by every kind of listener: what it is answered,
// that the log has one line about it however often it happens, that neither its password nor the right one is in the log,
// and that a client that was there before goes on and another comes in.
func TestRefusals(t *testing.T) {
	a := certificatetest.New(t)
	kinds := everyListener(t, a)
	metadata := framed(wire.KeyMetadata, 9, &wire.MetadataRequest{})
	f := func(name, reason, want string, times int, come func(t *testing.T, b *brokertest.Broker) string, changes ...func(*config.Config)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused(t, reason, want, times, come, append([]func(*config.Config){kinds}, changes...)...)
		})
	}
	const offered = "[PLAIN SCRAM-SHA-256 SCRAM-SHA-512]"
	wrong := func(t *testing.T, b *brokertest.Broker) string {
		c := dial(t, b.Address(), nil)
		return saslBegin(t, c, "PLAIN") + saslToken(t, c, plainToken+wrongSecret) + says(c, nil)
	}
	f("wrong password", "login_refused", "handshake 0 "+offered+", token 58, , end", 3, wrong)
	f("wrong password by TLS", "login_refused", "handshake 0 "+offered+", token 58, , end", 3, func(t *testing.T, b *brokertest.Broker) string {
		c := dial(t, b.AddressOf(t, "both"), a.Trust())
		return saslBegin(t, c, "PLAIN") + saslToken(t, c, plainToken+wrongSecret) + says(c, nil)
	})
	f("unknown user by SCRAM", "login_refused", "handshake 0 "+offered+", token 58, , end", 3, func(t *testing.T, b *brokertest.Broker) string {
		c := dial(t, b.Address(), nil)
		s := saslBegin(t, c, "SCRAM-SHA-256")
		r := askOn[*wire.SaslAuthenticateResponse](t, c, wire.KeySaslAuthenticate, 2, &wire.SaslAuthenticateRequest{AuthBytes: []byte("n,,n=nobody,r=abcdefghij")})
		nonce, _, _ := strings.Cut(string(r.AuthBytes), ",")
		return s + saslToken(t, c, "c=biws,"+nonce+",p="+strings.Repeat("A", 43)+"=") + says(c, nil)
	})
	f("unknown mechanism", "login_refused", "handshake 33 "+offered+", , end", 3, func(t *testing.T, b *brokertest.Broker) string {
		c := dial(t, b.Address(), nil)
		return saslBegin(t, c, "GSSAPI") + says(c, nil)
	})
	f("flood of wrong passwords", "login_refused", "handshake 0 "+offered+", token 58, , end", 40, wrong)
	f("expired session", "session_expired", "token 0, end", 3, func(t *testing.T, b *brokertest.Broker) string {
		c := dial(t, b.Address(), nil)
		saslBegin(t, c, "PLAIN")
		said := saslToken(t, c, plainToken+rightSecret)
		time.Sleep(shortSession)
		return said + asks(c, metadata)
	}, func(c *config.Config) { c.Auth.SessionLifetimeMs = shortSession.Milliseconds() })
	f("before authentication", "unauthenticated", ", end", 3, func(t *testing.T, b *brokertest.Broker) string { return says(dial(t, b.Address(), nil), metadata) })
	f("garbage", "malformed", ", end", 3, func(t *testing.T, b *brokertest.Broker) string {
		return says(dial(t, b.Address(), nil), bytes.Repeat([]byte{0xc3}, 4000))
	})
	f("garbage as long as it says", "unsupported", ", end", 3, func(t *testing.T, b *brokertest.Broker) string {
		return says(dial(t, b.Address(), nil), append([]byte{0, 0, 0, 100}, bytes.Repeat([]byte{0x63}, 100)...))
	})
	f("too large", "too_large", ", end", 3, func(t *testing.T, b *brokertest.Broker) string {
		return says(dial(t, b.Address(), nil), []byte{0x00, 0xff, 0, 0})
	})
	f("HTTP", "http", ", end", 3, func(t *testing.T, b *brokertest.Broker) string {
		return says(dial(t, b.Address(), nil), []byte("GET / HTTP/1.1\r\n\r\n"))
	})
	f("TLS where there is none", "tls", "tls: EOF", 3, func(t *testing.T, b *brokertest.Broker) string {
		return "tls: " + fmt.Sprint(dial(t, b.AddressOf(t, "open"), a.Trust()).(*tls.Conn).Handshake())
	})
	f("plain text where there is TLS", "not_tls", ", end", 3, func(t *testing.T, b *brokertest.Broker) string {
		return says(dial(t, b.AddressOf(t, "locked"), nil), metadata)
	})
	f("no certificate", "no_certificate", "remote error: tls: certificate required", 3, func(t *testing.T, b *brokertest.Broker) string {
		return says(dial(t, b.AddressOf(t, "mutual"), a.Trust()), metadata)
	})
}

func refused(t *testing.T, reason, want string, times int, come func(*testing.T, *brokertest.Broker) string, changes ...func(*config.Config)) {
	var log lines
	b := logging(t, &log, changes...)
	before := dial(t, b.AddressOf(t, "open"), nil)
	if p := tryProduceOn(t, before, "orders", batchOf(t, "before")); p.ErrorCode != 0 {
		t.Fatalf("produce is refused with error %d", p.ErrorCode)
	}
	var wg sync.WaitGroup
	for range times {
		wg.Go(func() {
			if got := come(t, b); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
	wg.Wait()
	if p := tryProduceOn(t, before, "orders", batchOf(t, "afterwards")); p.ErrorCode != 0 || p.BaseOffset != 1 {
		t.Errorf("produce is answered with error %d and offset %d", p.ErrorCode, p.BaseOffset)
	}
	if got := enters(t, b); got != "token 0, " {
		t.Errorf("the right password is answered with %s", got)
	}
	before.Close()
	b.Stop(t) // everything is logged
	if said := log.that("level=INFO msg=\"connection"); len(said) != 1 || !strings.Contains(said[0], "reason="+reason) {
		t.Errorf("the log has %q, want one line with reason=%s", said, reason)
	}
	for _, level := range []string{"level=WARN", "level=ERROR", rightSecret, wrongSecret} {
		if said := log.that(level); len(said) > 0 {
			t.Errorf("the log has %q", said)
		}
	}
}

// everyListener gives a broker a listener of each kind.
func everyListener(t *testing.T, a *certificatetest.Authority) func(*config.Config) {
	secure := brokertest.TLS(t, a)
	mutual := config.Listener{Name: "mutual", Protocol: config.SSL}
	mutual.ClientCAFile, mutual.ClientAuth = a.File, config.ClientAuthRequired
	return func(c *config.Config) {
		secure(c)
		c.TLS.Enabled = false // on the first one
		c.Auth = config.Auth{Enabled: true, Mechanism: "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512", PlainUsername: user, PlainPassword: rightSecret}
		c.Listeners = []config.Listener{
			{Name: "open", Protocol: config.Plaintext}, {Name: "locked", Protocol: config.SSL}, {Name: "both", Protocol: config.SASLSSL}, mutual,
		}
	}
}

// logging starts a broker that logs to a writer.
func logging(t *testing.T, log io.Writer, changes ...func(*config.Config)) *brokertest.Broker {
	t.Helper()
	c := config.Default()
	c.KafkaPort, c.HTTPPort, c.Storage.Path = 0, 0, config.Memory
	for _, change := range changes {
		change(&c)
	}
	started, err := broker.Start(c, broker.Options{Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	b := &brokertest.Broker{Broker: started}
	t.Cleanup(func() { b.Stop(t) })
	return b
}
