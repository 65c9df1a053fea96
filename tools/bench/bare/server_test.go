// Shown here: franz-go produces to and consumes from the server, in memory and with a journal, and gets back what it
// sent; what is acknowledged is in the journal first; the ring forgets the oldest batches and says so; wrong batches,
// unknown partitions and broken frames are refused, each alone.
package bare

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/heraclitus/heraclitus/tools/bench/raw"
)

const small = 16 << 20

// listen starts a server and returns its address.
func listen(t *testing.T, o Options) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- Serve(l, o) }()
	t.Cleanup(func() {
		l.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// client returns a kgo client whose topic t has n partitions.
func client(t *testing.T, addr string, n int32, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append(opts, kgo.SeedBrokers(addr), kgo.DefaultProduceTopic("t"))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	create := kmsg.NewPtrCreateTopicsRequest()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = "t", n, 1
	create.Topics = append(create.Topics, topic)
	if _, err := create.RequestWith(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRecordsComeBack(t *testing.T) {
	f := func(o Options) {
		t.Helper()
		const records, partitions = 5000, 3
		from := make(map[int32]kgo.Offset)
		for p := range int32(partitions) {
			from[p] = kgo.NewOffset().AtStart()
		}
		c := client(t, listen(t, o), partitions,
			kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{"t": from}), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
		sent := make(map[string]int)
		for i := range records {
			value := fmt.Sprintf("record %d", i)
			sent[value]++
			c.Produce(t.Context(), kgo.StringRecord(value), func(_ *kgo.Record, err error) {
				if err != nil {
					t.Error(err)
				}
			})
		}
		if err := c.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		next := make(map[int32]int64)
		for len(sent) > 0 {
			fetches := c.PollFetches(t.Context())
			if err := fetches.Err(); err != nil {
				t.Fatal(err)
			}
			fetches.EachRecord(func(r *kgo.Record) {
				if r.Offset != next[r.Partition] {
					t.Fatalf("partition %d: offset %d, want %d", r.Partition, r.Offset, next[r.Partition])
				}
				next[r.Partition]++
				if sent[string(r.Value)]--; sent[string(r.Value)] != 0 {
					t.Fatalf("%q came twice, or was never sent", r.Value)
				}
				delete(sent, string(r.Value))
			})
		}
	}
	f(Options{HoldBytes: small})
	f(Options{HoldBytes: small, JournalBytes: small, Dir: t.TempDir()})
	f(Options{HoldBytes: small, Dir: t.TempDir()}) // a journal that grows
}

// still returns a server without its committer, so that a test decides what is durable, and a connection to it over
// which nothing is read by itself.
func still(t *testing.T) (*conn, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s, err := newServer(l, Options{HoldBytes: small})
	if err != nil {
		t.Fatal(err)
	}
	s.log.volatile = false
	s.create("t", 2)
	ours, theirs := net.Pipe()
	t.Cleanup(func() { theirs.Close() })
	c := &conn{s: s, nc: ours, in: takeBuffer(readBytes)}
	c.due.L, c.sent.L = &c.mu, &c.mu
	return c, theirs
}

// frame encodes a request as a client would send it, without its length.
func frame(m kmsg.Request, version int16) []byte {
	m.SetVersion(version)
	return kmsg.NewRequestFormatter(kmsg.FormatterClientID("test")).AppendRequest(nil, m, 7)[4:]
}

// exchange handles one request and returns the answer.
func exchange(t *testing.T, c *conn, theirs net.Conn, m kmsg.Request, version int16) kmsg.Response {
	t.Helper()
	handled := make(chan struct{})
	go func() {
		defer close(handled)
		if !c.handle(frame(m, version)) {
			t.Errorf("%T was refused", m)
		}
		c.flush()
	}()
	defer func() { <-handled }()
	return receive(t, theirs, m, version)
}

func receive(t *testing.T, theirs net.Conn, m kmsg.Request, version int16) kmsg.Response {
	t.Helper()
	var size [4]byte
	if _, err := io.ReadFull(theirs, size[:]); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, be.Uint32(size[:]))
	if _, err := io.ReadFull(theirs, body); err != nil {
		t.Fatal(err)
	}
	response := m.ResponseKind()
	response.SetVersion(version)
	if err := response.ReadFrom(body[4:]); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(response.AppendTo(nil), body[4:]) {
		t.Errorf("%T does not encode to the same bytes", response)
	}
	return response
}

// produceOf asks for one batch to each of the given partitions.
func produceOf(batch []byte, partitions ...int32) *kmsg.ProduceRequest {
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic = "t"
	for _, id := range partitions {
		p := kmsg.NewProduceRequestTopicPartition()
		p.Partition, p.Records = id, batch
		topic.Partitions = append(topic.Partitions, p)
	}
	m := kmsg.NewPtrProduceRequest()
	m.Acks, m.Topics = -1, append(m.Topics, topic)
	return m
}

func fetchOf(partition int32, offset int64, bytesMax int32) *kmsg.FetchRequest {
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = partition, offset, bytesMax
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.Partitions = "t", append(topic.Partitions, p)
	m := kmsg.NewPtrFetchRequest()
	m.MaxBytes, m.Topics = bytesMax, append(m.Topics, topic)
	return m
}

func TestNothingIsAcknowledgedOrFetchedBeforeItIsDurable(t *testing.T) {
	c, theirs := still(t)
	produce := produceOf(raw.Batch(3, 10), 0)
	if !c.handle(frame(produce, produceVersion)) {
		t.Fatal("refused")
	}
	c.flush() // would block on the pipe if it sent anything
	if len(c.owed) != 1 {
		t.Fatalf("%d answers wait, want 1", len(c.owed))
	}
	if s := c.s.log.readLocked(c.s.topic([]byte("t")).partitions[0], 0, 1000, true); s.length != 0 || s.highWatermark != 0 {
		t.Errorf("%d bytes can be fetched before they are durable", s.length)
	}
	c.s.log.durable.Store(c.s.log.head.Load())
	go c.flush()
	if got := receive(t, theirs, produce, produceVersion).(*kmsg.ProduceResponse).Topics[0].Partitions[0]; got.ErrorCode != 0 || got.BaseOffset != 0 {
		t.Errorf("answer %+v", got)
	}
	if got := exchange(t, c, theirs, fetchOf(0, 1, 1000), fetchVersion).(*kmsg.FetchResponse).Topics[0].Partitions[0]; got.HighWatermark != 3 || !checkBatch(got.RecordBatches) {
		t.Errorf("fetched %+v", got)
	}
}

func TestRefusalsStandBesideSuccess(t *testing.T) {
	c, theirs := still(t)
	c.s.log.volatile = true
	good := raw.Batch(3, 10)
	bad := bytes.Clone(good)
	bad[len(bad)-1]++
	m := produceOf(good, 0, 9, 1)
	m.Topics[0].Partitions[2].Records = bad
	var codes []int16
	for _, p := range exchange(t, c, theirs, m, produceVersion).(*kmsg.ProduceResponse).Topics[0].Partitions {
		codes = append(codes, p.ErrorCode)
	}
	if want := []int16{0, errUnknownPartition, errCorruptMessage}; fmt.Sprint(codes) != fmt.Sprint(want) {
		t.Errorf("error codes %v, want %v", codes, want)
	}
	f := func(partition int32, offset int64, want int16) {
		t.Helper()
		got := exchange(t, c, theirs, fetchOf(partition, offset, 1000), fetchVersion).(*kmsg.FetchResponse).Topics[0].Partitions[0]
		if got.ErrorCode != want {
			t.Errorf("fetch from %d of partition %d: error code %d, want %d", offset, partition, got.ErrorCode, want)
		}
	}
	f(0, 3, 0)
	f(0, 4, errOffsetOutOfRange)
	f(0, -1, errOffsetOutOfRange)
	f(5, 0, errUnknownPartition)
	if !c.s.log.pinned.TryLock() {
		t.Error("the ring is still pinned after all fetches were answered")
	}
}

func TestTheRingForgetsTheOldest(t *testing.T) {
	c, theirs := still(t)
	c.s.log.volatile = true
	batch := raw.Batch(100, 1024)
	for range 2 * small / len(batch) {
		exchange(t, c, theirs, produceOf(batch, 0), produceVersion)
	}
	p := c.s.topic([]byte("t")).partitions[0]
	if held := (p.next - p.start) / 100 * int64(len(batch)); held > small || held < small-2*int64(len(batch)) {
		t.Errorf("%d bytes are held, want nearly %d", held, small)
	}
	oldest := exchange(t, c, theirs, fetchOf(0, p.start, 1000), fetchVersion).(*kmsg.FetchResponse).Topics[0].Partitions[0]
	if b := oldest.RecordBatches; len(b) != len(batch) || int64(be.Uint64(b)) != p.start || !checkBatch(b) {
		t.Errorf("the oldest batch held is not what it was: %d bytes", len(b))
	}
	forgotten := exchange(t, c, theirs, fetchOf(0, p.start-1, 1000), fetchVersion).(*kmsg.FetchResponse).Topics[0].Partitions[0]
	if forgotten.ErrorCode != errOffsetOutOfRange {
		t.Errorf("error code %d for what was forgotten", forgotten.ErrorCode)
	}
	all := c.s.log.readLocked(p, p.start, 2*small, true)
	for at, b := p.start, bytes.Join(all.parts, nil); len(b) > 0; at, b = at+100, b[len(batch):] {
		if int64(be.Uint64(b)) != at || !checkBatch(b[:len(batch)]) {
			t.Fatalf("the batch at offset %d is not what it was", at)
		}
	}
}

func TestWhatIsAcknowledgedIsInTheJournal(t *testing.T) {
	dir := t.TempDir()
	c := client(t, listen(t, Options{HoldBytes: small, JournalBytes: small, Dir: dir}), 1, kgo.ProducerBatchCompression(kgo.NoCompression()))
	for i := range 20 {
		value := fmt.Sprintf("the record with number %d.", i)
		if err := c.ProduceSync(t.Context(), kgo.StringRecord(value)).FirstErr(); err != nil {
			t.Fatal(err)
		}
		journal, err := os.ReadFile(filepath.Join(dir, "journal"))
		if err != nil {
			t.Fatal(err)
		}
		if len(journal) != small || !bytes.Contains(journal, []byte(value)) {
			t.Fatalf("%q was acknowledged and is not in the journal of %d bytes", value, len(journal))
		}
	}
}

func TestBrokenFramesAreRefused(t *testing.T) {
	c, theirs := still(t)
	c.s.log.volatile = true
	go io.Copy(io.Discard, theirs)
	create := kmsg.NewPtrCreateTopicsRequest()
	create.Topics = append(create.Topics, kmsg.NewCreateTopicsRequestTopic())
	for _, whole := range [][]byte{
		frame(produceOf(raw.Batch(3, 10), 0), produceVersion),
		frame(fetchOf(0, 0, 1000), fetchVersion)[:80], // what follows is not read
		frame(create, createTopicsVersion),
	} {
		for n := range len(whole) - 5 { // the ends of some are not read either
			if c.handle(bytes.Clone(whole[:n])) {
				t.Errorf("request %d broken off after %d of %d bytes is taken", be.Uint16(whole), n, len(whole))
			}
		}
		for n := 8; n+4 <= len(whole); n++ {
			huge := bytes.Clone(whole)
			be.PutUint32(huge[n:], 0x7fffffff)
			c.handle(huge) // taken or not, it ends
		}
	}
	c.flush()
	if !c.s.log.pinned.TryLock() {
		t.Error("the ring is still pinned")
	}
}

func TestNonsenseEndsTheConnection(t *testing.T) {
	addr := listen(t, Options{HoldBytes: small})
	for _, nonsense := range [][]byte{{0xff, 0xff, 0xff, 0xff}, {0, 0, 0, 1}, {0, 0, 0, 10, 0, 99, 0, 0, 0, 0, 0, 0, 0, 0}} {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := nc.Write(nonsense); err != nil {
			t.Fatal(err)
		}
		if _, err := nc.Read(make([]byte, 1)); err == nil {
			t.Errorf("% x is answered", nonsense)
		}
		nc.Close()
	}
}

// A client that pipelines more requests than a connection may owe answers for is held back, not dropped.
func TestManyRequestsInOneWrite(t *testing.T) {
	addr := listen(t, Options{HoldBytes: small, JournalBytes: small, Dir: t.TempDir()})
	client(t, addr, 1)
	c, err := raw.DialProduce(addr, "t", 0, raw.Batch(1, 10))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	load, err := raw.Run([]*raw.Conn{c}, 5*answersMax, raw.NewBudget(time.Minute, 50<<10*16))
	if err != nil || load.Requests < 5*answersMax {
		t.Errorf("%d requests, %v", load.Requests, err)
	}
}
