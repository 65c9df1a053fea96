//go:build full

package interop

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/heraclitus/heraclitus/pkg/storagetest"
)

// producer sends records one at a time to one partition, without retries, and keeps what was acknowledged.
type producer struct {
	*kgo.Client
	acked []string // by offset
}

func newProducer(ctx context.Context, t *testing.T, s *server, topic string) *producer {
	t.Helper()
	p := &producer{Client: franz(t, s, kgo.DefaultProduceTopic(topic), kgo.DisableIdempotentWrite(), kgo.RecordRetries(0), kgo.RequestRetries(0), kgo.ProducerBatchCompression(kgo.NoCompression()))}
	if _, err := kadm.NewClient(p.Client).CreateTopic(ctx, 1, 1, nil, topic); err != nil {
		t.Fatal(err)
	}
	return p
}

// send sends one record, and fails the test if it is acknowledged at another offset than the next.
func (p *producer) send(ctx context.Context, t *testing.T, value string) error {
	t.Helper()
	r := kgo.StringRecord(value)
	if err := p.ProduceSync(ctx, r).FirstErr(); err != nil {
		return err
	}
	if r.Offset != int64(len(p.acked)) {
		t.Fatalf("acknowledged at offset %d, want %d", r.Offset, len(p.acked))
	}
	p.acked = append(p.acked, value)
	return nil
}

// check reads the topic from its start: every acknowledged record is there, at its offset.
func (p *producer) check(ctx context.Context, t *testing.T, s *server, topic string) {
	t.Helper()
	client := franz(t, s, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	got := franzConsume(ctx, t, client, len(p.acked))
	for i, want := range p.acked {
		if string(got[i].value) != want {
			t.Fatalf("offset %d holds %.20q, want %.20q", i, got[i].value, want)
		}
	}
}

// TestDiskFull fills a small disk: produce is refused with an error that clients retry, fetch goes on, and produce goes on by
// itself once there is room; nothing acknowledged is lost, nor after SIGKILL.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=300m"); err != nil {
		t.Fatalf("mount a small disk (this test needs root): %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 100<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	s := startAt(t, nil, storagetest.Place{Path: filepath.Join(dir, "data")}, "")
	p := newProducer(ctx, t, s, "full")
	fill := func() error {
		for i := range 1000 {
			if err := p.send(ctx, t, fmt.Sprintf("%d %0900000d", i, 0)); err != nil {
				return err
			}
		}
		return nil
	}
	err := fill()
	if !errors.Is(err, kerr.KafkaStorageError) || !kerr.IsRetriable(err) {
		t.Fatalf("after %d records of 900 kB on 200 MB: %v, want KAFKA_STORAGE_ERROR", len(p.acked), err)
	}
	t.Logf("full after %d records", len(p.acked))
	p.check(ctx, t, s, "full")
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	for err = p.send(ctx, t, "there is room again"); err != nil; err = p.send(ctx, t, "there is room again") {
		if ctx.Err() != nil {
			t.Fatalf("produce did not go on by itself: %v", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.check(ctx, t, s, "full")
	if err := fill(); !errors.Is(err, kerr.KafkaStorageError) {
		t.Fatalf("full again: %v", err)
	}
	s.restart()
	p.check(ctx, t, s, "full")
}

// TestFailedSync has the kernel fail one fdatasync: what it was for is not acknowledged, nothing is from then on, reads go on,
// and after a restart every acknowledged record is there.
func TestFailedSync(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	s := startAt(t, []string{"strace", "-f", "-qq", "-o", os.DevNull, "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO:when=60"}, storagetest.Place{Path: t.TempDir()}, "")
	p := newProducer(ctx, t, s, "sync")
	var err error
	for i := 0; err == nil; i++ {
		if i == 1000 {
			t.Fatal("the 60th fdatasync of the server should have failed within 1000 records")
		}
		err = p.send(ctx, t, fmt.Sprint(i))
	}
	if !errors.Is(err, kerr.KafkaStorageError) {
		t.Fatalf("the record whose sync failed: %v, want KAFKA_STORAGE_ERROR", err)
	}
	t.Logf("failed after %d records", len(p.acked))
	for range 20 {
		if err := p.send(ctx, t, "after the failure"); err == nil {
			t.Fatal("a record was acknowledged after a failed sync")
		}
	}
	p.check(ctx, t, s, "sync")
	s.Wrapper = nil
	s.restart()
	p.check(ctx, t, s, "sync")
}
