// Package metrics holds every metric of a broker: each name, with its type and meaning, is in this file and nowhere else.
//
// A [Metrics] belongs to one broker, so several brokers of one process (tests, embedding) do not add up. Its fields are
// plain counters, gauges and histograms that any goroutine may update: a counter costs one atomic addition, a histogram
// one short lock. Labelled families hand out a handle ([Metrics.API], [Metrics.Storage], ...) that its user keeps.
// Switching metrics off means not serving them; the updates are too cheap to be worth a branch.
package metrics

import (
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// Counter only goes up, until the process ends.
type Counter = metrics.Counter

// Gauge goes up and down.
type Gauge = metrics.Gauge

// Histogram counts values by bucket in Prometheus' classic form (cumulative, labelled le).
type Histogram = metrics.PrometheusHistogram

// DefaultPrefix begins the name of every metric when the settings give no other.
const DefaultPrefix = "heraclitus"

// Upper bounds of the histograms' buckets.
var (
	secondsBuckets = []float64{50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}
	bytesBuckets   = []float64{64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20}
	countBuckets   = []float64{1, 4, 16, 64, 256, 1024, 4096, 16384, 65536}
)

// Metrics are the metrics of one broker.
type Metrics struct {
	registry

	// Connections and frames, kept by pkg/server.

	Connections        *Gauge   // open client connections
	ConnectionsOpened  *Counter // client connections accepted
	RequestsInFlight   *Gauge   // requests read and not yet answered
	NetworkReceived    *Counter // bytes read from clients
	NetworkSent        *Counter // bytes written to clients
	FrameBytes         *Gauge   // bytes of request frames held now
	DecodedBytes       *Gauge   // bytes that requests decoded into, held now
	FramePoolBytes     *Gauge   // bytes of free frame buffers kept for reuse
	ResponseBytes      *Gauge   // bytes of responses encoded and not yet written
	HandlerPanics      *Counter // panics caught in handlers: each is a bug
	connectionsRefused *vec[*Counter]
	connectionsClosed  *vec[*Counter]
	authentications    *vec[*Counter]
	listenerConns      *vec[*Gauge]
	handshakesFailed   *vec[*Counter]
	notAfter           *vec[*Gauge]
	requests           *vec[*Counter]
	requestSeconds     *vec[*Histogram]
	requestErrors      *vec[*Counter]
	answerErrors       *vec[*Counter]
	storageOperations  *vec[*Counter]
	storageErrors      *vec[*Counter]
	storageSeconds     *vec[*Histogram]
	storageBytes       *vec[*Counter]
	info               *vec[*Gauge]

	// Records, kept by pkg/engine.

	MessagesIn    *Counter   // records accepted and durable
	MessagesOut   *Counter   // records sent to consumers (last offset - first offset + 1 of each batch)
	BytesIn       *Counter   // bytes of record batches accepted, as stored
	BytesOut      *Counter   // bytes of record batches sent to consumers
	BatchBytes    *Histogram // bytes of each accepted batch, as stored
	BatchMessages *Histogram // records of each accepted batch
	MessageBytes  *Histogram // bytes per record of each accepted batch, as stored: one value a batch, its mean

	// Groups, kept by pkg/group.

	GroupMembers     *Gauge   // members of all groups
	GroupRebalances  *Counter // rebalances begun
	OffsetsCommitted *Counter // offsets committed and durable, each partition's
	groups           *vec[*Gauge]

	// The journal and what is kept, by pkg/engine.

	CommitSeconds    *Histogram // from a command's arrival to its being durable and applied
	CommitBytes      *Histogram // bytes of each journal entry
	CommitCommands   *Histogram // commands gathered in each journal entry
	FsyncPerCommit   *Gauge     // 1 when a commit is synced before it is acknowledged, 0 when it may be lost with the power
	Writable         *Gauge     // 1 while records are accepted
	JournalBytes     *Gauge     // bytes the journal holds
	JournalRoomBytes *Gauge     // bytes that can surely still be appended
	CacheBytes       *Gauge     // bytes of records held in memory for readers
	CacheHits        *Counter   // reads answered from memory
	CacheMisses      *Counter   // reads that went to storage
	Topics           *Gauge
	Partitions       *Gauge
	FetchesWaiting   *Gauge   // fetches that wait for records
	RetentionBytes   *Counter // bytes of record batches dropped by retention

	// Segments, by pkg/engine.

	Segments          *Gauge   // Parquet objects that hold records
	SegmentBytes      *Gauge   // bytes of those
	ArchiveLagBytes   *Gauge   // bytes of record batches that lie in the journal and in no segment yet
	ArchiveLagSeconds *Gauge   // since the oldest of those came
	Restrained        *Counter // commits held back because the archiver is behind
	ArchivedRecords   *Counter // records written into segments, anew by merging and compaction as well
	ArchivedBytes     *Counter // bytes of segments written
	CompactedRecords  *Counter // records taken away by compaction
	PastBytes         *Gauge   // bytes held in memory of what was read of segments
	PastHits          *Counter // reads of segments answered from memory
	PastMisses        *Counter // reads of segments that went to storage
}

// New returns the metrics of one broker. Every name begins with prefix and an underscore; the empty prefix adds nothing.
func New(prefix string) *Metrics {
	m := &Metrics{}
	m.prefix = prefix
	m.addServer()
	m.addRecords()
	m.addGroups()
	m.addStorage()
	return m
}

func (m *Metrics) addServer() {
	m.Connections = m.gauge("connections", "Open client connections.")
	m.ConnectionsOpened = m.counter("connections_opened_total", "Client connections accepted.")
	m.connectionsRefused = m.counters("connections_refused_total", "Client connections refused on arrival, by the limit that was reached.", "limit")
	m.connectionsClosed = m.counters("connections_closed_total", "Client connections ended, by reason.", "reason")
	m.listenerConns = m.gauges("listener_connections", "Open client connections, by listener.", "listener")
	m.handshakesFailed = m.counters("tls_handshakes_failed_total", "Client connections ended in their TLS handshake, by reason.", "reason")
	m.notAfter = m.gauges("tls_certificate_not_after_seconds", "When the certificate of a listener expires, in seconds since 1970.", "listener")
	m.authentications = m.counters("authentications_total", "Attempts of clients to authenticate themselves, by mechanism and result.", "mechanism", "result")
	m.requests = m.counters("requests_total", "Requests read, by API and version.", "api", "version")
	m.requestSeconds = m.histograms("request_seconds", "Seconds from a request's last byte to its answer being written, by API.", secondsBuckets, "api")
	m.requestErrors = m.counters("request_errors_total", "Requests that ended their connection without an answer, by API.", "api")
	m.answerErrors = m.counters("answer_errors_total", "Error codes in answers, by API and error: one for each partition, topic, group or whatever else it was said of.", "api", "error")
	m.RequestsInFlight = m.gauge("requests_in_flight", "Requests read and not yet answered.")
	m.NetworkReceived = m.counter("network_received_bytes_total", "Bytes read from clients.")
	m.NetworkSent = m.counter("network_sent_bytes_total", "Bytes written to clients.")
	m.FrameBytes = m.gauge("frame_bytes", "Bytes of memory that request frames hold.")
	m.DecodedBytes = m.gauge("decoded_bytes", "Bytes of memory that decoded requests hold beside their frames.")
	m.FramePoolBytes = m.gauge("frame_pool_bytes", "Bytes of free frame buffers kept for reuse.")
	m.ResponseBytes = m.gauge("response_bytes", "Bytes of responses that wait to be written.")
	m.HandlerPanics = m.counter("handler_panics_total", "Panics caught while answering a request. Each is a bug worth reporting.")
	m.info = m.gauges("info", "Always 1; says which version runs.", "version")
}

func (m *Metrics) addRecords() {
	m.MessagesIn = m.counter("messages_in_total", "Records accepted and durable.")
	m.MessagesOut = m.counter("messages_out_total", "Records sent to consumers.")
	m.BytesIn = m.counter("bytes_in_total", "Bytes of record batches accepted, as stored.")
	m.BytesOut = m.counter("bytes_out_total", "Bytes of record batches sent to consumers.")
	m.BatchBytes = m.histogram("batch_bytes", "Bytes of each accepted record batch, as stored.", bytesBuckets)
	m.BatchMessages = m.histogram("batch_messages", "Records in each accepted record batch.", countBuckets)
	m.MessageBytes = m.histogram("message_bytes", "Bytes per record, as stored: the mean of each accepted batch.", bytesBuckets)
	m.FetchesWaiting = m.gauge("fetches_waiting", "Fetches that wait for records.")
}

func (m *Metrics) addGroups() {
	m.groups = m.gauges("groups", "Groups, by Kafka's name of their state.", "state")
	m.GroupMembers = m.gauge("group_members", "Members of all groups.")
	m.GroupRebalances = m.counter("group_rebalances_total", "Rebalances of groups begun.")
	m.OffsetsCommitted = m.counter("group_offsets_committed_total", "Offsets that groups committed and that are durable, each partition's.")
}

func (m *Metrics) addStorage() {
	m.CommitSeconds = m.histogram("commit_seconds", "Seconds from a command's arrival to its being durable and applied.", secondsBuckets)
	m.CommitBytes = m.histogram("commit_bytes", "Bytes of each journal entry.", bytesBuckets)
	m.CommitCommands = m.histogram("commit_commands", "Commands gathered in each journal entry.", countBuckets)
	m.FsyncPerCommit = m.gauge("fsync_per_commit", "1 when every commit is synced before it is acknowledged, 0 when acknowledged records may be lost with the power.")
	m.Writable = m.gauge("writable", "1 while records are accepted, 0 when storage is full or broken.")
	m.JournalBytes = m.gauge("journal_bytes", "Bytes the journal holds.")
	m.JournalRoomBytes = m.gauge("journal_room_bytes", "Bytes that can surely still be appended to the journal.")
	m.CacheBytes = m.gauge("cache_bytes", "Bytes of records held in memory for readers.")
	m.CacheHits = m.counter("cache_hits_total", "Reads of records answered from memory.")
	m.CacheMisses = m.counter("cache_misses_total", "Reads of records that went to storage.")
	m.Topics = m.gauge("topics", "Topics.")
	m.Partitions = m.gauge("partitions", "Partitions of all topics.")
	m.Segments = m.gauge("segments", "Parquet objects that hold records.")
	m.SegmentBytes = m.gauge("segment_bytes", "Bytes of the Parquet objects that hold records.")
	m.ArchiveLagBytes = m.gauge("archive_lag_bytes", "Bytes of record batches that lie in the journal and in no Parquet object yet.")
	m.ArchiveLagSeconds = m.gauge("archive_lag_seconds", "Seconds since the oldest record batch came that lies in no Parquet object yet.")
	m.Restrained = m.counter("commits_restrained_total", "Commits held back because the journal has outgrown its limit: producers are faster than archiving.")
	m.ArchivedRecords = m.counter("archived_records_total", "Records written into Parquet objects, counted again when they are merged or compacted.")
	m.ArchivedBytes = m.counter("archived_bytes_total", "Bytes of Parquet objects written.")
	m.CompactedRecords = m.counter("compacted_records_total", "Records taken away by compaction.")
	m.PastBytes = m.gauge("past_cache_bytes", "Bytes held in memory of what was read of Parquet objects.")
	m.PastHits = m.counter("past_cache_hits_total", "Reads of Parquet objects answered from memory.")
	m.PastMisses = m.counter("past_cache_misses_total", "Reads of Parquet objects that went to storage.")
	m.RetentionBytes = m.counter("retention_bytes_total", "Bytes of record batches dropped by retention.")
	m.storageOperations = m.counters("storage_operations_total", "Storage operations, by kind.", "op")
	m.storageErrors = m.counters("storage_errors_total", "Storage operations that ended in an error, by kind.", "op")
	m.storageSeconds = m.histograms("storage_seconds", "Seconds a storage operation took, by kind.", secondsBuckets, "op")
	m.storageBytes = m.counters("storage_bytes_total", "Bytes that storage operations moved, by kind.", "op")
}

// ConnectionsRefused counts connections turned away by a limit: connections, connections_per_ip, strangers or shutdown.
func (m *Metrics) ConnectionsRefused(limit string) *Counter { return m.connectionsRefused.with(limit) }

// ConnectionsClosed counts connections that ended for reason, one of the server's reasons.
func (m *Metrics) ConnectionsClosed(reason string) *Counter { return m.connectionsClosed.with(reason) }

// ListenerConnections is how many client connections to a listener are open.
func (m *Metrics) ListenerConnections(listener string) *Gauge { return m.listenerConns.with(listener) }

// HandshakesFailed counts TLS handshakes that failed for reason, one of the server's reasons.
func (m *Metrics) HandshakesFailed(reason string) *Counter { return m.handshakesFailed.with(reason) }

// SetNotAfter shows when the certificate of a listener expires.
func (m *Metrics) SetNotAfter(listener string, t time.Time) {
	m.notAfter.with(listener).Set(float64(t.Unix()))
}

// Groups is how many groups are in a state, one of Kafka's names.
func (m *Metrics) Groups(state string) *Gauge { return m.groups.with(state) }

// Authentications counts attempts to authenticate by a mechanism that is offered, or "none", that ended in result, one of
// those of pkg/auth.
func (m *Metrics) Authentications(mechanism, result string) *Counter {
	return m.authentications.with(mechanism, result)
}

// SetVersion shows which version of the broker runs.
func (m *Metrics) SetVersion(version string) { m.info.with(version).Set(1) }
