package handler

import (
	"bytes"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/session"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// from is what a fetch request has for one partition.
type from struct {
	topic     string
	id        kbin.UUID
	partition int32
	offset    int64
}

const plenty = 1 << 20

// fetchOf is a fetch of everything there is, that does not wait, without a session. Tests change it.
func fetchOf(parts ...from) *wire.FetchRequest {
	q := &wire.FetchRequest{ReplicaID: -1, SessionEpoch: -1, MaxBytes: plenty}
	q.ReplicaState.Reset()
	for _, p := range parts {
		var f wire.FetchRequestFetchPartition
		f.Reset()
		f.Partition, f.FetchOffset, f.PartitionMaxBytes = p.partition, p.offset, plenty
		q.Topics = append(q.Topics, wire.FetchRequestFetchTopic{Topic: p.topic, TopicID: p.id, Partitions: []wire.FetchRequestFetchPartition{f}})
	}
	return q
}

// fetched writes a response down: topic/partition code hw=high watermark, then values of records, and what else is said.
func fetched(t testing.TB, r *wire.FetchResponse) []string {
	var all []string
	for _, topic := range r.Responses {
		for _, p := range topic.Partitions {
			name := topic.Topic
			if !topic.TopicID.IsZero() {
				name = fmt.Sprintf("%x", topic.TopicID[:2])
			}
			s := fmt.Sprintf("%s/%d %v hw=%d", name, p.PartitionIndex, kerr.Code(p.ErrorCode), p.HighWatermark)
			if v := values(t, p.Records.Bytes); v != "" {
				s += " " + v
			}
			if p.DivergingEpoch.EndOffset >= 0 {
				s += fmt.Sprintf(" diverges=%d@%d", p.DivergingEpoch.Epoch, p.DivergingEpoch.EndOffset)
			}
			if p.CurrentLeader.LeaderID >= 0 {
				s += fmt.Sprintf(" leader=%d@%d", p.CurrentLeader.LeaderID, p.CurrentLeader.LeaderEpoch)
			}
			all = append(all, s)
		}
	}
	return all
}

// values reads records of any magic: offset:value, with the magic before them if it is not 2.
func values(t testing.TB, set []byte) string {
	var s string
	for len(set) > 0 {
		b := record.Batch(set)
		if b.Magic() < record.Magic {
			size := b.Size() // the length of a message is where that of a batch is
			s += fmt.Sprintf("m%d:%d:%s ", b.Magic(), b.BaseOffset(), set[size-1:size])
			set = set[size:]
			continue
		}
		if !record.Batch(set[:b.Size()]).Intact() {
			t.Fatal("a broken batch was fetched")
		}
		for r, err := range record.Batch(set[:b.Size()]).Records() {
			if err != nil {
				t.Fatal(err)
			}
			s += fmt.Sprintf("%d:%s ", r.Offset, r.Value[:1])
		}
		set = set[b.Size():]
	}
	return string(bytes.TrimSpace([]byte(s)))
}

func (w *world) fetch(version int16, q *wire.FetchRequest) []string {
	w.Helper()
	r := ask[wire.FetchResponse](w, wire.KeyFetch, version, q)
	if r.ErrorCode != 0 {
		return []string{kerr.Code(r.ErrorCode).Name()}
	}
	return fetched(w, r)
}

// fill appends values to a partition, a batch each.
func (w *world) fill(topic string, partition int32, values ...string) {
	w.Helper()
	for _, v := range values {
		r := ask[wire.ProduceResponse](w, wire.KeyProduce, 9, produceOf(-1, part{topic, partition, batch(w, nowMs(), v)}))
		if code := r.Responses[0].PartitionResponses[0].ErrorCode; code != 0 {
			w.Fatal(kerr.Code(code))
		}
	}
}

func TestFetchEveryVersion(t *testing.T) {
	w := newWorld(t, Options{})
	id, nobody := w.create("t", 2), kbin.UUID{9, 9}
	w.fill("t", 0, "a", "b")
	name := fmt.Sprintf("%x", id[:2])
	eachVersion(wire.KeyFetch, 0, func(v int16) {
		q := fetchOf(from{"t", id, 0, 1}, from{"nope", nobody, 0, 0}, from{"t", id, 7, 0}, from{"t", id, 1, 5}, from{"t", id, 1, 0})
		records, t, gone := "1:b", "t", "nope/0 UNKNOWN_TOPIC_OR_PARTITION"
		switch {
		case v >= 13:
			t, gone = name, "0909/0 UNKNOWN_TOPIC_ID"
		case v < 2:
			records = "m0:1:b"
		case v < 4:
			records = "m1:1:b"
		}
		w.expect(fmt.Sprint("v", v), w.fetch(v, q), t+"/0 NONE hw=2 "+records, gone+" hw=-1", t+"/7 UNKNOWN_TOPIC_OR_PARTITION hw=-1",
			t+"/1 OFFSET_OUT_OF_RANGE hw=-1", t+"/1 NONE hw=0")
	})
}

// TestFetchFields shows what the fields beside the records say.
func TestFetchFields(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("t", 1)
	w.fill("t", 0, "a")
	f := func(q *wire.FetchRequest, stable, start int64, aborted bool) {
		t.Helper()
		p := ask[wire.FetchResponse](w, wire.KeyFetch, 11, q).Responses[0].Partitions[0]
		if p.LastStableOffset != stable || p.LogStartOffset != start || (p.AbortedTransactions != nil) != aborted || p.PreferredReadReplica != -1 || p.Records.Bytes == nil {
			t.Errorf("%+v", p)
		}
	}
	f(fetchOf(from{topic: "t"}), 1, 0, false)
	committed := fetchOf(from{topic: "t"})
	committed.IsolationLevel = 1
	f(committed, 1, 0, true)
	f(fetchOf(from{topic: "t", offset: 5}), -1, -1, false)
}

func TestFetchEpochs(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("t", 1)
	w.fill("t", 0, "a", "b", "c")
	f := func(version int16, epoch, lastEpoch int32, offset int64, want string) {
		t.Helper()
		q := fetchOf(from{topic: "t", offset: offset})
		q.Topics[0].Partitions[0].CurrentLeaderEpoch = epoch
		q.Topics[0].Partitions[0].LastFetchedEpoch = lastEpoch
		w.expect(fmt.Sprintf("v%d, epoch %d, last %d, offset %d", version, epoch, lastEpoch, offset), w.fetch(version, q), "t/0 "+want)
	}
	f(12, 0, -1, 2, "NONE hw=3 2:c")
	f(12, 1, -1, 2, "UNKNOWN_LEADER_EPOCH hw=-1")
	f(12, -2, -1, 2, "NONE hw=3 2:c")
	f(8, 1, -1, 2, "NONE hw=3 2:c") // a field that v8 does not have
	f(12, -1, 0, 3, "NONE hw=3")
	f(12, -1, 0, 4, "NONE hw=3 diverges=0@3")
	f(12, -1, -1, 4, "OFFSET_OUT_OF_RANGE hw=-1")
	f(12, -1, 1, 2, "OFFSET_OUT_OF_RANGE hw=-1")
	f(12, -1, -1, -1, "OFFSET_OUT_OF_RANGE hw=-1")
}

func TestFetchAsFollower(t *testing.T) {
	w := newWorld(t, Options{})
	id := w.create("t", 1)
	f := func(version int16, replica int32, want string) {
		t.Helper()
		q := fetchOf(from{"t", id, 0, 0})
		q.ReplicaID = replica
		if version >= 15 {
			q.ReplicaID, q.ReplicaState.ReplicaID = -1, replica
		}
		name := "t"
		if version >= 13 {
			name = fmt.Sprintf("%x", id[:2])
		}
		w.expect(fmt.Sprintf("v%d as %d", version, replica), w.fetch(version, q), name+"/0 "+want)
	}
	f(4, -1, "NONE hw=0")
	f(4, -2, "NONE hw=0") // a debugging consumer
	f(4, 1, "NOT_LEADER_OR_FOLLOWER hw=-1")
	f(14, 0, "NOT_LEADER_OR_FOLLOWER hw=-1")
	f(15, 5, "NOT_LEADER_OR_FOLLOWER hw=-1")
	f(16, 5, "NOT_LEADER_OR_FOLLOWER hw=-1 leader=1@0")
	f(17, 5, "NOT_LEADER_OR_FOLLOWER hw=-1 leader=1@0")
}

func TestFetchLimits(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("t", 2)
	big := string(bytes.Repeat([]byte("x"), 5000))
	w.fill("t", 0, "a", "b", "c")
	w.fill("t", 1, big, big)
	size := int32(len(batch(t, 0, "a")))
	f := func(bytesMax, partitionMax int32, want ...string) {
		t.Helper()
		q := fetchOf(from{topic: "t", partition: 1}, from{topic: "t"})
		q.MaxBytes = bytesMax
		for i := range q.Topics {
			q.Topics[i].Partitions[0].PartitionMaxBytes = partitionMax
		}
		w.expect(fmt.Sprintf("%d bytes, %d a partition", bytesMax, partitionMax), w.fetch(11, q), want...)
	}
	f(plenty, plenty, "t/1 NONE hw=2 0:x 1:x", "t/0 NONE hw=3 0:a 1:b 2:c")
	f(plenty, 6000, "t/1 NONE hw=2 0:x", "t/0 NONE hw=3 0:a 1:b 2:c")
	f(plenty, 1, "t/1 NONE hw=2 0:x", "t/0 NONE hw=3") // one batch, of the first partition that has one
	f(1, plenty, "t/1 NONE hw=2 0:x", "t/0 NONE hw=3")
	f(0, plenty, "t/1 NONE hw=2 0:x", "t/0 NONE hw=3")
	f(-1, -1, "t/1 NONE hw=2 0:x", "t/0 NONE hw=3")
	f(plenty, 2*size, "t/1 NONE hw=2 0:x", "t/0 NONE hw=3 0:a 1:b")
	w.handler.options.FetchBytesMax = 6000
	f(plenty, plenty, "t/1 NONE hw=2 0:x", "t/0 NONE hw=3 0:a 1:b 2:c")
	w.conn.Reserve = func(int) int { return 100 }
	f(plenty, plenty, "t/1 NONE hw=2 0:x", "t/0 NONE hw=3")
}

// TestFetchConverts shows that old clients get as much as they asked for, and one message at least.
func TestFetchConverts(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("t", 1)
	w.expect("produce", w.produce(8, produceOf(-1, part{"t", 0, batch(t, nowMs(), "a", "b", "c")})), "t/0 NONE@0>0")
	w.fill("t", 0, "d")
	w.expect("zstd", w.produce(8, produceOf(-1, part{"t", 0, build(t, record.Options{LeaderEpoch: -1, Codec: record.Zstd}, nowMs(), "e")})), "t/0 NONE@4>0")
	f := func(version int16, offset int64, bytesMax int32, want string) {
		t.Helper()
		q := fetchOf(from{topic: "t", offset: offset})
		q.Topics[0].Partitions[0].PartitionMaxBytes = bytesMax
		w.expect(fmt.Sprintf("v%d from %d, %d bytes", version, offset, bytesMax), w.fetch(version, q), "t/0 "+want)
	}
	f(0, 0, plenty, "NONE hw=5 m0:0:a m0:1:b m0:2:c m0:3:d")
	f(1, 1, plenty, "NONE hw=5 m0:1:b m0:2:c m0:3:d")
	f(2, 2, plenty, "NONE hw=5 m1:2:c m1:3:d")
	f(3, 0, 1, "NONE hw=5 m1:0:a")
	f(3, 4, plenty, "UNSUPPORTED_COMPRESSION_TYPE hw=-1")
	f(4, 3, plenty, "NONE hw=5 3:d 4:e")
	q := fetchOf(from{topic: "t"}, from{topic: "t", offset: 3})
	q.MaxBytes = 100
	w.expect("v3, all partitions", w.fetch(3, q), "t/0 NONE hw=5 m1:0:a m1:1:b", "t/0 NONE hw=5")
}

// TestFetchConvertsWithinMaxBytes: messages of old formats are larger than the records they are made of, so that not all
// that was read fits into the response. A partition that is read still has one message at least.
func TestFetchConvertsWithinMaxBytes(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("t", 1)
	w.create("u", 1)
	w.fill("u", 0, "a", "b")
	set := batch(t, nowMs(), "a", "a", "a", "a", "a", "a", "a", "a", "a", "a")
	w.expect("produce", w.produce(8, produceOf(-1, part{"t", 0, set})), "t/0 NONE@0>0")
	q := fetchOf(from{topic: "t"}, from{topic: "u"})
	q.MaxBytes = int32(len(set) + 2*len(batch(t, nowMs(), "a")))
	w.expect("v4", w.fetch(4, q), "t/0 NONE hw=10 0:a 1:a 2:a 3:a 4:a 5:a 6:a 7:a 8:a 9:a", "u/0 NONE hw=2 0:a 1:b")
	w.expect("v3", w.fetch(3, q), "t/0 NONE hw=10 m1:0:a m1:1:a m1:2:a m1:3:a m1:4:a m1:5:a m1:6:a", "u/0 NONE hw=2 m1:0:a")
}

// asleep runs a fetch that waits, calls meanwhile once it does, and returns what it said and how long it took.
func asleep(w *world, version int16, q *wire.FetchRequest, meanwhile func()) ([]string, time.Duration) {
	w.Helper()
	start := time.Now()
	type result struct {
		said []string
		took time.Duration
	}
	answered := make(chan result, 1)
	go func() {
		said := w.fetch(version, q)
		answered <- result{said, time.Since(start)}
	}()
	synctest.Wait()
	meanwhile()
	r := <-answered
	return r.said, r.took
}

func TestFetchWaits(t *testing.T) {
	f := func(name string, change func(*wire.FetchRequest), meanwhile func(*world), took time.Duration, want ...string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			w := newBubble(t)
			w.create("t", 2)
			w.create("gone", 1)
			w.fill("t", 0, "a")
			q := fetchOf(from{topic: "t", offset: 1})
			q.MinBytes, q.MaxWaitMs = 1, 500
			change(q)
			got, gotTook := asleep(w, 12, q, func() { meanwhile(w) })
			w.expect(name, got, want...)
			if gotTook != took {
				t.Errorf("%s took %v", name, gotTook)
			}
		})
	}
	same, nothing := func(*wire.FetchRequest) {}, func(*world) {}
	const ms = time.Millisecond
	one := int32(len(batch(t, 0, "a")))
	f("nothing comes", same, nothing, 500*ms, "t/0 NONE hw=1")
	f("a record comes", same, func(w *world) { w.fill("t", 0, "b") }, 0, "t/0 NONE hw=2 1:b")
	f("one comes elsewhere", same, func(w *world) { w.fill("t", 1, "b") }, 500*ms, "t/0 NONE hw=1")
	f("the client hangs up", same, func(w *world) { close(w.done) }, 0, "t/0 NONE hw=1")
	f("the topic goes", func(q *wire.FetchRequest) { *q = *fetchWaiting(from{topic: "gone"}) },
		func(w *world) { w.delete("gone") }, 0, "gone/0 UNKNOWN_TOPIC_OR_PARTITION hw=-1")
	f("too little comes", func(q *wire.FetchRequest) { q.MinBytes = 2 * one }, func(w *world) { w.fill("t", 0, "b") }, 500*ms, "t/0 NONE hw=2 1:b")
	f("enough comes", func(q *wire.FetchRequest) { q.MinBytes = 2 * one }, func(w *world) { w.fill("t", 0, "b", "c") }, 0, "t/0 NONE hw=3 1:b 2:c")
	f("some is there", func(q *wire.FetchRequest) { q.MinBytes, q.Topics[0].Partitions[0].FetchOffset = 2*one, 0 },
		func(w *world) { w.fill("t", 0, "b") }, 0, "t/0 NONE hw=2 0:a 1:b")
	f("no min bytes", func(q *wire.FetchRequest) { q.MinBytes = 0 }, nothing, 0, "t/0 NONE hw=1")
	f("no wait", func(q *wire.FetchRequest) { q.MaxWaitMs = 0 }, nothing, 0, "t/0 NONE hw=1")
	f("negative wait", func(q *wire.FetchRequest) { q.MaxWaitMs = -1 }, nothing, 0, "t/0 NONE hw=1")
	f("min beyond max", func(q *wire.FetchRequest) {
		q.MinBytes, q.MaxBytes, q.Topics[0].Partitions[0].FetchOffset = plenty, 1, 0
	}, nothing, 0, "t/0 NONE hw=1 0:a")
	f("out of range", func(q *wire.FetchRequest) {
		*q = *fetchWaiting(from{topic: "t", offset: 1}, from{topic: "t", partition: 1, offset: 9})
	},
		nothing, 0, "t/0 NONE hw=1", "t/1 OFFSET_OUT_OF_RANGE hw=-1")
	f("diverging", func(q *wire.FetchRequest) {
		q.Topics[0].Partitions[0].FetchOffset, q.Topics[0].Partitions[0].LastFetchedEpoch = 2, 0
	}, nothing, 0, "t/0 NONE hw=1 diverges=0@1")
	f("unknown beside known", func(q *wire.FetchRequest) { *q = *fetchWaiting(from{topic: "nope"}, from{topic: "t", offset: 1}) },
		nothing, 500*ms, "nope/0 UNKNOWN_TOPIC_OR_PARTITION hw=-1", "t/0 NONE hw=1")
	f("only unknown", func(q *wire.FetchRequest) { *q = *fetchWaiting(from{topic: "nope"}) }, nothing, 0, "nope/0 UNKNOWN_TOPIC_OR_PARTITION hw=-1")
}

