package topic

import (
	"iter"
	"math"
)

// Setting describes one setting of topics.
type Setting struct {
	Name string
	Kind Kind
	Doc  string // one sentence; says so when nothing in this server depends on the setting

	field field
	shown func(value string) string // how a value is described whose form the field forgets
}

// Value returns what s says of the setting, as text that [Settings.Set] takes.
func (d *Setting) Value(s *Settings) string { return d.field.get(s) }

// Shown is how a value that was set is described: without blanks, and numbers in their usual form. A list keeps the order
// that it was set in, which [Setting.Value] does not know. A value that Set does not take is shown as it is.
func (d *Setting) Shown(value string) string {
	s := Defaults()
	if d.field.set(&s, value) != nil {
		return value
	}
	if d.shown != nil {
		return d.shown(value)
	}
	return d.field.get(&s)
}

// All yields every setting, by name. None of them is read-only, and none a secret.
func All() iter.Seq[*Setting] {
	return func(yield func(*Setting) bool) {
		for i := range table {
			if !yield(&table[i]) {
				return
			}
		}
	}
}

// Named returns the setting with a name, or nil.
func Named(name string) *Setting { return byName[name] }

var byName = map[string]*Setting{}

func init() {
	for i := range table {
		table[i].Kind = table[i].field.kind
		byName[table[i].Name] = &table[i]
	}
}

const (
	maxInt  = math.MaxInt32
	maxLong = math.MaxInt64
)

// noEffect ends the sentence of a setting whose subject does not exist here: it is accepted, checked, kept and described,
// so that tools and clients made for Kafka go on working.
const noEffect = " It has no effect in this server."

