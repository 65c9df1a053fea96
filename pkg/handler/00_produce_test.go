package handler

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/engine"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/topic"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// part is what a produce request has for one partition.
type part struct {
	topic string
	index int32
	set   []byte
}

func produceOf(acks int16, parts ...part) *wire.ProduceRequest {
	q := &wire.ProduceRequest{Acks: acks, TimeoutMs: 3000}
	for _, p := range parts {
		q.TopicData = append(q.TopicData, wire.ProduceRequestTopicProduceData{Name: p.topic,
			PartitionData: []wire.ProduceRequestPartitionProduceData{{Index: p.index, Records: kbin.Records{Bytes: p.set}}}})
	}
	return q
}

// produced writes a response down: topic/partition code@offset, then +append time and >log start where they are set.
func produced(r *wire.ProduceResponse) []string {
	var all []string
	for _, t := range r.Responses {
		for _, p := range t.PartitionResponses {
			s := fmt.Sprintf("%s/%d %v@%d", t.Name, p.Index, kerr.Code(p.ErrorCode), p.BaseOffset)
			if p.LogAppendTimeMs >= 0 {
				s += "+time"
			}
			if p.LogStartOffset >= 0 {
				s += fmt.Sprintf(">%d", p.LogStartOffset)
			}
			all = append(all, s)
		}
	}
	return all
}

func (w *world) produce(version int16, q *wire.ProduceRequest) []string {
	w.Helper()
	return produced(ask[wire.ProduceResponse](w, wire.KeyProduce, version, q))
}

// oldMessage is one message of magic 0 or 1 without key.
func oldMessage(magic byte, value string) []byte {
	m := []byte{magic, 0}
	if magic == 1 {
		m = binary.BigEndian.AppendUint64(m, uint64(nowMs()))
	}
	m = binary.BigEndian.AppendUint32(m, 0xffffffff)
	m = binary.BigEndian.AppendUint32(m, uint32(len(value)))
	m = append(m, value...)
	head := binary.BigEndian.AppendUint64(nil, 0)
	head = binary.BigEndian.AppendUint32(head, uint32(len(m)+4))
	return append(binary.BigEndian.AppendUint32(head, crc32.ChecksumIEEE(m)), m...)
}

// setOf is a record set of two records as the clients of a version send it.
func setOf(t testing.TB, version int16) []byte {
	switch {
	case version < 2:
		return append(oldMessage(0, "a"), oldMessage(0, "b")...)
	case version < 3:
		return append(oldMessage(1, "a"), oldMessage(1, "b")...)
	}
	return batch(t, nowMs(), "a", "b")
}

func TestProduceEveryVersion(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("t", 2)
	w.create("stamped", 1, "message.timestamp.type", "LogAppendTime")
	eachVersion(wire.KeyProduce, 0, func(v int16) {
		set := setOf(t, v)
		want := []string{fmt.Sprintf("t/0 NONE@%d", 2*v), "t/2 UNKNOWN_TOPIC_OR_PARTITION@-1", "t/-1 UNKNOWN_TOPIC_OR_PARTITION@-1",
			"nope/0 UNKNOWN_TOPIC_OR_PARTITION@-1", fmt.Sprintf("stamped/0 NONE@%d", 2*v)}
		if v >= 2 {
			want[4] += "+time"
		}
		if v >= 5 {
			want[0], want[4] = want[0]+">0", want[4]+">0"
		}
		got := w.produce(v, produceOf(-1, part{"t", 0, set}, part{"t", 2, set}, part{"t", -1, set}, part{"nope", 0, set}, part{"stamped", 0, set}))
		w.expect(fmt.Sprint("v", v), got, want...)
	})
}

func TestProduceAcks(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("t", 1)
	set := batch(t, nowMs(), "a")
	w.expect("acks 1", w.produce(8, produceOf(1, part{"t", 0, set})), "t/0 NONE@0>0")
	w.expect("acks 2", w.produce(8, produceOf(2, part{"t", 0, set}, part{"nope", 0, set})),
		"t/0 INVALID_REQUIRED_ACKS@-1", "nope/0 UNKNOWN_TOPIC_OR_PARTITION@-1")
	w.expect("acks -2", w.produce(8, produceOf(-2, part{"t", 0, set})), "t/0 INVALID_REQUIRED_ACKS@-1")
	if r := ask[wire.ProduceResponse](w, wire.KeyProduce, 8, produceOf(0, part{"t", 0, set})); r != nil {
		t.Error("acks 0 was answered")
	}
	if _, err := try[wire.ProduceResponse](w, wire.KeyProduce, 8, produceOf(0, part{"t", 0, set}, part{"t", 1, set})); kerr.Of(err) != kerr.UnknownTopicOrPartition {
		t.Errorf("acks 0 and an error: %v", err)
	}
	w.expect("after acks 0", w.produce(8, produceOf(-1, part{"t", 0, set})), "t/0 NONE@3>0")
}

