package broker

import (
	"math"

	"github.com/heraclitus/heraclitus/pkg/config"
	"github.com/heraclitus/heraclitus/pkg/handler"
	"github.com/heraclitus/heraclitus/pkg/topic"
)

// brokerSettings are the settings that Kafka's broker has, too, by its names and beside its defaults: tools ask for them.
func brokerSettings(c *config.Config) []handler.BrokerSetting {
	return []handler.BrokerSetting{
		{Name: "connections.max.idle.ms", Kind: topic.Long, Value: c.Limits.IdleTimeoutMs, Kafka: 600_000, Doc: "After how long without requests a connection is closed."},
		{Name: "fetch.max.bytes", Kind: topic.Int, Value: c.Limits.FetchBytesMax, Kafka: 55 << 20, Doc: "The most bytes of records in one fetch response."},
		{Name: "group.initial.rebalance.delay.ms", Kind: topic.Int, Value: c.Groups.InitialRebalanceDelayMs, Kafka: 3000, Doc: "How long a group that was empty waits for more members than the first."},
		{Name: "group.max.session.timeout.ms", Kind: topic.Int, Value: c.Groups.MaxSessionTimeoutMs, Kafka: 1_800_000, Doc: "The longest session timeout that a member may ask for."},
		{Name: "group.max.size", Kind: topic.Int, Value: c.Groups.MaxSize, Kafka: math.MaxInt32, Doc: "How many members a group may have."},
		{Name: "group.min.session.timeout.ms", Kind: topic.Int, Value: c.Groups.MinSessionTimeoutMs, Kafka: 6000, Doc: "The shortest session timeout that a member may ask for."},
		{Name: "max.connections", Kind: topic.Int, Value: c.Limits.ConnectionsMax, Kafka: math.MaxInt32, Doc: "How many clients may be connected."},
		{Name: "max.connections.per.ip", Kind: topic.Int, Value: c.Limits.ConnectionsPerIPMax, Kafka: math.MaxInt32, Doc: "How many clients may be connected from one address."},
		{Name: "max.incremental.fetch.session.cache.slots", Kind: topic.Int, Value: c.Limits.FetchSessionsMax, Kafka: 1000, Doc: "How many fetch sessions are remembered."},
		{Name: "offset.metadata.max.bytes", Kind: topic.Int, Value: c.Groups.OffsetMetadataBytesMax, Kafka: 4096, Doc: "How much a client may say beside an offset that it commits."},
		{Name: "offsets.retention.minutes", Kind: topic.Int, Value: c.Groups.OffsetsRetentionMinutes, Kafka: 10_080, Doc: "How long the offsets of a group without members are kept."},
		{Name: "socket.request.max.bytes", Kind: topic.Int, Value: c.Limits.RequestBytesMax, Kafka: 100 << 20, Doc: "The largest request that is read."},
	}
}
