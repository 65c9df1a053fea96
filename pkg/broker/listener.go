package broker

import (
	"context"
	"crypto/tls"
	"net"
	"slices"
	"time"

	"github.com/heraclitus/heraclitus/pkg/auth"
	"github.com/heraclitus/heraclitus/pkg/certificate"
	"github.com/heraclitus/heraclitus/pkg/config"
	"github.com/heraclitus/heraclitus/pkg/server"
)

// listener is one of the places where Kafka clients come in.
type listener struct {
	config.Listener
	sockets     []net.Listener
	certificate *certificate.Source // nil without TLS
}

// openListeners takes the ports of all listeners and reads their certificates.
func (b *Broker) openListeners() error {
	for _, c := range b.config.KafkaListeners() {
		sockets, err := listen(place{c.Host, c.Setting("host"), c.Port, c.Setting("port")})
		if err != nil {
			return err
		}
		b.onStop(func(context.Context) error { return closeAll(sockets) })
		l := &listener{Listener: c, sockets: sockets}
		if c.UsesTLS() {
			if l.certificate, err = certificate.Open(b.certificateOptions(&c)); err != nil {
				return err
			}
			b.onStop(func(context.Context) error { l.certificate.Close(); return nil })
		}
		b.kafka = append(b.kafka, l)
	}
	return nil
}

// clientAuths is what the settings mean by tls.client_auth.
var clientAuths = map[string]tls.ClientAuthType{
	config.ClientAuthNone: tls.NoClientCert, config.ClientAuthRequested: tls.VerifyClientCertIfGiven, config.ClientAuthRequired: tls.RequireAndVerifyClientCert,
}

// certificateOptions are the settings of a listener's TLS.
func (b *Broker) certificateOptions(l *config.Listener) certificate.Options {
	o := certificate.Options{
		Certificate: certificate.File{Setting: l.Setting("certificate_file"), Path: l.CertificateFile},
		Key:         certificate.File{Setting: l.Setting("key_file"), Path: l.KeyFile},
		ClientAuth:  clientAuths[l.ClientAuth],
		Interval:    config.Milliseconds(b.config.TLS.RereadIntervalMs),
		Log:         b.log.With("listener", l.Name),
		Taken:       func(notAfter time.Time) { b.metrics.SetNotAfter(l.Name, notAfter) },
	}
	if l.ClientAuth != config.ClientAuthNone {
		o.ClientCA = certificate.File{Setting: l.Setting("client_ca_file"), Path: l.ClientCAFile}
	}
	return o
}

// served is how the server serves a listener.
func (l *listener) served() server.Listener {
	s := server.Listener{Name: l.Name, SASL: l.UsesSASL(), AdvertisedHost: l.AdvertisedHost, AdvertisedPort: int32(l.AdvertisedPort)}
	if l.certificate != nil {
		s.TLS = l.certificate.Config
	}
	return s
}

// asks says whether clients are asked who they are.
func (l *listener) asks() bool {
	return l.UsesSASL() || l.UsesTLS() && l.ClientAuth == config.ClientAuthRequired
}

// warnOfExposure tells whoever serves more than this machine what others can do there, listener by listener, and whoever has set a
// password that it is not asked for.
func (b *Broker) warnOfExposure(profiles bool) {
	if profiles && exposed(b.http) {
		b.log.Warn("the HTTP port serves Go's profiles, as --debug asks: anyone who reaches this address can slow the server down", "listen_host", b.config.ListenHost, "http_port", port(b.http))
	}
	if a := b.config.Auth; !a.Enabled && (a.PlainUsername != "" || a.PlainPassword != "") {
		b.log.Warn("auth.plain_username and auth.plain_password do nothing while auth.enabled is false: everybody is let in")
	}
	for _, l := range b.kafka {
		about := []any{"listener", l.Name, l.Setting("host"), l.Host, l.Setting("port"), port(l.sockets)}
		switch {
		case !exposed(l.sockets):
		case !l.asks():
			b.log.Warn("a listener without authentication: anyone who reaches this address can read and write everything", about...)
		case !l.UsesTLS() && slices.Contains(b.config.Auth.Mechanisms(), auth.Plain):
			b.log.Warn("a listener with SASL and without TLS: anyone on the network can read the password", about...)
		case !l.UsesTLS():
			b.log.Warn("a listener with SASL and without TLS: anyone on the network can read and change what is sent", about...)
		}
	}
}

// Listening is a listener for Kafka clients, as it runs.
type Listening struct {
	Name, Protocol, Host string
	Port                 int
}

// Listeners lists where Kafka clients connect, that of kafka_port first.
func (b *Broker) Listeners() []Listening {
	var all []Listening
	for _, l := range b.kafka {
		all = append(all, Listening{l.Name, l.Protocol, l.Host, port(l.sockets)})
	}
	return all
}
