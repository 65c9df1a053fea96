package broker_test

import (
	"crypto/tls"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/heraclitus/heraclitus/pkg/broker/brokertest"
	"github.com/heraclitus/heraclitus/pkg/certificate/certificatetest"
	"github.com/heraclitus/heraclitus/pkg/config"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

const user, password = "u", "p"

// asking has the clients of the first listener say who they are.
func asking(c *config.Config) {
	c.Auth.Enabled, c.Auth.PlainUsername, c.Auth.PlainPassword = true, user, password
}

// dial connects to a broker, by TLS if there is a configuration for it.
func dial(t *testing.T, address string, secure *tls.Config) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if secure != nil {
		return tls.Client(c, secure)
	}
	return c
}

// login logs a connection in.
func login(t *testing.T, c net.Conn) {
	t.Helper()
	askOn[*wire.SaslHandshakeResponse](t, c, wire.KeySaslHandshake, 1, &wire.SaslHandshakeRequest{Mechanism: "PLAIN"})
	r := askOn[*wire.SaslAuthenticateResponse](t, c, wire.KeySaslAuthenticate, 2, &wire.SaslAuthenticateRequest{AuthBytes: []byte("\x00" + user + "\x00" + password)})
	if r.ErrorCode != 0 {
		t.Fatalf("the login was refused with error %d", r.ErrorCode)
	}
}

// TestListeners shows that a broker serves several listeners, each by its protocol, that clients are told to connect to
// the address of the one they came by, whoever tells them, and what metrics say of each.
func TestListeners(t *testing.T) {
	a := certificatetest.New(t)
	app := a.Issue(t, "app")
	b := brokertest.Start(t, brokertest.TLS(t, a), asking, func(c *config.Config) {
		mutual := config.Listener{Name: "mutual", Protocol: config.SSL, AdvertisedHost: "kafka.example", AdvertisedPort: 443}
		mutual.ClientCAFile = a.File
		c.Listeners = []config.Listener{{Name: "inside", Protocol: config.Plaintext, AdvertisedHost: "inside.example"}, mutual}
	})
	f := func(listener string, c net.Conn, host string, port int) {
		t.Helper()
		if port == 0 {
			_, p, _ := net.SplitHostPort(b.AddressOf(t, listener))
			port, _ = strconv.Atoi(p)
		}
		m := askOn[*wire.MetadataResponse](t, c, wire.KeyMetadata, 9, &wire.MetadataRequest{})
		d := askOn[*wire.DescribeClusterResponse](t, c, wire.KeyDescribeCluster, 0, &wire.DescribeClusterRequest{})
		g := askOn[*wire.FindCoordinatorResponse](t, c, wire.KeyFindCoordinator, 3, &wire.FindCoordinatorRequest{Key: "g"})
		for api, at := range map[string]struct {
			host string
			port int32
		}{"Metadata": {m.Brokers[0].Host, m.Brokers[0].Port}, "DescribeCluster": {d.Brokers[0].Host, d.Brokers[0].Port}, "FindCoordinator": {g.Host, g.Port}} {
			if at.host != host || int(at.port) != port {
				t.Errorf("%s by %s says %s:%d, want %s:%d", api, listener, at.host, at.port, host, port)
			}
		}
		if _, text := page(t, b, "/metrics"); !strings.Contains(text, `heraclitus_listener_connections{listener="`+listener+`"} 1`+"\n") {
			t.Errorf("metrics do not show the one connection to %s", listener)
		}
	}
	f("inside", dial(t, b.AddressOf(t, "inside"), nil), "inside.example", 0)
	f("mutual", dial(t, b.AddressOf(t, "mutual"), a.Trust(app)), "kafka.example", 443)
	first := dial(t, b.Address(), a.Trust())
	login(t, first)
	f("SASL_SSL", first, "localhost", 0)
	_, text := page(t, b, "/metrics")
	for _, listener := range []string{"SASL_SSL", "mutual"} {
		if !strings.Contains(text, `heraclitus_tls_certificate_not_after_seconds{listener="`+listener+`"}`) {
			t.Errorf("metrics do not show when the certificate of %s expires", listener)
		}
	}
}

// TestCertificateIsReplaced shows that a certificate whose files are written anew is shown to clients that connect from
// then on, and that connections there are do not notice.
func TestCertificateIsReplaced(t *testing.T) {
	a := certificatetest.New(t)
	b := brokertest.Start(t, brokertest.TLS(t, a), func(c *config.Config) { c.TLS.RereadIntervalMs = 10 })
	shown := func(c net.Conn) string {
		t.Helper()
		if err := c.(*tls.Conn).Handshake(); err != nil {
			t.Fatal(err)
		}
		return c.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	old := dial(t, b.Address(), a.Trust())
	before := shown(old)
	renewed := a.Issue(t, "broker").TLS.Leaf.SerialNumber.String()
	for deadline := time.Now().Add(20 * time.Second); ; {
		c := dial(t, b.Address(), a.Trust())
		now := shown(c)
		c.Close()
		if now == renewed {
			break
		}
		if now != before || time.Now().After(deadline) {
			t.Fatalf("certificate %s is shown, want %s, or %s for a while", now, renewed, before)
		}
	}
	askOn[*wire.MetadataResponse](t, old, wire.KeyMetadata, 9, &wire.MetadataRequest{})
}

// TestStartWithoutCertificate shows that a start whose TLS cannot be says which setting to change, and leaves no port behind.
func TestStartWithoutCertificate(t *testing.T) {
	a, free := certificatetest.New(t), freePort(t)
	other := a.Issue(t, "other")
	f := func(want string, change func(*config.Config)) {
		t.Helper()
		got := start(t, func(c *config.Config) {
			brokertest.TLS(t, a)(c)
			c.KafkaPort = free
			change(c)
		})
		if !strings.Contains(got, want) {
			t.Errorf("%q does not say %q", got, want)
		}
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(free)))
		if err != nil {
			t.Fatalf("a failed start kept its port: %v", err)
		}
		l.Close()
	}
	f(`tls.certificate_file = "none.pem": there is no such file`, func(c *config.Config) { c.TLS.CertificateFile = "none.pem" })
	f(`should be a certificate and the key it was made for`, func(c *config.Config) { c.TLS.KeyFile = other.KeyFile })
	f(`listeners[x].key_file = "none.key": there is no such file`, func(c *config.Config) {
		x := config.Listener{Name: "x", Protocol: config.SSL, Port: freePort(t)}
		x.CertificateFile, x.KeyFile = other.CertificateFile, "none.key"
		c.Listeners = []config.Listener{x}
	})
	f(`tls.client_ca_file = "": should be a file in PEM`, func(c *config.Config) { c.TLS.ClientAuth = config.ClientAuthRequired })
	os.Remove(other.KeyFile)
	f(`tls.key_file = `, func(c *config.Config) { c.TLS.KeyFile = other.KeyFile })
}