// TestFetchMissesNothing shows that records which come between the first look and the watch are seen.
func TestFetchMissesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newBubble(t)
		w.create("t", 1)
		q := fetchWaiting(from{topic: "t"})
		var f fetching
		f.take(q, false)
		if err := w.handler.sessions.Begin(&f.fetch, &f.request); err != nil {
			t.Fatal(err)
		}
		l := w.handler.limits(q)
		f.find(w.engine)
		f.read(w.engine, &l)
		w.fill("t", 0, "a")
		if over := f.watch(w.engine, &l, nil, nil); over || f.bytes == 0 {
			t.Errorf("%d bytes, time is over: %t", f.bytes, over)
		}
		f.pins.Release()
	})
}

// TestFetchStorageError shows what clients of each age are told of it.
func TestFetchStorageError(t *testing.T) {
	for version, want := range map[int16]kerr.Code{5: kerr.NotLeaderOrFollower, 6: kerr.KafkaStorageError} {
		var p wire.FetchResponsePartitionData
		tell(&p, &session.Outcome{Code: kerr.KafkaStorageError}, version, 0)
		if kerr.Code(p.ErrorCode) != want {
			t.Errorf("v%d: %v", version, kerr.Code(p.ErrorCode))
		}
	}
}

func fetchWaiting(parts ...from) *wire.FetchRequest {
	q := fetchOf(parts...)
	q.MinBytes, q.MaxWaitMs = 1, 500
	return q
}

