// Package brokertest starts brokers for tests: whole ones, on free ports of this machine.
package brokertest

import (
	"context"
	"log/slog"
	"net"
	"strconv"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/broker"
	"github.com/heraclitus/heraclitus/pkg/certificate/certificatetest"
	"github.com/heraclitus/heraclitus/pkg/config"
	"github.com/heraclitus/heraclitus/pkg/storagetest"
)

// Broker is a broker that runs until its test ends, or until it is stopped.
type Broker struct {
	*broker.Broker
	stopped bool
}

// Start starts a broker in memory, or on the storage that package storagetest is told of. Each change sees the settings first: a
// directory in Storage.Path gives a broker on disk.
func Start(t testing.TB, changes ...func(*config.Config)) *Broker {
	t.Helper()
	c := config.Default()
	c.KafkaPort, c.HTTPPort, c.Storage.Path = 0, 0, ""
	for _, change := range changes {
		change(&c)
	}
	if c.Storage.Path == "" {
		place := storagetest.For(t, config.Memory)
		place.Setenv(t)
		c.Storage.Path = place.Path
	}
	started, err := broker.Start(c, broker.Options{Log: slog.New(slog.DiscardHandler), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	b := &Broker{Broker: started}
	t.Cleanup(func() { b.Stop(t) })
	return b
}

// In has the data of a broker in this directory.
func In(dir string) func(*config.Config) {
	return func(c *config.Config) { c.Storage.Path = dir }
}

// TLS has the first listener of a broker speak TLS, with a certificate for localhost by an authority of this test.
func TLS(t testing.TB, a *certificatetest.Authority) func(*config.Config) {
	pair := a.Issue(t, "broker")
	return func(c *config.Config) {
		c.TLS.Enabled, c.TLS.CertificateFile, c.TLS.KeyFile = true, pair.CertificateFile, pair.KeyFile
	}
}

// Stop stops the broker gracefully, unless it was stopped before.
func (b *Broker) Stop(t testing.TB) {
	t.Helper()
	if b.stopped {
		return
	}
	b.stopped = true
	if err := b.Broker.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

// Address is where Kafka clients connect.
func (b *Broker) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(b.KafkaPort())) }

// AddressOf is where Kafka clients connect by the listener of this name.
func (b *Broker) AddressOf(t testing.TB, listener string) string {
	t.Helper()
	for _, l := range b.Listeners() {
		if l.Name == listener {
			return net.JoinHostPort("127.0.0.1", strconv.Itoa(l.Port))
		}
	}
	t.Fatalf("there is no listener %s", listener)
	return ""
}

// URL is where metrics and health are, without a path.
func (b *Broker) URL() string {
	return "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(b.HTTPPort()))
}
