package config

import (
	"cmp"
	"fmt"
	"net"
	"reflect"
	"regexp"
	"strings"
)

// Protocols of a listener, by Kafka's names.
const (
	Plaintext     = "PLAINTEXT"
	SSL           = "SSL"
	SASLPlaintext = "SASL_PLAINTEXT"
	SASLSSL       = "SASL_SSL"
)

// What a listener with TLS asks of its clients: Kafka's ssl.client.auth.
const (
	ClientAuthNone      = "none"
	ClientAuthRequested = "requested" // a certificate may be shown; one that is shown must be good
	ClientAuthRequired  = "required"
)

// TLS says what a listener shows its clients, and what they must show.
type TLS struct {
	CertificateFile string `toml:"certificate_file"`
	KeyFile         string `toml:"key_file"`
	ClientCAFile    string `toml:"client_ca_file"`
	ClientAuth      string `toml:"client_auth"`
}

// first is the first of the settings that is set and wants TLS; empty without any.
func (t *TLS) first() string {
	switch {
	case t.CertificateFile != "":
		return "certificate_file"
	case t.KeyFile != "":
		return "key_file"
	case t.ClientCAFile != "":
		return "client_ca_file"
	case t.ClientAuth != "" && t.ClientAuth != ClientAuthNone:
		return "client_auth"
	}
	return ""
}

// DefaultTLS is what listeners have that do not say otherwise.
type DefaultTLS struct {
	Enabled bool `toml:"enabled"`
	TLS
	RereadIntervalMs int64 `toml:"reread_interval_ms"`
}

// Listener is a place where Kafka clients connect.
type Listener struct {
	Name           string `toml:"name"`
	Protocol       string `toml:"protocol"`
	Host           string `toml:"host"`
	Port           int    `toml:"port"`
	AdvertisedHost string `toml:"advertised_host"`
	AdvertisedPort int    `toml:"advertised_port"`
	TLS

	settings map[string]string // by TOML key: the full name of the setting that decided
}

// UsesTLS says whether clients are served by TLS.
func (l *Listener) UsesTLS() bool { return l.Protocol == SSL || l.Protocol == SASLSSL }

// UsesSASL says whether clients must authenticate themselves by SASL.
func (l *Listener) UsesSASL() bool { return l.Protocol == SASLPlaintext || l.Protocol == SASLSSL }

// Setting is the full name of the setting that decided about one of the listener's keys, such as key_file.
func (l *Listener) Setting(key string) string { return l.settings[key] }

// KafkaListeners are the listeners for Kafka clients, with everything decided that they leave to other settings: the first is
// that of kafka_port, the others those of [[listeners]].
func (c *Config) KafkaListeners() []Listener {
	all := []Listener{c.firstListener()}
	for _, l := range c.Listeners {
		l.Name = cmp.Or(l.Name, l.Protocol)
		l.settings = settingsOf("listeners[" + l.Name + "].")
		if l.Host == "" {
			l.Host, l.settings["host"] = c.ListenHost, "listen_host"
		}
		c.inheritTLS(&l)
		all = append(all, l)
	}
	return all
}

// firstListener is the listener that needs no table.
func (c *Config) firstListener() Listener {
	l := Listener{
		Protocol: Plaintext, Host: c.ListenHost, Port: c.KafkaPort, AdvertisedHost: c.AdvertisedHost, AdvertisedPort: c.AdvertisedPort,
		settings: settingsOf(""),
	}
	switch {
	case c.Auth.Enabled && c.TLS.Enabled:
		l.Protocol = SASLSSL
	case c.Auth.Enabled:
		l.Protocol = SASLPlaintext
	case c.TLS.Enabled:
		l.Protocol = SSL
	}
	l.Name = l.Protocol
	l.settings["host"], l.settings["port"] = "listen_host", "kafka_port"
	c.inheritTLS(&l)
	return l
}

// settingsOf names the settings of a listener, each with table before it.
func settingsOf(table string) map[string]string {
	s := map[string]string{}
	for f := range reflect.TypeFor[Listener]().Fields() {
		s[f.Tag.Get("toml")] = table + f.Tag.Get("toml")
	}
	for f := range reflect.TypeFor[TLS]().Fields() {
		s[f.Tag.Get("toml")] = table + f.Tag.Get("toml")
	}
	return s
}

// inheritTLS gives a listener what it does not say itself. Of a certificate and its key it says both or neither.
func (c *Config) inheritTLS(l *Listener) {
	inherit := func(own *string, common, key string) {
		if *own == "" {
			*own, l.settings[key] = common, "tls."+key
		}
	}
	if l.CertificateFile == "" && l.KeyFile == "" {
		inherit(&l.CertificateFile, c.TLS.CertificateFile, "certificate_file")
		inherit(&l.KeyFile, c.TLS.KeyFile, "key_file")
	}
	inherit(&l.ClientCAFile, c.TLS.ClientCAFile, "client_ca_file")
	inherit(&l.ClientAuth, c.TLS.ClientAuth, "client_auth")
	switch {
	case l.ClientAuth != "":
	case l.ClientCAFile != "":
		l.ClientAuth = ClientAuthRequired
	default:
		l.ClientAuth = ClientAuthNone
	}
}