func TestProduceRefusals(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("t", 1)
	w.create("small", 1, "max.message.bytes", "100")
	w.create("__consumer_offsets", 1)
	good := batch(t, nowMs(), "a")
	broken := append([]byte{}, good...)
	broken[len(broken)-1]++
	f := func(version int16, topic string, set []byte, want string) {
		t.Helper()
		w.expect(topic, w.produce(version, produceOf(-1, part{topic, 0, set})), topic+"/0 "+want)
	}
	f(8, "t", nil, "INVALID_RECORD@-1")
	f(8, "t", []byte{}, "INVALID_RECORD@-1")
	f(2, "t", nil, "INVALID_RECORD@-1")
	f(2, "t", []byte{}, "NONE@-1")
	f(8, "t", good[:20], "INVALID_RECORD@-1")
	f(8, "t", append(append([]byte{}, good...), good...), "INVALID_RECORD@-1")
	f(8, "t", oldMessage(1, "a"), "INVALID_RECORD@-1")
	f(8, "t", broken, "CORRUPT_MESSAGE@-1")
	f(8, "small", batch(t, nowMs(), string(make([]byte, 200))), "MESSAGE_TOO_LARGE@-1")
	f(8, "__consumer_offsets", good, "INVALID_TOPIC_EXCEPTION@-1")
	f(6, "t", build(t, record.Options{LeaderEpoch: -1, Codec: record.Zstd}, nowMs(), "a"), "UNSUPPORTED_COMPRESSION_TYPE@-1")
	f(7, "t", build(t, record.Options{LeaderEpoch: -1, Codec: record.Zstd}, nowMs(), "a"), "NONE@0>0")
	f(2, "t", good, "NONE@1") // magic 2 is taken at old versions too
}

func TestProduceRecordErrors(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("compacted", 1, "cleanup.policy", "compact")
	w.create("strict", 1, "message.timestamp.before.max.ms", "1000", "message.timestamp.after.max.ms", "1000")
	f := func(version int16, q part, code kerr.Code, records ...int32) {
		t.Helper()
		r := ask[wire.ProduceResponse](w, wire.KeyProduce, version, produceOf(-1, q))
		p := r.Responses[0].PartitionResponses[0]
		var bad []int32
		for _, e := range p.RecordErrors {
			bad = append(bad, e.BatchIndex)
			if text(e.BatchIndexErrorMessage) == "null" {
				t.Errorf("record %d without a reason", e.BatchIndex)
			}
		}
		if kerr.Code(p.ErrorCode) != code || fmt.Sprint(bad) != fmt.Sprint(records) || version >= 8 && (p.ErrorMessage == nil || p.LogStartOffset != 0) {
			t.Errorf("%s v%d: %v, records %v, %s, log start %d", q.topic, version, kerr.Code(p.ErrorCode), bad, text(p.ErrorMessage), p.LogStartOffset)
		}
	}
	keyless := part{"compacted", 0, batch(t, nowMs(), "a", "b")}
	old := part{"strict", 0, batch(t, nowMs()-5000, "a")}
	young := part{"strict", 0, batch(t, nowMs()+60_000, "a")}
	f(7, keyless, kerr.InvalidRecord)
	f(8, keyless, kerr.InvalidRecord, 0, 1)
	f(11, keyless, kerr.InvalidRecord, 0, 1)
	f(8, old, kerr.InvalidTimestamp, 0)
	f(8, young, kerr.InvalidTimestamp, 0)
	w.expect("no timestamp", w.produce(8, produceOf(-1, part{"strict", 0, batch(t, -1, "a")})), "strict/0 NONE@0>0")
}

