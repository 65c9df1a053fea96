package differ

import (
	"strings"

	"github.com/heraclitus/heraclitus/pkg/wire"
)

// committingAll is an offset with everything said of it.
func committingAll(partition int32, offset int64, epoch int32, metadata *string) committed {
	return committed{PartitionIndex: partition, CommittedOffset: offset, CommittedLeaderEpoch: epoch, CommitTimestamp: -1, CommittedMetadata: metadata}
}

var offsetCommitScripts = []Script{
	{Name: "offsets of nobody", Key: wire.KeyOffsetCommit, Hold: func(c *Conversation) {
		c.Create("t", 3)
		c.AwaitGroups()
		text, empty := "some text", ""
		q := c.commit("g", "t")
		q.Topics[0].Partitions = []committed{committingAll(0, 7, 0, &text), committingAll(1, 0, -1, nil), committingAll(2, 1<<40, 5, &empty)}
		c.Ask("commit", q)
		c.offsetsOf("what is committed", "g")
		c.Ask("other offsets", c.commit("g", "t", 3, 4))
		c.offsetsOf("what is committed then", "g")
		c.Ask("less than none", c.commit("g", "t", -1, -2))
		c.offsetsOf("what is committed in the end", "g")
	}},
	{Name: "partitions", Key: wire.KeyOffsetCommit, Hold: func(c *Conversation) {
		c.Create("t", 2)
		c.AwaitGroups()
		large, fits := strings.Repeat("m", 4097), strings.Repeat("m", 4096)
		q := c.commit("g", "t")
		q.Topics[0].Partitions = []committed{
			committing(0, 1), committing(2, 2), committing(-1, 3), committingAll(1, 4, -1, &large),
		}
		q.Topics = append(q.Topics, commitTopic{Name: c.Topic("none"), Partitions: []committed{committing(0, 1)}})
		c.Ask("good and bad", q)
		q.Topics = q.Topics[:1]
		q.Topics[0].Partitions = []committed{committingAll(1, 4, -1, &fits)}
		c.Ask("metadata that just fits", q)
		wide, wider := strings.Repeat("ü", 4096), strings.Repeat("\U0001F600", 2049)
		q.Topics[0].Partitions = []committed{committingAll(0, 4, -1, &wide), committingAll(1, 4, -1, &wider)}
		c.Ask("metadata of wide characters", q)
		q.Topics[0].Partitions = []committed{committing(5, 4)}
		c.Ask("only bad ones", q)
		q.Topics[0].Partitions = []committed{committing(0, 8), committing(0, 9)}
		c.Ask("one twice", q)
		c.Ask("no partitions", c.commit("g", "t"))
		q.Topics = nil
		c.Ask("no topics", q)
		q.Topics = []commitTopic{{Name: "", Partitions: []committed{committing(0, 1)}}}
		c.Ask("a topic without a name", q)
		c.offsetsOf("what is committed", "g")
	}},
	{Name: "groups", Key: wire.KeyOffsetCommit, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.AwaitGroups()
		q := c.commit("g", "t", 1)
		q.GroupID = ""
		c.Ask("without a name", q)
		if c.Version < 1 {
			return
		}
		q = c.commit("new", "t", 1)
		q.GenerationIDOrMemberEpoch = 3
		c.Ask("a generation of a group that is not there", q)
		q = c.commit("newer", "t", 1)
		q.MemberID = "other"
		c.Ask("a member of a group that is not there", q)
		q.MemberID, q.GenerationIDOrMemberEpoch = "other", 3
		c.Ask("both, of a group that is not there", q)
		c.describeGroup("the first", "new")
		c.describeGroup("the second", "newer")
		m := c.Join("left", nil)
		c.Leave(m)
		c.Ask("of a group that is left, in its last generation", c.commitOf(m, "t", 1))
		c.Ask("of a group that is left, as nobody", c.commit("left", "t", 1))
	}},
	{Name: "members", Key: wire.KeyOffsetCommit, From: 1, Hold: func(c *Conversation) {
		c.Create("t", 1)
		i := "i"
		m := c.Join("g", &i)
		if c.Version < 7 {
			m = c.Join("h", nil)
		}
		c.Ask("commit", c.commitOf(m, "t", 7))
		c.Ask("as nobody", c.commit(m.group, "t", 8))
		for _, s := range wrongs(m, 7) {
			if c.Version >= s.from {
				c.Ask(s.what, c.commitOf(s.of, "t", 9))
			}
		}
		c.offsetsOf("what is committed", m.group)
	}},
	{Name: "members in a rebalance", Key: wire.KeyOffsetCommit, From: 1, Hold: func(c *Conversation) {
		c.Create("t", 1)
		a := c.Join("g", nil)
		b := c.invited("g")
		b.generation = a.generation
		c.Ask("invited", c.commitOf(b, "t", 2))
		c.As("b")
		waiting := c.StartAt("the second joins", joinGroupVersion, c.rejoin(b))
		c.AwaitState("g", "PreparingRebalance")
		c.As("a")
		c.Ask("before the first has joined", c.commitOf(a, "t", 3))
		c.Leave(a)
		b.generation = waiting().(*wire.JoinGroupResponse).GenerationID
		c.Ask("before the sync", c.commitOf(b, "t", 4))
		c.Ask("before the sync, of the generation before", c.commitOf(a, "t", 5))
		c.syncAll(b)
		c.Ask("stable again", c.commitOf(b, "t", 6))
		c.offsetsOf("what is committed", "g")
	}},
	{Name: "times", Key: wire.KeyOffsetCommit, From: 1, Until: 5, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.AwaitGroups()
		for _, ms := range []int64{0, 1, c.Base(), 1 << 50} {
			q := c.commit("g", "t", ms)
			q.Topics[0].Partitions[0].CommitTimestamp, q.RetentionTimeMs = ms, ms
			c.Ask("at or for "+map[int64]string{0: "zero", 1: "one", c.Base(): "base", 1 << 50: "very long"}[ms], q)
		}
	}},
}

