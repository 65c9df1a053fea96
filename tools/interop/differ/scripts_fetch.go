package differ

import (
	"strings"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

type (
	fetchTopic     = wire.FetchRequestFetchTopic
	fetchPartition = wire.FetchRequestFetchPartition
)

// fetchByID is the first version of Fetch that names topics by id (KIP-516).
const fetchByID = 13

// topicToFetch names a topic as the script's version does: by name, or by id.
func (c *Conversation) topicToFetch(name string, partitions ...fetchPartition) fetchTopic {
	t := fetchTopic{Topic: c.Topic(name), Partitions: partitions}
	if c.Version >= fetchByID {
		t.TopicID = c.TopicID(name)
	}
	return t
}

// fetching is a request in the script's version, which does not wait and has no session.
func (c *Conversation) fetching(topics ...fetchTopic) *wire.FetchRequest {
	q := c.fetch("", 0, 0)
	q.Topics = topics
	return q
}

// fetchOne is a request in the script's version for one partition from an offset on.
func (c *Conversation) fetchOne(topic string, partition int32, offset int64) *wire.FetchRequest {
	return c.fetching(c.topicToFetch(topic, fetchFrom(partition, offset)))
}

// withBytes is p with a limit on its bytes.
func withBytes(p fetchPartition, bytesMax int32) fetchPartition {
	p.PartitionMaxBytes = bytesMax
	return p
}

// hundreds is a batch of one record that takes 374 bytes.
func (c *Conversation) hundreds(letter string) []byte {
	b := newBatch(c.Base(), strings.Repeat(letter, 304))
	b.recs[0].Key = nil
	return b.bytes()
}

var fetchScripts = []Script{
	{Name: "from an offset", Key: wire.KeyFetch, Hold: func(c *Conversation) {
		c.Create("t", 2)
		c.Produce("t", 0, newBatch(c.Base(), "a", "b", "c").bytes(), newBatch(c.Base()+10, "d", "e").bytes())
		c.Ask("the start", c.fetchOne("t", 0, 0))
		c.Ask("the middle of a batch", c.fetchOne("t", 0, 1))
		c.Ask("the second batch", c.fetchOne("t", 0, 3))
		c.Ask("the last record", c.fetchOne("t", 0, 4))
		c.Ask("the end", c.fetchOne("t", 0, 5))
		c.Ask("beyond the end", c.fetchOne("t", 0, 6))
		c.Ask("far beyond the end", c.fetchOne("t", 0, 1<<60))
		c.Ask("below zero", c.fetchOne("t", 0, -1))
		c.Ask("far below zero", c.fetchOne("t", 0, -100))
		c.Ask("an empty partition", c.fetchOne("t", 1, 0))
		c.Ask("beyond the end of an empty partition", c.fetchOne("t", 1, 1))
	}},
	{Name: "unknown beside good", Key: wire.KeyFetch, Hold: func(c *Conversation) {
		c.Create("t", 2)
		c.Produce("t", 0, newBatch(c.Base(), "a").bytes())
		good := c.topicToFetch("t", fetchFrom(0, 0))
		unknown := fetchTopic{Topic: c.Topic("none"), TopicID: kbin.UUID{1, 2, 3}, Partitions: []fetchPartition{fetchFrom(0, 0)}}
		c.Ask("an unknown partition", c.fetchOne("t", 7, 0))
		c.Ask("a partition below zero", c.fetchOne("t", -1, 0))
		c.Ask("an unknown partition beside a good one", c.fetching(c.topicToFetch("t", fetchFrom(7, 0), fetchFrom(0, 0))))
		c.Ask("an unknown topic", c.fetching(unknown))
		c.Ask("an unknown topic beside a good one", c.fetching(unknown, good))
		c.Ask("out of range beside a good one", c.fetching(c.topicToFetch("t", fetchFrom(1, 9)), good))
		c.Ask("nothing", c.fetching())
		c.Ask("no partitions", c.fetching(c.topicToFetch("t")))
		c.Ask("a partition twice", c.fetching(c.topicToFetch("t", fetchFrom(0, 0), fetchFrom(0, 1))))
		c.Ask("a topic twice", c.fetching(good, c.topicToFetch("t", fetchFrom(0, 1))))
	}},
	{Name: "no topic id", Key: wire.KeyFetch, From: fetchByID, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.Produce("t", 0, newBatch(c.Base(), "a").bytes())
		zero := fetchTopic{Topic: c.Topic("t"), Partitions: []fetchPartition{fetchFrom(0, 0)}}
		c.Ask("alone", c.fetching(zero))
		c.Ask("beside a good one", c.fetching(zero, c.topicToFetch("t", fetchFrom(0, 0))))
		old := c.topicToFetch("t", fetchFrom(0, 0))
		c.clean()
		c.AwaitGone("t")
		c.Ask("of a topic that is gone", c.fetching(old))
		c.Create("t", 1)
		c.Produce("t", 0, newBatch(c.Base(), "b").bytes())
		c.Ask("of a topic made again", c.fetching(old))
		c.Ask("the new one", c.fetchOne("t", 0, 0))
	}},
	{Name: "names that no topic can have", Key: wire.KeyFetch, Until: fetchByID, Hold: func(c *Conversation) {
		for _, name := range illegalNames {
			c.Ask(name.why, c.fetching(fetchTopic{Topic: name.text, Partitions: []fetchPartition{fetchFrom(0, 0)}}))
		}
	}},
	{Name: "limits on bytes", Key: wire.KeyFetch, Hold: func(c *Conversation) {
		c.Create("t", 2)
		for _, letter := range []string{"a", "b", "c"} {
			c.Produce("t", 0, c.hundreds(letter))
			c.Produce("t", 1, c.hundreds(letter))
		}
		both := func(partitionMax, bytesMax int32) *wire.FetchRequest {
			q := c.fetching(c.topicToFetch("t", withBytes(fetchFrom(0, 0), partitionMax), withBytes(fetchFrom(1, 0), partitionMax)))
			q.MaxBytes = bytesMax
			return q
		}
		const all = 1 << 20
		c.Ask("one byte of each partition", both(1, all))
		c.Ask("one byte", both(all, 1))
		c.Ask("one byte and one of each partition", both(1, 1))
		c.Ask("two batches of each partition", both(800, all))
		c.Ask("four batches", both(all, 1600))
		c.Ask("none of each partition", both(0, all))
		c.Ask("none", both(all, 0))
		c.Ask("less than none of each partition", both(-1, all))
		c.Ask("less than none", both(all, -1))
		c.Ask("the first is at its end", func() *wire.FetchRequest {
			q := c.fetching(c.topicToFetch("t", withBytes(fetchFrom(0, 3), 1), withBytes(fetchFrom(1, 1), 1)))
			q.MaxBytes = 1
			return q
		}())
	}},
	{Name: "how long to wait", Key: wire.KeyFetch, Hold: func(c *Conversation) {
		const wait = 300
		c.Create("t", 2)
		c.Produce("t", 0, newBatch(c.Base(), "a").bytes())
		ask := func(topic string, partition int32, offset int64, waitMs, bytesMin int32) *wire.FetchRequest {
			q := c.fetchOne(topic, partition, offset)
			q.MaxWaitMs, q.MinBytes = waitMs, bytesMin
			return q
		}
		const forLong = 20_000
		c.AskWaiting("nothing there", wait*time.Millisecond, ask("t", 0, 1, wait, 1))
		c.AskWaiting("less there than asked for", wait*time.Millisecond, ask("t", 0, 0, wait, 10_000))
		c.AskWaiting("as much there as asked for", forLong*time.Millisecond, ask("t", 0, 0, forLong, 1))
		c.AskWaiting("nothing asked for", forLong*time.Millisecond, ask("t", 0, 1, forLong, 0))
		c.AskWaiting("less than nothing asked for", forLong*time.Millisecond, ask("t", 0, 1, forLong, -1))
		c.AskWaiting("an unknown partition", forLong*time.Millisecond, ask("t", 7, 0, forLong, 1))
		c.AskWaiting("out of range", forLong*time.Millisecond, ask("t", 0, 9, forLong, 1))
		c.AskWaiting("no time", forLong*time.Millisecond, ask("t", 0, 1, 0, 1))
		c.AskWaiting("time below zero", forLong*time.Millisecond, ask("t", 0, 1, -1, 1))
		c.AskWaiting("no partitions", forLong*time.Millisecond, func() *wire.FetchRequest {
			q := c.fetching()
			q.MaxWaitMs = forLong
			return q
		}())
	}},
	{Name: "woken by a produce", Key: wire.KeyFetch, Hold: func(c *Conversation) {
		const forLong = 25_000
		c.Create("t", 2)
		q := c.fetching(c.topicToFetch("t", fetchFrom(0, 0), fetchFrom(1, 0)))
		q.MaxWaitMs = forLong
		answer := c.Start("one record", q)
		c.Produce("t", 1, newBatch(c.Base(), "a").bytes())
		answer()
		q.MinBytes = 500
		answer = c.Start("as many as asked for", q)
		c.Produce("t", 0, c.hundreds("b"))
		c.Tick() // else Kafka may read the second while it counts the first, and give the high watermark it had before
		c.Produce("t", 0, c.hundreds("c"))
		answer()
	}},
	{Name: "isolation", Key: wire.KeyFetch, From: 4, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.Produce("t", 0, newBatch(c.Base(), "a").bytes(), newBatch(c.Base(), "b").by(c.NewProducer(), 0, 0).bytes())
		for level, name := range []string{"read uncommitted", "read committed", "none there is"} {
			q := c.fetchOne("t", 0, 0)
			q.IsolationLevel = int8(level)
			c.Ask(name, q)
		}
		q := c.fetchOne("t", 0, 7)
		q.IsolationLevel = 1
		c.Ask("read committed out of range", q)
		q = c.fetchOne("t", 0, 2)
		q.IsolationLevel = 1
		c.Ask("read committed at the end", q)
	}},
	{Name: "leader epochs", Key: wire.KeyFetch, From: 9, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.Produce("t", 0, newBatch(c.Base(), "a").bytes())
		in := func(current, last int32) *wire.FetchRequest {
			p := fetchFrom(0, 0)
			p.CurrentLeaderEpoch, p.LastFetchedEpoch = current, last
			return c.fetching(c.topicToFetch("t", p))
		}
		c.Ask("the current one", in(0, -1))
		c.Ask("one to come", in(5, -1))
		c.Ask("minus two", in(-2, -1))
		c.Ask("last fetched in the current one", in(0, 0))
		c.Ask("last fetched in one to come", in(0, 5))
		c.Ask("last fetched at the end", func() *wire.FetchRequest {
			p := fetchFrom(0, 1)
			p.CurrentLeaderEpoch, p.LastFetchedEpoch = 0, 0
			return c.fetching(c.topicToFetch("t", p))
		}())
		c.Ask("one to come, out of range", func() *wire.FetchRequest {
			p := fetchFrom(0, 17)
			p.CurrentLeaderEpoch = 3
			return c.fetching(c.topicToFetch("t", p))
		}())
	}},
	{Name: "who asks", Key: wire.KeyFetch, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.Produce("t", 0, newBatch(c.Base(), "a").bytes())
		from := func(replica int32, rack string) *wire.FetchRequest {
			q := c.fetchOne("t", 0, 0)
			q.ReplicaID, q.ReplicaState.ReplicaID, q.RackID = replica, replica, rack
			return q
		}
		c.Ask("a consumer in a rack", from(-1, "east"))
		c.Ask("a debugger", from(-2, ""))
		c.Ask("a broker that there is not", from(99, ""))
	}},
}

