// What is shown here, API by API: every version served answers with a message that decodes to its last byte and says what
// Kafka says, errors beside good answers included. Requests and responses go through their encoding; below the handlers
// works a real engine, in memory or on the storage that package storagetest is told of. The answers were compared with
// those of brokers of 3.9.2 (the versions that 4 dropped) and 4.3.1.
package handler

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/heraclitus/heraclitus/pkg/auth"
	"github.com/heraclitus/heraclitus/pkg/engine"
	"github.com/heraclitus/heraclitus/pkg/group"
	"github.com/heraclitus/heraclitus/pkg/journal"
	memjournal "github.com/heraclitus/heraclitus/pkg/journal/mem"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/metrics"
	"github.com/heraclitus/heraclitus/pkg/objstore"
	memstore "github.com/heraclitus/heraclitus/pkg/objstore/mem"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/storagetest"
	"github.com/heraclitus/heraclitus/pkg/topic"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// faulty is a journal that can be made to wait or to fail.
type faulty struct {
	journal.Journal
	gate atomic.Pointer[chan struct{}]
	err  atomic.Pointer[error]
}

var errBroken error = journal.ErrBroken

func (f *faulty) Append(slot uint64, entry []byte) error {
	if gate := f.gate.Load(); gate != nil {
		<-*gate
	}
	if err := f.err.Load(); err != nil {
		return *err
	}
	return f.Journal.Append(slot, entry)
}

// close makes each Append wait until it is let pass, or until open is called.
func (f *faulty) close() (pass, open func()) {
	gate := make(chan struct{})
	f.gate.Store(&gate)
	return func() { gate <- struct{}{} }, func() {
		f.gate.Store(nil)
		close(gate)
	}
}

// world is a handler with all that it needs, and one connection to it.
type world struct {
	testing.TB
	journal *faulty
	engine  *engine.Engine
	handler *Handler
	conn    Conn
	done    chan struct{}   // conn.Done
	calls   map[int16]*Call // used again, as the server does
}

func newWorld(t testing.TB, o Options) *world {
	return newWorldWith(t, o, topic.Defaults())
}

// newWorldWith opens a world where topics have other settings than Kafka's unless they set them.
func newWorldWith(t testing.TB, o Options, defaults topic.Settings) *world {
	t.Helper()
	j, store := storagetest.Open(t)
	return newWorldOn(t, j, store, o, defaults)
}

// newBubble opens a world in memory whatever the storage of tests is: in a bubble of synctest nothing may come from outside.
func newBubble(t testing.TB) *world {
	t.Helper()
	return newWorldOn(t, memjournal.Open(memjournal.Options{}), memstore.Open(), Options{}, topic.Defaults())
}

