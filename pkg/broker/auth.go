package broker

import (
	"net"
	"time"

	"github.com/heraclitus/heraclitus/pkg/auth"
	"github.com/heraclitus/heraclitus/pkg/config"
)

// Times of logins.
const (
	loginTimeout      = 30 * time.Second
	loginFailureDelay = 100 * time.Millisecond // as with Kafka
)

// listenerName is what handlers know the only Kafka listener by: Kafka's own word for its protocol.
func listenerName(c *config.Config) string {
	if c.Auth.Enabled {
		return "SASL_PLAINTEXT"
	}
	return "PLAINTEXT"
}

// authenticator knows who may come in; it is nil where everybody may.
func (b *Broker) authenticator() *auth.Authenticator {
	c := &b.config.Auth
	if !c.Enabled {
		return nil
	}
	return auth.New(auth.Options{Username: c.PlainUsername, Password: c.PlainPassword, FailureDelay: loginFailureDelay, Metrics: b.metrics})
}

// warnOfExposure tells whoever serves more than this machine what others can do there.
func (b *Broker) warnOfExposure() {
	switch {
	case !exposed(b.kafka):
	case b.config.Auth.Enabled:
		b.log.Warn("auth.enabled without TLS: whoever can listen on the network reads the password", "listen_host", b.config.ListenHost)
	default:
		b.log.Warn("auth.enabled = false: everybody who reaches this address can read and write everything", "listen_host", b.config.ListenHost)
	}
}

// exposed says whether other machines may reach one of these listeners.
func exposed(listeners []net.Listener) bool {
	for _, l := range listeners {
		if !l.Addr().(*net.TCPAddr).IP.IsLoopback() {
			return true
		}
	}
	return false
}
