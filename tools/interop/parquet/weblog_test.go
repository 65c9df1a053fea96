//go:build full

package parquet

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/heraclitus/heraclitus/pkg/objstore/s3/s3test"
	"github.com/heraclitus/heraclitus/tools/internal/run"
)

// These tests show that a topic is a table: web logs of a few hundred MB, produced by a real client, are counted and
// filtered by SQL engines over the topic's folder, in a directory and in a bucket, and a consumer that reads from
// offset 0, after the journal has been trimmed away, counts the same. WEBLOG_ROWS sets how many there are.

const (
	weblogTopic      = "weblog"
	weblogPartitions = 4
	weblogRows       = 800_000 // of some 400 bytes
	weblogHosts      = 5000
	weblogConfig     = "[archive]\njournal_bytes_max = 67108864\n[storage]\ncheckpoint_bytes = 16777216\njournal_file_bytes = 16777216\n"
)

// hit is a line of the log.
type hit struct {
	Time    string `json:"time"`
	Request struct {
		Method string            `json:"method"`
		Path   string            `json:"path"`
		Query  map[string]string `json:"query"`
		Agent  string            `json:"agent"`
	} `json:"request"`
	Response struct {
		Status int     `json:"status"`
		Bytes  int     `json:"bytes"`
		Millis float64 `json:"ms"`
	} `json:"response"`
	Client struct {
		IP      string   `json:"ip"`
		Country string   `json:"country"`
		Tags    []string `json:"tags"`
	} `json:"client"`
}

// sums are what is asked of the log: what the readers print.
type sums struct {
	rows, first, newest, failed, keys, canaries, partitions int64
}

func (s sums) String() string {
	return fmt.Sprintln(s.rows, s.first, s.newest, s.failed, s.keys, s.canaries, s.partitions)
}

// newHit makes up a line.
func newHit(r *rand.Rand, at time.Time) *kgo.Record {
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	var h hit
	h.Time = at.Format(time.RFC3339Nano)
	h.Request.Method = pick("GET", "GET", "GET", "POST", "PUT")
	h.Request.Path = fmt.Sprintf("/shop/%s/%d", pick("book", "garden", "music", "toys"), r.IntN(100_000))
	h.Request.Query = map[string]string{"ref": pick("mail", "search", "ad"), "session": fmt.Sprintf("%016x", r.Uint64())}
	h.Request.Agent = pick("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "curl/8.9.1", "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15")
	h.Response.Status = []int{200, 200, 200, 200, 301, 404, 503}[r.IntN(7)]
	h.Response.Bytes, h.Response.Millis = r.IntN(1<<20), r.ExpFloat64()*20
	h.Client.IP = fmt.Sprintf("10.%d.%d.%d", r.IntN(256), r.IntN(256), r.IntN(256))
	h.Client.Country, h.Client.Tags = pick("CH", "DE", "FR", "JP", "BR"), []string{pick("new", "known"), pick("phone", "desktop")}
	value, err := json.Marshal(h)
	if err != nil {
		panic("BUG: a line of the log cannot be written: " + err.Error())
	}
	headers := []kgo.RecordHeader{{Key: "trace", Value: fmt.Appendf(nil, "%016x", r.Uint64())}}
	if r.IntN(100) == 0 {
		headers = append(headers, kgo.RecordHeader{Key: "release", Value: []byte("canary")})
	}
	return &kgo.Record{Topic: weblogTopic, Key: fmt.Appendf(nil, "host-%d", r.IntN(weblogHosts)), Value: value, Headers: headers, Timestamp: at}
}

// count takes a record into the sums.
type count struct {
	sums
	seen  map[string]bool // keys
	parts map[int32]bool
}

func newCount() *count {
	return &count{sums: sums{first: 1 << 62}, seen: map[string]bool{}, parts: map[int32]bool{}}
}

func (c *count) add(r *kgo.Record) {
	c.rows++
	c.first = min(c.first, r.Offset)
	c.newest = max(c.newest, r.Timestamp.UnixMilli())
	if strings.Contains(string(r.Value), `"status":503`) {
		c.failed++
	}
	c.seen[string(r.Key)], c.parts[r.Partition] = true, true
	for _, h := range r.Headers {
		if string(h.Value) == "canary" {
			c.canaries++
		}
	}
	c.keys, c.partitions = int64(len(c.seen)), int64(len(c.parts))
}

// TestWeblogInDirectory asks DuckDB.
func TestWeblogInDirectory(t *testing.T) {
	interpreter, dir := python(t), t.TempDir()
	want := keepWeblog(t, &run.Heraclitus{Storage: dir})
	wantPrinted(t, want, exec.Command(interpreter, "readers/weblog_duckdb.py", filepath.Join(dir, "topics", weblogTopic)))
}

// TestWeblogInBucket asks PyArrow, over the S3 server.
func TestWeblogInBucket(t *testing.T) {
	interpreter := python(t)
	s3test.Start(t).Setenv(t)
	place := s3test.Bucket + "/tables"
	want := keepWeblog(t, &run.Heraclitus{Storage: "s3://" + place})
	wantPrinted(t, want, exec.Command(interpreter, "readers/weblog_arrow.py", place+"/topics/"+weblogTopic))
}

// wantPrinted runs a reader.
func wantPrinted(t *testing.T, want sums, reader *exec.Cmd) {
	t.Helper()
	var complaint strings.Builder
	reader.Env, reader.Stderr = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1"), &complaint
	start := time.Now()
	got, err := reader.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", reader.Args, err, complaint.String())
	}
	t.Logf("%v took %v: %s", reader.Args[1], time.Since(start).Round(time.Millisecond), got)
	if string(got) != want.String() {
		t.Errorf("%v prints %s, want %s", reader.Args[1], got, want)
	}
}

