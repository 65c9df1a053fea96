package differ

import (
	"fmt"
	"math"
	"strings"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

type (
	newTopic      = wire.CreateTopicsRequestCreatableTopic
	newAssignment = wire.CreateTopicsRequestCreatableReplicaAssignment
	newConfig     = wire.CreateTopicsRequestCreatableTopicConfig
	oldTopic      = wire.DeleteTopicsRequestDeleteTopicState
	moreOf        = wire.CreatePartitionsRequestCreatePartitionsTopic
	moreAssigned  = wire.CreatePartitionsRequestCreatePartitionsAssignment
)

func creating(topics ...newTopic) *wire.CreateTopicsRequest {
	return &wire.CreateTopicsRequest{Topics: topics, TimeoutMs: 10_000}
}

// topicOf is a topic of the conversation to create, with one copy of each partition.
func (c *Conversation) topicOf(name string, partitions int32) newTopic {
	return newTopic{Name: c.Topic(name), NumPartitions: partitions, ReplicationFactor: 1}
}

// asks is Ask for topics to create, those that are created being deleted in the end.
func (c *Conversation) asks(step string, topics ...newTopic) {
	for _, t := range topics {
		c.created = append(c.created, t.Name)
	}
	c.Ask(step, creating(topics...))
}

var createTopicsScripts = []Script{
	{Name: "one after the other", Key: wire.KeyCreateTopics, Hold: func(c *Conversation) {
		c.asks("new", c.topicOf("t", 3))
		c.AwaitTopic("t", 3)
		c.asks("it exists", c.topicOf("t", 3))
		c.asks("it exists, beside a new one", c.topicOf("t", 1), c.topicOf("u", 1))
		c.AwaitTopic("u", 1)
		c.asks("nothing")
		c.AskAt("both", 9, metadataOf(c.Topic("t"), c.Topic("u")))
	}},
	{Name: "settings of a new topic", Key: wire.KeyCreateTopics, From: 5, Hold: func(c *Conversation) {
		c.allConfigs = true
		c.asks("defaults", c.topicOf("t", 1))
		t := c.topicOf("u", 1)
		t.Configs = configs("retention.ms", "1000", "cleanup.policy", "compact")
		c.asks("two of its own", t)
	}},
	{Name: "names that no topic can have", Key: wire.KeyCreateTopics, Hold: func(c *Conversation) {
		for _, name := range illegalNames {
			c.asks(name.why, newTopic{Name: name.text, NumPartitions: 1, ReplicationFactor: 1})
		}
		c.asks("a bad one beside a good one", newTopic{Name: "a/b", NumPartitions: 1, ReplicationFactor: 1}, c.topicOf("t", 1))
		long := c.topicOf(strings.Repeat("a", 249-len(c.suffix)), 1)
		c.asks("249 characters", long)
		c.asks("signs", c.topicOf("A-b_c9", 1))
	}},
	{Name: "names that collide", Key: wire.KeyCreateTopics, Hold: func(c *Conversation) {
		c.asks("with a dot", c.topicOf("a.b", 1))
		c.AwaitTopic("a.b", 1)
		c.asks("with an underscore", c.topicOf("a_b", 1))
		c.asks("both at once", c.topicOf("c.d", 1), c.topicOf("c_d", 1))
	}},
	{Name: "twice in a request", Key: wire.KeyCreateTopics, Hold: func(c *Conversation) {
		c.asks("a topic", c.topicOf("t", 1), c.topicOf("t", 1))
		c.asks("a topic beside another", c.topicOf("u", 1), c.topicOf("v", 2), c.topicOf("u", 3))
	}},
	{Name: "counts", Key: wire.KeyCreateTopics, Hold: func(c *Conversation) {
		for i, n := range []int32{0, -1, -2, math.MinInt32, 10_001} {
			c.asks(fmt.Sprintf("%d partitions", n), c.topicOf(fmt.Sprintf("p%d", i), n))
		}
		for i, n := range []int16{0, -1, -2, 2, 100} {
			t := c.topicOf(fmt.Sprintf("r%d", i), 1)
			t.ReplicationFactor = n
			c.asks(fmt.Sprintf("%d copies", n), t)
		}
		t := c.topicOf("both", -1)
		t.ReplicationFactor = -1
		c.asks("both left to the server", t)
		t = c.topicOf("wrong", 0)
		t.ReplicationFactor = 0
		c.asks("both zero", t)
	}},
	{Name: "replicas assigned", Key: wire.KeyCreateTopics, Hold: func(c *Conversation) {
		me := c.Node()
		for i, a := range []struct {
			what        string
			assignments []newAssignment
		}{
			{"one", []newAssignment{{PartitionIndex: 0, BrokerIDs: []int32{me}}}},
			{"two, out of order", []newAssignment{{PartitionIndex: 1, BrokerIDs: []int32{me}}, {PartitionIndex: 0, BrokerIDs: []int32{me}}}},
			{"a broker that there is not", []newAssignment{{PartitionIndex: 0, BrokerIDs: []int32{99}}}},
			{"a broker twice", []newAssignment{{PartitionIndex: 0, BrokerIDs: []int32{me, me}}}},
			{"no broker", []newAssignment{{PartitionIndex: 0, BrokerIDs: []int32{}}}},
			{"a broker below zero", []newAssignment{{PartitionIndex: 0, BrokerIDs: []int32{-1}}}},
			{"a partition twice", []newAssignment{{PartitionIndex: 0, BrokerIDs: []int32{me}}, {PartitionIndex: 0, BrokerIDs: []int32{me}}}},
			{"a gap", []newAssignment{{PartitionIndex: 0, BrokerIDs: []int32{me}}, {PartitionIndex: 2, BrokerIDs: []int32{me}}}},
			{"not from zero", []newAssignment{{PartitionIndex: 1, BrokerIDs: []int32{me}}}},
			{"a partition below zero", []newAssignment{{PartitionIndex: -1, BrokerIDs: []int32{me}}}},
			{"more copies here than there", []newAssignment{{PartitionIndex: 0, BrokerIDs: []int32{me}}, {PartitionIndex: 1, BrokerIDs: []int32{me, 99}}}},
		} {
			t := newTopic{Name: c.Topic(fmt.Sprintf("t%d", i)), NumPartitions: -1, ReplicationFactor: -1, Assignments: a.assignments}
			c.asks(a.what, t)
			if i == 0 {
				t.Name, t.NumPartitions = c.Topic("counted"), 1
				c.asks("and counted", t)
				t.Name, t.NumPartitions, t.ReplicationFactor = c.Topic("copies"), -1, 1
				c.asks("and copies counted", t)
			}
		}
	}},
	{Name: "settings", Key: wire.KeyCreateTopics, Hold: func(c *Conversation) {
		for i, s := range settingsToTry {
			t := c.topicOf(fmt.Sprintf("t%d", i), 1)
			t.Configs = configs(s.name, s.value)
			c.asks(s.name+" "+s.value, t)
		}
		t := c.topicOf("null", 1)
		t.Configs = []newConfig{{Name: "retention.ms"}}
		c.asks("retention.ms null", t)
		t = c.topicOf("twice", 1)
		t.Configs = configs("retention.ms", "1", "retention.ms", "2")
		c.asks("retention.ms twice", t)
		t = c.topicOf("nobody", 1)
		t.Configs = []newConfig{{Name: "no.such.setting"}}
		c.asks("a name nobody knows, null", t)
		t = c.topicOf("bad", 1)
		t.Configs = configs("retention.ms", "x")
		c.asks("a bad one beside a good topic", t, c.topicOf("good", 1))
	}},
	{Name: "only validated", Key: wire.KeyCreateTopics, From: 1, Hold: func(c *Conversation) {
		c.Create("exists", 1)
		ask := func(step string, topics ...newTopic) {
			q := creating(topics...)
			q.ValidateOnly = true
			c.Ask(step, q)
		}
		ask("good", c.topicOf("t", 2))
		ask("good again", c.topicOf("t", 2))
		ask("exists", c.topicOf("exists", 1))
		ask("a bad name", newTopic{Name: "a/b", NumPartitions: 1, ReplicationFactor: 1})
		bad := c.topicOf("u", 1)
		bad.Configs = configs("retention.ms", "x")
		ask("a bad setting", bad)
		ask("too many copies", newTopic{Name: c.Topic("v"), NumPartitions: 1, ReplicationFactor: 3})
		ask("left to the server", newTopic{Name: c.Topic("w"), NumPartitions: -1, ReplicationFactor: -1})
		c.AskAt("not created", 9, metadataOf(c.Topic("t")))
	}},
	{Name: "time to wait", Key: wire.KeyCreateTopics, Hold: func(c *Conversation) {
		q := creating(c.topicOf("exists-not", 0))
		q.TimeoutMs = 5
		c.Ask("short, nothing to create", q)
	}},
}

// configs are settings as pairs of name and value.
func configs(pairs ...string) (all []newConfig) {
	for i := 0; i+1 < len(pairs); i += 2 {
		all = append(all, newConfig{Name: pairs[i], Value: &pairs[i+1]})
	}
	return all
}

// settingsToTry are good and bad values of topics' settings.
var settingsToTry = []struct{ name, value string }{
	{"cleanup.policy", "compact"}, {"cleanup.policy", "compact,delete"}, {"cleanup.policy", "delete, compact"}, {"cleanup.policy", ""}, {"cleanup.policy", "forget"},
	{"compression.type", "zstd"}, {"compression.type", "producer"}, {"compression.type", "none"}, {"compression.type", "uncompressed"}, {"compression.type", "brotli"}, {"compression.type", "ZSTD"},
	{"retention.ms", "-1"}, {"retention.ms", "-2"}, {"retention.ms", ""}, {"retention.ms", "ten"}, {"retention.ms", " 1000 "}, {"retention.ms", "+5"}, {"retention.ms", "9223372036854775808"},
	{"retention.bytes", "1000"}, {"retention.bytes", "-3"}, {"retention.bytes", "0"},
	{"max.message.bytes", "0"}, {"max.message.bytes", "-1"}, {"max.message.bytes", "2147483647"}, {"max.message.bytes", "2147483648"},
	{"min.insync.replicas", "1"}, {"min.insync.replicas", "2"}, {"min.insync.replicas", "0"},
	{"message.timestamp.type", "LogAppendTime"}, {"message.timestamp.type", "logappendtime"},
	{"message.timestamp.before.max.ms", "-1"}, {"message.timestamp.after.max.ms", "0"},
	{"segment.bytes", "1048576"}, {"segment.bytes", "13"}, {"segment.ms", "0"}, {"segment.index.bytes", "3"},
	{"unclean.leader.election.enable", "true"}, {"unclean.leader.election.enable", "maybe"}, {"preallocate", "TRUE"},
	{"remote.storage.enable", "true"}, {"local.retention.ms", "5"}, {"local.retention.bytes", "-2"},
	{"leader.replication.throttled.replicas", "*"}, {"leader.replication.throttled.replicas", "0:1"}, {"leader.replication.throttled.replicas", "x"},
	{"min.cleanable.dirty.ratio", "0.5"}, {"min.cleanable.dirty.ratio", "1.5"}, {"min.compaction.lag.ms", "10"}, {"max.compaction.lag.ms", "0"},
	{"delete.retention.ms", "0"}, {"file.delete.delay.ms", "1"}, {"flush.messages", "0"}, {"flush.ms", "1"}, {"index.interval.bytes", "1"}, {"segment.jitter.ms", "1"},
	{"compression.gzip.level", "0"}, {"compression.lz4.level", "9"}, {"compression.zstd.level", "30"},
	{"no.such.setting", "1"}, {"", "1"},
}

func deleting(names ...string) *wire.DeleteTopicsRequest {
	q := &wire.DeleteTopicsRequest{TopicNames: names, TimeoutMs: 10_000}
	for i := range names {
		q.Topics = append(q.Topics, oldTopic{Name: &names[i]}) // v6+ says it so
	}
	return q
}

var deleteTopicsScripts = []Script{
	{Name: "by name", Key: wire.KeyDeleteTopics, Hold: func(c *Conversation) {
		for _, name := range []string{"t", "u", "v"} {
			c.Create(name, 1)
		}
		c.Ask("one", deleting(c.Topic("t")))
		c.AwaitGone("t")
		c.Ask("one that is gone", deleting(c.Topic("t")))
		c.Ask("one beside one that there never was", deleting(c.Topic("u"), c.Topic("none")))
		c.Ask("one twice", deleting(c.Topic("v"), c.Topic("v")))
		c.AskAt("what is left", 9, metadataOf(c.Topic("v")))
		c.Ask("nothing", deleting())
		for _, name := range illegalNames {
			c.Ask(name.why, deleting(name.text))
		}
	}},
	{Name: "by id", Key: wire.KeyDeleteTopics, From: 6, Hold: func(c *Conversation) {
		for _, name := range []string{"t", "u", "v", "w"} {
			c.Create(name, 1)
		}
		ask := func(topics ...oldTopic) *wire.DeleteTopicsRequest {
			return &wire.DeleteTopicsRequest{Topics: topics, TimeoutMs: 10_000}
		}
		t, u, v := c.TopicID("t"), c.TopicID("u"), c.TopicID("v")
		uName, vName := c.Topic("u"), c.Topic("v")
		c.Ask("one", ask(oldTopic{TopicID: t}))
		c.AwaitGone("t")
		c.Ask("one that is gone", ask(oldTopic{TopicID: t}))
		c.Ask("one that there never was", ask(oldTopic{TopicID: kbin.UUID{1, 2, 3}}))
		c.Ask("name and id", ask(oldTopic{TopicID: u, Name: &uName}))
		c.Ask("neither name nor id", ask(oldTopic{}))
		c.Ask("one twice", ask(oldTopic{TopicID: u}, oldTopic{TopicID: u}))
		c.Ask("one by name and by id", ask(oldTopic{TopicID: v}, oldTopic{Name: &vName}))
		c.Ask("one beside one that there never was", ask(oldTopic{TopicID: kbin.UUID{1, 2, 3}}, oldTopic{TopicID: c.TopicID("w")}))
	}},
}

var createPartitionsScripts = []Script{
	{Name: "more", Key: wire.KeyCreatePartitions, Hold: func(c *Conversation) {
		c.Create("t", 2)
		c.Create("u", 1)
		ask := func(topics ...moreOf) *wire.CreatePartitionsRequest {
			return &wire.CreatePartitionsRequest{Topics: topics, TimeoutMs: 10_000}
		}
		of := func(name string, count int32) moreOf { return moreOf{Name: c.Topic(name), Count: count} }
		c.Ask("two to four", ask(of("t", 4)))
		c.AwaitTopic("t", 4)
		c.Ask("as many as there are", ask(of("t", 4)))
		c.Ask("fewer", ask(of("t", 3)))
		c.Ask("none", ask(of("t", 0)))
		c.Ask("below zero", ask(of("t", -1)))
		c.Ask("an unknown topic", ask(of("none", 4)))
		c.Ask("an unknown topic beside a good one", ask(of("none", 4), of("u", 2)))
		c.AwaitTopic("u", 2)
		c.Ask("a topic twice", ask(of("u", 5), of("u", 6)))
		c.Ask("nothing", ask())
		for _, name := range illegalNames {
			c.Ask(name.why, ask(moreOf{Name: name.text, Count: 2}))
		}
		c.AskAt("what there is", 9, metadataOf(c.Topic("t"), c.Topic("u")))
	}},
	{Name: "only validated", Key: wire.KeyCreatePartitions, Hold: func(c *Conversation) {
		c.Create("t", 1)
		ask := func(name string, count int32) *wire.CreatePartitionsRequest {
			return &wire.CreatePartitionsRequest{Topics: []moreOf{{Name: c.Topic(name), Count: count}}, TimeoutMs: 10_000, ValidateOnly: true}
		}
		c.Ask("more", ask("t", 3))
		c.Ask("fewer", ask("t", 1))
		c.Ask("an unknown topic", ask("none", 3))
		c.AskAt("what there is", 9, metadataOf(c.Topic("t")))
	}},
	{Name: "replicas assigned", Key: wire.KeyCreatePartitions, Hold: func(c *Conversation) {
		me := c.Node()
		for i, a := range []struct {
			what     string
			assigned []moreAssigned
		}{
			{"good", []moreAssigned{{BrokerIDs: []int32{me}}, {BrokerIDs: []int32{me}}}},
			{"too few", []moreAssigned{{BrokerIDs: []int32{me}}}},
			{"too many", []moreAssigned{{BrokerIDs: []int32{me}}, {BrokerIDs: []int32{me}}, {BrokerIDs: []int32{me}}}},
			{"a broker that there is not", []moreAssigned{{BrokerIDs: []int32{99}}, {BrokerIDs: []int32{me}}}},
			{"a broker twice", []moreAssigned{{BrokerIDs: []int32{me, me}}, {BrokerIDs: []int32{me}}}},
			{"no brokers", []moreAssigned{{BrokerIDs: []int32{}}, {BrokerIDs: []int32{me}}}},
			{"more copies than there were", []moreAssigned{{BrokerIDs: []int32{me, 99}}, {BrokerIDs: []int32{me, 99}}}},
			{"a list that is empty", []moreAssigned{}},
		} {
			name := fmt.Sprintf("t%d", i)
			c.Create(name, 1)
			c.Ask(a.what, &wire.CreatePartitionsRequest{Topics: []moreOf{{Name: c.Topic(name), Count: 3, Assignments: a.assigned}}, TimeoutMs: 10_000})
		}
	}},
}
