package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/heraclitus/heraclitus/tools/bench/raw"
)

const (
	ratePartitions = 4
	never          = 365 * 24 * time.Hour // for segment.ms

	// rateSettings leave everything in the journal until the topic says otherwise.
	rateSettings = "[topics]\nsegment_ms = 31536000000\n[archive]\njournal_bytes_max = 17179869184\ncompression = %q\n"
)

// rated are rows per second of processor time of one kind of rows.
type rated struct {
	writeStructs, writeSegment, archive float64
	readStructs, readSegment, rebuild   float64
	archiveWall, rebuildWall            float64 // rows per second
}

// rates measures archiving and rebuilding.
func (r *rest) rates(ctx context.Context) (table, error) {
	head := []string{"rows/s of one core"}
	var all []rated
	for _, valueBytes := range []int{100, 1024} {
		for _, c := range codecs {
			one, err := r.rate(ctx, valueBytes, c)
			if err != nil {
				return nil, err
			}
			head, all = append(head, fmt.Sprintf("%d B, %s", valueBytes, c.name)), append(all, one)
		}
	}
	t := table{head}
	line := func(name string, figure func(rated) string) {
		cells := []string{name}
		for _, one := range all {
			cells = append(cells, figure(one))
		}
		t = append(t, cells)
	}
	line("write: the library, by structs", func(o rated) string { return rows(o.writeStructs) })
	line("write: segments alone", func(o rated) string { return rows(o.writeSegment) })
	line("archive: the whole server", func(o rated) string { return rows(o.archive) })
	line("  ÷ library", func(o rated) string { return fmt.Sprintf("%.1f", o.archive/o.writeStructs) })
	line("  ÷ segments alone", func(o rated) string { return fmt.Sprintf("%.2f", o.archive/o.writeSegment) })
	line("  by the clock", func(o rated) string { return rows(o.archiveWall) })
	line("read: the library, into structs", func(o rated) string { return rows(o.readStructs) })
	line("read: segments alone, into batches", func(o rated) string { return rows(o.readSegment) })
	line("rebuild: the whole server, to a consumer", func(o rated) string { return rows(o.rebuild) })
	line("  ÷ library", func(o rated) string { return fmt.Sprintf("%.1f", o.rebuild/o.readStructs) })
	line("  ÷ segments alone", func(o rated) string { return fmt.Sprintf("%.2f", o.rebuild/o.readSegment) })
	line("  by the clock", func(o rated) string { return rows(o.rebuildWall) })
	return t, nil
}

func rows(perSecond float64) string { return fmt.Sprintf("%.0f k", perSecond/1000) }

// rate measures one kind of rows: loops first, then a server.
func (r *rest) rate(ctx context.Context, valueBytes int, c codec) (one rated, err error) {
	l, err := newLoop(valueBytes, r.effort.loopBytes, c)
	if err != nil {
		return one, err
	}
	if err := l.measure(r.effort.loop, &one); err != nil {
		return one, err
	}
	s, err := r.newRested(fmt.Sprintf("rates-%d-%s", valueBytes, c.name))
	if err != nil {
		return one, err
	}
	defer s.remove()
	if err := r.rateServer(ctx, s, l, &one); err != nil {
		return one, err
	}
	r.note("rates   %4d B, %-6s  archive %s, rebuild %s rows/s of one core", valueBytes, c.name, rows(one.archive), rows(one.rebuild))
	return one, nil
}

// measure runs the loops, each for some time.
func (l *loop) measure(least time.Duration, one *rated) error {
	var object, structs bytes.Buffer
	if err := l.writeSegment(&object); err != nil {
		return fmt.Errorf("write a segment: %w", err)
	}
	if err := l.writeStructs(&structs); err != nil {
		return fmt.Errorf("write structs: %w", err)
	}
	for _, step := range []struct {
		rate *float64
		do   func() error
	}{
		{&one.writeStructs, func() error { return l.writeStructs(io.Discard) }},
		{&one.writeSegment, func() error { return l.writeSegment(io.Discard) }},
		{&one.readStructs, func() error { return l.readStructs(structs.Bytes()) }},
		{&one.readSegment, func() error { return l.readSegment(object.Bytes()) }},
	} {
		var err error
		if *step.rate, err = perCore(least, l.rows(), step.do); err != nil {
			return err
		}
	}
	return nil
}

// rateServer has a server archive what it was sent, and, started again, give it to a consumer.
func (r *rest) rateServer(ctx context.Context, s *rested, l *loop, one *rated) error {
	settings := fmt.Sprintf(rateSettings, l.codec.name)
	if _, err := s.start(ctx, settings); err != nil {
		return err
	}
	if err := createTopic(ctx, s.addr, ratePartitions); err != nil {
		return err
	}
	load, err := s.produce(ratePartitions, l.batch, raw.NewBudget(workMax, r.mib<<20))
	if err != nil {
		return err
	}
	records := load.Requests * l.each
	one.archive, one.archiveWall, err = s.spent(records, func() error {
		if err := s.archiveAfter(ctx, time.Millisecond); err != nil {
			return err
		}
		return s.archived(ctx)
	})
	if err != nil {
		return err
	}
	values, err := s.metrics(ctx, archivedMetric)
	if err != nil {
		return err
	}
	if values[0] != float64(records) {
		return fmt.Errorf("%.0f records were archived instead of %d", values[0], records)
	}
	if err := s.end(syscall.SIGTERM); err != nil {
		return err
	}
	if _, err := s.start(ctx, settings); err != nil {
		return err
	}
	one.rebuild, one.rebuildWall, err = s.spent(records, func() error { return s.consumeAll(ctx, ratePartitions, records) })
	return err
}

// spent returns how many rows of work the server does in a second of its processor time, and in one of the clock.
func (s *rested) spent(rows int64, work func() error) (perCore, perSecond float64, err error) {
	before, err := s.cpu()
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	if err := work(); err != nil {
		return 0, 0, fmt.Errorf("%w; the server's last output:\n%s", err, s.output.String())
	}
	took := time.Since(began)
	after, err := s.cpu()
	return float64(rows) / (after - before).Seconds(), float64(rows) / took.Seconds(), err
}