// listenerName is what a listener may be called: it is in metrics and logs.
var listenerName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

func (c *Config) validateListeners(v *validator) {
	all := c.KafkaListeners()
	secret := false
	for i := range all {
		l := &all[i]
		if i > 0 {
			c.validateListener(v, l)
			v.used(l, &c.Listeners[i-1].TLS)
		}
		for _, other := range all[:i] {
			v.apart(l, &other)
		}
		v.check(!l.UsesSASL() || c.Auth.Enabled, l.Setting("protocol"), l.Protocol, `"PLAINTEXT" or "SSL", or auth.enabled = true, which says who may come in`)
		secret = secret || l.UsesTLS()
		if l.UsesTLS() {
			v.tls(l)
		}
	}
	if unused := c.TLS.first(); unused != "" {
		v.check(secret, "tls.enabled", c.TLS.Enabled, "true, or there should be [[listeners]] with TLS: else nobody uses tls."+unused)
	}
	v.between("tls.reread_interval_ms", c.TLS.RereadIntervalMs, 10, 24*3600*secondMs)
}

// validateListener checks one of [[listeners]].
func (c *Config) validateListener(v *validator, l *Listener) {
	switch l.Protocol {
	case Plaintext, SSL, SASLPlaintext, SASLSSL:
	default:
		v.wrong(l.Setting("protocol"), l.Protocol, `"PLAINTEXT", "SSL", "SASL_PLAINTEXT" or "SASL_SSL"`)
	}
	v.check(l.Name == "" || listenerName.MatchString(l.Name), l.Setting("name"), l.Name, "at most 64 letters, digits, dots, underscores and hyphens")
	v.check(l.Port != 0 || c.KafkaPort == 0, l.Setting("port"), l.Port, "from 1 to 65535")
	v.between(l.Setting("port"), int64(l.Port), 0, 65535)
	v.advertised(l)
}

// used checks that a listener whose own table speaks of TLS speaks it: one that seems to ask for certificates would let
// everybody in.
func (v *validator) used(l *Listener, own *TLS) {
	if unused := own.first(); unused != "" && (l.Protocol == Plaintext || l.Protocol == SASLPlaintext) {
		v.wrong(l.Setting("protocol"), l.Protocol, fmt.Sprintf(`"SSL" or "SASL_SSL": else nobody uses %s`, l.Setting(unused)))
	}
}

// advertised checks what clients are told to connect to.
func (v *validator) advertised(l *Listener) {
	host, port := l.Setting("advertised_host"), l.Setting("advertised_port")
	v.between(port, int64(l.AdvertisedPort), 0, 65535)
	v.check(!wildcard(l.AdvertisedHost), host, l.AdvertisedHost, "a name or address that clients can connect to")
	v.check(!strings.ContainsAny(l.AdvertisedHost, ":/ ") || net.ParseIP(l.AdvertisedHost) != nil, host, l.AdvertisedHost, "a name or address alone; the port is "+port)
}

// apart checks that a listener can be told from one before it.
func (v *validator) apart(l, before *Listener) {
	if l.Name == before.Name {
		v.wrong(l.Setting("name"), l.Name, "another name than that of the listener on port "+fmt.Sprint(before.Port))
	}
	if l.Port == before.Port && l.Port != 0 && meet(l.Host, before.Host) {
		v.wrong(l.Setting("port"), l.Port, "another port than "+before.Setting("port"))
	}
}

// meet says whether two hosts to listen on have an address in common, as far as their names tell.
func meet(a, b string) bool {
	return a == b || wildcard(a) || wildcard(b) || a == localhost && loopback(b) || b == localhost && loopback(a)
}

// localhost is the host that means this machine only, by either protocol.
const localhost = "localhost"

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// tls checks what a listener with TLS takes. Whether its files are any good is found when they are read.
func (v *validator) tls(l *Listener) {
	v.check(l.CertificateFile != "", l.Setting("certificate_file"), "", "a file in PEM with the certificate that "+l.Name+" shows its clients")
	v.check(l.KeyFile != "", l.Setting("key_file"), "", "a file in PEM with the key of "+l.Setting("certificate_file"))
	switch l.ClientAuth {
	case ClientAuthNone:
	case ClientAuthRequested, ClientAuthRequired:
		v.check(l.ClientCAFile != "", l.Setting("client_ca_file"), "", fmt.Sprintf("a file in PEM with the authorities of clients' certificates, as %s = %q takes", l.Setting("client_auth"), l.ClientAuth))
	default:
		v.wrong(l.Setting("client_auth"), l.ClientAuth, `"none", "requested" or "required"`)
	}
}