// keepWeblog produces the log, has all of it become Parquet and the journal be trimmed away, starts the server anew,
// consumes everything from offset 0, and returns the sums, of which all agree.
func keepWeblog(t *testing.T, s *run.Heraclitus) sums {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	dir := t.TempDir()
	var err error
	if s.Binary, err = run.Build("../../..", dir); err != nil {
		t.Fatal(err)
	}
	s.Dir, s.Config = dir, weblogConfig
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Signal(syscall.SIGTERM) })
	want := produceWeblog(ctx, t, s)
	for gauge(ctx, t, s, "heraclitus_archive_lag_bytes") > 0 {
		select {
		case <-ctx.Done():
			t.Fatalf("not all was archived in time\n%s", s.Output(30))
		case <-time.After(100 * time.Millisecond):
		}
	}
	if err := s.Signal(syscall.SIGTERM); err != nil { // which makes a checkpoint, and trims the journal
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if lag := gauge(ctx, t, s, "heraclitus_archive_lag_bytes"); lag != 0 {
		t.Fatalf("%v bytes of records are in the journal", lag)
	}
	start := time.Now()
	if got := consumeWeblog(ctx, t, s, want.rows); got != want {
		t.Errorf("consumed %s, want %s", got, want)
	}
	t.Logf("%d records consumed in %v, %v segments of %v bytes", want.rows, time.Since(start).Round(time.Millisecond),
		gauge(ctx, t, s, "heraclitus_segments"), gauge(ctx, t, s, "heraclitus_segment_bytes"))
	return want
}

func produceWeblog(ctx context.Context, t *testing.T, s *run.Heraclitus) sums {
	t.Helper()
	rows, err := strconv.Atoi(cmp.Or(os.Getenv("WEBLOG_ROWS"), fmt.Sprint(weblogRows)))
	if err != nil {
		t.Fatal(err)
	}
	client := weblogClient(t, s, kgo.ProducerBatchCompression(kgo.SnappyCompression()), kgo.ProducerLinger(5*time.Millisecond))
	age := "1000"
	if _, err := kadm.NewClient(client).CreateTopic(ctx, weblogPartitions, 1, map[string]*string{"segment.ms": &age}, weblogTopic); err != nil {
		t.Fatal(err)
	}
	c, start, bytes := newCount(), time.Now(), 0
	r, at := rand.New(rand.NewPCG(1, 2)), start.Truncate(time.Millisecond)
	for i := range rows {
		hit := newHit(r, at.Add(time.Duration(i)*time.Millisecond/10).Truncate(time.Millisecond))
		bytes += len(hit.Value)
		client.Produce(ctx, hit, func(r *kgo.Record, err error) { // one at a time, says kgo
			if err != nil {
				t.Errorf("produce: %v", err)
				return
			}
			c.add(r)
		})
	}
	if err := client.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d records with %d MB of values produced in %v", rows, bytes/1e6, time.Since(start).Round(time.Millisecond))
	return c.sums
}

func consumeWeblog(ctx context.Context, t *testing.T, s *run.Heraclitus, rows int64) sums {
	t.Helper()
	client := weblogClient(t, s, kgo.ConsumeTopics(weblogTopic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	c := newCount()
	for c.rows < rows {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("after %d records: %v", c.rows, err)
		}
		fetches.EachRecord(c.add)
	}
	return c.sums
}

func weblogClient(t *testing.T, s *run.Heraclitus, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(s.Addr()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// gauge returns a metric of the server.
func gauge(ctx context.Context, t *testing.T, s *run.Heraclitus, name string) float64 {
	t.Helper()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/metrics", s.HTTP), nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if number, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}
