package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/heraclitus/heraclitus/tools/bench/raw"
)

const (
	tick      = time.Millisecond       // records that fall due together are produced together
	warmPaced = 200 * time.Millisecond // unmeasured, at the same pace
)

// paced produces at a fixed pace through kgo, which is left at its defaults (idempotent, acknowledged by all in-sync
// replicas) but for the linger, and compression, which are off.
type paced struct {
	perSecond  int
	valueBytes int
}

func (p paced) prepare(ctx context.Context, addr string, e effort) (session, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.DisableClientMetrics(), kgo.DefaultProduceTopic(topicName),
		kgo.ProducerLinger(0), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		return session{}, fmt.Errorf("produce: %w", err)
	}
	e.d = min(e.d, time.Duration(float64(e.bytes)/float64(p.perSecond*p.valueBytes)*float64(time.Second)))
	if _, err := p.run(ctx, client, min(warmPaced, e.d)); err != nil {
		client.Close()
		return session{}, err
	}
	measure := func() (*raw.Load, error) { return p.run(ctx, client, e.d) }
	return session{measure: measure, close: client.Close}, nil
}

// run produces for d and waits for the last acknowledgement.
//
// A record's latency counts from when it was produced, or from one tick after it was due if that is earlier: so the
// pacer's own waking up late is not the server's latency, but a server that holds the pacer up pays for every record
// that had to wait.
func (p paced) run(ctx context.Context, client *kgo.Client, d time.Duration) (*raw.Load, error) {
	var (
		mu    sync.Mutex
		load  raw.Load
		first error
	)
	value := make([]byte, p.valueBytes)
	wake := time.NewTicker(tick)
	defer wake.Stop()
	start := time.Now()
	total := int(d.Seconds() * float64(p.perSecond))
	for sent := 0; sent < total; <-wake.C {
		due := min(int(time.Since(start).Seconds()*float64(p.perSecond)), total)
		for ; sent < due; sent++ {
			from := start.Add(time.Duration(sent)*time.Second/time.Duration(p.perSecond) + tick)
			if now := time.Now(); now.Before(from) {
				from = now
			}
			client.Produce(ctx, &kgo.Record{Value: value}, func(_ *kgo.Record, err error) {
				mu.Lock()
				defer mu.Unlock()
				if err != nil && first == nil {
					first = fmt.Errorf("produce: %w", err)
				}
				load.Requests++
				load.Bytes += int64(p.valueBytes)
				load.Latency.Add(time.Since(from))
			})
		}
	}
	err := client.Flush(ctx)
	load.Elapsed = time.Since(start)
	if first != nil {
		err = first
	}
	return &load, err
}