func (w *world) delete(name string) {
	w.Helper()
	r := ask[wire.DeleteTopicsResponse](w, wire.KeyDeleteTopics, 5, &wire.DeleteTopicsRequest{TopicNames: []string{name}})
	if code := kerr.Code(r.Responses[0].ErrorCode); code != kerr.None {
		w.Fatal(code)
	}
}

func TestFetchSession(t *testing.T) {
	for _, version := range []int16{7, 12, 13, 17} {
		w := newWorld(t, Options{FetchSessionsMax: 10})
		id := w.create("t", 2)
		w.fill("t", 0, "a")
		name := "t"
		if version >= 13 {
			name = fmt.Sprintf("%x", id[:2])
		}
		q := fetchOf(from{"t", id, 0, 0}, from{"t", id, 1, 0})
		q.SessionEpoch = 0
		r := ask[wire.FetchResponse](w, wire.KeyFetch, version, q)
		session := r.SessionID
		w.expect("open", fetched(t, r), name+"/0 NONE hw=1 0:a", name+"/1 NONE hw=0")
		epoch := int32(0)
		f := func(change func(*wire.FetchRequest), want ...string) {
			t.Helper()
			epoch++
			q := fetchOf()
			q.SessionID, q.SessionEpoch = session, epoch
			change(q)
			w.expect(fmt.Sprintf("v%d, request %d", version, epoch), w.fetch(version, q), want...)
		}
		f(func(q *wire.FetchRequest) { q.Topics = fetchOf(from{"t", id, 0, 1}).Topics })
		w.fill("t", 1, "b")
		f(func(*wire.FetchRequest) {}, name+"/1 NONE hw=1 0:b")
		f(func(q *wire.FetchRequest) { q.SessionEpoch = 1 }, "INVALID_FETCH_SESSION_EPOCH")
		epoch--
		f(func(q *wire.FetchRequest) {
			q.ForgottenTopicsData = []wire.FetchRequestForgottenTopic{{Topic: "t", TopicID: id, Partitions: []int32{1}}}
		})
		if r := ask[wire.FetchResponse](w, wire.KeyFetch, version, &wire.FetchRequest{SessionID: session + 1, SessionEpoch: 1}); kerr.Code(r.ErrorCode) != kerr.FetchSessionIDNotFound || r.SessionID != 0 {
			t.Errorf("v%d, unknown session: %+v", version, r)
		}
		other := int16(17)
		if version >= 13 {
			other = 12
		}
		epoch++
		w.expect("other kind of name", w.fetch(other, &wire.FetchRequest{SessionID: session, SessionEpoch: epoch}), "FETCH_SESSION_TOPIC_ID_ERROR")
	}
}

