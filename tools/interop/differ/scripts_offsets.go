package differ

import (
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/wire"
)

type (
	listTopic     = wire.ListOffsetsRequestListOffsetsTopic
	listPartition = wire.ListOffsetsRequestListOffsetsPartition
	epochTopic    = wire.OffsetForLeaderEpochRequestOffsetForLeaderTopic
	epochAsked    = wire.OffsetForLeaderEpochRequestOffsetForLeaderPartition
)

// The timestamps of ListOffsets that are no timestamps.
const (
	latest        = -1
	earliest      = -2
	largestStamp  = -3 // KIP-734
	earliestLocal = -4 // KIP-405
	latestTiered  = -5 // KIP-1005
)

func listing(topics ...listTopic) *wire.ListOffsetsRequest {
	return &wire.ListOffsetsRequest{ReplicaID: -1, Topics: topics, TimeoutMs: 10_000}
}

func offsetAt(partition int32, timestamp int64) listPartition {
	return listPartition{PartitionIndex: partition, CurrentLeaderEpoch: -1, Timestamp: timestamp, MaxNumOffsets: 1}
}

// listOne asks for one offset of one partition.
func (c *Conversation) listOne(topic string, partition int32, timestamp int64) *wire.ListOffsetsRequest {
	return listing(listTopic{Name: c.Topic(topic), Partitions: []listPartition{offsetAt(partition, timestamp)}})
}

var listOffsetsScripts = []Script{
	{Name: "by time", Key: wire.KeyListOffsets, Hold: func(c *Conversation) {
		c.Create("t", 2)
		at := c.Base()
		c.Produce("t", 0, newBatch(at, "a", "b", "c").bytes(), newBatch(at+100, "d", "e").in(gzip).bytes(), newBatch(at+50, "f").bytes())
		for _, partition := range []int32{0, 1} {
			where := []string{"", ", where nothing is"}[partition]
			c.Ask("latest"+where, c.listOne("t", partition, latest))
			c.Ask("earliest"+where, c.listOne("t", partition, earliest))
			c.Ask("long ago"+where, c.listOne("t", partition, 1))
			c.Ask("zero"+where, c.listOne("t", partition, 0))
			c.Ask("the future"+where, c.listOne("t", partition, at+1_000_000_000))
			c.Ask("largest timestamp"+where, c.listOne("t", partition, largestStamp))
			c.Ask("earliest on this disk"+where, c.listOne("t", partition, earliestLocal))
			c.Ask("latest in tiers"+where, c.listOne("t", partition, latestTiered))
		}
		for _, ms := range []int64{0, 1, 2, 3, 50, 99, 100, 101, 102} {
			c.Ask(fmt.Sprintf("base%+d", ms), c.listOne("t", 0, at+ms))
		}
		for _, ms := range []int64{-6, -7, -100} {
			c.Ask(fmt.Sprint(ms), c.listOne("t", 0, ms))
		}
	}},
	{Name: "unknown beside good", Key: wire.KeyListOffsets, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.Produce("t", 0, newBatch(c.Base(), "a").bytes())
		c.Ask("an unknown partition", c.listOne("t", 7, latest))
		c.Ask("a partition below zero", c.listOne("t", -1, latest))
		c.Ask("an unknown topic", c.listOne("none", 0, latest))
		c.Ask("unknown ones beside a good one", listing(
			listTopic{Name: c.Topic("none"), Partitions: []listPartition{offsetAt(0, latest)}},
			listTopic{Name: c.Topic("t"), Partitions: []listPartition{offsetAt(0, latest), offsetAt(7, earliest)}}))
		c.Ask("a partition twice", listing(listTopic{Name: c.Topic("t"), Partitions: []listPartition{offsetAt(0, latest), offsetAt(0, earliest)}}))
		c.Ask("nothing", listing())
		c.Ask("no partitions", listing(listTopic{Name: c.Topic("t")}))
		for _, name := range illegalNames {
			c.Ask(name.why, listing(listTopic{Name: name.text, Partitions: []listPartition{offsetAt(0, latest)}}))
		}
	}},
	{Name: "how many", Key: wire.KeyListOffsets, Until: 1, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.Produce("t", 0, newBatch(c.Base(), "a", "b").bytes())
		for _, n := range []int32{-1, 0, 1, 2, 10} {
			for _, when := range []int64{latest, earliest, c.Base() + 1} {
				q := c.listOne("t", 0, when)
				q.Topics[0].Partitions[0].MaxNumOffsets = n
				c.Ask(fmt.Sprintf("%d at %s", n, map[int64]string{latest: "the end", earliest: "the start", c.Base() + 1: "a time"}[when]), q)
			}
		}
	}},
	{Name: "isolation", Key: wire.KeyListOffsets, From: 2, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.Produce("t", 0, newBatch(c.Base(), "a", "b").bytes())
		for level, name := range []string{"read uncommitted", "read committed", "none there is"} {
			for _, when := range []int64{latest, earliest, c.Base() + 1} {
				q := c.listOne("t", 0, when)
				q.IsolationLevel = int8(level)
				c.Ask(fmt.Sprintf("%s at %s", name, map[int64]string{latest: "the end", earliest: "the start", c.Base() + 1: "a time"}[when]), q)
			}
		}
	}},
	{Name: "leader epochs", Key: wire.KeyListOffsets, From: 4, Hold: func(c *Conversation) {
		c.Create("t", 1)
		for _, epoch := range []int32{0, 3, -2} {
			q := c.listOne("t", 0, latest)
			q.Topics[0].Partitions[0].CurrentLeaderEpoch = epoch
			c.Ask(fmt.Sprint(epoch), q)
		}
	}},
	{Name: "who asks", Key: wire.KeyListOffsets, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.Produce("t", 0, newBatch(c.Base(), "a").bytes())
		for _, replica := range []int32{-2, 99} {
			q := c.listOne("t", 0, latest)
			q.ReplicaID = replica
			c.Ask(fmt.Sprint(replica), q)
		}
	}},
	{Name: "the server's time", Key: wire.KeyListOffsets, Hold: func(c *Conversation) {
		c.Create("t", 1, "message.timestamp.type", "LogAppendTime")
		c.Produce("t", 0, newBatch(c.Base(), "a", "b").bytes())
		c.Tick()
		c.Produce("t", 0, newBatch(c.Base(), "c", "d").in(zstd).bytes())
		c.Ask("a time before", c.listOne("t", 0, c.Base()))
		c.Ask("largest timestamp", c.listOne("t", 0, largestStamp))
	}},
	{Name: "largest timestamp", Key: wire.KeyListOffsets, From: 7, Hold: func(c *Conversation) {
		c.Create("t", 4)
		at := c.Base()
		c.Produce("t", 0, newBatch(at, "a", "b").bytes(), newBatch(at+50, "c", "d").bytes(), newBatch(at+20, "e").bytes())
		c.Produce("t", 1, newBatch(at, "a", "b", "c").in(lz4).bytes(), newBatch(at+2, "d").bytes())
		disordered := newBatch(at, "a", "b", "c")
		disordered.recs[0].TimestampDelta64, disordered.recs[2].TimestampDelta64 = 9, 3
		disordered.MaxTimestamp = at + 9
		c.Produce("t", 2, disordered.bytes())
		c.Produce("t", 3, newBatch(-1, "a").bytes())
		for partition := range int32(4) {
			c.Ask([]string{"in the middle", "in two batches", "out of order", "no timestamps"}[partition], c.listOne("t", partition, largestStamp))
		}
	}},
}

