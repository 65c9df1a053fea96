package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/heraclitus/heraclitus/tools/bench/raw"
)

const (
	topicName = "bench"
	rereads   = 16 // reading may take so many times the bytes of an effort: what is read again takes no more memory
)

// effort bounds one run, whichever comes first.
type effort struct {
	d     time.Duration
	bytes int64 // of record batches; every server here may have to keep them all
}

// share returns the n-th part of e.
func (e effort) share(n int64) effort { return effort{e.d / time.Duration(n), e.bytes / n} }

func (e effort) budget() *raw.Budget { return raw.NewBudget(e.d, e.bytes) }

// workload is one kind of work for a server.
type workload struct {
	name       string // for -only
	title      string
	partitions int32
	rate       rate
	speed      func(s sample) float64 // what the ratios compare
	// prepare does what has to be done before the measurement: connect, warm up, produce what will be fetched. The
	// topic is there already.
	prepare func(ctx context.Context, addr string, e effort) (session, error)
}

// session is a workload that is ready to be measured.
type session struct {
	measure func() (*raw.Load, error)
	close   func()
}

// rate is how the throughput of a workload is written.
type rate struct {
	unit string
	of   func(s sample) float64
}

var (
	megabytes = rate{"MB/s", func(s sample) float64 { return s.MBps }}
	requests  = rate{"k req/s", func(s sample) float64 { return s.RequestsPerSecond / 1000 }}
)

// The ways to compare the speed of two servers: more is better.
func throughput(s sample) float64 { return s.RequestsPerSecond }
func quickness(s sample) float64  { return 1 / s.P50.Seconds() }

// workloads lists the work, in the order of the report.
func workloads() []workload {
	return []workload{
		{name: "big", title: "produce: 8 connections × 8 in flight × 100 × 1 KiB", partitions: 8, rate: megabytes, speed: throughput,
			prepare: produce{conns: 8, depth: 8, records: 100, valueBytes: 1024}.prepare},
		{name: "small", title: "produce: 64 connections × 8 in flight × 1 × 100 B", partitions: 64, rate: requests, speed: throughput,
			prepare: produce{conns: 64, depth: 8, records: 1, valueBytes: 100}.prepare},
		{name: "lone", title: "produce: one connection, one at a time, 1 × 100 B", partitions: 1, rate: requests, speed: quickness,
			prepare: produce{conns: 1, depth: 1, records: 1, valueBytes: 100}.prepare},
		{name: "paced", title: "produce by kgo: 20,000 × 1 KiB a second", partitions: 8, rate: megabytes, speed: quickness,
			prepare: paced{perSecond: 20_000, valueBytes: 1024}.prepare},
		{name: "fetch", title: "hot fetch: 4 connections × 2 in flight × 1 MiB", partitions: partitionsFetched, rate: megabytes, speed: throughput,
			prepare: hotFetch{depth: 2, bytesMax: 1 << 20, preload: 96 << 20}.prepare},
		{name: "consume", title: "consume by kgo: 8 partitions from the start, 1 KiB", partitions: partitionsConsumed, rate: megabytes, speed: throughput,
			prepare: consume{preload: 192 << 20}.prepare},
	}
}

// createTopic creates the topic on an empty server.
func createTopic(ctx context.Context, addr string, partitions int32) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.DisableClientMetrics())
	if err != nil {
		return fmt.Errorf("create topic: %w", err)
	}
	defer client.Close()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = topicName, partitions, 1
	request := kmsg.NewPtrCreateTopicsRequest()
	request.TimeoutMillis = 10_000
	request.Topics = append(request.Topics, topic)
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return fmt.Errorf("create topic: %w", err)
	}
	if len(response.Topics) != 1 {
		return fmt.Errorf("create topic: %d topics in the answer", len(response.Topics))
	}
	if err := kerr.ErrorForCode(response.Topics[0].ErrorCode); err != nil {
		return fmt.Errorf("create topic: %w", err)
	}
	return nil
}

// dialAll opens n connections, one for each partition.
func dialAll(n int32, dial func(partition int32) (*raw.Conn, error)) ([]*raw.Conn, error) {
	var conns []*raw.Conn
	for partition := range n {
		c, err := dial(partition)
		if err != nil {
			closeAll(conns)
			return nil, err
		}
		conns = append(conns, c)
	}
	return conns, nil
}

func closeAll(conns []*raw.Conn) {
	for _, c := range conns {
		c.Close()
	}
}

// fill adds batches to n partitions at once and returns how many each of them then holds: as many as fit into bytes.
func fill(addr string, n int32, batch []byte, bytes int64) (int, error) {
	each := max(bytes/int64(n)/int64(len(batch)), 1)
	conns, err := dialAll(n, func(partition int32) (*raw.Conn, error) {
		return raw.DialProduce(addr, topicName, partition, batch)
	})
	if err != nil {
		return 0, err
	}
	defer closeAll(conns)
	failed := make(chan error, n)
	for _, c := range conns {
		go func() {
			load, err := raw.Run([]*raw.Conn{c}, 4, raw.NewBudget(fillWithin, each*int64(len(batch))))
			if err == nil && load.Requests != each {
				err = fmt.Errorf("%d of %d batches after %v", load.Requests, each, fillWithin)
			}
			failed <- err
		}()
	}
	for range n {
		if err := <-failed; err != nil {
			return 0, fmt.Errorf("fill the topic: %w", err)
		}
	}
	return int(each), nil
}

const fillWithin = time.Minute // a server that takes longer has failed