// TestFetchSessionOfDeletedTopic follows a topic that is deleted and created again under a session by id.
func TestFetchSessionOfDeletedTopic(t *testing.T) {
	w := newWorld(t, Options{FetchSessionsMax: 10})
	id := w.create("t", 1)
	name := fmt.Sprintf("%x", id[:2])
	q := fetchOf(from{"", id, 0, 0})
	q.SessionEpoch = 0
	session := ask[wire.FetchResponse](w, wire.KeyFetch, 17, q).SessionID
	f := func(epoch int32, want string) {
		t.Helper()
		q := fetchOf()
		q.SessionID, q.SessionEpoch = session, epoch
		w.expect(fmt.Sprint("request ", epoch), w.fetch(17, q), want)
	}
	w.delete("t")
	f(1, name+"/0 UNKNOWN_TOPIC_OR_PARTITION hw=-1")
	w.create("t", 1)
	f(2, name+"/0 INCONSISTENT_TOPIC_ID hw=-1")
	w.expect("without session", w.fetch(17, fetchOf(from{"", id, 0, 0})), name+"/0 UNKNOWN_TOPIC_ID hw=-1")
}

func TestFetchTooManyPartitions(t *testing.T) {
	w := newWorld(t, Options{RequestPartitionMax: 2})
	if _, err := try[wire.FetchResponse](w, wire.KeyFetch, 11, fetchOf(from{}, from{}, from{})); err == nil {
		t.Error("three partitions where two are allowed")
	}
}

