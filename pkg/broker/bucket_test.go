package broker_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/broker"
	"github.com/heraclitus/heraclitus/pkg/broker/brokertest"
	"github.com/heraclitus/heraclitus/pkg/config"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/objstore/s3/s3test"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// said is a log that is read while it is written.
type said struct {
	sync.Mutex
	bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.Lock()
	defer s.Unlock()
	return s.Buffer.Write(p)
}

func (s *said) has(what string) bool {
	s.Lock()
	defer s.Unlock()
	return strings.Contains(s.String(), what)
}

// startInBucket starts a broker whose data is in the bucket of an S3 server that the environment names.
func startInBucket(t *testing.T, prefix string) (*brokertest.Broker, *said) {
	t.Helper()
	c := config.Default()
	c.KafkaPort, c.HTTPPort, c.Storage.Path = 0, 0, config.Bucket+s3test.Bucket+"/"+prefix
	log := &said{}
	started, err := broker.Start(c, broker.Options{Log: slog.New(slog.NewTextHandler(log, nil)), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	b := &brokertest.Broker{Broker: started}
	t.Cleanup(func() { b.Stop(t) })
	return b, log
}

func mustFetch(t *testing.T, b *brokertest.Broker, topic string, offset int64, value string) {
	t.Helper()
	if got := fetch(t, b, topic, offset); !bytes.Contains(got, []byte(value)) {
		t.Errorf("the record %q is not among the %d bytes at offset %d", value, len(got), offset)
	}
}

// TestBucketKeepsEverything shows that a server in a bucket needs nothing of its own: another one takes over while the
// first still runs, finds all that was acknowledged, and goes on. The first one then refuses records, with an error that
// clients retry after they have asked who leads, says so, and is not ready.
func TestBucketKeepsEverything(t *testing.T) {
	s3test.Start(t).Setenv(t)
	first, log := startInBucket(t, "a/b")
	produce(t, first, "orders", batchOf(t, "one"))
	produce(t, first, "orders", batchOf(t, "two"))

	second, _ := startInBucket(t, "a/b")
	mustFetch(t, second, "orders", 0, "one")
	mustFetch(t, second, "orders", 1, "two")
	if got := produce(t, second, "orders", batchOf(t, "three")); got != 2 {
		t.Errorf("produced at offset %d, want 2", got)
	}

	if got := tryProduce(t, first, "orders", batchOf(t, "lost")); kerr.Code(got.ErrorCode) != kerr.KafkaStorageError {
		t.Errorf("the server that was replaced answers produce with %v", kerr.Code(got.ErrorCode))
	}
	mustFetch(t, first, "orders", 1, "two")
	if !log.has("another server has taken the journal over") || first.Ready() == nil {
		t.Errorf("the server that was replaced is ready: %v; its log has %s", first.Ready(), log)
	}

	second.Stop(t)
	third, _ := startInBucket(t, "a/b")
	mustFetch(t, third, "orders", 2, "three")
	other, _ := startInBucket(t, "a")
	if got := produce(t, other, "orders", batchOf(t, "elsewhere")); got != 0 {
		t.Errorf("a prefix of its own begins at offset %d, want 0", got)
	}
}

// TestStoreThatIsAway shows that while the store does not answer a produce waits as long as its client says and then gets
// an error that clients retry, that what is in memory can be fetched, and that all goes on by itself when the store is
// back.
func TestStoreThatIsAway(t *testing.T) {
	server := s3test.Start(t)
	server.Setenv(t)
	b, _ := startInBucket(t, "away")
	produce(t, b, "orders", batchOf(t, "before"))
	server.Stop()

	r := ask[*wire.ProduceResponse](t, b, wire.KeyProduce, 9, &wire.ProduceRequest{Acks: -1, TimeoutMs: 200, TopicData: []wire.ProduceRequestTopicProduceData{
		{Name: "orders", PartitionData: []wire.ProduceRequestPartitionProduceData{{Records: kbin.Records{Bytes: batchOf(t, "meanwhile")}}}},
	}})
	if got := kerr.Code(r.Responses[0].PartitionResponses[0].ErrorCode); got != kerr.RequestTimedOut {
		t.Errorf("produce while the store is away ends in %v, want %v", got, kerr.RequestTimedOut)
	}
	mustFetch(t, b, "orders", 0, "before")

	server.Restart(t)
	if got := produce(t, b, "orders", batchOf(t, "after")); got != 2 { // what timed out is not undone
		t.Errorf("produced at offset %d, want 2", got)
	}
	mustFetch(t, b, "orders", 1, "meanwhile")
	mustFetch(t, b, "orders", 2, "after")
}
