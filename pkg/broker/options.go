package broker

import (
	"time"

	"github.com/heraclitus/heraclitus/pkg/auth"
	"github.com/heraclitus/heraclitus/pkg/config"
	"github.com/heraclitus/heraclitus/pkg/engine"
	"github.com/heraclitus/heraclitus/pkg/group"
	"github.com/heraclitus/heraclitus/pkg/handler"
	"github.com/heraclitus/heraclitus/pkg/segment"
	"github.com/heraclitus/heraclitus/pkg/server"
)

// engineOptions are the settings that the engine heeds, on a storage.
func (b *Broker) engineOptions(s *storage) (engine.Options, error) {
	c := &b.config
	if c.Storage.SyncInterval() == 0 {
		b.metrics.FsyncPerCommit.Set(1)
	}
	topics, err := c.TopicSettings()
	return engine.Options{
		Topics:          topics,
		Log:             b.log,
		Metrics:         b.metrics,
		BatchBytesMax:   s.entryBytesMax - engine.BatchOverheadBytes,
		EntryBytesMax:   int(entryBytesUsual(c)),
		EntryRecordsMax: int(c.Batching.MaxBatchMessages),
		FlushInterval:   config.Milliseconds(c.Batching.FlushIntervalMs),
		CacheBytesMax:   int(c.Storage.CacheBytesMax),
		CheckpointBytes: c.Storage.CheckpointBytes,

		JournalBytesMax:  s.journalBytesMax,
		SegmentBytesMax:  c.Archive.SegmentBytesMax,
		SegmentCodec:     segmentCodec(c.Archive.Compression),
		CompressionLevel: int(c.Performance.CompressionLevel),
		PastBytesMax:     c.Archive.CacheBytesMax,
		CompactionKeys:   int(c.Archive.CompactionKeysMax),
	}, err
}

// segmentCodec is the codec with a name; one that is not a codec's adapts.
func segmentCodec(name string) engine.SegmentCodec {
	for _, c := range []segment.Codec{segment.Zstd, segment.Snappy, segment.Uncompressed} {
		if c.String() == name {
			return engine.SegmentCodec(c)
		}
	}
	return engine.Adaptive
}

// handlerOptions are the settings that handlers answer by.
func (b *Broker) handlerOptions() handler.Options {
	c := &b.config
	return handler.Options{
		AutoCreateTopics:    c.Topics.AutoCreate,
		NumPartitions:       int32(c.Topics.NumPartitions),
		FetchSessionsMax:    int(c.Limits.FetchSessionsMax),
		FetchBytesMax:       int(c.Limits.FetchBytesMax),
		RequestPartitionMax: int(c.Limits.RequestPartitionsMax),
		LogDir:              c.Storage.Path,
		Broker:              brokerSettings(c),
		Log:                 b.log,
	}
}

// groupOptions are the settings of groups.
func (b *Broker) groupOptions() group.Options {
	c := &b.config.Groups
	return group.Options{
		InitialRebalanceDelay: config.Milliseconds(c.InitialRebalanceDelayMs),
		SessionTimeoutMin:     config.Milliseconds(c.MinSessionTimeoutMs),
		SessionTimeoutMax:     config.Milliseconds(c.MaxSessionTimeoutMs),
		OffsetsRetention:      time.Duration(c.OffsetsRetentionMinutes) * time.Minute,
		OffsetMetadataMax:     int(c.OffsetMetadataBytesMax),
		MembersMax:            int(c.MaxSize),
		GroupsMax:             int(c.GroupsMax),
		Log:                   b.log,
		Metrics:               b.metrics,
	}
}

// serverOptions are the settings of all Kafka listeners, which let in whom a lets in.
func (b *Broker) serverOptions(a *auth.Authenticator) server.Options {
	c := &b.config
	return server.Options{
		Auth:                a,
		LoginTimeout:        loginTimeout,
		FrameBytesMax:       int(c.Limits.RequestBytesMax),
		FramesBytesMax:      c.Limits.RequestsBytesMax,
		ResponsesBytesMax:   c.Limits.ResponsesBytesMax,
		BufferPoolBytesMax:  c.Performance.BufferPoolSize,
		ConnectionsMax:      int(c.Limits.ConnectionsMax),
		ConnectionsPerIPMax: int(c.Limits.ConnectionsPerIPMax),
		InFlightMax:         int(c.Limits.RequestsInFlightMax),
		IdleTimeout:         config.Milliseconds(c.Limits.IdleTimeoutMs),
		ReadTimeout:         config.Milliseconds(c.Limits.ReadTimeoutMs),
		WriteTimeout:        config.Milliseconds(c.Limits.WriteTimeoutMs),
		NoDelay:             c.Performance.TCPNoDelay,
		SendBufferBytes:     int(c.Performance.SocketSendBufferBytes),
		ReceiveBufferBytes:  int(c.Performance.SocketRecvBufferBytes),
		Log:                 b.log,
		Metrics:             b.metrics,
	}
}
