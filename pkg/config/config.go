// Package config holds the settings of a server: where they come from, their defaults, and which of them make no sense.
//
// The defaults are the file default.toml beside this one, which is their documentation as well. A heraclitus.toml goes
// over them, the command line over that. A setting that is unknown or wrong stops the start: it is named, with what would
// be right.
package config

import (
	_ "embed"
	"fmt"
	"os"
	"time"

	"github.com/BurntSushi/toml"
)

// DefaultText is the file of all settings and their defaults.
//
//go:embed default.toml
var DefaultText string

// Config are the settings of a server. What each one means stands in default.toml.
type Config struct {
	KafkaPort      int    `toml:"kafka_port"`
	HTTPPort       int    `toml:"http_port"`
	ListenHost     string `toml:"listen_host"`
	AdvertisedHost string `toml:"advertised_host"`
	AdvertisedPort int    `toml:"advertised_port"`

	Listeners []Listener `toml:"listeners"`

	TLS         DefaultTLS  `toml:"tls"`
	Storage     Storage     `toml:"storage"`
	Auth        Auth        `toml:"auth"`
	Batching    Batching    `toml:"batching"`
	Metrics     Metrics     `toml:"metrics"`
	Performance Performance `toml:"performance"`
	Limits      Limits      `toml:"limits"`
	Topics      Topics      `toml:"topics"`
	Groups      Groups      `toml:"groups"`
	Archive     Archive     `toml:"archive"`
}

// Storage says where records are kept and how safely.
type Storage struct {
	Path            string `toml:"path"`
	DSN             string `toml:"dsn"` // folded into Path by Load
	Fsync           string `toml:"fsync"`
	FsyncIntervalMs int64  `toml:"fsync_interval_ms"`
	MemoryBytesMax  int64  `toml:"memory_bytes_max"`
	CacheBytesMax   int64  `toml:"cache_bytes_max"`

	JournalFileBytes  int64 `toml:"journal_file_bytes"`
	JournalSpareBytes int64 `toml:"journal_spare_bytes"`
	CheckpointBytes   int64 `toml:"checkpoint_bytes"`
}

// Batching bounds a group commit.
type Batching struct {
	MaxBatchSize     int64 `toml:"max_batch_size"`
	MaxBatchMessages int64 `toml:"max_batch_messages"`
	FlushIntervalMs  int64 `toml:"flush_interval_ms"`
}

// Metrics says whether and under which names metrics are served.
type Metrics struct {
	Enabled bool   `toml:"enabled"`
	Prefix  string `toml:"prefix"`
}

// Performance tunes sockets, buffers and compression.
type Performance struct {
	TCPNoDelay            bool  `toml:"tcp_nodelay"`
	SocketSendBufferBytes int64 `toml:"socket_send_buffer_bytes"`
	SocketRecvBufferBytes int64 `toml:"socket_recv_buffer_bytes"`
	BufferPoolSize        int64 `toml:"buffer_pool_size"`
	CompressionLevel      int64 `toml:"compression_level"`
}

// Limits bounds what clients may make the server do and hold.
type Limits struct {
	ConnectionsMax       int64 `toml:"connections_max"`
	ConnectionsPerIPMax  int64 `toml:"connections_per_ip_max"`
	RequestsInFlightMax  int64 `toml:"requests_in_flight_max"`
	RequestBytesMax      int64 `toml:"request_bytes_max"`
	RequestsBytesMax     int64 `toml:"requests_bytes_max"`
	ResponsesBytesMax    int64 `toml:"responses_bytes_max"`
	IdleTimeoutMs        int64 `toml:"idle_timeout_ms"`
	ReadTimeoutMs        int64 `toml:"read_timeout_ms"`
	WriteTimeoutMs       int64 `toml:"write_timeout_ms"`
	ShutdownTimeoutMs    int64 `toml:"shutdown_timeout_ms"`
	FetchBytesMax        int64 `toml:"fetch_bytes_max"`
	FetchSessionsMax     int64 `toml:"fetch_sessions_max"`
	RequestPartitionsMax int64 `toml:"request_partitions_max"`
}

// Topics are the settings of topics that do not have their own.
type Topics struct {
	AutoCreate           bool   `toml:"auto_create"`
	NumPartitions        int64  `toml:"num_partitions"`
	RetentionMs          int64  `toml:"retention_ms"`
	RetentionBytes       int64  `toml:"retention_bytes"`
	MaxMessageBytes      int64  `toml:"max_message_bytes"`
	MessageTimestampType string `toml:"message_timestamp_type"`
	CompressionType      string `toml:"compression_type"`
	SegmentBytes         int64  `toml:"segment_bytes"`
	SegmentMs            int64  `toml:"segment_ms"`
}

// Groups are the settings of consumer groups.
type Groups struct {
	InitialRebalanceDelayMs int64 `toml:"initial_rebalance_delay_ms"`
	MinSessionTimeoutMs     int64 `toml:"min_session_timeout_ms"`
	MaxSessionTimeoutMs     int64 `toml:"max_session_timeout_ms"`
	MaxSize                 int64 `toml:"max_size"`
	GroupsMax               int64 `toml:"groups_max"`
	OffsetsRetentionMinutes int64 `toml:"offsets_retention_minutes"`
	OffsetMetadataBytesMax  int64 `toml:"offset_metadata_bytes_max"`
}

// Milliseconds is n milliseconds as a duration.
func Milliseconds(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// Default returns the settings that hold when nothing is set.
func Default() Config {
	var c Config
	if _, err := toml.Decode(DefaultText, &c); err != nil {
		panic("BUG: default.toml does not parse: " + err.Error())
	}
	return c
}

// Load returns the defaults with the settings of a file over them. It does not check their values: what goes over the
// file may mend them, so Validate comes last.
func Load(path string) (Config, error) {
	c := Default()
	text, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("read the settings: %w", err)
	}
	if err := c.decode(string(text)); err != nil {
		return c, fmt.Errorf("read the settings in %s: %w", path, err)
	}
	return c, nil
}

// decode puts the settings of a TOML text over c.
func (c *Config) decode(text string) error {
	meta, err := toml.Decode(text, c)
	if err != nil {
		return wrongType(withoutSecrets(err, text))
	}
	if err := unknownKeys(text, meta.Undecoded()); err != nil {
		return err
	}
	return c.foldDSN(meta.IsDefined("storage", "path"))
}

// foldDSN makes storage.dsn what it is, another name for storage.path.
func (c *Config) foldDSN(pathSet bool) error {
	s := &c.Storage
	if s.DSN == "" {
		return nil
	}
	if pathSet && s.Path != s.DSN {
		return fmt.Errorf("storage.dsn is another name for storage.path, and they differ: keep one of them")
	}
	s.Path, s.DSN = s.DSN, ""
	return nil
}
