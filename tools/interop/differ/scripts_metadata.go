package differ

import (
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

type metadataTopic = wire.MetadataRequestTopic

// metadataOf asks about topics by their full names. It does not create them, in versions that can say so.
func metadataOf(names ...string) *wire.MetadataRequest {
	q := &wire.MetadataRequest{Topics: []metadataTopic{}}
	for _, name := range names {
		q.Topics = append(q.Topics, metadataTopic{Name: &name})
	}
	return q
}

var metadataScripts = []Script{
	{Name: "topics", Key: wire.KeyMetadata, Hold: func(c *Conversation) {
		c.Create("t", 2)
		c.Create("u", 1)
		c.Ask("one", metadataOf(c.Topic("t")))
		c.Ask("two", metadataOf(c.Topic("u"), c.Topic("t")))
		c.Ask("one twice", metadataOf(c.Topic("t"), c.Topic("t")))
		c.Ask("an empty list", metadataOf())
		if c.Version > 0 {
			c.Ask("a list that is null", &wire.MetadataRequest{})
		}
	}},
	{Name: "what is allowed", Key: wire.KeyMetadata, From: 8, Hold: func(c *Conversation) {
		c.Create("t", 1)
		for cluster, name := range []string{"on topics", "on the cluster", "on both"} {
			q := metadataOf(c.Topic("t"))
			q.IncludeTopicAuthorizedOperations = cluster != 1
			q.IncludeClusterAuthorizedOperations = cluster != 0
			if c.Version <= 10 || cluster == 0 {
				c.Ask(name, q)
			}
		}
	}},
	{Name: "unknown topics", Key: wire.KeyMetadata, From: 4, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.Ask("alone", metadataOf(c.Topic("none")))
		c.Ask("beside a good one", metadataOf(c.Topic("none"), c.Topic("t")))
		c.Ask("not created by being asked for", metadataOf(c.Topic("none")))
	}},
	{Name: "topics made by being asked for", Key: wire.KeyMetadata, Hold: func(c *Conversation) {
		q := metadataOf(c.Topic("new"))
		q.AllowAutoTopicCreation = true
		c.Ask("before", q)
		c.AwaitTopic("new", 1)
		c.Ask("after", q)
	}},
	{Name: "names that no topic can have", Key: wire.KeyMetadata, Hold: func(c *Conversation) {
		c.Create("t", 1)
		for _, name := range illegalNames {
			q := metadataOf(name.text)
			q.AllowAutoTopicCreation = true
			c.Ask(name.why, q)
			q = metadataOf(name.text, c.Topic("t"))
			c.Ask(name.why+", beside a good one", q)
		}
	}},
	{Name: "names that collide", Key: wire.KeyMetadata, Hold: func(c *Conversation) {
		c.Create("a.b", 1)
		q := metadataOf(c.Topic("a_b"))
		q.AllowAutoTopicCreation = true
		c.Ask("ask for it", q)
	}},
	{Name: "topics by id", Key: wire.KeyMetadata, From: 10, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.Create("u", 1)
		name, id, unknown := c.Topic("t"), c.TopicID("t"), kbin.UUID{1, 2, 3}
		ask := func(topics ...metadataTopic) *wire.MetadataRequest { return &wire.MetadataRequest{Topics: topics} }
		c.Ask("id", ask(metadataTopic{TopicID: id}))
		c.Ask("an unknown id", ask(metadataTopic{TopicID: unknown}))
		c.Ask("an unknown id beside a good one", ask(metadataTopic{TopicID: unknown}, metadataTopic{TopicID: id}))
		c.Ask("id and name", ask(metadataTopic{TopicID: id, Name: &name}))
		c.Ask("an unknown id and a name", ask(metadataTopic{TopicID: unknown, Name: &name}))
		c.Ask("neither", ask(metadataTopic{}))
		c.Ask("one by id, one by name", ask(metadataTopic{TopicID: c.TopicID("u")}, metadataTopic{Name: &name}))
		c.Ask("one by id and by name", ask(metadataTopic{TopicID: id}, metadataTopic{Name: &name}))
		c.clean()
		c.AwaitGone("t")
		c.Ask("the id of a topic that is gone", ask(metadataTopic{TopicID: id}))
		c.Create("t", 1)
		c.Ask("the id of a topic made again", ask(metadataTopic{TopicID: id}))
	}},
}

var describeClusterScripts = []Script{
	{Name: "the cluster", Key: wire.KeyDescribeCluster, Hold: func(c *Conversation) {
		ask := func(operations bool, endpoint int8) *wire.DescribeClusterRequest {
			return &wire.DescribeClusterRequest{IncludeClusterAuthorizedOperations: operations, EndpointType: endpoint}
		}
		c.Ask("brokers", ask(false, 1))
		c.Ask("what is allowed", ask(true, 1))
		if c.Version >= 1 { // KIP-919
			c.Ask("controllers", ask(false, 2))
			c.Ask("no type", ask(false, 0))
			c.Ask("a type there is not", ask(false, 3))
			c.Ask("a type below zero", ask(false, -1))
		}
		if c.Version >= 2 { // KIP-1073
			q := ask(false, 1)
			q.IncludeFencedBrokers = true
			c.Ask("fenced brokers too", q)
		}
	}},
}

var apiVersionsScripts = []Script{
	{Name: "what is served", Key: wire.KeyApiVersions, Hold: func(c *Conversation) {
		c.Ask("ask", &wire.ApiVersionsRequest{ClientSoftwareName: "differ", ClientSoftwareVersion: "1.0"})
		c.Ask("ask again", &wire.ApiVersionsRequest{ClientSoftwareName: "differ", ClientSoftwareVersion: "1.0"})
	}},
	{Name: "names of clients", Key: wire.KeyApiVersions, From: 3, Hold: func(c *Conversation) {
		for _, s := range []struct{ what, name, version string }{
			{"empty", "", ""}, {"no name", "", "1.0"}, {"no version", "a", ""}, {"with a space", "a b", "1.0"},
			{"with signs", "a-b.c", "1-2.3"}, {"ending in a sign", "a-", "1.0"}, {"beyond ASCII", "ä", "1.0"}, {"underscores", "a_b", "1.0"}, {"version with a plus", "a", "1.0+x"},
		} {
			c.Ask(s.what, &wire.ApiVersionsRequest{ClientSoftwareName: s.name, ClientSoftwareVersion: s.version})
		}
	}},
}