func TestProduceSequences(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("t", 1)
	f := func(id int64, epoch int16, seq int32, want string) {
		t.Helper()
		o := record.Options{LeaderEpoch: -1, Producer: &record.Producer{ID: id, Epoch: epoch, Sequence: seq}}
		w.expect(fmt.Sprintf("producer %d epoch %d sequence %d", id, epoch, seq),
			w.produce(8, produceOf(-1, part{"t", 0, build(t, o, nowMs(), "a")})), "t/0 "+want)
	}
	f(7, 0, 0, "NONE@0>0")
	f(7, 0, 0, "NONE@0>0") // the same again
	f(7, 0, 2, "OUT_OF_ORDER_SEQUENCE_NUMBER@-1>0")
	f(7, 0, 1, "NONE@1>0")
	f(7, 1, 3, "OUT_OF_ORDER_SEQUENCE_NUMBER@-1>0")
	f(7, 1, 0, "NONE@2>0")
	f(7, 0, 2, "INVALID_PRODUCER_EPOCH@-1>0")
	f(8, 0, 5, "NONE@3>0") // a producer not known here begins anywhere
}

func TestProduceTransactions(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("t", 2)
	o := record.Options{LeaderEpoch: -1, Producer: &record.Producer{ID: 7, Transactional: true}}
	q := produceOf(-1, part{"t", 0, build(t, o, nowMs(), "a")}, part{"t", 1, batch(t, nowMs(), "a")})
	w.expect("without transactional id", w.produce(8, q), "t/0 TRANSACTIONAL_ID_AUTHORIZATION_FAILED@-1", "t/1 TRANSACTIONAL_ID_AUTHORIZATION_FAILED@-1")
	q.TransactionalID = pointer("x")
	w.expect("with one", w.produce(8, q), "t/0 INVALID_PRODUCER_ID_MAPPING@-1", "t/1 NONE@0>0")
}

// TestProduceTwiceToOnePartition shows that no batch is lost where Kafka keeps the last only.
func TestProduceTwiceToOnePartition(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("t", 1)
	w.expect("twice", w.produce(8, produceOf(-1, part{"t", 0, batch(t, nowMs(), "a")}, part{"t", 0, batch(t, nowMs(), "b")})),
		"t/0 NONE@0>0", "t/0 NONE@1>0")
}

func TestProduceTooManyPartitions(t *testing.T) {
	w := newWorld(t, Options{RequestPartitionMax: 2})
	c := Call{Version: 8, Request: wire.NewRequest(wire.KeyProduce), Response: wire.NewResponse(wire.KeyProduce)}
	q := produceOf(-1, part{}, part{}, part{})
	if err := w.handler.submitProduce(&c, q, c.Response.(*wire.ProduceResponse)); err == nil {
		t.Error("three partitions where two are allowed")
	}
}

// TestProduceRecompresses shows that a topic's batches are kept in the codec it names, with all else as it was.
func TestProduceRecompresses(t *testing.T) {
	for _, to := range []string{"uncompressed", "gzip", "snappy", "lz4", "zstd", topic.Producer} {
		w := newWorld(t, Options{})
		id := w.create("t", 1, "compression.type", to)
		o := record.Options{LeaderEpoch: -1, Codec: record.Snappy, Producer: &record.Producer{ID: 7, Epoch: 1, Sequence: 3}}
		sent := build(t, o, 1700000000000, "a", "b", "c")
		w.expect(to, w.produce(8, produceOf(-1, part{"t", 0, sent})), "t/0 NONE@0>0")
		var pins engine.Pins
		log, err := w.engine.Read(id, 0, 0, 1<<20, true, &pins)
		if err != nil {
			t.Fatal(err)
		}
		kept := record.Batch(log.Parts[0])
		codec, _ := codecOf(&topic.Settings{CompressionType: to})
		if to == topic.Producer {
			codec = record.Snappy
		}
		if kept.Codec() != codec || kept.Count() != 3 || kept.ProducerID() != 7 || kept.ProducerEpoch() != 1 || kept.BaseSequence() != 3 || kept.MaxTimestamp() != 1700000000000 || kept.IsTransactional() {
			t.Errorf("%s: %v with %d records of producer %d/%d/%d", to, kept.Codec(), kept.Count(), kept.ProducerID(), kept.ProducerEpoch(), kept.BaseSequence())
		}
		for r, err := range kept.Records() {
			if err != nil || string(r.Value) != string("abc"[r.Offset]) {
				t.Errorf("%s: record %d is %q, %v", to, r.Offset, r.Value, err)
			}
		}
		pins.Release()
	}
}

