package broker_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/heraclitus/heraclitus/pkg/broker"
	"github.com/heraclitus/heraclitus/pkg/broker/brokertest"
	"github.com/heraclitus/heraclitus/pkg/config"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// ask is askOn over a connection of its own.
func ask[R wire.Message](t *testing.T, b *brokertest.Broker, key, version int16, q wire.Message) R {
	t.Helper()
	c := dial(t, b.Address(), nil)
	defer c.Close()
	return askOn[R](t, c, key, version, q)
}

// askOn sends one request to a broker and returns its answer.
func askOn[R wire.Message](t *testing.T, c net.Conn, key, version int16, q wire.Message) R {
	t.Helper()
	c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := c.Write(framed(key, version, q)); err != nil {
		t.Fatal(err)
	}
	var length [4]byte
	if _, err := io.ReadFull(c, length[:]); err != nil {
		t.Fatalf("read the answer: %v", err)
	}
	answer := make([]byte, getLength(length))
	if _, err := io.ReadFull(c, answer); err != nil {
		t.Fatalf("read the answer: %v", err)
	}
	var r kbin.Reader
	r.Reset(answer, 1<<20)
	var h wire.ResponseHeader
	h.Decode(&r, wire.ResponseHeaderVersion(key, version))
	m := wire.NewResponse(key)
	m.Decode(&r, version)
	if r.Err() != nil || r.Len() != 0 || h.CorrelationID != 7 {
		t.Fatalf("the answer to request %d does not decode: %v, %d bytes left", h.CorrelationID, r.Err(), r.Len())
	}
	return m.(R)
}

// framed is a request as it is sent.
func framed(key, version int16, q wire.Message) []byte {
	header := wire.RequestHeader{RequestApiKey: key, RequestApiVersion: version, CorrelationID: 7, ClientID: new("test")}
	frame := q.Append(header.Append(make([]byte, 4), wire.RequestHeaderVersion(key, version)), version)
	putLength(frame)
	return frame
}

func putLength(frame []byte) {
	n := len(frame) - 4
	frame[0], frame[1], frame[2], frame[3] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
}

func getLength(b [4]byte) int { return int(b[0])<<24 | int(b[1])<<16 | int(b[2])<<8 | int(b[3]) }

// produce sends a batch of one record to partition 0 of a topic, which is made if need be, and returns its offset.
func produce(t *testing.T, b *brokertest.Broker, topic string, batch []byte) int64 {
	t.Helper()
	p := tryProduce(t, b, topic, batch)
	if p.ErrorCode != 0 {
		t.Fatalf("produce was refused with error %d", p.ErrorCode)
	}
	return p.BaseOffset
}

func tryProduce(t *testing.T, b *brokertest.Broker, topic string, batch []byte) wire.ProduceResponsePartitionProduceResponse {
	t.Helper()
	c := dial(t, b.Address(), nil)
	defer c.Close()
	return tryProduceOn(t, c, topic, batch)
}

func tryProduceOn(t *testing.T, c net.Conn, topic string, batch []byte) wire.ProduceResponsePartitionProduceResponse {
	t.Helper()
	askOn[*wire.MetadataResponse](t, c, wire.KeyMetadata, 9, &wire.MetadataRequest{Topics: []wire.MetadataRequestTopic{{Name: &topic}}, AllowAutoTopicCreation: true})
	r := askOn[*wire.ProduceResponse](t, c, wire.KeyProduce, 9, &wire.ProduceRequest{Acks: -1, TimeoutMs: 10_000, TopicData: []wire.ProduceRequestTopicProduceData{
		{Name: topic, PartitionData: []wire.ProduceRequestPartitionProduceData{{Records: kbin.Records{Bytes: batch}}}},
	}})
	return r.Responses[0].PartitionResponses[0]
}

// fetch returns the record bytes of partition 0 of a topic from an offset on.
func fetch(t *testing.T, b *brokertest.Broker, topic string, offset int64) []byte {
	t.Helper()
	c := dial(t, b.Address(), nil)
	defer c.Close()
	return fetchOn(t, c, topic, offset)
}

func fetchOn(t *testing.T, c net.Conn, topic string, offset int64) []byte {
	t.Helper()
	r := askOn[*wire.FetchResponse](t, c, wire.KeyFetch, 12, &wire.FetchRequest{MaxBytes: 1 << 20, SessionEpoch: -1, ReplicaID: -1, Topics: []wire.FetchRequestFetchTopic{
		{Topic: topic, Partitions: []wire.FetchRequestFetchPartition{{FetchOffset: offset, CurrentLeaderEpoch: -1, LastFetchedEpoch: -1, PartitionMaxBytes: 1 << 20}}},
	}})
	p := r.Responses[0].Partitions[0]
	if p.ErrorCode != 0 {
		t.Fatalf("fetch was refused with error %d", p.ErrorCode)
	}
	return p.Records.Bytes
}

// batchOf is a batch with one record.
func batchOf(t *testing.T, value string) []byte {
	t.Helper()
	var b record.Builder
	b.Reset(record.Options{})
	if err := b.Append(record.Record{Timestamp: time.Now().UnixMilli(), Value: []byte(value)}); err != nil {
		t.Fatal(err)
	}
	batch, err := b.Build(nil)
	if err != nil {
		t.Fatal(err)
	}
	return batch
}

