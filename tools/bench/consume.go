package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/heraclitus/heraclitus/tools/bench/raw"
)

const partitionsConsumed = 8

// consume reads a topic from its start to its end with kgo's defaults, a new client each time, until time is up.
type consume struct {
	preload int64 // bytes produced before
}

func (c consume) prepare(ctx context.Context, addr string, e effort) (session, error) {
	count, err := fill(addr, partitionsConsumed, raw.Batch(recordsEach, recordBytes), min(c.preload, e.bytes))
	if err != nil {
		return session{}, err
	}
	records := int64(count) * recordsEach * partitionsConsumed
	measure := func() (*raw.Load, error) {
		load := &raw.Load{}
		start := time.Now()
		for load.Bytes == 0 || load.Elapsed < e.d && load.Bytes < e.bytes*rereads {
			if err := consumeAll(ctx, addr, records); err != nil {
				return load, err
			}
			load.Requests += records
			load.Bytes += records * recordBytes
			load.Elapsed = time.Since(start)
		}
		return load, nil
	}
	return session{measure: measure, close: func() {}}, nil
}

// consumeAll reads every partition from its start until it has seen the given number of records.
func consumeAll(ctx context.Context, addr string, records int64) error {
	ctx, cancel := context.WithTimeout(ctx, consumeWithin)
	defer cancel()
	from := make(map[int32]kgo.Offset)
	for partition := range int32(partitionsConsumed) {
		from[partition] = kgo.NewOffset().AtStart()
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.DisableClientMetrics(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topicName: from}))
	if err != nil {
		return fmt.Errorf("consume: %w", err)
	}
	defer client.Close()
	for seen := int64(0); seen < records; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("consume record %d of %d: %w", seen, records, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if len(r.Value) == recordBytes {
				seen++
			}
		})
	}
	return nil
}

const consumeWithin = time.Minute // a server that takes longer has failed
