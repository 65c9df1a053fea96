package topic

import (
	"fmt"
	"math"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// Settings are the settings of a topic, all that Kafka 4 has, each under a field of its name. The sentence of each, and
// whether anything here depends on it, stands in the table in table.go. Start from [Defaults]: the zero value is none.
type Settings struct {
	Compact, Delete      bool   // cleanup.policy
	CompressionType      string // "producer" keeps what the producer chose; else "uncompressed", "gzip", "snappy", "lz4" or "zstd"
	GzipLevel            int    // -1 is the codec's own default
	LZ4Level             int
	ZstdLevel            int
	RetentionMs          int64 // -1 is for ever
	RetentionBytes       int64 // negative is no limit
	MaxMessageBytes      int   // most bytes of a batch, header included, compressed as it is kept
	LogAppendTime        bool  // message.timestamp.type: the server stamps the records
	TimestampBeforeMaxMs int64 // how far a record's timestamp may lie before the server's clock
	TimestampAfterMaxMs  int64 // and after it

	DeleteRetentionMs      int64
	MinCompactionLagMs     int64
	MaxCompactionLagMs     int64
	MinCleanableDirtyRatio float64
	SegmentBytes           int
	SegmentMs              int64
	SegmentJitterMs        int64
	SegmentIndexBytes      int
	IndexIntervalBytes     int
	FileDeleteDelayMs      int64
	FlushMessages          int64
	FlushMs                int64
	Preallocate            bool

	MinInsyncReplicas                    int
	UncleanLeaderElection                bool
	LeaderReplicationThrottledReplicas   string
	FollowerReplicationThrottledReplicas string
	RemoteStorage                        bool
	RemoteLogCopyDisable                 bool
	RemoteLogDeleteOnDisable             bool
	LocalRetentionMs                     int64
	LocalRetentionBytes                  int64
}

// Defaults returns what Kafka 4 gives a topic that sets nothing, on a server that sets nothing.
func Defaults() Settings {
	const day = 24 * 60 * 60 * 1000
	return Settings{
		Delete:                 true,
		CompressionType:        Producer,
		GzipLevel:              -1,
		LZ4Level:               9,
		ZstdLevel:              3,
		RetentionMs:            7 * day,
		RetentionBytes:         -1,
		MaxMessageBytes:        1<<20 + 12,
		TimestampBeforeMaxMs:   math.MaxInt64,
		TimestampAfterMaxMs:    60 * 60 * 1000,
		DeleteRetentionMs:      day,
		MaxCompactionLagMs:     math.MaxInt64,
		MinCleanableDirtyRatio: 0.5,
		SegmentBytes:           1 << 30,
		SegmentMs:              7 * day,
		SegmentIndexBytes:      10 << 20,
		IndexIntervalBytes:     4096,
		FileDeleteDelayMs:      60 * 1000,
		FlushMessages:          math.MaxInt64,
		FlushMs:                math.MaxInt64,
		MinInsyncReplicas:      1,
		LocalRetentionMs:       -2,
		LocalRetentionBytes:    -2,
	}
}

// Producer is the CompressionType that leaves batches as their producers compressed them.
const Producer = "producer"

// Set changes the setting with one of Kafka's names. It returns an error wrapping InvalidConfig, and changes nothing,
// when there is no such setting or the value is not one that Kafka takes. What two settings may not be together,
// [Settings.Check] says.
func (s *Settings) Set(name, value string) error {
	d, ok := byName[name]
	if !ok {
		return fmt.Errorf("unknown topic config %q: %w", name, kerr.InvalidConfig)
	}
	if err := d.field.set(s, value); err != nil {
		return fmt.Errorf("invalid value %q for topic config %s: %w: %w", value, name, err, kerr.InvalidConfig)
	}
	return nil
}

// Check returns an error wrapping InvalidConfig when two settings contradict each other.
func (s *Settings) Check() error {
	if s.MinCompactionLagMs > s.MaxCompactionLagMs {
		return fmt.Errorf("min.compaction.lag.ms (%d) is larger than max.compaction.lag.ms (%d): %w",
			s.MinCompactionLagMs, s.MaxCompactionLagMs, kerr.InvalidConfig)
	}
	if s.RemoteStorage {
		return fmt.Errorf("remote.storage.enable is true, but this server has no tiered storage: %w", kerr.InvalidConfig)
	}
	return nil
}
