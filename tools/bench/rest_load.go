package main

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/heraclitus/heraclitus/tools/bench/raw"
)

const (
	loadPartitions = 16
	startTimes     = 3
	fillBytes      = 512 << 20 // at a time
)

func mb(bytes int64) string { return fmt.Sprintf("%.0f MB", float64(bytes)/1e6) }

// memory measures what memory a server takes with the settings as they come, while everything is produced and archived as fast as it
// goes, and after that.
func (r *rest) memory(ctx context.Context) (table, error) {
	s, err := r.newRested("memory")
	if err != nil {
		return nil, err
	}
	defer s.remove()
	if _, err := s.start(ctx, ""); err != nil {
		return nil, err
	}
	empty, err := s.memoryNow()
	if err != nil {
		return nil, err
	}
	batch, err := logBatch(1024)
	if err != nil {
		return nil, err
	}
	if err := createTopic(ctx, s.addr, loadPartitions); err != nil {
		return nil, err
	}
	load, err := s.produce(loadPartitions, batch, raw.NewBudget(time.Duration(r.seconds*float64(time.Second)), 1<<50))
	if err != nil {
		return nil, err
	}
	t := table{
		{"", ""},
		{"resident, empty", mb(empty)},
		{"produced", fmt.Sprintf("%s in %v, %.0f MB/s", mb(load.Bytes), load.Elapsed.Round(time.Second), float64(load.Bytes)/1e6/load.Elapsed.Seconds())},
	}
	r.note("memory  produced %s", mb(load.Bytes))
	return s.comeToRest(ctx, r.effort.pause, t)
}

// comeToRest adds to a table what happens after the producers have ended.
func (s *rested) comeToRest(ctx context.Context, pause time.Duration, t table) (table, error) {
	values, err := s.metrics(ctx, archivedMetric, lagMetric)
	if err != nil {
		return nil, err
	}
	peak, err := s.resident()
	if err != nil {
		return nil, err
	}
	t = append(t, []string{"archived meanwhile", fmt.Sprintf("%.1f million records; %s are still in the journal", values[0]/1e6, mb(int64(values[1])))},
		[]string{"resident at most meanwhile", mb(peak)})
	began := time.Now()
	if err := s.archiveAfter(ctx, time.Millisecond); err != nil {
		return nil, err
	}
	if err := s.archived(ctx); err != nil {
		return nil, err
	}
	took := time.Since(began)
	if peak, err = s.resident(); err != nil {
		return nil, err
	}
	select {
	case <-time.After(pause):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	now, err := s.memoryNow()
	if err != nil {
		return nil, err
	}
	return append(t, []string{"the rest archived in", took.Round(time.Second).String()}, []string{"resident at most until then", mb(peak)},
		[]string{fmt.Sprintf("resident %v later", pause), mb(now)}), nil
}

// Settings of the starts. Segments are not compressed, so that so many bytes of them come of as many that are produced; checkpoints
// are made when a server stops, or not at all.
const (
	startSettings   = "[archive]\ncompression = \"uncompressed\"\n[storage]\ncheckpoint_bytes = 4398046511104\n"
	defaultsOfStart = ""
)

// starts measures how long a server takes to start: with all of the journal to be replayed, and with a checkpoint from its end.
func (r *rest) starts(ctx context.Context) (table, error) {
	s, err := r.newRested("start")
	if err != nil {
		return nil, err
	}
	defer s.remove()
	t := table{{"start", "first", "median of " + fmt.Sprint(startTimes), "resident then"}}
	if t, err = r.timeStarts(ctx, s, t, "empty directory", defaultsOfStart, syscall.SIGTERM); err != nil {
		return nil, err
	}
	holds, err := r.fillForStart(ctx, s)
	if err != nil {
		return nil, err
	}
	if t, err = r.timeStarts(ctx, s, t, holds+", killed, all of the journal replayed", startSettings, syscall.SIGKILL); err != nil {
		return nil, err
	}
	return r.timeStarts(ctx, s, t, holds+", stopped, from a checkpoint", defaultsOfStart, syscall.SIGTERM)
}

// fillForStart makes the segments and the journal, kills the server, and says how much there is.
func (r *rest) fillForStart(ctx context.Context, s *rested) (holds string, err error) {
	batch, err := logBatch(1024)
	if err != nil {
		return "", err
	}
	if _, err := s.start(ctx, startSettings); err != nil {
		return "", err
	}
	if err := createTopic(ctx, s.addr, loadPartitions); err != nil {
		return "", err
	}
	for left := r.segments * 1e6; left > 0; left -= fillBytes {
		if _, err := s.produce(loadPartitions, batch, raw.NewBudget(workMax, min(left, fillBytes))); err != nil {
			return "", err
		}
		r.note("start   %s are left to be stored", mb(left))
	}
	if err := s.archiveAfter(ctx, time.Millisecond); err != nil {
		return "", err
	}
	if err := s.archived(ctx); err != nil {
		return "", err
	}
	if err := s.archiveAfter(ctx, never); err != nil {
		return "", err
	}
	if _, err := s.produce(loadPartitions, batch, raw.NewBudget(workMax, r.journal*1e6)); err != nil {
		return "", err
	}
	values, err := s.metrics(ctx, segmentsMetric, segmentMetric, lagMetric)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%.0f segments of %s, %s in the journal", values[0], mb(int64(values[1])), mb(int64(values[2]))), s.end(syscall.SIGKILL)
}

// timeStarts starts the server some times, ending it by a signal each time, and adds a line.
func (r *rest) timeStarts(ctx context.Context, s *rested, t table, what, settings string, signal syscall.Signal) (table, error) {
	var took []time.Duration
	var resident int64
	for i := range startTimes + 2 { // the first one brings about the end that the others start from
		if i == 1 && r.cold {
			if err := forget(); err != nil {
				return nil, err
			}
		}
		one, err := s.start(ctx, settings)
		if err != nil {
			return nil, err
		}
		if resident, err = s.memoryNow(); err != nil {
			return nil, err
		}
		if err := s.end(signal); err != nil {
			return nil, err
		}
		took = append(took, one)
	}
	middle := time.Duration(median(took[2:]))
	return append(t, []string{what, took[1].Round(time.Millisecond).String(), middle.Round(time.Millisecond).String(), mb(resident)}), nil
}

// forget has the system forget what it keeps of files in memory.
func forget() error {
	syscall.Sync()
	if err := os.WriteFile("/proc/sys/vm/drop_caches", []byte("1\n"), 0); err != nil {
		return fmt.Errorf("have the system forget what it keeps of files: %w", err)
	}
	return nil
}