var offsetFetchScripts = []Script{
	{Name: "one group", Key: wire.KeyOffsetFetch, Until: 8, Hold: func(c *Conversation) {
		c.Create("t", 3)
		c.Create("u", 2)
		c.Commit("g", "t", 7, 8)
		c.Commit("g", "u", 9)
		for _, stable := range []bool{false, true} {
			if stable && c.Version < 7 {
				break
			}
			ask := func(step, group string, topics ...wire.OffsetFetchRequestTopic) {
				if stable {
					step += ", stable"
				}
				c.Ask(step, &wire.OffsetFetchRequest{GroupID: group, Topics: topics, RequireStable: stable})
			}
			t := func(name string, partitions ...int32) wire.OffsetFetchRequestTopic {
				return wire.OffsetFetchRequestTopic{Name: c.Topic(name), PartitionIndexes: partitions}
			}
			ask("good and bad", c.Group("g"), t("t", 0, 2, 9, -1), t("none", 0), t("u", 0))
			ask("one twice", c.Group("g"), t("t", 0, 0), t("t", 0))
			ask("no partitions", c.Group("g"), t("t"))
			ask("no topics", c.Group("g"), []wire.OffsetFetchRequestTopic{}...)
			ask("an unknown group", c.Group("none"), t("t", 0))
			ask("no group", "", t("t", 0))
			if c.Version >= 2 { // KIP-88
				c.all("all topics", "g", stable)
				c.all("all topics of an unknown group", "none", stable)
			}
		}
	}},
	{Name: "several groups", Key: wire.KeyOffsetFetch, From: 8, Hold: func(c *Conversation) {
		c.Create("t", 3)
		c.Create("u", 2)
		c.Commit("g", "t", 7, 8)
		c.Commit("g", "u", 9)
		c.Commit("h", "u", 1, 2)
		type topics = []wire.OffsetFetchRequestTopics
		t := func(name string, partitions ...int32) wire.OffsetFetchRequestTopics {
			return wire.OffsetFetchRequestTopics{Name: c.Topic(name), PartitionIndexes: partitions}
		}
		of := func(group string, topics topics) wire.OffsetFetchRequestGroup {
			return wire.OffsetFetchRequestGroup{GroupID: group, MemberEpoch: -1, Topics: topics}
		}
		ask := func(step string, groups ...wire.OffsetFetchRequestGroup) {
			c.Ask(step, &wire.OffsetFetchRequest{Groups: groups})
			c.Ask(step+", stable", &wire.OffsetFetchRequest{Groups: groups, RequireStable: true})
		}
		g, h := c.Group("g"), c.Group("h")
		ask("one", of(g, topics{t("t", 0, 2, 9, -1), t("none", 0), t("u", 0)}))
		ask("two", of(g, topics{t("t", 0)}), of(h, topics{t("u", 0, 1)}))
		ask("all topics", of(h, nil), of(g, nil))
		ask("no topics", of(g, topics{}))
		ask("unknown and without a name", of(c.Group("none"), topics{t("t", 0)}), of("", topics{t("t", 0)}), of(c.Group("none2"), nil), of(h, nil))
		ask("one twice", of(g, topics{t("t", 0)}), of(g, topics{t("t", 1)}))
		ask("a partition twice", of(g, topics{t("t", 0, 0), t("t", 0)}))
	}},
	{Name: "members of a group", Key: wire.KeyOffsetFetch, From: 9, Hold: func(c *Conversation) {
		c.Create("t", 1)
		m := c.Join("g", nil)
		c.AskAt("commit", offsetCommitVersion, c.commitOf(m, "t", 7))
		for _, s := range []struct {
			what  string
			id    *string
			epoch int32
		}{
			{"nobody", nil, -1}, {"the member", &m.id, m.generation}, {"the member in another generation", &m.id, 99}, {"a member without an epoch", &m.id, -1},
			{"an epoch without a member", nil, 1},
		} {
			c.Ask(s.what, &wire.OffsetFetchRequest{Groups: []wire.OffsetFetchRequestGroup{{GroupID: c.Group("g"), MemberID: s.id, MemberEpoch: s.epoch}}})
		}
	}},
}