// table holds every setting, sorted by name. Bounds and words are those of Kafka 4.3.
var table = []Setting{
	{Name: "cleanup.policy", field: cleanupPolicy(), shown: unique,
		Doc: "What becomes of old records: delete drops them by age and size, compact keeps at least the last of each key, and refuses records without one; both or neither may be given."},
	{Name: "compression.gzip.level", field: gzipLevel(func(s *Settings) *int { return &s.GzipLevel }),
		Doc: "How hard gzip works when compression.type is gzip: 1 to 9, or -1 for its default."},
	{Name: "compression.lz4.level", field: integer(1, 17, func(s *Settings) *int { return &s.LZ4Level }),
		Doc: "How hard lz4 works when compression.type is lz4: 1 to 17."},
	{Name: "compression.type", field: word([]string{"uncompressed", "zstd", "lz4", "snappy", "gzip", Producer}, func(s *Settings) *string { return &s.CompressionType }),
		Doc: "The codec that batches are kept in; producer keeps each as its producer sent it."},
	{Name: "compression.zstd.level", field: integer(-131072, 22, func(s *Settings) *int { return &s.ZstdLevel }),
		Doc: "How hard zstd works when compression.type is zstd: -131072 to 22."},
	{Name: "delete.retention.ms", field: long(0, maxLong, func(s *Settings) *int64 { return &s.DeleteRetentionMs }),
		Doc: "How long compaction keeps a delete marker, a record without a value, for readers that are behind."},
	{Name: "file.delete.delay.ms", field: long(0, maxLong, func(s *Settings) *int64 { return &s.FileDeleteDelayMs }),
		Doc: "How long a deleted file stays on the disk." + noEffect},
	{Name: "flush.messages", field: long(1, maxLong, func(s *Settings) *int64 { return &s.FlushMessages }),
		Doc: "After how many records the log is synced; here every commit is." + noEffect},
	{Name: "flush.ms", field: long(0, maxLong, func(s *Settings) *int64 { return &s.FlushMs }),
		Doc: "After how much time the log is synced; here every commit is." + noEffect},
	{Name: "follower.replication.throttled.replicas", field: replicas(func(s *Settings) *string { return &s.FollowerReplicationThrottledReplicas }),
		Doc: "The replicas whose copying is slowed down at the follower." + noEffect},
	{Name: "index.interval.bytes", field: integer(0, maxInt, func(s *Settings) *int { return &s.IndexIntervalBytes }),
		Doc: "How many bytes of log lie between two entries of its index." + noEffect},
	{Name: "leader.replication.throttled.replicas", field: replicas(func(s *Settings) *string { return &s.LeaderReplicationThrottledReplicas }),
		Doc: "The replicas whose copying is slowed down at the leader." + noEffect},
	{Name: "local.retention.bytes", field: long(-2, maxLong, func(s *Settings) *int64 { return &s.LocalRetentionBytes }),
		Doc: "How much of a tiered log stays on the broker's disk; -2 means retention.bytes." + noEffect},
	{Name: "local.retention.ms", field: long(-2, maxLong, func(s *Settings) *int64 { return &s.LocalRetentionMs }),
		Doc: "How long the records of a tiered log stay on the broker's disk; -2 means retention.ms." + noEffect},
	{Name: "max.compaction.lag.ms", field: long(1, maxLong, func(s *Settings) *int64 { return &s.MaxCompactionLagMs }),
		Doc: "The longest time that a record stays safe from compaction."},
	{Name: "max.message.bytes", field: integer(0, maxInt, func(s *Settings) *int { return &s.MaxMessageBytes }),
		Doc: "The largest batch that is accepted, in bytes, after compression and with its header."},
	{Name: "message.timestamp.after.max.ms", field: long(0, maxLong, func(s *Settings) *int64 { return &s.TimestampAfterMaxMs }),
		Doc: "How far a record's timestamp may be ahead of the server's clock; not looked at with LogAppendTime."},
	{Name: "message.timestamp.before.max.ms", field: long(0, maxLong, func(s *Settings) *int64 { return &s.TimestampBeforeMaxMs }),
		Doc: "How far a record's timestamp may be behind the server's clock; not looked at with LogAppendTime."},
	{Name: "message.timestamp.type", field: timestampType(),
		Doc: "Whose time a record bears: CreateTime is the producer's, LogAppendTime the server's."},
	{Name: "min.cleanable.dirty.ratio", field: ratio(func(s *Settings) *float64 { return &s.MinCleanableDirtyRatio }),
		Doc: "How much of a log, from 0 to 1, must be uncompacted before it is compacted again; what is in the journal does not count."},
	{Name: "min.compaction.lag.ms", field: long(0, maxLong, func(s *Settings) *int64 { return &s.MinCompactionLagMs }),
		Doc: "The least time that a record stays safe from compaction."},
	{Name: "min.insync.replicas", field: integer(1, maxInt, func(s *Settings) *int { return &s.MinInsyncReplicas }),
		Doc: "How many replicas must have a record before acks=all is answered; here a record is durable before it is answered." + noEffect},
	{Name: "preallocate", field: truth(func(s *Settings) *bool { return &s.Preallocate }),
		Doc: "Whether files are given their full size when they are created." + noEffect},
	{Name: "remote.log.copy.disable", field: truth(func(s *Settings) *bool { return &s.RemoteLogCopyDisable }),
		Doc: "Whether a tiered log stops being copied to remote storage." + noEffect},
	{Name: "remote.log.delete.on.disable", field: truth(func(s *Settings) *bool { return &s.RemoteLogDeleteOnDisable }),
		Doc: "Whether remote records are deleted when tiered storage is turned off." + noEffect},
	{Name: "remote.storage.enable", field: truth(func(s *Settings) *bool { return &s.RemoteStorage }),
		Doc: "Whether the log is tiered; only false is accepted." + noEffect},
	{Name: "retention.bytes", field: long(math.MinInt64, maxLong, func(s *Settings) *int64 { return &s.RetentionBytes }),
		Doc: "How many bytes of a partition cleanup.policy=delete keeps at least; negative keeps all."},
	{Name: "retention.ms", field: long(-1, maxLong, func(s *Settings) *int64 { return &s.RetentionMs }),
		Doc: "How long cleanup.policy=delete keeps a record at least; -1 keeps it for ever."},
	{Name: "segment.bytes", field: integer(1<<20, maxInt, func(s *Settings) *int { return &s.SegmentBytes }),
		Doc: "How many bytes of a partition gather in the journal before they become a segment, a Parquet object."},
	{Name: "segment.index.bytes", field: integer(4, maxInt, func(s *Settings) *int { return &s.SegmentIndexBytes }),
		Doc: "The size of a segment's index." + noEffect},
	{Name: "segment.jitter.ms", field: long(0, maxLong, func(s *Settings) *int64 { return &s.SegmentJitterMs }),
		Doc: "How much earlier than segment.ms a segment may be closed, at random." + noEffect},
	{Name: "segment.ms", field: long(1, maxLong, func(s *Settings) *int64 { return &s.SegmentMs }),
		Doc: "How long records stay in the journal before they become a segment, a Parquet object, though there are few."},
	{Name: "unclean.leader.election.enable", field: truth(func(s *Settings) *bool { return &s.UncleanLeaderElection }),
		Doc: "Whether a replica that lacks records may become leader." + noEffect},
}
