package differ

import (
	"fmt"
	"strings"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// Aliases of the long names that requests are built of.
type (
	produceTopic     = wire.ProduceRequestTopicProduceData
	producePartition = wire.ProduceRequestPartitionProduceData
)

// part is a partition's share of a produce request.
func partOf(index int32, records []byte) producePartition {
	return producePartition{Index: index, Records: kbin.Records{Bytes: records}}
}

// produceTo is a produce request for any number of topics.
func produceTo(acks int16, topics ...produceTopic) *wire.ProduceRequest {
	return &wire.ProduceRequest{Acks: acks, TimeoutMs: 10_000, TopicData: topics}
}

var produceScripts = []Script{
	{Name: "records one after the other", Key: wire.KeyProduce, Hold: func(c *Conversation) {
		c.Create("t", 2)
		c.Ask("acks of all", c.produce(-1, "t", 0, c.records("a", "b", "c")))
		c.Ask("acks of the leader", c.produce(1, "t", 0, c.records("d")))
		c.Ask("another partition", c.produce(-1, "t", 1, c.records("e")))
		c.Ask("behind the first", c.produce(-1, "t", 0, c.records("f", "g")))
		c.fetchAll("what is there", "t", 0)
	}},
	{Name: "unknown beside good", Key: wire.KeyProduce, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.Ask("an unknown partition", c.produce(-1, "t", 7, c.records("a")))
		c.Ask("a partition below zero", c.produce(-1, "t", -1, c.records("a")))
		c.Ask("an unknown topic", c.produce(-1, "none", 0, c.records("a")))
		c.Ask("an unknown partition beside a good one", produceTo(-1, produceTopic{Name: c.Topic("t"), PartitionData: []producePartition{
			partOf(0, c.records("a")), partOf(7, c.records("b")),
		}}))
		c.Ask("an unknown topic beside a good one", produceTo(-1,
			produceTopic{Name: c.Topic("none"), PartitionData: []producePartition{partOf(0, c.records("b"))}},
			produceTopic{Name: c.Topic("t"), PartitionData: []producePartition{partOf(0, c.records("c"))}}))
		c.Ask("a good one afterwards", c.produce(-1, "t", 0, c.records("d")))
	}},
	{Name: "names that no topic can have", Key: wire.KeyProduce, Hold: func(c *Conversation) {
		for _, name := range illegalNames {
			q := produceTo(-1, produceTopic{Name: name.text, PartitionData: []producePartition{partOf(0, c.records("a"))}})
			c.Ask(name.why, q)
		}
	}},
	{Name: "nothing to add", Key: wire.KeyProduce, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.Ask("no topics", produceTo(-1))
		c.Ask("no partitions", produceTo(-1, produceTopic{Name: c.Topic("t")}))
		c.Ask("empty records", c.produce(-1, "t", 0, []byte{}))
	}},
	{Name: "twice in a request", Key: wire.KeyProduce, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.Ask("a partition", produceTo(-1, produceTopic{Name: c.Topic("t"), PartitionData: []producePartition{
			partOf(0, c.records("a")), partOf(0, c.records("b", "c")),
		}}))
		c.Ask("a topic", produceTo(-1,
			produceTopic{Name: c.Topic("t"), PartitionData: []producePartition{partOf(0, c.records("d"))}},
			produceTopic{Name: c.Topic("t"), PartitionData: []producePartition{partOf(0, c.records("e", "f"))}}))
		c.Ask("afterwards", c.produce(-1, "t", 0, c.records("g")))
	}},
	{Name: "acks", Key: wire.KeyProduce, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.Ask("two", c.produce(2, "t", 0, c.records("a")))
		c.Ask("minus two", c.produce(-2, "t", 0, c.records("a")))
		c.Ask("two, and an unknown topic", c.produce(2, "none", 0, c.records("a")))
		c.Tell("none", c.produce(0, "t", 0, c.records("b")))
		c.AwaitEnd("t", 0, 1)
		c.Tell("none, and an unknown topic", c.produce(0, "none", 0, c.records("c")))
		c.Tell("none, and damaged records", c.produce(0, "t", 0, spoilt(c.records("d"))))
		c.Tell("none, and no topics", produceTo(0))
		c.Ask("all, afterwards", c.produce(-1, "t", 0, c.records("e")))
	}},
	{Name: "many in flight", Key: wire.KeyProduce, Hold: func(c *Conversation) {
		c.Create("t", 2)
		var answers []func() wire.Message
		for i := range 12 {
			answers = append(answers, c.Start(fmt.Sprintf("request %d", i), c.produce(-1, "t", int32(i%3), c.records("a", "b"))))
		}
		for _, answer := range answers {
			answer()
		}
	}},
	{Name: "time to wait for replicas", Key: wire.KeyProduce, Hold: func(c *Conversation) {
		c.Create("t", 1)
		for _, ms := range []int32{0, -1} {
			q := c.produce(-1, "t", 0, c.records("a"))
			q.TimeoutMs = ms
			c.Ask(fmt.Sprint(ms), q)
		}
	}},
	{Name: "too large", Key: wire.KeyProduce, Hold: func(c *Conversation) {
		c.Create("t", 1, "max.message.bytes", "300")
		c.Create("u", 1)
		c.Ask("for the topic", c.produce(-1, "t", 0, c.records(strings.Repeat("x", 300))))
		c.Ask("for the topic beside a good one", produceTo(-1,
			produceTopic{Name: c.Topic("t"), PartitionData: []producePartition{partOf(0, c.records(strings.Repeat("x", 300)))}},
			produceTopic{Name: c.Topic("u"), PartitionData: []producePartition{partOf(0, c.records(strings.Repeat("x", 300)))}}))
		c.Ask("not too large", c.produce(-1, "t", 0, c.records(strings.Repeat("x", 50))))
		c.Ask("for the broker", c.produce(-1, "u", 0, c.records(strings.Repeat("x", 1<<20))))
	}},
	{Name: "the server's time", Key: wire.KeyProduce, Hold: func(c *Conversation) {
		c.Create("t", 1, "message.timestamp.type", "LogAppendTime")
		c.Ask("plain", c.produce(-1, "t", 0, c.records("a", "b")))
		c.fetchAll("what is there", "t", 0)
	}},
	{Name: "the server's time, compressed", Key: wire.KeyProduce, From: 3, Hold: func(c *Conversation) {
		c.Create("t", 1, "message.timestamp.type", "LogAppendTime")
		c.Ask("gzip", c.produce(-1, "t", 0, newBatch(c.Base(), "a", "b").in(gzip).bytes()))
		c.Ask("lz4", c.produce(-1, "t", 0, newBatch(c.Base(), "c", "d").in(lz4).bytes()))
		c.Ask("stamped by the producer", c.produce(-1, "t", 0, newBatch(c.Base(), "e").in(8).bytes()))
		c.fetchAll("what is there", "t", 0)
	}},
	{Name: "timestamps that are not usual", Key: wire.KeyProduce, From: 2, Hold: func(c *Conversation) {
		const hour, year2100 = 3_600_000, 4_102_444_800_000
		at := func(ms int64, values ...string) []byte {
			if formatOf(c.Version) < 2 {
				return messageSet(1, ms, values...)
			}
			return newBatch(ms, values...).bytes()
		}
		c.Create("any", 1, "retention.ms", "-1")
		c.Create("narrow", 1, "message.timestamp.before.max.ms", "60000", "message.timestamp.after.max.ms", "60000")
		c.Ask("none", c.produce(-1, "any", 0, at(-1, "a")))
		c.Ask("minus two", c.produce(-1, "any", 0, at(-2, "a")))
		c.Ask("zero", c.produce(-1, "any", 0, at(0, "a")))
		c.Ask("of the year 2100", c.produce(-1, "any", 0, at(year2100, "a")))
		c.Ask("two hours old, one minute allowed", c.produce(-1, "narrow", 0, at(c.Base(), "a", "b", "c")))
		c.Ask("two hours ahead, one minute allowed", c.produce(-1, "narrow", 0, at(c.Base()+4*hour, "a", "b")))
		c.Ask("none, one minute allowed", c.produce(-1, "narrow", 0, at(-1, "a")))
		c.Ask("now, one minute allowed", c.produce(-1, "narrow", 0, at(c.Base()+2*hour, "a")))
	}},
	{Name: "a compacted topic", Key: wire.KeyProduce, Hold: func(c *Conversation) {
		c.Create("t", 1, "cleanup.policy", "compact")
		c.Ask("keys", c.produce(-1, "t", 0, c.records("a")))
		c.Ask("no key", c.produce(-1, "t", 0, c.keyless("a")))
		c.Ask("no key beside a good one", produceTo(-1, produceTopic{Name: c.Topic("t"), PartitionData: []producePartition{partOf(0, c.keyless("b"))}},
			produceTopic{Name: c.Topic("none"), PartitionData: []producePartition{partOf(0, c.keyless("b"))}}))
		if formatOf(c.Version) == 2 {
			b := newBatch(c.Base(), "a", "b", "c", "d")
			b.recs[1].Key, b.recs[3].Key = nil, nil
			c.Ask("some without a key", c.produce(-1, "t", 0, b.bytes()))
			c.Ask("some without a key, compressed", c.produce(-1, "t", 0, b.in(zstdOrGzip(c.Version)).bytes()))
		}
		c.Ask("keys again", c.produce(-1, "t", 0, c.records("c")))
	}},
	{Name: "a transaction that was not begun", Key: wire.KeyProduce, From: 3, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.AwaitCoordinator()
		id := c.Topic("transactional")
		q := c.produce(-1, "t", 0, newBatch(c.Base(), "a").by(c.NewProducer(), 0, 0).in(16).bytes())
		c.Ask("without a transactional id", q)
		q.TransactionalID = &id
		c.Ask("with one", q)
		q = c.produce(-1, "t", 0, newBatch(c.Base(), "a").by(c.NewProducer(), 0, 0).bytes())
		q.TransactionalID = &id
		c.Ask("a batch that is not transactional", q)
	}},
	{Name: "a topic that is gone", Key: wire.KeyProduce, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.Ask("before", c.produce(-1, "t", 0, c.records("a")))
		c.clean()
		c.AwaitGone("t")
		c.Ask("gone", c.produce(-1, "t", 0, c.records("b")))
		c.Create("t", 1)
		c.Ask("back", c.produce(-1, "t", 0, c.records("c")))
	}},
}