// all records all that a group has committed.
func (c *Conversation) all(step, group string, stable bool) {
	if stable {
		step += ", stable"
	}
	c.Ask(step, &wire.OffsetFetchRequest{GroupID: c.Group(group), RequireStable: stable})
}

var offsetDeleteScripts = []Script{
	{Name: "offsets", Key: wire.KeyOffsetDelete, Hold: func(c *Conversation) {
		c.Create("t", 2)
		c.Create("u", 2)
		c.Commit("g", "t", 7, 8)
		c.Commit("g", "u", 9)
		c.Ask("of an unknown group", c.deleting("none", "t", 0))
		c.Ask("of no group", &wire.OffsetDeleteRequest{})
		c.Ask("good and bad", c.deleting("g", "t", 0, 9, -1))
		c.Ask("again", c.deleting("g", "t", 0))
		c.Ask("of an unknown topic", c.deleting("g", "none", 0))
		c.Ask("no partitions", c.deleting("g", "t"))
		c.Ask("no topics", &wire.OffsetDeleteRequest{GroupID: c.Group("g")})
		c.offsetsOf("what is left", "g")
		m := c.Join("g", nil)
		c.Ask("of a topic somebody subscribes to", c.deleting("g", "t", 1))
		c.Ask("of one that nobody subscribes to", c.deleting("g", "u", 0))
		c.offsetsOf("what is left then", "g")
		c.Leave(m)
		c.Ask("when all have left", c.deleting("g", "t", 1))
		c.offsetsOf("what is left in the end", "g")
	}},
	{Name: "offsets of consumers that say less than their version has", Key: wire.KeyOffsetDelete, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.Create("u", 1)
		c.Commit("g", "t", 7)
		c.Commit("g", "u", 9)
		older := subscription(c.Topic("t"))
		older[1] = 3
		c.Join("g", nil, says("range", string(older)))
		c.Ask("of a topic somebody subscribes to", c.deleting("g", "t", 0))
		c.Ask("of one that nobody subscribes to", c.deleting("g", "u", 0))
	}},
	{Name: "offsets of others than consumers", Key: wire.KeyOffsetDelete, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.Commit("g", "t", 7)
		q := c.join("g", "", joinProtocol{Name: "x"})
		q.ProtocolType = "connect"
		q.MemberID = call[*wire.JoinGroupResponse](c, joinGroupVersion, q).MemberID
		c.AskAt("a connector joins", joinGroupVersion, q)
		c.Ask("delete", c.deleting("g", "t", 0))
	}},
}

// deleting deletes offsets of partitions of one topic.
func (c *Conversation) deleting(group, topic string, partitions ...int32) *wire.OffsetDeleteRequest {
	t := wire.OffsetDeleteRequestTopic{Name: c.Topic(topic)}
	for _, p := range partitions {
		t.Partitions = append(t.Partitions, wire.OffsetDeleteRequestPartition{PartitionIndex: p})
	}
	return &wire.OffsetDeleteRequest{GroupID: c.Group(group), Topics: []wire.OffsetDeleteRequestTopic{t}}
}
