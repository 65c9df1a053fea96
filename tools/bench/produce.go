package main

import (
	"context"

	"github.com/heraclitus/heraclitus/tools/bench/raw"
)

const (
	warmShare    = 10        // a tenth of a run goes before it, unmeasured,
	warmBytesMin = 320 << 20 // but of a produce as much as a server keeps in memory, if half the time of a run is enough for it
)

// warm is what goes before a produce: memory that is touched for the first time is no steady state.
func (e effort) warm() effort {
	return effort{e.d / 2, max(e.bytes/warmShare, min(warmBytesMin, e.bytes))}
}

// produce sends the same batch again and again, on as many connections as there are partitions.
type produce struct {
	conns      int32
	depth      int // requests in flight on each connection
	records    int // of a batch
	valueBytes int
}

func (p produce) prepare(_ context.Context, addr string, e effort) (session, error) {
	batch := raw.Batch(p.records, p.valueBytes)
	conns, err := dialAll(p.conns, func(partition int32) (*raw.Conn, error) {
		return raw.DialProduce(addr, topicName, partition, batch)
	})
	if err != nil {
		return session{}, err
	}
	if _, err := raw.Run(conns, p.depth, e.warm().budget()); err != nil {
		closeAll(conns)
		return session{}, err
	}
	measure := func() (*raw.Load, error) {
		load, err := raw.Run(conns, p.depth, e.budget())
		load.Bytes = load.Requests * int64(p.records*p.valueBytes)
		return load, err
	}
	return session{measure: measure, close: func() { closeAll(conns) }}, nil
}