// TestRecordComesBack shows that a record produced over the network is fetched again at its offset: in memory, on disk, and
// on disk by another broker after the first was stopped.
func TestRecordComesBack(t *testing.T) {
	f := func(b *brokertest.Broker, offset int64, value string) {
		t.Helper()
		if got := produce(t, b, "orders", batchOf(t, value)); got != offset {
			t.Errorf("produced at offset %d, want %d", got, offset)
		}
		if got := fetch(t, b, "orders", offset); !bytes.Contains(got, []byte(value)) {
			t.Errorf("the record %q is not among the %d bytes at offset %d", value, len(got), offset)
		}
	}
	memory := brokertest.Start(t)
	f(memory, 0, "one")
	f(memory, 1, "two")
	dir := t.TempDir()
	disk := brokertest.Start(t, brokertest.In(dir))
	f(disk, 0, "one")
	disk.Stop(t)
	again := brokertest.Start(t, brokertest.In(dir))
	if got := fetch(t, again, "orders", 0); !bytes.Contains(got, []byte("one")) {
		t.Errorf("after the restart the record is not among %d bytes", len(got))
	}
	f(again, 1, "two")
}

// TestBatchTooLargeForTheJournal shows that a batch which its topic allows, but no journal entry can hold, is refused for
// good, and the next one is not.
func TestBatchTooLargeForTheJournal(t *testing.T) {
	small := func(c *config.Config) { c.Storage.MemoryBytesMax, c.Topics.MaxMessageBytes = 4<<20, 3<<20 }
	b := brokertest.Start(t, brokertest.In(config.Memory), small)
	if got := tryProduce(t, b, "orders", batchOf(t, string(make([]byte, 5<<19)))); kerr.Code(got.ErrorCode) != kerr.MessageTooLarge {
		t.Errorf("got %v", kerr.Code(got.ErrorCode))
	}
	if got := produce(t, b, "orders", batchOf(t, "small")); got != 0 {
		t.Errorf("produced at offset %d, want 0", got)
	}
}

// page returns the status and the text of a page of a broker's HTTP port.
func page(t *testing.T, b *brokertest.Broker, path string) (int, string) {
	t.Helper()
	r, err := http.Get(b.URL() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(text)
}

// TestMetrics shows that what happens to a record is counted, end to end, and that prefix and enabled are heeded.
func TestMetrics(t *testing.T) {
	b := brokertest.Start(t, func(c *config.Config) { c.Metrics.Prefix = "px" })
	produce(t, b, "orders", batchOf(t, "hello"))
	fetch(t, b, "orders", 0)
	// How long a request took is counted once its answer is out, which the client may have before.
	text, late := "", time.Now().Add(30*time.Second)
	for !strings.Contains(text, `px_request_seconds_count{api="Fetch"} 1`) && time.Now().Before(late) {
		_, text = page(t, b, "/metrics")
	}
	for _, line := range []string{
		"px_messages_in_total 1", "px_messages_out_total 1", "px_batch_messages_count 1", "px_writable 1", "px_fsync_per_commit 1",
		`px_requests_total{api="Produce",version="9"} 1`, `px_request_seconds_count{api="Fetch"} 1`, `px_info{version="test"} 1`, "px_connections_opened_total 2",
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("no line %q among the metrics", line)
		}
	}
	interval := brokertest.Start(t, brokertest.In(t.TempDir()), func(c *config.Config) { c.Storage.Fsync = config.FsyncInterval })
	if _, text := page(t, interval, "/metrics"); !strings.Contains(text, "\nheraclitus_fsync_per_commit 0\n") {
		t.Error("an interval between syncs is not among the metrics")
	}
	off := brokertest.Start(t, func(c *config.Config) { c.Metrics.Enabled = false })
	if status, _ := page(t, off, "/metrics"); status != http.StatusNotFound {
		t.Errorf("metrics that are off: status %d, want 404", status)
	}
	if status, _ := page(t, off, "/readyz"); status != http.StatusOK {
		t.Errorf("ready: status %d, want 200", status)
	}
}

// start starts a broker that should not start, and returns why it did not.
func start(t *testing.T, change func(*config.Config)) string {
	t.Helper()
	c := config.Default()
	c.KafkaPort, c.HTTPPort, c.Storage.Path = 0, 0, config.Memory
	change(&c)
	b, err := broker.Start(c, broker.Options{Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		b.Stop(t.Context())
		t.Fatal("the broker started")
	}
	return err.Error()
}

// freePort is a port that nothing listens on.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// TestFailedStart shows that a start that fails says which setting to change and leaves nothing behind: not a port, not a
// lock on the directory.
func TestFailedStart(t *testing.T) {
	dir := t.TempDir()
	running := brokertest.Start(t, brokertest.In(dir))
	free := freePort(t)
	f := func(want string, change func(*config.Config)) {
		t.Helper()
		if got := start(t, change); !strings.Contains(got, want) {
			t.Errorf("%q does not say %q", got, want)
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", free))
		if err != nil {
			t.Fatalf("a failed start kept its port: %v", err)
		}
		l.Close()
	}
	onFree := func(c *config.Config) { c.KafkaPort = free }
	f("kafka_port = 70000: should be", func(c *config.Config) { c.KafkaPort = 70000 })
	f("kafka_port = ", func(c *config.Config) { c.KafkaPort = running.KafkaPort() })
	f("something else listens", func(c *config.Config) { onFree(c); c.HTTPPort = running.HTTPPort() })
	f("listen_host", func(c *config.Config) { onFree(c); c.ListenHost = "192.0.2.1" })
	f("storage.path", func(c *config.Config) { onFree(c); c.Storage.Path = dir })
	notDir := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(notDir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f("storage.path", func(c *config.Config) { onFree(c); c.Storage.Path = notDir })

	running.Stop(t)
	brokertest.Start(t, brokertest.In(dir))
}
