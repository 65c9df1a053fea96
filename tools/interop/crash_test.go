package interop

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/heraclitus/heraclitus/pkg/objstore/s3"
)

// place is where a record lies.
type place struct {
	partition int32
	offset    int64
}

// history is what producers were told and what a consumer saw afterwards.
type history struct {
	mu    sync.Mutex
	acked map[string]place // by value; every value is produced once
	seen  map[place]string
}

// faults names acknowledged records that are not at their offset, and values that are in the log twice.
func (h *history) faults() []string {
	var faults []string
	for value, at := range h.acked {
		if h.seen[at] != value {
			faults = append(faults, fmt.Sprintf("%q was acknowledged at %v, where %q is", value, at, h.seen[at]))
		}
	}
	first := map[string]place{}
	for at, value := range h.seen {
		if other, twice := first[value]; twice {
			faults = append(faults, fmt.Sprintf("%q is at %v and at %v", value, at, other))
		}
		first[value] = at
	}
	return faults
}

// TestFaultsAreFound shows that the check of the crash test finds a record lost, moved or doubled.
func TestFaultsAreFound(t *testing.T) {
	acked := map[string]place{"a": {0, 0}, "b": {0, 1}}
	for name, seen := range map[string]map[place]string{
		"lost":    {{0, 0}: "a"},
		"moved":   {{0, 0}: "b", {0, 1}: "a"},
		"doubled": {{0, 0}: "a", {0, 1}: "b", {1, 0}: "a"},
	} {
		if h := (&history{acked: acked, seen: seen}); len(h.faults()) == 0 {
			t.Errorf("%s: no fault found", name)
		}
	}
	if h := (&history{acked: acked, seen: map[place]string{{0, 0}: "a", {0, 1}: "b", {1, 5}: "never acknowledged"}}); len(h.faults()) != 0 {
		t.Errorf("faults in a good log: %v", h.faults())
	}
}

const (
	crashTopic      = "crash"
	crashPartitions = 4
	crashProducers  = 4

	crashKeyBytes = 1000 // of every record, so that journal files fill

	// crashConfig makes journal files and checkpoints as small as they can be, so that the kills also fall on a journal
	// that rolls from file to file, and on checkpoints. Nothing is trimmed: every record is looked for in the end.
	crashConfig = `
[storage]
fsync = %q
journal_file_bytes = 1048576
checkpoint_bytes = 65536

[batching]
max_batch_size = 65536

[topics]
max_message_bytes = 65536
`
)

// TestKillUnderLoad kills the server with SIGKILL under load, again and again, while idempotent producers go on with what
// was not acknowledged. In the end every acknowledged record is at its offset, and no record is there twice.
// CRASH_ROUNDS sets the number of kills.
func TestKillUnderLoad(t *testing.T) {
	rounds := 3
	if n, err := strconv.Atoi(os.Getenv("CRASH_ROUNDS")); err == nil {
		rounds = n
	}
	killUnderLoad(t, rounds, "commit")
}

// TestKillUnderLoadWithInterval shows that the end of the process alone loses nothing that was acknowledged where the
// power could.
func TestKillUnderLoadWithInterval(t *testing.T) { killUnderLoad(t, 1, "interval") }

func killUnderLoad(t *testing.T, rounds int, fsync string) {
	s := start(t, t.TempDir(), fmt.Sprintf(crashConfig, fsync))
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute+time.Duration(rounds)*30*time.Second)
	defer cancel()
	admin := franz(t, s)
	if _, err := kadm.NewClient(admin).CreateTopic(ctx, crashPartitions, 1, nil, crashTopic); err != nil {
		t.Fatal(err)
	}
	h := &history{acked: map[string]place{}, seen: map[place]string{}}
	load := startLoad(ctx, t, s, h)
	for round := range rounds {
		load.awaitMore(ctx, t, 2000+rand.Int64N(5000))
		s.restart()
		t.Logf("round %d: killed after %d acknowledged records", round+1, load.acked.Load())
	}
	load.awaitMore(ctx, t, 1000)
	load.stop(t)
	rolled(t, s, rounds)
	h.consume(ctx, t, s)
	if f := h.faults(); len(f) > 0 {
		t.Errorf("%d faults in %d acknowledged records, for example:\n%s", len(f), len(h.acked), tail(fmt.Sprintln(f[:min(len(f), 5)]), 5))
	}
}

// rolled checks that the journal has gone through more files than there were kills, and that there is a checkpoint: else the
// kills fell on nothing but appends. In a bucket every entry is an object of its own.
func rolled(t *testing.T, s *server, rounds int) {
	t.Helper()
	if strings.HasPrefix(s.Storage, s3.Scheme) {
		return
	}
	for pattern, least := range map[string]int{"journal/*.journal": rounds + 1, "checkpoints/*": 1} {
		found, err := filepath.Glob(filepath.Join(s.Storage, pattern))
		if err != nil || len(found) < least {
			t.Errorf("%d files are %s, %v, want %d", len(found), pattern, err, least)
		}
	}
}

// load is a set of producers that send as fast as they are answered.
type load struct {
	acked   atomic.Int64
	ending  atomic.Bool
	workers sync.WaitGroup
}

func startLoad(ctx context.Context, t *testing.T, s *server, h *history) *load {
	l := &load{}
	key := make([]byte, crashKeyBytes)
	for p := range crashProducers {
		client := franz(t, s, kgo.DefaultProduceTopic(crashTopic), kgo.RecordRetries(1<<30), kgo.MaxBufferedRecords(500),
			kgo.RetryBackoffFn(func(int) time.Duration { return 5 * time.Millisecond }), kgo.ProducerLinger(0),
			kgo.ProducerBatchCompression(kgo.NoCompression()))
		l.workers.Go(func() {
			for i := 0; !l.ending.Load() && ctx.Err() == nil; i++ {
				value := fmt.Sprintf("%d-%d", p, i)
				client.Produce(ctx, &kgo.Record{Key: key, Value: []byte(value)}, func(r *kgo.Record, err error) {
					if err != nil {
						return
					}
					h.mu.Lock()
					h.acked[value] = place{r.Partition, r.Offset}
					h.mu.Unlock()
					l.acked.Add(1)
				})
			}
			if err := client.Flush(ctx); err != nil {
				t.Errorf("flush: %v", err)
			}
		})
	}
	return l
}

// awaitMore waits until n more records are acknowledged.
func (l *load) awaitMore(ctx context.Context, t *testing.T, n int64) {
	t.Helper()
	for goal := l.acked.Load() + n; l.acked.Load() < goal; {
		select {
		case <-ctx.Done():
			t.Fatalf("only %d of %d records acknowledged in time", l.acked.Load(), goal)
		case <-time.After(time.Millisecond):
		}
	}
}

func (l *load) stop(t *testing.T) {
	t.Helper()
	l.ending.Store(true)
	l.workers.Wait()
}

// consume reads every partition from its start to its end.
func (h *history) consume(ctx context.Context, t *testing.T, s *server) {
	t.Helper()
	client := franz(t, s, kgo.ConsumeTopics(crashTopic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, crashTopic)
	if err != nil {
		t.Fatal(err)
	}
	left := int64(0)
	ends.Each(func(o kadm.ListedOffset) { left += o.Offset })
	for left > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("with %d records to read: %v", left, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			h.seen[place{r.Partition, r.Offset}] = string(r.Value)
			left--
		})
	}
}
