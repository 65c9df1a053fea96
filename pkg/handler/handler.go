// Package handler answers Kafka's requests: one file per API, numbered by its key, and one table of them all.
//
// A handler translates and owns no state. It reads a typed request, asks the owner of the state (the engine, the groups, the
// fetch sessions, the authentication), and fills a typed response. A refusal is a field of the response; a returned error
// hangs up the connection. API versions end here: nobody below this package knows one.
//
// A request passes through at most two methods of its [Row]. Submit runs on the goroutine that reads the connection, in
// request order, and must not wait for anything but back-pressure; Finish runs on the goroutine that answers the
// connection, again in request order, and may wait. Only Produce has a Submit: its batches are copied into the open
// journal entry at once, so that many produces of one connection share a commit, and its Finish waits for that commit.
package handler

import (
	"cmp"
	"log/slog"

	"github.com/heraclitus/heraclitus/pkg/auth"
	"github.com/heraclitus/heraclitus/pkg/engine"
	"github.com/heraclitus/heraclitus/pkg/group"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/session"
	"github.com/heraclitus/heraclitus/pkg/topic"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// Options are the settings that handlers answer by. A zero means the default, but for AutoCreateTopics and
// FetchSessionsMax, where it means none.
type Options struct {
	AutoCreateTopics    bool  // Kafka's auto.create.topics.enable
	NumPartitions       int32 // partitions of a topic created without a count; Kafka's num.partitions
	FetchSessionsMax    int   // Kafka's max.incremental.fetch.session.cache.slots
	FetchBytesMax       int   // most record bytes in one fetch response, unless its first batch is larger; Kafka's fetch.max.bytes
	RequestPartitionMax int   // most partitions, groups or the like that one request may name; one with more ends its connection
	TopicPartitionsMax  int32 // most partitions of a topic
	PartitionsMax       int   // most partitions of all topics

	LogDir string          // where everything is kept, as DescribeLogDirs calls it
	Broker []BrokerSetting // what DescribeConfigs tells of the broker beside the above
	Log    *slog.Logger    // of changes to topics; default: none
}

// BrokerSetting is one of the broker's settings by Kafka's name. Clients are told of it, and cannot change it.
type BrokerSetting struct {
	Name  string
	Kind  topic.Kind
	Value int64
	Kafka int64 // what Kafka has as its default
	Doc   string
}

// setDefaults fills in what is zero; Kafka's defaults where it has one.
func (o *Options) setDefaults() {
	o.NumPartitions = cmp.Or(o.NumPartitions, 1)
	o.FetchBytesMax = cmp.Or(o.FetchBytesMax, 55<<20)
	o.RequestPartitionMax = cmp.Or(o.RequestPartitionMax, 100_000)
	o.TopicPartitionsMax = cmp.Or(o.TopicPartitionsMax, 10_000)
	o.PartitionsMax = cmp.Or(o.PartitionsMax, 200_000)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

// Handler answers requests out of one engine. It is safe for any number of connections at once.
type Handler struct {
	engine   *engine.Engine
	groups   *group.Coordinator
	sessions *session.Cache
	options  Options
}

// New returns a handler over e and the groups that it keeps.
func New(e *engine.Engine, g *group.Coordinator, o Options) *Handler {
	o.setDefaults()
	return &Handler{engine: e, groups: g, sessions: session.NewCache(o.FetchSessionsMax), options: o}
}

// Conn is what the requests of one connection share. The server makes it; handlers only read it, and take its session
// further.
type Conn struct {
	Listener       string        // name of the listener it came in by
	AdvertisedHost string        // what Metadata tells this connection's client to connect to
	AdvertisedPort int32         // likewise
	RemoteAddr     string        // host:port of the client
	Session        *auth.Session // who the client is; only ApiVersions and the SASL requests get here before that is known

	// Done is closed when the connection ends or the server stops: whoever waits for records or members then answers with what
	// there is; whoever waits for a commit goes on waiting.
	Done <-chan struct{}
	// Flush writes the answers finished so far. The Finish of a row with a Submit calls it before it waits, and only then, so
	// that the answers of one commit leave in one write; before every other Finish the server has called it already.
	Flush func()
	// Reserve takes room for record bytes of the response from the server's limit on responses not yet written: at most
	// want, less if slow readers hold the rest, but always enough for a small batch. The server gives it back. Finish
	// only.
	Reserve func(want int) (granted int)
}

// Call is one request on its way through the server, with the response it becomes. Calls are reused.
type Call struct {
	Conn          *Conn
	Key           int16
	Version       int16 // of the request, within the row's range
	CorrelationID int32
	ClientID      string       // owned; empty when the client sent null
	Request       wire.Message // borrows from the frame until ReleaseFrame, or until Finish has returned
	Response      wire.Message // reset before Submit
	Unsupported   bool         // an ApiVersions request of a version we do not serve: nothing of its body is read, Version is 0
	Raw           bool         // a SaslAuthenticate that is nothing but its token, without a header; the answer is likewise
	NoResponse    bool         // set by a handler: nothing is sent back, as to a produce with acks=0
	Last          bool         // set by a handler whose refusal ends the session: the connection is closed after the response
	ReleaseFrame  func()       // gives the request's frame back early; Request's bytes must not be touched afterwards
	Sent          func()       // set by a handler: runs once the response, with the views in it, is written or given up

	produce producing
	fetch   fetching
}

// Reset makes the call ready for another request of the same API.
func (c *Call) Reset() {
	c.Request.Reset()
	c.Response.Reset()
	c.Conn, c.ReleaseFrame, c.Sent = nil, nil, nil
	c.Unsupported, c.Raw, c.NoResponse, c.Last = false, false, false, false
	c.produce.reset()
	c.fetch.reset()
}

// Splices is implemented by responses that hold record bytes: the server writes their Parts in place, uncopied.
type Splices interface {
	EachRecords(f func(*kbin.Records))
}
