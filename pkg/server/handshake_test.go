package server

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/heraclitus/heraclitus/pkg/certificate/certificatetest"
	"github.com/heraclitus/heraclitus/pkg/handler"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// lock is a listener with TLS whose certificate, and those of its clients, come from an authority.
func lock(t *testing.T, a *certificatetest.Authority, clients tls.ClientAuthType) Listener {
	t.Helper()
	pool := a.Trust().RootCAs
	config := &tls.Config{Certificates: []tls.Certificate{a.Issue(t, "broker").TLS}, ClientAuth: clients, ClientCAs: pool, MinVersion: tls.VersionTLS12, SessionTicketsDisabled: true}
	return Listener{TLS: func() *tls.Config { return config }}
}

// dialTLS connects by TLS. The handshake comes with the first byte that is sent or read.
func dialTLS(t *testing.T, address string, config *tls.Config) *client {
	t.Helper()
	c := dial(t, address)
	c.Conn = tls.Client(c.Conn, config)
	return c
}

// shortHandshakes has a server wait for strangers no longer than a test does.
func shortHandshakes(o *Options) { o.LoginTimeout = testLoginTimeout }

// withUser is a table whose Metadata answers with the user of the connection, as its cluster id.
func withUser() []handler.Row {
	finish := func(_ *handler.Handler, c *handler.Call) error {
		user := c.Conn.Session.User()
		c.Response.(*wire.MetadataResponse).ClusterID = &user
		return nil
	}
	return on(loginTable(), wire.KeyMetadata, nil, finish)
}

// user asks who the client is taken for.
func (c *client) user() string {
	c.t.Helper()
	c.send(wire.KeyMetadata, 12, 9)
	return *readResponse(c.t, c, wire.KeyMetadata, 12, 9).(*wire.MetadataResponse).ClusterID
}

// TestTLS shows that clients are served by TLS 1.2 and 1.3, large requests and answers included, and who they are taken for:
// nobody without a certificate, the subject of one that was asked for, and the user of SASL where that is asked.
func TestTLS(t *testing.T) {
	a := certificatetest.New(t)
	app := a.Issue(t, "app")
	f := func(clients tls.ClientAuthType, sasl bool, version uint16, shown []certificatetest.Pair, want string) {
		t.Helper()
		_, address := startAs(t, withUser(), func(o *Options) {
			shortHandshakes(o)
			if sasl {
				guard(o)
			}
		}, lock(t, a, clients))
		config := a.Trust(shown...)
		config.MinVersion, config.MaxVersion = version, version
		c := dialTLS(t, address, config)
		if sasl {
			c.handshake(1)
			c.Write(tokenRequest(1, 2, rightToken))
			c.receive(wire.KeySaslAuthenticate, 2, 2)
		}
		if got := c.user(); got != want {
			t.Errorf("client auth %v, SASL %v: the client is taken for %q, want %q", clients, sasl, got, want)
		}
		for id := range int32(20) {
			c.Write(request(wire.KeyMetadata, 12, id, &wire.MetadataRequest{Topics: make([]wire.MetadataRequestTopic, 3_000)}))
			c.receive(wire.KeyMetadata, 12, id)
		}
		if state := c.Conn.(*tls.Conn).ConnectionState(); state.Version != version {
			t.Errorf("version %x was spoken, want %x", state.Version, version)
		}
	}
	none, one := []certificatetest.Pair(nil), []certificatetest.Pair{app}
	const subject = "CN=app,O=Heraclitus Tests"
	f(tls.NoClientCert, false, tls.VersionTLS13, none, "")
	f(tls.NoClientCert, false, tls.VersionTLS12, one, "")
	f(tls.VerifyClientCertIfGiven, false, tls.VersionTLS13, none, "")
	f(tls.VerifyClientCertIfGiven, false, tls.VersionTLS12, one, subject)
	f(tls.RequireAndVerifyClientCert, false, tls.VersionTLS12, one, subject)
	f(tls.RequireAndVerifyClientCert, false, tls.VersionTLS13, one, subject)
	f(tls.RequireAndVerifyClientCert, true, tls.VersionTLS13, one, "u")
	f(tls.NoClientCert, true, tls.VersionTLS13, none, "u")
}

