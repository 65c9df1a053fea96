// Package broker builds a whole server from its settings, starts it and stops it.
//
// Order is the point of it. The ports are taken first, because that fails most often and costs nothing; health answers
// from then on, so that a long recovery is seen as one. Storage and engine follow, and only then is a Kafka client let
// in. Stopping goes back the same way: what was accepted is answered and durable before storage closes. A start that
// fails takes back what it had done.
package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync/atomic"

	"github.com/heraclitus/heraclitus/pkg/admin"
	"github.com/heraclitus/heraclitus/pkg/config"
	"github.com/heraclitus/heraclitus/pkg/engine"
	"github.com/heraclitus/heraclitus/pkg/group"
	"github.com/heraclitus/heraclitus/pkg/handler"
	"github.com/heraclitus/heraclitus/pkg/metrics"
	"github.com/heraclitus/heraclitus/pkg/server"
)

// Options are what a broker is given beside its settings.
type Options struct {
	Log     *slog.Logger
	Version string // shown in metrics
	Debug   bool   // serve Go's profiles on the HTTP port
}

// Broker is a running server.
type Broker struct {
	config  config.Config
	log     *slog.Logger
	metrics *metrics.Metrics

	kafka  []*listener
	http   []net.Listener
	engine atomic.Pointer[engine.Engine] // nil until it is open, and from Stop on
	failed chan error                    // what ended a listener
	stops  []func(context.Context) error // of what was started, in that order
}

// errNotServing is why a broker is not ready before Start has returned and after Stop was called.
var errNotServing = errors.New("starting or stopping")

// Start starts a broker and returns once it is ready. Its settings are validated first.
func Start(c config.Config, o Options) (*Broker, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	b := &Broker{config: c, log: o.Log, metrics: metrics.New(c.Metrics.Prefix), failed: make(chan error, 1)}
	b.metrics.SetVersion(o.Version)
	if err := b.start(o); err != nil {
		return nil, errors.Join(err, b.Stop(context.Background()))
	}
	return b, nil
}

func (b *Broker) start(o Options) error {
	if err := b.takePorts(); err != nil {
		return err
	}
	b.startAdmin(o)
	e, err := b.openEngine()
	if err != nil {
		return err
	}
	if err := b.startServer(e); err != nil {
		return err
	}
	b.warnOfExposure(o.Debug)
	b.engine.Store(e)
	return nil
}

// Stop stops the broker: what was accepted is answered, everything acknowledged is durable, and all ports and files are
// given back. When ctx ends first the connections are cut. It may be called once.
func (b *Broker) Stop(ctx context.Context) error {
	b.engine.Store(nil)
	var errs []error
	for _, stop := range slices.Backward(b.stops) {
		errs = append(errs, stop(ctx))
	}
	return errors.Join(errs...)
}

// Failed tells of a listener that ended by itself. A broker without one of its listeners should be stopped.
func (b *Broker) Failed() <-chan error { return b.failed }

// KafkaPort is where Kafka clients connect, by the first listener.
func (b *Broker) KafkaPort() int { return port(b.kafka[0].sockets) }

// HTTPPort is where metrics and health are.
func (b *Broker) HTTPPort() int { return port(b.http) }

// Ready returns why records are not accepted now, or nil.
func (b *Broker) Ready() error {
	if e := b.engine.Load(); e != nil {
		return e.Ready()
	}
	return errNotServing
}

// onStop has Stop run f before what was given to it earlier.
func (b *Broker) onStop(f func(context.Context) error) { b.stops = append(b.stops, f) }

func (b *Broker) takePorts() (err error) {
	if err := b.openListeners(); err != nil {
		return err
	}
	if b.http, err = listen(place{b.config.ListenHost, "listen_host", b.config.HTTPPort, "http_port"}); err != nil {
		return err
	}
	b.onStop(func(context.Context) error { return closeAll(b.http) })
	return nil
}

// closeAll closes listeners. Those that were served are closed already.
func closeAll(listeners []net.Listener) error {
	for _, l := range listeners {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("close the listener on %s: %w", l.Addr(), err)
		}
	}
	return nil
}

func (b *Broker) startAdmin(o Options) {
	options := admin.Options{Ready: b.Ready, Debug: o.Debug, Log: b.log}
	if b.config.Metrics.Enabled {
		options.Metrics = b.metrics
	}
	s := admin.New(options)
	for _, l := range b.http {
		go func() { b.fail(s.Serve(l)) }()
	}
	b.onStop(s.Shutdown)
}

// openEngine opens storage, and the engine on it.
func (b *Broker) openEngine() (*engine.Engine, error) {
	storage, err := openStorage(&b.config, b.log)
	if err != nil {
		return nil, err
	}
	b.onStop(func(context.Context) error { return storage.close() })
	options, err := b.engineOptions(storage)
	if err != nil {
		return nil, err
	}
	e, err := engine.Open(storage.journal, storage.objects, options)
	if err != nil {
		return nil, fmt.Errorf("storage.path = %q: %w", b.config.Storage.Path, err)
	}
	b.onStop(func(context.Context) error { return e.Close() })
	return e, nil
}

func (b *Broker) startServer(e *engine.Engine) error {
	a, err := b.authenticator(e)
	if err != nil {
		return err
	}
	g := group.New(e, b.groupOptions())
	b.onStop(func(context.Context) error { g.Close(); return nil })
	h := handler.New(e, g, b.handlerOptions())
	s := server.New(h, handler.Table(), b.serverOptions(a))
	for _, l := range b.kafka {
		for _, socket := range l.sockets {
			go func() { b.fail(s.Serve(socket, l.served())) }()
		}
	}
	b.onStop(s.Shutdown)
	return nil
}

// fail tells of a listener's end, if it is not that of the broker.
func (b *Broker) fail(err error) {
	if err == nil || errors.Is(err, server.ErrClosed) {
		return
	}
	select {
	case b.failed <- err:
	default:
	}
}
