package broker

import (
	"context"
	"errors"
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/auth"
	"github.com/heraclitus/heraclitus/pkg/config"
	"github.com/heraclitus/heraclitus/pkg/group"
	"github.com/heraclitus/heraclitus/pkg/handler"
	"github.com/heraclitus/heraclitus/pkg/metrics"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// Offline answers requests of its own process, out of the storage of a server that does not run: no port is open, and nobody
// else is served. It is for the command line.
type Offline struct {
	broker  *Broker
	handler *handler.Handler
}

// OpenOffline opens the storage of these settings, which is locked until Close.
func OpenOffline(c config.Config, o Options) (*Offline, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	b := &Broker{config: c, log: o.Log, metrics: metrics.New(c.Metrics.Prefix)}
	e, err := b.openEngine()
	if err != nil {
		return nil, errors.Join(err, b.Stop(context.Background()))
	}
	g := group.New(e, b.groupOptions())
	b.onStop(func(context.Context) error { g.Close(); return nil })
	return &Offline{b, handler.New(e, g, b.handlerOptions())}, nil
}

// Ask answers a request of an API that needs no connection.
func (o *Offline) Ask(key, version int16, q wire.Message) (wire.Message, error) {
	for _, row := range handler.Table() {
		if row.Key == key {
			r := wire.NewResponse(key)
			r.Reset()
			conn := &handler.Conn{Session: auth.Anonymous(), Done: make(chan struct{}), Flush: func() {}}
			return r, row.Finish(o.handler, &handler.Call{Conn: conn, Key: key, Version: version, Request: q, Response: r})
		}
	}
	return nil, fmt.Errorf("%s is not served", wire.Name(key))
}

// Close makes what was changed durable, and gives the storage back.
func (o *Offline) Close() error { return o.broker.Stop(context.Background()) }