var offsetForLeaderEpochScripts = []Script{
	{Name: "epochs", Key: wire.KeyOffsetForLeaderEpoch, Hold: func(c *Conversation) {
		c.Create("t", 2)
		c.Produce("t", 0, newBatch(c.Base(), "a", "b", "c").bytes())
		ask := func(partition, current, epoch int32) *wire.OffsetForLeaderEpochRequest {
			return &wire.OffsetForLeaderEpochRequest{ReplicaID: -1, Topics: []epochTopic{{Topic: c.Topic("t"),
				Partitions: []epochAsked{{Partition: partition, CurrentLeaderEpoch: current, LeaderEpoch: epoch}}}}}
		}
		c.Ask("the current one", ask(0, -1, 0))
		c.Ask("the current one, knowing it", ask(0, 0, 0))
		c.Ask("one to come", ask(0, -1, 7))
		c.Ask("none", ask(0, -1, -1))
		c.Ask("minus two", ask(0, -1, -2))
		c.Ask("the current one, knowing one to come", ask(0, 5, 0))
		c.Ask("the current one, knowing minus two", ask(0, -2, 0))
		c.Ask("of an empty partition", ask(1, -1, 0))
		c.Ask("one to come of an empty partition", ask(1, 0, 7))
		c.Ask("of an unknown partition", ask(9, -1, 0))
	}},
	{Name: "unknown beside good", Key: wire.KeyOffsetForLeaderEpoch, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.Produce("t", 0, newBatch(c.Base(), "a").bytes())
		one := epochAsked{CurrentLeaderEpoch: -1}
		ask := func(replica int32, topics ...epochTopic) *wire.OffsetForLeaderEpochRequest {
			return &wire.OffsetForLeaderEpochRequest{ReplicaID: replica, Topics: topics}
		}
		good, unknown := epochTopic{Topic: c.Topic("t"), Partitions: []epochAsked{one}}, epochTopic{Topic: c.Topic("none"), Partitions: []epochAsked{one}}
		c.Ask("both", ask(-1, unknown, good))
		c.Ask("unknown", ask(-1, unknown))
		c.Ask("nothing", ask(-1))
		c.Ask("no partitions", ask(-1, epochTopic{Topic: c.Topic("t")}))
		c.Ask("a debugger", ask(-2, good))
		c.Ask("a broker that there is not", ask(99, good))
		for _, name := range illegalNames {
			c.Ask(name.why, ask(-1, epochTopic{Topic: name.text, Partitions: []epochAsked{one}}))
		}
	}},
}