// fetchFormatScripts read records in every format from fetches of every age.
var fetchFormatScripts = []Script{
	{Name: "what a record can hold", Key: wire.KeyFetch, Hold: func(c *Conversation) {
		c.Create("t", 1)
		b := newBatch(c.Base(), "null key", "null value", "headers", "empty")
		b.recs[0].Key, b.recs[1].Value = nil, nil
		b.recs[2].Headers = append(b.recs[2].Headers, headerOf("h", "1"), headerOf("h", "2"))
		b.recs[3].Key, b.recs[3].Value = []byte{}, []byte{}
		c.Produce("t", 0, b.bytes())
		c.Ask("fetch", c.fetchOne("t", 0, 0))
	}},
	{Name: "codecs", Key: wire.KeyFetch, Hold: func(c *Conversation) {
		for codec, name := range codecNames {
			c.Create(name, 1)
			c.Produce(name, 0, newBatch(c.Base(), "a", "b", "c").in(int16(codec)).bytes(), newBatch(c.Base()+5, "d").in(int16(codec)).bytes())
			c.Ask(name, c.fetchOne(name, 0, 0))
			c.Ask(name+" from the middle", c.fetchOne(name, 0, 1))
		}
		c.Ask("zstd beside good ones", c.fetching(c.topicToFetch("zstd", fetchFrom(0, 0)), c.topicToFetch("gzip", fetchFrom(0, 0)), c.topicToFetch("none", fetchFrom(0, 0))))
	}},
	{Name: "the server's time", Key: wire.KeyFetch, Hold: func(c *Conversation) {
		c.Create("t", 1, "message.timestamp.type", "LogAppendTime")
		c.Produce("t", 0, newBatch(c.Base(), "a", "b").bytes(), newBatch(c.Base(), "c", "d").in(gzip).bytes())
		c.Ask("fetch", c.fetchOne("t", 0, 0))
	}},
	{Name: "idempotent batches", Key: wire.KeyFetch, Hold: func(c *Conversation) {
		c.Create("t", 1)
		id := c.NewProducer()
		c.Produce("t", 0, newBatch(c.Base(), "a").by(id, 0, 0).bytes(), newBatch(c.Base(), "b", "c").by(id, 0, 1).bytes())
		c.Ask("fetch", c.fetchOne("t", 0, 0))
	}},
	{Name: "old formats", Key: wire.KeyFetch, Needs: []Need{{wire.KeyProduce, 0}, {wire.KeyProduce, 2}}, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.produceAt(0, "t", 0, messageSet(0, c.Base(), "a", "b"))
		c.produceAt(2, "t", 0, messageSet(1, c.Base(), "c", "d"))
		c.produceAt(2, "t", 0, wrapped(1, gzip, c.Base(), 2, messageSet(1, c.Base(), "e", "f")))
		c.produceAt(7, "t", 0, newBatch(c.Base(), "g").bytes())
		c.Ask("fetch", c.fetchOne("t", 0, 0))
		c.Ask("from the middle", c.fetchOne("t", 0, 3))
	}},
	{Name: "old formats within limits", Key: wire.KeyFetch, Until: 4, Hold: func(c *Conversation) {
		c.Create("t", 1)
		for _, letter := range []string{"a", "b", "c"} {
			c.Produce("t", 0, c.hundreds(letter))
		}
		for _, limit := range []struct {
			what string
			max  int32
		}{{"one byte", 1}, {"part of a message", 200}, {"a message and a half", 600}, {"two messages", 800}} {
			c.Ask(limit.what, c.fetching(c.topicToFetch("t", withBytes(fetchFrom(0, 0), limit.max))))
		}
		q := c.fetchOne("t", 0, 0)
		q.MaxBytes = 1
		c.Ask("one byte of the whole", q)
	}},
}

