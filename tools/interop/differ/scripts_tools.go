package differ

import "github.com/heraclitus/heraclitus/pkg/wire"

// toolScripts are about what tools and consoles ask of a cluster beside its topics and groups. Neither server has
// permissions or quotas, or moves partitions.
var toolScripts = []Script{
	{Name: "sizes", Key: wire.KeyDescribeLogDirs, Hold: func(c *Conversation) {
		c.Create("t", 2)
		c.Create("u", 1)
		c.Produce("t", 1, newBatch(c.Base(), "a", "b", "c").bytes())
		asked := func(topic string, partitions ...int32) wire.DescribeLogDirsRequestDescribableLogDirTopic {
			return wire.DescribeLogDirsRequestDescribableLogDirTopic{Topic: c.Topic(topic), Partitions: partitions}
		}
		ask := func(step string, topics ...wire.DescribeLogDirsRequestDescribableLogDirTopic) {
			c.Ask(step, &wire.DescribeLogDirsRequest{Topics: topics})
		}
		ask("all")
		ask("two topics", asked("u", 0), asked("t", 0, 1))
		ask("a partition", asked("t", 1))
		ask("a partition twice", asked("t", 1, 1), asked("t", 1))
		ask("a topic without partitions", asked("t"))
		ask("what is not there", asked("none", 0), asked("t", 2, -1), asked("", 0))
		c.Ask("nothing", &wire.DescribeLogDirsRequest{Topics: []wire.DescribeLogDirsRequestDescribableLogDirTopic{}})
	}},
	{Name: "reassignments", Key: wire.KeyListPartitionReassignments, Hold: func(c *Conversation) {
		c.Create("t", 2)
		ask := func(step, topic string, partitions ...int32) {
			c.Ask(step, &wire.ListPartitionReassignmentsRequest{TimeoutMs: 10_000, Topics: []wire.ListPartitionReassignmentsRequestListPartitionReassignmentsTopics{
				{Name: topic, PartitionIndexes: partitions},
			}})
		}
		c.Ask("all", &wire.ListPartitionReassignmentsRequest{TimeoutMs: 10_000})
		ask("a partition", c.Topic("t"), 0)
		ask("a topic without partitions", c.Topic("t"))
		ask("what is not there", c.Topic("none"), 0)
		ask("a partition that is not there", c.Topic("t"), 2, -1)
		c.Ask("nothing", &wire.ListPartitionReassignmentsRequest{TimeoutMs: 10_000, Topics: []wire.ListPartitionReassignmentsRequestListPartitionReassignmentsTopics{}})
	}},
	{Name: "leaders", Key: wire.KeyElectLeaders, Hold: func(c *Conversation) {
		c.Create("t", 2)
		asked := func(topic string, partitions ...int32) wire.ElectLeadersRequestTopicPartitions {
			return wire.ElectLeadersRequestTopicPartitions{Topic: topic, Partitions: partitions}
		}
		ask := func(step string, kind int8, topics ...wire.ElectLeadersRequestTopicPartitions) {
			c.Ask(step, &wire.ElectLeadersRequest{ElectionType: kind, TimeoutMs: 10_000, TopicPartitions: topics})
		}
		ask("the preferred one", 0, asked(c.Topic("t"), 1, 0))
		ask("one partition twice", 0, asked(c.Topic("t"), 1, 1))
		ask("what is not there", 0, asked(c.Topic("none"), 0), asked(c.Topic("t"), 2, -1), asked("", 0))
		ask("a topic without partitions", 0, asked(c.Topic("t")))
		ask("all", 0)
		c.Ask("nothing", &wire.ElectLeadersRequest{TimeoutMs: 10_000, TopicPartitions: []wire.ElectLeadersRequestTopicPartitions{}})
		if c.Version >= 1 { // KIP-460
			ask("any", 1, asked(c.Topic("t"), 0))
			ask("any of all", 1)
			ask("a kind there is not", 2, asked(c.Topic("t"), 0))
		}
	}},
	{Name: "permissions", Key: wire.KeyDescribeAcls, Hold: func(c *Conversation) {
		const anything, allowed, literal = 1, 3, 3
		ask := func(step string, q wire.DescribeAclsRequest) { c.Ask(step, &q) }
		ask("all", wire.DescribeAclsRequest{ResourceTypeFilter: anything, PatternTypeFilter: anything, Operation: anything, PermissionType: anything})
		ask("of a topic", wire.DescribeAclsRequest{ResourceTypeFilter: 2, ResourceNameFilter: new(c.Topic("t")), PatternTypeFilter: literal, Operation: anything, PermissionType: allowed})
	}},
	{Name: "quotas", Key: wire.KeyDescribeClientQuotas, Hold: func(c *Conversation) {
		const exact, byDefault, any = 0, 1, 2
		component := func(kind string, match int8, name *string) wire.DescribeClientQuotasRequestComponentData {
			return wire.DescribeClientQuotasRequestComponentData{EntityType: kind, MatchType: match, Match: name}
		}
		ask := func(step string, strict bool, components ...wire.DescribeClientQuotasRequestComponentData) {
			c.Ask(step, &wire.DescribeClientQuotasRequest{Components: components, Strict: strict})
		}
		ask("all", false)
		ask("all, strictly", true)
		ask("users", false, component("user", any, nil))
		ask("a user", true, component("user", exact, new("al")))
		ask("the default of users", true, component("user", byDefault, nil))
		ask("a user's client", false, component("user", exact, new("al")), component("client-id", exact, new("c")))
		ask("an address", false, component("ip", exact, new("127.0.0.1")))
		ask("an address and a user", false, component("ip", any, nil), component("user", any, nil))
		ask("a kind twice", false, component("user", any, nil), component("user", exact, new("al")))
		ask("no kind", false, component("", any, nil))
		ask("a kind there is not", false, component("color", any, nil))
		ask("a match there is not", false, component("user", 3, nil))
		ask("exactly nobody", false, component("user", exact, nil))
		ask("a name where none is asked for", false, component("user", byDefault, new("al")), component("client-id", any, new("c")))
	}},
}