// TestRefusedHandshakes shows which clients do not come in by TLS, how each is counted, and that those are told by TLS who
// speak it.
func TestRefusedHandshakes(t *testing.T) {
	a, stranger := certificatetest.New(t), certificatetest.New(t)
	s, address := startAs(t, withUser(), shortHandshakes, lock(t, a, tls.RequireAndVerifyClientCert))
	good := a.Issue(t, "app")
	failed := func(reason string) {
		t.Helper()
		waitFor(t, func() bool {
			return s.metrics.HandshakesFailed(reason).Get() == 1 && s.metrics.ConnectionsClosed(reason).Get() == 1
		}, "counted as "+reason)
	}
	byTLS := func(reason, told string, config *tls.Config) {
		t.Helper()
		c := dialTLS(t, address, config)
		c.SetDeadline(time.Now().Add(patience))
		c.Write(request(wire.KeyMetadata, 12, 1, &wire.MetadataRequest{}))
		_, err := c.Read(make([]byte, 1))
		if err == nil || !strings.Contains(err.Error(), told) {
			t.Errorf("%s: the client sees %v", reason, err)
		}
		c.Close()
		failed(reason)
	}
	byTLS("no_certificate", "certificate required", a.Trust())
	byTLS("untrusted_certificate", "unknown certificate authority", a.Trust(stranger.Issue(t, "app")))
	byTLS("refused_by_client", "signed by unknown authority", stranger.Trust(good))
	old := a.Trust(good)
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	byTLS("tls_version", "protocol version not supported", old)

	otherwise := func(reason string, sent []byte) {
		t.Helper()
		c := dial(t, address)
		c.Write(sent)
		c.ended()
		c.Close()
		failed(reason)
	}
	otherwise("not_tls", request(wire.KeyApiVersions, 3, 1, &wire.ApiVersionsRequest{}))
	otherwise("http", []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
	c := dial(t, address)
	c.Write(append([]byte{22, 3, 1, 0, 200}, make([]byte, 200)...))
	c.SetReadDeadline(time.Now().Add(patience))
	if alert, err := io.ReadAll(c); len(alert) == 0 || alert[0] != 21 || err != nil {
		t.Errorf("garbage in the form of TLS was answered by %x, %v; want an alert", alert, err)
	}
	c.Close()
	failed("handshake")
	c = dial(t, address)
	c.Write([]byte{22, 3, 1})
	c.Close()
	failed("client")

	if got := dialTLS(t, address, a.Trust(good)).user(); got != "CN=app,O=Heraclitus Tests" {
		t.Errorf("after all of them a good client is taken for %q", got)
	}
}

// TestOtherProtocols shows that clients which speak TLS or HTTP to a listener without them are told apart from such as send
// too much.
func TestOtherProtocols(t *testing.T) {
	s, address := start(t, tableOf(wire.KeyMetadata), nil)
	f := func(reason string, sent string) {
		t.Helper()
		c := dial(t, address)
		io.WriteString(c, sent)
		c.ended()
		c.Close()
		waitFor(t, func() bool { return s.metrics.ConnectionsClosed(reason).Get() == 1 }, "counted as "+reason)
	}
	f("tls", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
	f("http", "POST /topics/orders HTTP/1.1\r\n\r\n")
	f("too_large", "\x7f\xff\xff\xff")
	c := dialTLS(t, address, certificatetest.New(t).Trust())
	if err := c.Conn.(*tls.Conn).Handshake(); err == nil || isTimeout(err) {
		t.Errorf("a TLS client sees %v", err)
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
