//go:build full

package interop

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

// smallDisk mounts a disk of 300 MB, and puts a file of 100 MB there, which can be removed to make room.
func smallDisk(t *testing.T) (dir, ballast string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=300m"); err != nil {
		t.Fatalf("mount a small disk (this test needs root): %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	ballast = filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 100<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir, ballast
}

// fill sends records until one is refused, which has to be for lack of room.
func (p *producer) fill(ctx context.Context, t *testing.T, value func(i int) string) {
	t.Helper()
	for i := range 1000 {
		err := p.send(ctx, t, value(i))
		if err == nil {
			continue
		}
		if !errors.Is(err, kerr.KafkaStorageError) || !kerr.IsRetriable(err) {
			t.Fatalf("after %d records: %v, want KAFKA_STORAGE_ERROR", len(p.acked), err)
		}
		return
	}
	t.Fatal("1000 large records have room on a small disk")
}

// recover sends records until one is accepted.
func (p *producer) recover(ctx context.Context, t *testing.T) {
	t.Helper()
	for p.send(ctx, t, "there is room again") != nil {
		if ctx.Err() != nil {
			t.Fatal("produce did not go on by itself")
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// TestDiskFull fills a small disk: produce is refused with an error that clients retry, fetch goes on, and produce
// goes on by itself once there is room; nothing acknowledged is lost, nor after SIGKILL.
func TestDiskFull(t *testing.T) {
	dir, ballast := smallDisk(t)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	s := startAt(t, nil, storagetest.Place{Path: filepath.Join(dir, "data")}, "")
	p := newProducer(ctx, t, s, "full")
	large := func(i int) string { return fmt.Sprintf("%d %0900000d", i, 0) }
	p.fill(ctx, t, large)
	t.Logf("full after %d records", len(p.acked))
	p.check(ctx, t, s, "full")
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	p.recover(ctx, t)
	p.check(ctx, t, s, "full")
	p.fill(ctx, t, large)
	s.restart()
	p.check(ctx, t, s, "full")
}

// diskFullConfig has everything archived at once, into many segments that do not become smaller, out of a journal of
// a few files.
const diskFullConfig = `
[storage]
journal_file_bytes = 8388608
journal_spare_bytes = 8388608
checkpoint_bytes = 1048576
[archive]
compression = "uncompressed"
segment_bytes_max = 4194304
[topics]
segment_ms = 1
`

// TestDiskFullWhileArchiving fills a small disk with segments, so that the archiver, checkpoints and the journal run
// out of room in all they do. Nothing acknowledged is lost, nor after SIGKILL; all goes on when there is room, which
// is also had by deleting a topic on the full disk; and nothing is left behind that is not in use.
func TestDiskFullWhileArchiving(t *testing.T) {
	dir, ballast := smallDisk(t)
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	s := startAt(t, nil, storagetest.Place{Path: filepath.Join(dir, "data")}, diskFullConfig)
	p := newProducer(ctx, t, s, "full")
	random := rand.NewChaCha8([32]byte{})
	large := func(int) string {
		value := make([]byte, 450_000)
		random.Read(value)
		return hex.EncodeToString(value)
	}
	p.fill(ctx, t, large)
	for failed := s.errors(ctx); failed["archive"] == 0; failed = s.errors(ctx) {
		time.Sleep(50 * time.Millisecond)
		p.fill(ctx, t, large)
	}
	t.Logf("full after %d records", len(p.acked))
	p.check(ctx, t, s, "full")
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	p.recover(ctx, t)
	p.fill(ctx, t, large)
	p.check(ctx, t, s, "full")
	t.Logf("full after %d records; failed so far: %v", len(p.acked), s.errors(ctx))
	s.restart()
	p.check(ctx, t, s, "full")
	if _, err := kadm.NewClient(franz(t, s)).DeleteTopic(ctx, "full"); err != nil {
		t.Fatal(err)
	}
	again := newProducer(ctx, t, s, "again")
	again.recover(ctx, t)
	again.check(ctx, t, s, "again")
	s.signal(syscall.SIGTERM)
	wantTidy(ctx, t, filepath.Join(dir, "data"))
}

// errors are how many storage operations failed since the server was started, by their kinds.
func (s *server) errors(ctx context.Context) map[string]float64 {
	failed := map[string]float64{}
	for kind, n := range s.gauges(ctx, `heraclitus_storage_errors_total{op="`) {
		failed[strings.TrimSuffix(kind, `"}`)] = n
	}
	return failed
}

// wantTidy looks at storage where no server runs: heraclitus verify finds nothing wrong and nothing that is not in
// use, and no write has left half a file.
func wantTidy(ctx context.Context, t *testing.T, data string) {
	t.Helper()
	out, err := exec.CommandContext(ctx, binary, "verify", "--storage-path", data).CombinedOutput()
	t.Logf("verify says:\n%s", out)
	if err != nil || !strings.Contains(string(out), "all is well") {
		t.Errorf("verify: %v", err)
	}
	if left, err := os.ReadDir(filepath.Join(data, ".writing")); err != nil || len(left) > 0 {
		t.Errorf("%d files are left half written, %v", len(left), err)
	}
}

// TestFailedSync has the kernel fail one fdatasync: what it was for is not acknowledged, nothing is from then on,
// reads go on, and after a restart every acknowledged record is there.
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