// TestProduceTooLargeOnceRecompressed: the limit holds for the batch as it is kept.
func TestProduceTooLargeOnceRecompressed(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("t", 1, "compression.type", "uncompressed", "max.message.bytes", "1000")
	sent := build(t, record.Options{LeaderEpoch: -1, Codec: record.Gzip}, nowMs(), string(make([]byte, 2000)))
	w.expect("2000 zeroes", w.produce(8, produceOf(-1, part{"t", 0, sent})), "t/0 MESSAGE_TOO_LARGE@-1")
}

// TestProduceTimesOut shows that a produce is answered in its time though its commit is not done, and that the outcome
// which then comes does not get into the next answer of the same call.
func TestProduceTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newBubble(t)
		w.create("t", 1)
		pass, open := w.journal.close()
		w.expect("while the journal is stuck", w.produce(8, produceOf(-1, part{"t", 0, batch(t, nowMs(), "a")}, part{"nope", 0, nil})),
			"t/0 REQUEST_TIMED_OUT@-1", "nope/0 UNKNOWN_TOPIC_OR_PARTITION@-1")
		c := w.submit(wire.KeyProduce, 8, produceOf(-1, part{"t", 0, batch(t, nowMs(), "b")}))
		pass() // the first batch, whose outcome nobody waits for any more
		time.AfterFunc(time.Second, open)
		if err := rowOf(wire.KeyProduce).Finish(w.handler, c); err != nil {
			t.Fatal(err)
		}
		w.expect("after", produced(c.Response.(*wire.ProduceResponse)), "t/0 NONE@1>0")
	})
}

// TestProduceFlushesBeforeItWaits shows that answers wait for nobody else's commit, and leave together where one commit
// made them.
func TestProduceFlushesBeforeItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newBubble(t)
		w.create("t", 1)
		flushed := 0
		w.conn.Flush = func() { flushed++ }
		_, open := w.journal.close()
		c := w.submit(wire.KeyProduce, 8, produceOf(-1, part{"t", 0, batch(t, nowMs(), "a")}))
		time.AfterFunc(time.Second, open)
		rowOf(wire.KeyProduce).Finish(w.handler, c)
		if flushed != 1 {
			t.Errorf("flushed %d times before a wait", flushed)
		}
		c.Reset()
		c = w.submit(wire.KeyProduce, 8, produceOf(-1, part{"t", 0, batch(t, nowMs(), "b")}))
		synctest.Wait()
		rowOf(wire.KeyProduce).Finish(w.handler, c)
		if flushed != 1 {
			t.Error("flushed though the commit was done")
		}
	})
}

// TestProduceOnBrokenJournal shows that clients too old for KAFKA_STORAGE_ERROR get an error that they retry.
func TestProduceOnBrokenJournal(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("t", 1)
	w.journal.err.Store(&errBroken)
	w.expect("v3", w.produce(3, produceOf(-1, part{"t", 0, batch(t, nowMs(), "a")})), "t/0 NOT_LEADER_OR_FOLLOWER@-1")
	w.expect("v4", w.produce(4, produceOf(-1, part{"t", 0, batch(t, nowMs(), "a")})), "t/0 KAFKA_STORAGE_ERROR@-1")
}

func BenchmarkProduce(b *testing.B) {
	w := newWorld(b, Options{})
	w.create("t", 1)
	q := produceOf(-1, part{"t", 0, batch(b, nowMs(), string(make([]byte, 100)))})
	frame := q.Append(nil, 9)
	c := &Call{Key: wire.KeyProduce, Request: wire.NewRequest(wire.KeyProduce), Response: wire.NewResponse(wire.KeyProduce)}
	row := rowOf(wire.KeyProduce)
	var r kbin.Reader
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		c.Reset()
		r.Reset(frame, 1<<20)
		c.Request.Decode(&r, 9)
		c.Conn, c.Version, c.ReleaseFrame = &w.conn, 9, func() {}
		if err := row.Submit(w.handler, c); err != nil {
			b.Fatal(err)
		}
		if err := row.Finish(w.handler, c); err != nil {
			b.Fatal(err)
		}
		out = c.Response.Append(out[:0], 9)
	}
}
