package differ

import "github.com/heraclitus/heraclitus/pkg/wire"

type (
	described   = wire.DescribeConfigsRequestDescribeConfigsResource
	altered     = wire.AlterConfigsRequestAlterConfigsResource
	alteredTo   = wire.AlterConfigsRequestAlterableConfig
	increment   = wire.IncrementalAlterConfigsRequestAlterConfigsResource
	incrementTo = wire.IncrementalAlterConfigsRequestAlterableConfig
)

// Kafka's numbers of kinds of resources, and of what is done to a setting.
const (
	topicResource int8 = 2

	setOp      int8 = 0
	deleteOp   int8 = 1
	appendOp   int8 = 2
	subtractOp int8 = 3

	describeConfigsVersion = 1
)

var describeConfigsScripts = []Script{
	{Name: "topics", Key: wire.KeyDescribeConfigs, Hold: func(c *Conversation) {
		c.Create("t", 1, "retention.ms", "1000", "cleanup.policy", "compact,delete")
		ask := func(step, topic string, names ...string) {
			c.Ask(step, &wire.DescribeConfigsRequest{Resources: []described{{ResourceType: topicResource, ResourceName: topic, ConfigurationKeys: names}}})
		}
		ask("set and not set", c.Topic("t"), "retention.ms", "cleanup.policy", "max.message.bytes", "message.timestamp.type", "compression.type")
		ask("a name there is not", c.Topic("t"), "no.such.setting")
		ask("a name twice", c.Topic("t"), "retention.ms", "retention.ms")
		ask("an unknown topic", c.Topic("none"), "retention.ms")
		ask("a name that no topic can have", "a/b", "retention.ms")
		ask("no topic", "", "retention.ms")
		c.Ask("nothing", &wire.DescribeConfigsRequest{})
		c.Ask("a kind there is not", &wire.DescribeConfigsRequest{Resources: []described{{ResourceType: 99, ResourceName: c.Topic("t")}}})
		if c.Version >= 1 {
			c.Ask("synonyms", &wire.DescribeConfigsRequest{IncludeSynonyms: true, Resources: []described{{
				ResourceType: topicResource, ResourceName: c.Topic("t"), ConfigurationKeys: []string{"cleanup.policy", "max.message.bytes"}}}})
		}
	}},
}

var alterConfigsScripts = []Script{
	{Name: "settings, one by one", Key: wire.KeyIncrementalAlterConfigs, Hold: func(c *Conversation) {
		c.Create("t", 1, "retention.ms", "1000")
		ask := func(step, topic string, all ...incrementTo) {
			c.Ask(step, &wire.IncrementalAlterConfigsRequest{Resources: []increment{{ResourceType: topicResource, ResourceName: topic, Configs: all}}})
		}
		to := func(name string, op int8, value string) incrementTo {
			return incrementTo{Name: name, ConfigOperation: op, Value: &value}
		}
		t := c.Topic("t")
		ask("set", t, to("retention.ms", setOp, "2000"))
		c.awaitSetting("t", "retention.ms", "2000")
		ask("a bad value", t, to("retention.ms", setOp, "abc"))
		ask("a value out of bounds", t, to("retention.ms", setOp, "-2"))
		ask("a name there is not", t, to("no.such.setting", setOp, "1"))
		ask("a name twice", t, to("retention.ms", setOp, "1"), to("retention.ms", setOp, "2"))
		ask("null", t, incrementTo{Name: "retention.ms", ConfigOperation: setOp})
		ask("something there is not to be done", t, to("retention.ms", 9, "1"))
		ask("append to a number", t, to("retention.ms", appendOp, "1"))
		ask("append", t, to("cleanup.policy", appendOp, "compact"))
		c.awaitSetting("t", "cleanup.policy", "delete,compact")
		ask("subtract", t, to("cleanup.policy", subtractOp, "delete"))
		c.awaitSetting("t", "cleanup.policy", "compact")
		ask("delete", t, incrementTo{Name: "retention.ms", ConfigOperation: deleteOp})
		c.awaitSetting("t", "retention.ms", "604800000")
		ask("an unknown topic", c.Topic("none"), to("retention.ms", setOp, "1"))
		ask("a name that no topic can have", "a/b", to("retention.ms", setOp, "1"))
		ask("nothing", t)
	}},
	{Name: "all settings", Key: wire.KeyAlterConfigs, Hold: func(c *Conversation) {
		c.Create("t", 1, "retention.ms", "1000", "max.message.bytes", "5000")
		ask := func(step, topic, name, value string) {
			c.Ask(step, &wire.AlterConfigsRequest{Resources: []altered{{ResourceType: topicResource, ResourceName: topic, Configs: []alteredTo{{Name: name, Value: &value}}}}})
		}
		ask("a bad value", c.Topic("t"), "retention.ms", "abc")
		ask("a name there is not", c.Topic("t"), "no.such.setting", "1")
		ask("an unknown topic", c.Topic("none"), "retention.ms", "1")
		ask("good", c.Topic("t"), "retention.ms", "2000")
		c.awaitSetting("t", "max.message.bytes", "1048588")
		c.awaitSetting("t", "retention.ms", "2000")
		c.Ask("null", &wire.AlterConfigsRequest{Resources: []altered{{ResourceType: topicResource, ResourceName: c.Topic("t"), Configs: []alteredTo{{Name: "retention.ms"}}}}})
	}},
}

// awaitSetting waits until a topic's setting has a value.
func (c *Conversation) awaitSetting(topic, name, value string) {
	q := &wire.DescribeConfigsRequest{Resources: []described{{ResourceType: topicResource, ResourceName: c.Topic(topic), ConfigurationKeys: []string{name}}}}
	c.await(name+" to be "+value, func() bool {
		for _, r := range call[*wire.DescribeConfigsResponse](c, describeConfigsVersion, q).Results {
			for _, s := range r.Configs {
				return text(s.Value) == value
			}
		}
		return false
	})
}
