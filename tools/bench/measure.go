package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/heraclitus/heraclitus/pkg/freeport"

	"github.com/heraclitus/heraclitus/tools/bench/raw"
)

// sample is what one run of a workload against one server measured.
type sample struct {
	MBps              float64 // 10^6 bytes of record values a second; for fetch, of record batches
	RequestsPerSecond float64 // answered; for kgo workloads, records
	CPUPerMB          float64 // processor milliseconds of the server for each such 10^6 bytes
	P50, P99, P999    time.Duration
	ResidentMB        float64 // most memory the server had resident, 2^20 bytes
	failed            error
}

// results are the samples by workload and target, one for each round.
type results map[string]map[string][]sample

// bench is one invocation.
type bench struct {
	targets   []target
	workloads []workload
	rounds    int
	effort    effort
	dir       string    // everything is written below it
	progress  io.Writer // one line a run
}

// run measures every workload on every target, round after round. The targets of a workload follow each other at once
// and each round begins with another one, so that a slow minute of the machine is shared.
func (b *bench) run(ctx context.Context) (results, error) {
	all := make(results)
	for _, w := range b.workloads {
		all[w.name] = make(map[string][]sample)
	}
	for round := range b.rounds {
		for _, w := range b.workloads {
			for i := range b.targets {
				t := b.targets[(i+round)%len(b.targets)]
				s := b.once(ctx, w, t)
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				all[w.name][t.name] = append(all[w.name][t.name], s)
				b.report(round, w, t, s)
			}
		}
	}
	return all, nil
}

func (b *bench) report(round int, w workload, t target, s sample) {
	if s.failed != nil {
		fmt.Fprintf(b.progress, "round %d  %-8s %-18s failed: %v\n", round+1, w.name, t.name, s.failed)
		return
	}
	fmt.Fprintf(b.progress, "round %d  %-8s %-18s %8.1f %s\n", round+1, w.name, t.name, w.rate.of(s), w.rate.unit)
}

// once runs a workload against a fresh server.
func (b *bench) once(ctx context.Context, w workload, t target) sample {
	s, err := b.measure(ctx, w, t)
	if err != nil {
		return sample{failed: err}
	}
	return s
}

func (b *bench) measure(ctx context.Context, w workload, t target) (s sample, err error) {
	dir := filepath.Join(b.dir, t.name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return s, fmt.Errorf("make the server's directory: %w", err)
	}
	if !t.reuse {
		defer os.RemoveAll(dir)
	}
	port, err := freeport.Get()
	if err != nil {
		return s, err
	}
	l, err := t.launch(ctx, port, dir)
	if err != nil {
		return s, err
	}
	server, err := start(ctx, l.cmd, addrOf(port))
	if err != nil {
		return s, err
	}
	if l.prime != nil {
		err = l.prime(ctx)
	}
	if err == nil {
		s, err = drive(ctx, w, server, b.effort)
	}
	server.stop()
	if err != nil && server.output.Len() > 0 {
		err = fmt.Errorf("%w; the server's last output:\n%s", err, server.output.String())
	}
	return s, err
}

// drive runs a workload against a running server and measures both.
func drive(ctx context.Context, w workload, server *child, e effort) (s sample, err error) {
	if err := createTopic(ctx, server.addr, w.partitions); err != nil {
		return s, err
	}
	session, err := w.prepare(ctx, server.addr, e)
	if err != nil {
		return s, fmt.Errorf("prepare: %w", err)
	}
	defer session.close()
	before, err := server.cpu()
	if err != nil {
		return s, err
	}
	load, err := session.measure()
	if err != nil {
		return s, err
	}
	after, err := server.cpu()
	if err != nil {
		return s, err
	}
	resident, err := server.resident()
	if err != nil {
		return s, err
	}
	return sampleOf(load, after-before, resident)
}

// sampleOf relates what was done to the time it took and to what it cost the server.
func sampleOf(load *raw.Load, cpu time.Duration, resident int64) (sample, error) {
	if load.Bytes == 0 {
		return sample{}, errors.New("nothing was answered in the time given")
	}
	mb := float64(load.Bytes) / 1e6
	return sample{
		MBps:              mb / load.Elapsed.Seconds(),
		RequestsPerSecond: float64(load.Requests) / load.Elapsed.Seconds(),
		CPUPerMB:          cpu.Seconds() * 1000 / mb,
		P50:               load.Latency.Quantile(0.5),
		P99:               load.Latency.Quantile(0.99),
		P999:              load.Latency.Quantile(0.999),
		ResidentMB:        float64(resident) / (1 << 20),
	}, nil
}
