package topic

// brokerNames are what Kafka's broker calls the setting that a topic's setting goes over; those that are called the same,
// and those that have none, are not in it.
var brokerNames = map[string]string{
	"cleanup.policy":                  "log.cleanup.policy",
	"delete.retention.ms":             "log.cleaner.delete.retention.ms",
	"file.delete.delay.ms":            "log.segment.delete.delay.ms",
	"flush.messages":                  "log.flush.interval.messages",
	"flush.ms":                        "log.flush.interval.ms",
	"index.interval.bytes":            "log.index.interval.bytes",
	"local.retention.bytes":           "log.local.retention.bytes",
	"local.retention.ms":              "log.local.retention.ms",
	"max.compaction.lag.ms":           "log.cleaner.max.compaction.lag.ms",
	"max.message.bytes":               "message.max.bytes",
	"message.timestamp.after.max.ms":  "log.message.timestamp.after.max.ms",
	"message.timestamp.before.max.ms": "log.message.timestamp.before.max.ms",
	"message.timestamp.type":          "log.message.timestamp.type",
	"min.cleanable.dirty.ratio":       "log.cleaner.min.cleanable.ratio",
	"min.compaction.lag.ms":           "log.cleaner.min.compaction.lag.ms",
	"preallocate":                     "log.preallocate",
	"retention.bytes":                 "log.retention.bytes",
	"retention.ms":                    "log.retention.ms",
	"segment.bytes":                   "log.segment.bytes",
	"segment.index.bytes":             "log.index.size.max.bytes",
	"segment.jitter.ms":               "log.roll.jitter.ms",
	"segment.ms":                      "log.roll.ms",
}

// BrokerName returns the name of the broker's setting that holds for topics which do not have this one; Kafka's
// TopicConfigSynonyms, of whose several units that in milliseconds. It is empty where Kafka's broker has none.
func (d *Setting) BrokerName() string {
	switch d.Name {
	case "follower.replication.throttled.replicas", "leader.replication.throttled.replicas",
		"remote.log.copy.disable", "remote.log.delete.on.disable", "remote.storage.enable":
		return ""
	}
	if name, ok := brokerNames[d.Name]; ok {
		return name
	}
	return d.Name
}