func newWorldOn(t testing.TB, storage journal.Journal, store objstore.Store, o Options, defaults topic.Settings) *world {
	t.Helper()
	j := &faulty{Journal: storage}
	e, err := engine.Open(j, store, engine.Options{
		Topics: defaults, Log: slog.New(slog.DiscardHandler), Metrics: metrics.New("test"),
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{TB: t, journal: j, engine: e, handler: New(e, group.New(e, group.Options{}), o), done: make(chan struct{}), calls: map[int16]*Call{}}
	t.Cleanup(func() {
		w.handler.groups.Close()
		e.Close()
	})
	w.conn = Conn{AdvertisedHost: "here.example", AdvertisedPort: 9092, Session: auth.Anonymous(), Done: w.done, Flush: func() {}, Reserve: func(n int) int { return n }}
	return w
}

// rowOf returns how an API is served.
func rowOf(key int16) Row {
	table := Table()
	return table[slices.IndexFunc(table, func(r Row) bool { return r.Key == key })]
}

// ask sends a request through its encoding and returns the response, through its encoding; nil if there is none.
func ask[R any](w *world, key, version int16, q wire.Message) *R {
	w.Helper()
	r, err := try[R](w, key, version, q)
	if err != nil {
		w.Fatalf("%s v%d hangs up: %v", wire.Name(key), version, err)
	}
	return r
}

// try is ask for requests that may make the server hang up.
func try[R any](w *world, key, version int16, q wire.Message) (*R, error) {
	w.Helper()
	c := w.submit(key, version, q)
	defer c.Reset()
	if err := rowOf(key).Finish(w.handler, c); err != nil || c.NoResponse {
		return nil, err
	}
	r := decode(w, wire.NewResponse(key), encode(c.Response, version), version)
	if c.Sent != nil {
		c.Sent()
	} else if key == wire.KeyFetch && any(r).(*wire.FetchResponse).ErrorCode == 0 {
		w.Fatal("nobody lets go of what was read")
	}
	return any(r).(*R), nil
}

// submit takes a request through the first half of its row.
func (w *world) submit(key, version int16, q wire.Message) *Call {
	w.Helper()
	row := rowOf(key)
	if version < row.Min || version > row.Max {
		w.Fatalf("%s v%d is not served", wire.Name(key), version)
	}
	c := w.calls[key]
	if c == nil {
		c = &Call{Key: key, Request: wire.NewRequest(key), Response: wire.NewResponse(key)}
		w.calls[key] = c
	}
	frame := q.Append(nil, version)
	decode(w, c.Request, frame, version)
	c.Conn, c.Version, c.ClientID = &w.conn, version, "test"
	released := false
	c.ReleaseFrame = func() {
		released = true
		clear(frame) // whoever looks at it afterwards sees nonsense
	}
	if row.Submit != nil {
		if err := row.Submit(w.handler, c); err != nil {
			w.Fatalf("%s v%d hangs up: %v", wire.Name(key), version, err)
		}
		if !released {
			w.Fatalf("%s v%d keeps its frame", wire.Name(key), version)
		}
	}
	return c
}

// decode reads a message that takes all of b.
func decode(w *world, m wire.Message, b []byte, version int16) wire.Message {
	w.Helper()
	var r kbin.Reader
	r.Reset(b, 64<<20)
	m.Decode(&r, version)
	if r.Err() != nil || r.Len() > 0 {
		w.Fatalf("%T v%d: %v, %d bytes left", m, version, r.Err(), r.Len())
	}
	return m
}

// encode writes a message with its record bytes in their places, as the server does.
func encode(m wire.Message, version int16) []byte {
	b := m.Append(nil, version)
	s, ok := m.(Splices)
	if !ok {
		return b
	}
	var whole []byte
	from := 0
	s.EachRecords(func(r *kbin.Records) {
		if r.Parts == nil {
			return
		}
		whole = append(whole, b[from:r.At]...)
		from = r.At
		for _, p := range r.Parts {
			whole = append(whole, p...)
		}
	})
	return append(whole, b[from:]...)
}

// eachVersion runs f for every version served of an API, from one on.
func eachVersion(key, from int16, f func(version int16)) {
	for v := max(rowOf(key).Min, from); v <= rowOf(key).Max; v++ {
		f(v)
	}
}

// create creates a topic and returns its id.
func (w *world) create(name string, partitions int32, config ...string) kbin.UUID {
	w.Helper()
	r := ask[wire.CreateTopicsResponse](w, wire.KeyCreateTopics, 7, &wire.CreateTopicsRequest{Topics: []wire.CreateTopicsRequestCreatableTopic{newTopic(name, partitions, 1, config...)}})
	if t := r.Topics[0]; t.ErrorCode != 0 {
		w.Fatalf("create %s: %v", name, kerr.Code(t.ErrorCode))
	}
	return r.Topics[0].TopicID
}

func newTopic(name string, partitions int32, replicas int16, config ...string) wire.CreateTopicsRequestCreatableTopic {
	t := wire.CreateTopicsRequestCreatableTopic{Name: name, NumPartitions: partitions, ReplicationFactor: replicas}
	for i := 0; i < len(config); i += 2 {
		t.Configs = append(t.Configs, wire.CreateTopicsRequestCreatableTopicConfig{Name: config[i], Value: &config[i+1]})
	}
	return t
}

// batch returns a batch of records without keys, all of one time.
func batch(t testing.TB, ms int64, values ...string) []byte {
	t.Helper()
	return build(t, record.Options{LeaderEpoch: -1}, ms, values...)
}

func build(t testing.TB, o record.Options, ms int64, values ...string) []byte {
	t.Helper()
	var records []record.Record
	for i, v := range values {
		records = append(records, record.Record{Offset: int64(i), Timestamp: ms, Value: []byte(v)})
	}
	b, err := record.Build(o, records...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func nowMs() int64 { return time.Now().UnixMilli() }

// text is what a nullable string says.
func text(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}

func pointer(s string) *string { return &s }

// expect compares lists of short texts.
func (w *world) expect(what string, got []string, want ...string) {
	w.Helper()
	if !slices.Equal(got, want) {
		w.Errorf("%s:\n got %s\nwant %s", what, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// TestTable shows that what is advertised can be read and written, and that nothing is left out without being meant to be.
func TestTable(t *testing.T) {
	// Versions that the schemas have and that are not served: the head comments say why.
	ceilings := map[int16]int16{
		wire.KeyProduce: 11, wire.KeyFetch: 17, wire.KeyListOffsets: 10, wire.KeyApiVersions: 4, wire.KeyInitProducerID: 5,
		wire.KeyOffsetCommit: 9, wire.KeyOffsetFetch: 9, wire.KeyDeleteGroups: 2,
	}
	last := int16(-1)
	for _, row := range Table() {
		least, most, _, ok := wire.Versions(row.Key)
		if ceiling, cut := ceilings[row.Key]; cut {
			most = ceiling
		}
		if !ok || row.Min != least || row.Max != most {
			t.Errorf("%s: %d to %d are served, want %d to %d", wire.Name(row.Key), row.Min, row.Max, least, most)
		}
		if row.Key <= last || row.Finish == nil {
			t.Errorf("%s: out of order, or without a method", wire.Name(row.Key))
		}
		last = row.Key
	}
}

// TestNobodyHangsUp sends the empty request of every API in every version, several times with one call.
func TestNobodyHangsUp(t *testing.T) {
	w := newWorld(t, Options{})
	for _, row := range Table() {
		for v := row.Min; v <= row.Max; v++ {
			for range 2 {
				q := wire.NewRequest(row.Key)
				q.Reset()
				c := w.submit(row.Key, v, q)
				if err := row.Finish(w.handler, c); err != nil {
					t.Errorf("%s v%d: %v", wire.Name(row.Key), v, err)
				}
				decode(w, wire.NewResponse(row.Key), encode(c.Response, v), v)
				c.Reset()
			}
		}
	}
}

func TestMessage(t *testing.T) {
	f := func(err error, want string) {
		t.Helper()
		if got := text(message(err)); got != want {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
	}
	f(nil, "null")
	f(kerr.UnknownTopicOrPartition, "null")
	f(fmt.Errorf("disk 3 is broken"), "null")
	f(fmt.Errorf("too many: %w", kerr.PolicyViolation), "too many")
}

func TestCheckEpoch(t *testing.T) {
	f := func(claimed int32, want kerr.Code) {
		t.Helper()
		if got := checkEpoch(claimed); got != want {
			t.Errorf("epoch %d: %v, want %v", claimed, got, want)
		}
	}
	f(-1, kerr.None)
	f(0, kerr.None)
	f(1, kerr.UnknownLeaderEpoch)
	f(-2, kerr.FencedLeaderEpoch)
}