// illegalNames are names that Kafka refuses a topic, each for a reason of its own.
var illegalNames = []struct{ why, text string }{
	{"empty", ""}, {"a dot", "."}, {"two dots", ".."}, {"a slash", "a/b"}, {"a space", "a b"}, {"a letter beyond ASCII", "ä"},
	{"250 characters", strings.Repeat("a", 250)},
}

// keyless is one record without a key, in the format of a version of Produce.
func (c *Conversation) keyless(value string) []byte {
	if magic := formatOf(c.Version); magic < 2 {
		return message{magic: magic, at: c.Base(), value: []byte(value)}.bytes()
	}
	b := newBatch(c.Base(), value)
	b.recs[0].Key = nil
	return b.bytes()
}

func zstdOrGzip(version int16) int16 {
	if version >= 7 { // KIP-110
		return zstd
	}
	return gzip
}

// spoilt is b with its last bit turned, so that no checksum is right.
func spoilt(b []byte) []byte {
	b[len(b)-1] ^= 1
	return b
}

// fetchAll is a recorded step that reads a partition from its start, in a version of Fetch that every server has.
func (c *Conversation) fetchAll(step, topic string, partition int32) {
	c.AskAt(step, 11, c.fetch(topic, partition, 0))
}

// fetch is a request to read one partition, which does not wait.
func (c *Conversation) fetch(topic string, partition int32, offset int64) *wire.FetchRequest {
	return &wire.FetchRequest{ReplicaID: -1, ReplicaState: wire.FetchRequestReplicaState{ReplicaID: -1, ReplicaEpoch: -1},
		MinBytes: 1, MaxBytes: 1 << 20, SessionEpoch: -1,
		Topics: []wire.FetchRequestFetchTopic{{Topic: c.Topic(topic), Partitions: []wire.FetchRequestFetchPartition{fetchFrom(partition, offset)}}}}
}

func fetchFrom(partition int32, offset int64) wire.FetchRequestFetchPartition {
	return wire.FetchRequestFetchPartition{Partition: partition, CurrentLeaderEpoch: -1, FetchOffset: offset, LastFetchedEpoch: -1, LogStartOffset: -1, PartitionMaxBytes: 1 << 20}
}
