package config

import (
	"errors"
	"fmt"
	"math"
	"net"
	"regexp"
	"strings"
	"time"
)

// Forms of storage.path and of storage.fsync.
const (
	Memory        = "memory://" // storage.path of a server that keeps everything in memory
	Bucket        = "s3://"     // begins storage.path of a server that keeps everything in a bucket
	FsyncCommit   = "commit"    // every commit is synced before it is acknowledged
	FsyncInterval = "interval"  // what is acknowledged is synced every fsync_interval_ms
)

// secondMs and yearMs bound times.
const (
	secondMs = 1000
	yearMs   = 365 * 24 * 3600 * secondMs
)

// InMemory says whether everything is kept in memory.
func (s Storage) InMemory() bool { return s.Path == Memory }

// InBucket says whether the data is in a bucket of an S3-compatible store.
func (s Storage) InBucket() bool { return strings.HasPrefix(s.Path, Bucket) }

// SyncInterval is how long what is acknowledged may stay out of the disk; 0 where it never does.
func (s Storage) SyncInterval() time.Duration {
	if s.Fsync == FsyncCommit || s.InMemory() || s.InBucket() {
		return 0
	}
	return Milliseconds(s.FsyncIntervalMs)
}

// Validate returns an error that names every wrong setting, each with what would be right, or nil.
func (c *Config) Validate() error {
	v := validator{}
	c.validateAddresses(&v)
	c.validateListeners(&v)
	c.validateStorage(&v)
	c.validateAuth(&v)
	c.validateLimits(&v)
	v.between("batching.max_batch_size", c.Batching.MaxBatchSize, 1<<10, 64<<20)
	v.between("batching.max_batch_messages", c.Batching.MaxBatchMessages, 1, math.MaxInt32)
	v.between("batching.flush_interval_ms", c.Batching.FlushIntervalMs, 0, 60*secondMs)
	v.check(metricPrefix.MatchString(c.Metrics.Prefix), "metrics.prefix", c.Metrics.Prefix, "letters, digits and underscores, not beginning with a digit")
	c.validatePerformance(&v)
	c.validateTopics(&v)
	c.validateGroups(&v)
	c.validateArchive(&v)
	return errors.Join(v.errs...)
}

var metricPrefix = regexp.MustCompile(`^([a-zA-Z_][a-zA-Z0-9_]*)?$`)

func (c *Config) validateAddresses(v *validator) {
	v.between("kafka_port", int64(c.KafkaPort), 0, 65535)
	v.between("http_port", int64(c.HTTPPort), 0, 65535)
	v.check(c.ListenHost != "", "listen_host", c.ListenHost, `"localhost", "0.0.0.0" for every network, or an address of this machine`)
	first := c.firstListener()
	v.advertised(&first)
	for _, l := range c.KafkaListeners() {
		v.check(l.Port != c.HTTPPort || l.Port == 0 || !meet(l.Host, c.ListenHost), "http_port", c.HTTPPort, "another port than "+l.Setting("port"))
	}
}

