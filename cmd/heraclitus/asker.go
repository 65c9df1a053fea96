package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/heraclitus/heraclitus/pkg/auth"
	"github.com/heraclitus/heraclitus/pkg/broker"
	"github.com/heraclitus/heraclitus/pkg/client"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// asker answers Kafka's requests: a running server, or storage on which none runs.
type asker interface {
	Ask(key, version int16, q wire.Message) (wire.Message, error)
	Close() error
}

// whereFlags say which server or storage a command is about.
func whereFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "config", DefaultText: "heraclitus.toml, if it is there", Usage: "read where the storage is in `FILE`"},
		&cli.StringFlag{Name: "storage-path", DefaultText: "./data", Usage: "change the storage in `PATH`"},
		&cli.BoolFlag{Name: "take-over", DisableDefaultText: true, Usage: "change the storage in a bucket: no lock says whether a server runs on it, and one that does would stop writing"},
		&cli.StringFlag{Name: "bootstrap-server", Usage: "change the users of the running server at `HOST:PORT` instead"},
		&cli.StringFlag{Name: "login-user", Usage: "log in there as `NAME`"},
		&cli.StringFlag{Name: "login-password-file", Usage: "read the password to log in with in `FILE`"},
		&cli.StringFlag{Name: "login-mechanism", Value: auth.ScramSHA512.String(), Usage: "log in by `MECHANISM`: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"},
		&cli.BoolFlag{Name: "tls", DisableDefaultText: true, Usage: "connect there by TLS"},
		&cli.StringFlag{Name: "tls-ca", Usage: "connect by TLS, and trust the authorities in the PEM `FILE` instead of the system's"},
		&cli.StringFlag{Name: "tls-cert", Usage: "show the certificate in the PEM `FILE`"},
		&cli.StringFlag{Name: "tls-key", Usage: "whose key is in the PEM `FILE`"},
	}
}

// ask runs a command on the server or storage that the flags name.
func ask(c *cli.Context, run func(*cli.Context, asker) error) (err error) {
	var a asker
	if c.IsSet("bootstrap-server") {
		a, err = connect(c)
	} else {
		a, err = openStorage(c)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	return run(c, a)
}

// openStorage opens the storage of a server that does not run.
func openStorage(c *cli.Context) (asker, error) {
	s, err := settings(c)
	if err != nil {
		return nil, err
	}
	if s.Storage.InMemory() {
		return nil, errors.New("storage.path is memory://, which exists only inside a running server: name that server with --bootstrap-server")
	}
	if s.Storage.InBucket() && !c.Bool("take-over") {
		return nil, fmt.Errorf("storage.path = %q: name the server that runs on it with --bootstrap-server, or add --take-over if none does", s.Storage.Path)
	}
	log := slog.New(slog.NewTextHandler(c.App.ErrWriter, &slog.HandlerOptions{Level: slog.LevelWarn}))
	o, err := broker.OpenOffline(s, broker.Options{Log: log})
	if err != nil {
		return nil, fmt.Errorf("%w (the users of a running server are changed with --bootstrap-server)", err)
	}
	return o, nil
}

// connect connects to a running server.
func connect(c *cli.Context) (asker, error) {
	o := client.Options{Address: c.String("bootstrap-server"), Username: c.String("login-user")}
	var err error
	if o.Username != "" {
		if o.Password, err = passwordIn(c.String("login-password-file")); err != nil {
			return nil, fmt.Errorf("--login-password-file: %w", err)
		}
		o.Mechanism = c.String("login-mechanism")
	}
	if o.TLS, err = tlsConfig(c); err != nil {
		return nil, err
	}
	return client.Dial(c.Context, o)
}

// tlsConfig is how to connect by TLS, or nil for not doing so.
func tlsConfig(c *cli.Context) (*tls.Config, error) {
	if !c.Bool("tls") && !c.IsSet("tls-ca") && !c.IsSet("tls-cert") {
		return nil, nil
	}
	t := &tls.Config{}
	if c.IsSet("tls-ca") {
		pem, err := os.ReadFile(c.String("tls-ca"))
		if err != nil {
			return nil, fmt.Errorf("--tls-ca: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--tls-ca: %s has no certificate in PEM", c.String("tls-ca"))
		}
	}
	if c.IsSet("tls-cert") {
		pair, err := tls.LoadX509KeyPair(c.String("tls-cert"), c.String("tls-key"))
		if err != nil {
			return nil, fmt.Errorf("--tls-cert and --tls-key: %w", err)
		}
		t.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}