// BenchmarkFetchAtEnd is a consumer that caught up with 100 partitions, by session.
func BenchmarkFetchAtEnd(b *testing.B) {
	w := newWorld(b, Options{FetchSessionsMax: 1})
	w.create("t", 100)
	q := fetchOf()
	for i := range int32(100) {
		q.Topics = append(q.Topics, fetchOf(from{topic: "t", partition: i}).Topics...)
	}
	q.SessionEpoch = 0
	session := ask[wire.FetchResponse](w, wire.KeyFetch, 11, q).SessionID
	benchmarkFetch(b, w, func(epoch int32) *wire.FetchRequest {
		q := &wire.FetchRequest{SessionID: session, SessionEpoch: epoch, MaxBytes: plenty}
		return q
	})
}

// BenchmarkFetch reads 64 KiB of one partition.
func BenchmarkFetch(b *testing.B) {
	w := newWorld(b, Options{})
	w.create("t", 1)
	for range 64 {
		w.fill("t", 0, string(make([]byte, 1024)))
	}
	benchmarkFetch(b, w, func(int32) *wire.FetchRequest { return fetchOf(from{topic: "t"}) })
}

func benchmarkFetch(b *testing.B, w *world, request func(n int32) *wire.FetchRequest) {
	c := &Call{Key: wire.KeyFetch, Request: wire.NewRequest(wire.KeyFetch), Response: wire.NewResponse(wire.KeyFetch)}
	row := rowOf(wire.KeyFetch)
	var r kbin.Reader
	var in, out []byte
	n := int32(0)
	b.ReportAllocs()
	for b.Loop() {
		n++
		c.Reset()
		q := request(n)
		in = q.Append(in[:0], 11)
		r.Reset(in, 1<<20)
		c.Request.Decode(&r, 11)
		c.Conn, c.Version = &w.conn, 11
		if err := row.Finish(w.handler, c); err != nil {
			b.Fatal(err)
		}
		out = c.Response.Append(out[:0], 11)
		c.Sent()
	}
}