// fetchSessionScripts are about incremental fetches (KIP-227).
var fetchSessionScripts = []Script{
	{Name: "a session", Key: wire.KeyFetch, From: 7, Hold: func(c *Conversation) {
		c.Create("t", 3)
		c.Produce("t", 0, newBatch(c.Base(), "a").bytes())
		q := c.fetching(c.topicToFetch("t", fetchFrom(0, 0), fetchFrom(1, 0)))
		q.SessionEpoch = 0
		session := fetched(c.Ask("begins", q)).SessionID
		next := func(epoch int32, topics ...fetchTopic) *wire.FetchRequest {
			q := c.fetching(topics...)
			q.SessionID, q.SessionEpoch = session, epoch
			return q
		}
		c.Ask("goes on where nothing moved", next(1))
		c.Ask("moves an offset", next(2, c.topicToFetch("t", fetchFrom(0, 1))))
		c.Ask("has nothing to say", next(3))
		c.Produce("t", 1, newBatch(c.Base(), "b").bytes())
		c.Ask("has something new", next(4))
		c.Ask("adds a partition", next(5, c.topicToFetch("t", fetchFrom(1, 1), fetchFrom(2, 0))))
		c.Produce("t", 2, newBatch(c.Base(), "c").bytes())
		c.Ask("gives the added one", next(6))
		forget := next(7)
		forget.ForgottenTopicsData = []wire.FetchRequestForgottenTopic{{Topic: c.Topic("t"), TopicID: c.topicToFetch("t").TopicID, Partitions: []int32{2}}}
		c.Ask("forgets a partition", forget)
		c.Produce("t", 0, newBatch(c.Base(), "d").bytes())
		c.Ask("gives what is left", next(8))
		c.Ask("repeats an epoch", next(8))
		c.Ask("skips an epoch", next(20))
		c.Ask("goes on after that", next(9))
		c.Ask("ends", next(-1))
		c.Ask("is gone", next(10))
	}},
	{Name: "sessions that are not there", Key: wire.KeyFetch, From: 7, Hold: func(c *Conversation) {
		c.Create("t", 1)
		for _, s := range []struct {
			what      string
			id, epoch int32
		}{
			{"unknown, going on", 123456789, 1}, {"unknown, beginning", 123456789, 0}, {"unknown, ending", 123456789, -1},
			{"none, going on", 0, 1}, {"none, epoch minus two", 0, -2}, {"id below zero", -1, 1},
		} {
			q := c.fetchOne("t", 0, 0)
			q.SessionID, q.SessionEpoch = s.id, s.epoch
			c.Ask(s.what, q)
		}
	}},
	{Name: "errors in a session", Key: wire.KeyFetch, From: 7, Hold: func(c *Conversation) {
		c.Create("t", 1)
		q := c.fetching(c.topicToFetch("t", fetchFrom(0, 0), fetchFrom(7, 0)), fetchTopic{Topic: c.Topic("none"), TopicID: kbin.UUID{9}, Partitions: []fetchPartition{fetchFrom(0, 0)}})
		q.SessionEpoch = 0
		session := fetched(c.Ask("begins", q)).SessionID
		next := func(epoch int32, topics ...fetchTopic) *wire.FetchRequest {
			q := c.fetching(topics...)
			q.SessionID, q.SessionEpoch = session, epoch
			return q
		}
		c.Ask("goes on", next(1))
		c.Ask("asks out of range", next(2, c.topicToFetch("t", fetchFrom(0, 5))))
		c.Ask("goes on again", next(3))
		c.Ask("is healed", next(4, c.topicToFetch("t", fetchFrom(0, 0))))
		c.Produce("t", 0, newBatch(c.Base(), "a").bytes())
		c.Ask("has something new", next(5))
	}},
	{Name: "a session begun anew", Key: wire.KeyFetch, From: 7, Hold: func(c *Conversation) {
		c.Create("t", 1)
		q := c.fetchOne("t", 0, 0)
		q.SessionEpoch = 0
		session := fetched(c.Ask("begins", q)).SessionID
		q.SessionID = session
		c.Ask("begins anew in its place", q)
		q.Topics, q.SessionEpoch = nil, 1
		c.Ask("the old one goes on", q)
	}},
	{Name: "a session without partitions", Key: wire.KeyFetch, From: 7, Hold: func(c *Conversation) {
		q := c.fetching()
		q.SessionEpoch = 0
		c.Ask("begins", q)
	}},
	{Name: "a session woken by a produce", Key: wire.KeyFetch, From: 7, Hold: func(c *Conversation) {
		c.Create("t", 2)
		q := c.fetching(c.topicToFetch("t", fetchFrom(0, 0), fetchFrom(1, 0)))
		q.SessionEpoch = 0
		session := fetched(c.Ask("begins", q)).SessionID
		q = c.fetching()
		q.SessionID, q.SessionEpoch, q.MaxWaitMs = session, 1, 25_000
		answer := c.Start("waits", q)
		c.Produce("t", 1, newBatch(c.Base(), "a").bytes())
		answer()
	}},
	{Name: "a session whose topic goes", Key: wire.KeyFetch, From: 7, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.Produce("t", 0, newBatch(c.Base(), "a").bytes())
		q := c.fetchOne("t", 0, 0)
		q.SessionEpoch = 0
		session := fetched(c.Ask("begins", q)).SessionID
		c.clean()
		c.AwaitGone("t")
		q = c.fetching()
		q.SessionID, q.SessionEpoch = session, 1
		c.Ask("goes on", q)
	}},
}

// fetched is an answer as the type it has.
func fetched(m wire.Message) *wire.FetchResponse { return m.(*wire.FetchResponse) }