// scheme is how a URL begins, and no drive of Windows.
var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]+:`)

// wildcard says whether a host stands for every address, which no client can connect to.
func wildcard(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsUnspecified()
}

func (c *Config) validateStorage(v *validator) {
	s := c.Storage
	switch {
	case s.Path == "":
		v.wrong("storage.path", s.Path, `a directory, "s3://bucket/prefix", or "memory://"`)
	case s.Path == Bucket || strings.HasPrefix(s.Path, Bucket+"/"):
		v.wrong("storage.path", s.Path, `"s3://bucket" or "s3://bucket/prefix"`)
	case strings.HasPrefix(s.Path, "~"):
		v.wrong("storage.path", s.Path, "written out: only a shell knows what ~ stands for")
	case scheme.MatchString(s.Path) && !s.InMemory() && !s.InBucket():
		v.wrong("storage.path", s.Path, `a directory, written as a plain path, "s3://bucket/prefix", or "memory://"`)
	}
	v.check(s.Fsync == FsyncCommit || s.Fsync == FsyncInterval, "storage.fsync", s.Fsync, `"commit", or "interval", with which a power cut loses the newest records`)
	v.between("storage.fsync_interval_ms", s.FsyncIntervalMs, 1, 3600*secondMs)
	v.between("storage.memory_bytes_max", s.MemoryBytesMax, 4<<20, math.MaxInt64)
	v.between("storage.cache_bytes_max", s.CacheBytesMax, 1<<20, math.MaxInt64)
	c.validateJournal(v)
}

// Bounds of a journal file: positions in it have 32 bits, and it is used in whole blocks.
const (
	journalFileBytesMin = 1 << 20
	journalFileBytesMax = 1<<32 - journalBlockBytes
	journalBlockBytes   = 4096
)

func (c *Config) validateJournal(v *validator) {
	s := c.Storage
	v.between("storage.journal_file_bytes", s.JournalFileBytes, journalFileBytesMin, journalFileBytesMax)
	if s.JournalFileBytes%journalBlockBytes != 0 {
		v.wrong("storage.journal_file_bytes", s.JournalFileBytes, fmt.Sprintf("a multiple of %d", journalBlockBytes))
	}
	v.between("storage.journal_spare_bytes", s.JournalSpareBytes, 0, 1<<40)
	v.between("storage.checkpoint_bytes", s.CheckpointBytes, 64<<10, math.MaxInt64)
}

func (c *Config) validatePerformance(v *validator) {
	p := c.Performance
	v.between("performance.socket_send_buffer_bytes", p.SocketSendBufferBytes, 0, 1<<30)
	v.between("performance.socket_recv_buffer_bytes", p.SocketRecvBufferBytes, 0, 1<<30)
	v.between("performance.buffer_pool_size", p.BufferPoolSize, 0, math.MaxInt64)
	v.between("performance.compression_level", p.CompressionLevel, -1, 22)
}

func (c *Config) validateLimits(v *validator) {
	l := c.Limits
	v.between("limits.connections_max", l.ConnectionsMax, 1, 10_000_000)
	v.between("limits.connections_per_ip_max", l.ConnectionsPerIPMax, 1, 10_000_000)
	v.between("limits.requests_in_flight_max", l.RequestsInFlightMax, 1, 10_000)
	v.between("limits.request_bytes_max", l.RequestBytesMax, 1<<10, 1<<30) // a larger record would not go into a segment
	v.between("limits.requests_bytes_max", l.RequestsBytesMax, l.RequestBytesMax, math.MaxInt64)
	v.between("limits.responses_bytes_max", l.ResponsesBytesMax, 1<<20, math.MaxInt64)
	v.between("limits.idle_timeout_ms", l.IdleTimeoutMs, secondMs, yearMs)
	v.between("limits.read_timeout_ms", l.ReadTimeoutMs, 100, yearMs)
	v.between("limits.write_timeout_ms", l.WriteTimeoutMs, 100, yearMs)
	v.between("limits.shutdown_timeout_ms", l.ShutdownTimeoutMs, 0, yearMs)
	v.between("limits.fetch_bytes_max", l.FetchBytesMax, 1<<10, 1<<30)
	v.between("limits.fetch_sessions_max", l.FetchSessionsMax, 0, 1_000_000)
	v.between("limits.request_partitions_max", l.RequestPartitionsMax, 1, 1_000_000)
}

func (c *Config) validateTopics(v *validator) {
	v.between("topics.num_partitions", c.Topics.NumPartitions, 1, 10_000)
	v.between("topics.max_message_bytes", c.Topics.MaxMessageBytes, 0, c.Limits.RequestBytesMax)
	if _, err := c.TopicSettings(); err != nil {
		v.errs = append(v.errs, err)
	}
}

func (c *Config) validateGroups(v *validator) {
	g := c.Groups
	v.between("groups.initial_rebalance_delay_ms", g.InitialRebalanceDelayMs, 0, 3600*secondMs)
	v.between("groups.min_session_timeout_ms", g.MinSessionTimeoutMs, 1, 24*3600*secondMs)
	v.between("groups.max_session_timeout_ms", g.MaxSessionTimeoutMs, g.MinSessionTimeoutMs, 24*3600*secondMs)
	v.between("groups.max_size", g.MaxSize, 1, 1_000_000)
	v.between("groups.groups_max", g.GroupsMax, 1, 10_000_000)
	v.between("groups.offsets_retention_minutes", g.OffsetsRetentionMinutes, 1, yearMs/(60*secondMs)*100)
	v.between("groups.offset_metadata_bytes_max", g.OffsetMetadataBytesMax, 1, 64<<10)
}

// validator gathers what is wrong.
type validator struct{ errs []error }

// wrong notes that a setting cannot have its value, and what it could have.
func (v *validator) wrong(setting string, value any, right string) {
	if s, ok := value.(string); ok {
		value = fmt.Sprintf("%q", s)
	}
	v.errs = append(v.errs, fmt.Errorf("%s = %v: should be %s", setting, value, right))
}

func (v *validator) check(ok bool, setting string, value any, right string) {
	if !ok {
		v.wrong(setting, value, right)
	}
}

func (v *validator) between(setting string, value, low, high int64) {
	right := fmt.Sprintf("from %d to %d", low, high)
	if high == math.MaxInt64 {
		right = fmt.Sprintf("at least %d", low)
	}
	v.check(value >= low && value <= high, setting, value, right)
}
