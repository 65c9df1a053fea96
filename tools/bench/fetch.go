package main

import (
	"context"

	"github.com/heraclitus/heraclitus/tools/bench/raw"
)

const (
	partitionsFetched = 4
	recordsEach       = 100 // of a batch that is produced to be read
	recordBytes       = 1024
)

// hotFetch reads what has just been produced, one connection to each partition, with long answers.
type hotFetch struct {
	depth    int   // requests in flight on each connection
	bytesMax int   // of an answer
	preload  int64 // bytes produced before
}

func (f hotFetch) prepare(_ context.Context, addr string, e effort) (session, error) {
	batch := raw.Batch(recordsEach, recordBytes)
	count, err := fill(addr, partitionsFetched, batch, min(f.preload, e.bytes))
	if err != nil {
		return session{}, err
	}
	conns, err := dialAll(partitionsFetched, func(partition int32) (*raw.Conn, error) {
		return raw.DialFetch(addr, topicName, partition, f.bytesMax, len(batch), recordsEach, count)
	})
	if err != nil {
		return session{}, err
	}
	e.bytes *= rereads
	if _, err := raw.Run(conns, f.depth, e.share(warmShare).budget()); err != nil {
		closeAll(conns)
		return session{}, err
	}
	measure := func() (*raw.Load, error) { return raw.Run(conns, f.depth, e.budget()) }
	return session{measure: measure, close: func() { closeAll(conns) }}, nil
}
