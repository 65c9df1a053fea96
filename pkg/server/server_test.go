package server

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/handler"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/metrics"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// The rows of these tests answer nothing by themselves: each test says what they do. Produce and Fetch are pipelined as in
// the real table, everything else is not.

func answer(*handler.Handler, *handler.Call) error { return nil }

// tableOf is a table of rows that answer at once with an empty response.
func tableOf(keys ...int16) []handler.Row {
	var table []handler.Row
	for _, key := range keys {
		_, highest, _, _ := wire.Versions(key)
		pipelined := key == wire.KeyProduce || key == wire.KeyFetch
		table = append(table, handler.Row{Key: key, Max: highest, Pipelined: pipelined, Finish: answer})
	}
	return table
}

// on gives the row with this key its methods.
func on(table []handler.Row, key int16, submit, finish handler.Method) []handler.Row {
	for i := range table {
		if table[i].Key == key {
			table[i].Submit, table[i].Finish = submit, finish
		}
	}
	return table
}

func testOptions() Options {
	return Options{
		FrameBytesMax: 10 << 20, FramesBytesMax: 20 << 20, ResponsesBytesMax: 4 << 20, BufferPoolBytesMax: 1 << 20,
		ConnectionsMax: 100, ConnectionsPerIPMax: 100, InFlightMax: 8,
		IdleTimeout: 10 * time.Minute, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second, NoDelay: true,
		Log: slog.New(slog.DiscardHandler), Metrics: metrics.New(""),
	}
}

// start serves table on a free port until the test ends. Whether clients must authenticate themselves is change's to say.
func start(t *testing.T, table []handler.Row, change func(*Options)) (*Server, string) {
	t.Helper()
	return startAs(t, table, change, Listener{})
}

// startAs is start with a listener of another kind.
func startAs(t *testing.T, table []handler.Row, change func(*Options), how Listener) (*Server, string) {
	t.Helper()
	o := testOptions()
	if change != nil {
		change(&o)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	how.Name, how.SASL = "test", o.Auth != nil
	s, served := New(nil, table, o), make(chan error, 1)
	go func() { served <- s.Serve(l, how) }()
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != ErrClosed {
			t.Errorf("Serve ended in %v", err)
		}
		if held := s.frames.held() + s.responses.held() + s.inFlight.Load(); held != 0 {
			t.Errorf("after Shutdown: %d frame bytes, %d response bytes, %d requests held", s.frames.held(), s.responses.held(), s.inFlight.Load())
		}
	})
	return s, l.Addr().String()
}

// client is one connection of a test.
type client struct {
	net.Conn
	t *testing.T
}

func dial(t *testing.T, address string) *client {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &client{Conn: c, t: t}
}

// request is a request as it is sent.
func request(key, version int16, correlationID int32, m wire.Message) []byte {
	id := "test"
	header := wire.RequestHeader{RequestApiKey: key, RequestApiVersion: version, CorrelationID: correlationID, ClientID: &id}
	b := header.Append(nil, wire.RequestHeaderVersion(key, version))
	return framed(m.Append(b, version))
}

// send sends empty requests for an API, numbered from the given correlation id, in one write.
func (c *client) send(key, version int16, correlationIDs ...int32) {
	c.t.Helper()
	var b []byte
	for _, id := range correlationIDs {
		b = append(b, request(key, version, id, wire.NewRequest(key))...)
	}
	if _, err := c.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) receive(key, version int16, correlationIDs ...int32) {
	c.t.Helper()
	for _, id := range correlationIDs {
		readResponse(c.t, c, key, version, id)
	}
}

// Patience of a test that reads what should have come long ago: a day where time is the test's own.
const (
	patience     = 20 * time.Second
	pipePatience = 24 * time.Hour
)

// ended waits for the server to close the connection without another answer.
func (c *client) ended() {
	c.t.Helper()
	wait := patience
	if _, piped := c.RemoteAddr().(*net.TCPAddr); !piped {
		wait = pipePatience
	}
	c.SetReadDeadline(time.Now().Add(wait))
	if rest, err := io.ReadAll(c); len(rest) > 0 || err != nil && !errors.Is(err, io.EOF) && !isReset(err) {
		c.t.Errorf("the connection brought %d more bytes, then %v; want its end", len(rest), err)
	}
}

func isReset(err error) bool { return strings.Contains(err.Error(), "reset") }

// TestEveryAPI shows that an empty request of every API and version, sent as raw frames over one connection, is answered
// by a response that decodes, in order.
func TestEveryAPI(t *testing.T) {
	var keys []int16
	for key := range int16(100) {
		if wire.NewRequest(key) != nil {
			keys = append(keys, key)
		}
	}
	_, address := start(t, tableOf(keys...), nil)
	c := dial(t, address)
	id := int32(0)
	for _, key := range keys {
		low, high, _, _ := wire.Versions(key)
		for version := low; version <= high; version++ {
			c.send(key, version, id)
			c.receive(key, version, id)
			id++
		}
	}
	if id < 200 {
		t.Errorf("only %d requests were tried", id)
	}
}

// TestPipelining shows that produces are submitted while an earlier one waits, up to the requests in flight, and that all
// are answered in order, whatever comes first.
func TestPipelining(t *testing.T) {
	var submitted atomic.Int32
	commit := make(chan struct{})
	eighth := make(chan struct{})
	submit := func(*handler.Handler, *handler.Call) error {
		if submitted.Add(1) == 8 {
			close(eighth)
		}
		return nil
	}
	finish := func(_ *handler.Handler, c *handler.Call) error {
		c.Conn.Flush()
		<-commit
		return nil
	}
	_, address := start(t, on(tableOf(wire.KeyProduce), wire.KeyProduce, submit, finish), nil)
	c := dial(t, address)
	c.send(wire.KeyProduce, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
	<-eighth
	if n := submitted.Load(); n > 9 {
		t.Errorf("%d requests were submitted, 8 may be in flight and one be handed over", n)
	}
	close(commit)
	c.receive(wire.KeyProduce, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
}

// TestBarrier shows that behind a request that is not pipelined nothing is submitted until it is finished. (With Pipelined
// set on the row the produce is submitted first, and the test fails: that is tried as well.)
func TestBarrier(t *testing.T) {
	f := func(pipelined bool, want string) {
		t.Helper()
		order := make(chan string, 2)
		submitted := make(chan struct{})
		submit := func(*handler.Handler, *handler.Call) error {
			order <- "submit"
			close(submitted)
			return nil
		}
		finish := func(*handler.Handler, *handler.Call) error {
			if pipelined {
				<-submitted
			}
			order <- "finish"
			return nil
		}
		table := on(tableOf(wire.KeyMetadata, wire.KeyProduce), wire.KeyMetadata, nil, finish)
		table[0].Pipelined = pipelined
		_, address := start(t, on(table, wire.KeyProduce, submit, answer), nil)
		c := dial(t, address)
		both := append(request(wire.KeyMetadata, 12, 1, &wire.MetadataRequest{}), request(wire.KeyProduce, 9, 2, &wire.ProduceRequest{})...)
		c.Write(both)
		c.receive(wire.KeyMetadata, 12, 1)
		c.receive(wire.KeyProduce, 9, 2)
		if got := <-order + ", " + <-order; got != want {
			t.Errorf("pipelined %v: %s; want %s", pipelined, got, want)
		}
	}
	f(false, "finish, submit")
	f(true, "submit, finish")
}

// TestAnswersDoNotWait shows that an answer is not held back by a later request of the connection that waits.
func TestAnswersDoNotWait(t *testing.T) {
	records := make(chan struct{})
	wait := func(_ *handler.Handler, c *handler.Call) error {
		<-records
		return nil
	}
	_, address := start(t, on(tableOf(wire.KeyProduce, wire.KeyFetch), wire.KeyFetch, nil, wait), nil)
	c := dial(t, address)
	c.Write(append(request(wire.KeyProduce, 9, 1, &wire.ProduceRequest{}), request(wire.KeyFetch, 12, 2, &wire.FetchRequest{})...))
	c.receive(wire.KeyProduce, 9, 1)
	close(records)
	c.receive(wire.KeyFetch, 12, 2)
}

// TestNoResponse shows that a request that wants no answer gets none, and that the next one gets its own.
func TestNoResponse(t *testing.T) {
	silent := func(_ *handler.Handler, c *handler.Call) error {
		c.NoResponse = true
		return nil
	}
	_, address := start(t, on(tableOf(wire.KeyProduce, wire.KeyMetadata), wire.KeyProduce, nil, silent), nil)
	c := dial(t, address)
	c.send(wire.KeyProduce, 9, 1, 2)
	c.send(wire.KeyMetadata, 12, 3)
	c.receive(wire.KeyMetadata, 12, 3)
}

// TestHangUps shows which requests end their connection, after what came before them was answered, how that is counted,
// and that the server lives on.
func TestHangUps(t *testing.T) {
	refuse := func(*handler.Handler, *handler.Call) error { return errors.New("no") }
	explode := func(*handler.Handler, *handler.Call) error { panic("oh") }
	table := tableOf(wire.KeyMetadata, wire.KeyProduce, wire.KeyFetch, wire.KeyCreateTopics, wire.KeyDeleteTopics)
	on(table, wire.KeyProduce, refuse, answer)
	on(table, wire.KeyFetch, nil, refuse)
	on(table, wire.KeyCreateTopics, explode, answer)
	on(table, wire.KeyDeleteTopics, nil, explode)
	s, address := start(t, table, nil)
	f := func(what, reason string, bad []byte) {
		t.Helper()
		before := s.metrics.ConnectionsClosed(reason).Get()
		c := dial(t, address)
		c.send(wire.KeyMetadata, 12, 1)
		c.Write(bad)
		c.receive(wire.KeyMetadata, 12, 1)
		c.CloseWrite()
		c.ended()
		waitFor(t, func() bool { return s.metrics.ConnectionsClosed(reason).Get() == before+1 }, what+" is counted as "+reason)
	}
	whole := request(wire.KeyMetadata, 12, 2, &wire.MetadataRequest{Topics: make([]wire.MetadataRequestTopic, 3)})
	f("an empty frame", "malformed", framed(nil))
	f("seven bytes", "malformed", framed(make([]byte, 7)))
	f("a header that ends early", "malformed", framed(whole[4:14]))
	f("a body that ends early", "malformed", framed(whole[4:len(whole)-5]))
	f("an array of billions", "malformed", framed(append(bytes.Clone(whole[4:19]), 0xff, 0xff, 0xff, 0xff, 0x7f)))
	f("an unknown API", "unsupported", framed([]byte{0x7f, 0xff, 0, 0, 0, 0, 0, 9}))
	f("a version from the future", "unsupported", framed([]byte{0, 3, 0, 99, 0, 0, 0, 9}))
	f("a negative version", "unsupported", framed([]byte{0, 3, 0xff, 0xff, 0, 0, 0, 9}))
	f("a negative length", "malformed", []byte{0xff, 0xff, 0xff, 0xff})
	f("a length over the limit", "too_large", []byte{0x7f, 0, 0, 0})
	f("a refused submit", "refused", request(wire.KeyProduce, 9, 2, &wire.ProduceRequest{}))
	f("a refused finish", "refused", request(wire.KeyFetch, 12, 2, &wire.FetchRequest{}))
	f("a panic in submit", "panic", request(wire.KeyCreateTopics, 5, 2, &wire.CreateTopicsRequest{}))
	f("a panic in finish", "panic", request(wire.KeyDeleteTopics, 5, 2, &wire.DeleteTopicsRequest{}))
	f("half a request", "client", whole[:20])
	if n := s.metrics.HandlerPanics.Get(); n != 2 {
		t.Errorf("%d panics counted, want 2", n)
	}
	for _, key := range []int16{wire.KeyProduce, wire.KeyFetch, wire.KeyCreateTopics, wire.KeyDeleteTopics} {
		if n := s.apis[key].metrics.Errors.Get(); n != 1 {
			t.Errorf("%s: %d requests that ended their connection are counted, want 1", wire.Name(key), n)
		}
	}
}

// TestErrorsAreCounted shows that the error codes of answers are counted by API and name, those that lie deep in them
// too, and that what is not sent is not.
func TestErrorsAreCounted(t *testing.T) {
	m := metrics.New("px")
	table := tableOf(wire.KeyMetadata, wire.KeyProduce)
	on(table, wire.KeyMetadata, nil, func(_ *handler.Handler, c *handler.Call) error {
		kbin.Add(&c.Response.(*wire.MetadataResponse).Topics).ErrorCode = int16(kerr.UnknownTopicOrPartition)
		return nil
	})
	on(table, wire.KeyProduce, nil, func(_ *handler.Handler, c *handler.Call) error {
		c.NoResponse = c.Request.(*wire.ProduceRequest).Acks == 0
		p := kbin.Add(&kbin.Add(&c.Response.(*wire.ProduceResponse).Responses).PartitionResponses)
		p.ErrorCode = int16(kerr.NotLeaderOrFollower)
		return nil
	})
	_, address := start(t, table, func(o *Options) { o.Metrics = m })
	c := dial(t, address)
	c.Write(request(wire.KeyProduce, 9, 1, &wire.ProduceRequest{Acks: 0}))
	c.Write(request(wire.KeyProduce, 9, 2, &wire.ProduceRequest{Acks: 1}))
	c.receive(wire.KeyProduce, 9, 2)
	for id := int32(3); id < 5; id++ {
		c.send(wire.KeyMetadata, 12, id)
		c.receive(wire.KeyMetadata, 12, id)
	}
	var b bytes.Buffer
	m.Write(&b)
	for _, line := range []string{`{api="Metadata",error="UNKNOWN_TOPIC_OR_PARTITION"} 2`, `{api="Produce",error="NOT_LEADER_OR_FOLLOWER"} 1`} {
		if !strings.Contains(b.String(), "\npx_answer_errors_total"+line+"\n") {
			t.Errorf("no %s in\n%s", line, b.String())
		}
	}
}

// CloseWrite says that nothing more is sent.
func (c *client) CloseWrite() { c.Conn.(*net.TCPConn).CloseWrite() }

// waitFor waits for something that another goroutine is about to do.
func waitFor(t *testing.T, done func() bool, what string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

// TestApiVersionsFromTheFuture shows that an ApiVersions request of a version nobody knows reaches its handler as
// unsupported, its body unread, and is answered in version 0, and that the connection stays.
func TestApiVersionsFromTheFuture(t *testing.T) {
	finish := func(_ *handler.Handler, c *handler.Call) error {
		r := c.Response.(*wire.ApiVersionsResponse)
		if c.Unsupported {
			r.ErrorCode = 35
		}
		if c.Version > 4 {
			t.Errorf("version %d reached the handler", c.Version)
		}
		return nil
	}
	table := on(tableOf(wire.KeyApiVersions), wire.KeyApiVersions, nil, finish)
	table[0].Max = 4
	_, address := start(t, table, nil)
	c := dial(t, address)
	f := func(id int32, version uint16, body string) {
		t.Helper()
		b := binary.BigEndian.AppendUint16([]byte{0, 18}, version)
		c.Write(framed(append(binary.BigEndian.AppendUint32(b, uint32(id)), body...)))
		got := readResponse(t, c, wire.KeyApiVersions, 0, id).(*wire.ApiVersionsResponse)
		if got.ErrorCode != 35 {
			t.Errorf("version %d: error %d, want 35", version, got.ErrorCode)
		}
	}
	f(1, 5, "")
	f(2, 127, "\x00\x03abc\x00whatever comes then")
	f(3, 0x8000, "\xff\xff\xff\xff")
	c.send(wire.KeyApiVersions, 4, 4)
	if got := readResponse(t, c, wire.KeyApiVersions, 4, 4).(*wire.ApiVersionsResponse); got.ErrorCode != 0 {
		t.Errorf("version 4 after them: error %d", got.ErrorCode)
	}
}

// TestCallsAreClean shows that nothing of one request is seen by a later one that reuses its memory, over several
// connections.
func TestCallsAreClean(t *testing.T) {
	finish := func(_ *handler.Handler, c *handler.Call) error {
		q, r := c.Request.(*wire.MetadataRequest), c.Response.(*wire.MetadataResponse)
		if len(r.Topics) != 0 || c.Sent != nil || c.NoResponse {
			t.Errorf("a call begins with %d topics, Sent set: %v, NoResponse %v", len(r.Topics), c.Sent != nil, c.NoResponse)
		}
		for _, topic := range q.Topics {
			r.Topics = append(r.Topics, wire.MetadataResponseTopic{Name: topic.Name})
		}
		c.Sent = func() {}
		return nil
	}
	_, address := start(t, on(tableOf(wire.KeyMetadata), wire.KeyMetadata, nil, finish), nil)
	var wg sync.WaitGroup
	for range 4 {
		c := dial(t, address)
		wg.Go(func() {
			for i := range int32(200) {
				m := &wire.MetadataRequest{}
				for range i % 5 {
					m.Topics = append(m.Topics, wire.MetadataRequestTopic{Name: new(strings.Repeat("x", int(i)))})
				}
				c.Write(request(wire.KeyMetadata, 12, i, m))
				got := readResponse(t, c, wire.KeyMetadata, 12, i).(*wire.MetadataResponse)
				if len(got.Topics) != len(m.Topics) || len(m.Topics) > 0 && *got.Topics[0].Name != *m.Topics[0].Name {
					t.Errorf("%d topics came back for %d", len(got.Topics), len(m.Topics))
				}
			}
		})
	}
	wg.Wait()
}

// TestConnSeesItsClient shows what handlers are told of a connection, with the advertised address set and not.
func TestConnSeesItsClient(t *testing.T) {
	f := func(host string, port int32, wantHost string) {
		t.Helper()
		seenBy := make(chan handler.Conn, 1)
		finish := func(_ *handler.Handler, c *handler.Call) error {
			seenBy <- *c.Conn
			return nil
		}
		_, address := startAs(t, on(tableOf(wire.KeyMetadata), wire.KeyMetadata, nil, finish), nil, Listener{AdvertisedHost: host, AdvertisedPort: port})
		c := dial(t, address)
		c.send(wire.KeyMetadata, 12, 1)
		c.receive(wire.KeyMetadata, 12, 1)
		seen := <-seenBy
		if seen.AdvertisedHost != wantHost || seen.Listener != "test" || seen.RemoteAddr != c.LocalAddr().String() {
			t.Errorf("seen: %+v", seen)
		}
		if _, p, _ := net.SplitHostPort(address); port == 0 && p != strconv.Itoa(int(seen.AdvertisedPort)) || port != 0 && seen.AdvertisedPort != port {
			t.Errorf("advertised port %d at %s", seen.AdvertisedPort, address)
		}
	}
	f("", 0, "localhost")
	f("kafka.example", 443, "kafka.example")
}

// TestLimits shows that connections over a limit are closed at once and counted, and that those before them are not
// disturbed.
func TestLimits(t *testing.T) {
	f := func(limit string, change func(*Options)) {
		t.Helper()
		s, address := start(t, tableOf(wire.KeyMetadata), change)
		a, b := dial(t, address), dial(t, address)
		for _, c := range []*client{a, b} {
			c.send(wire.KeyMetadata, 12, 1)
			c.receive(wire.KeyMetadata, 12, 1)
		}
		dial(t, address).ended()
		if n := s.metrics.ConnectionsRefused(limit).Get(); n != 1 {
			t.Errorf("%s: %d connections refused, want 1", limit, n)
		}
		a.Close()
		waitFor(t, func() bool { return len(s.connections()) == 1 }, "the closed connection is forgotten")
		c := dial(t, address)
		for _, c := range []*client{b, c} {
			c.send(wire.KeyMetadata, 12, 2)
			c.receive(wire.KeyMetadata, 12, 2)
		}
	}
	f("connections", func(o *Options) { o.ConnectionsMax = 2 })
	f("connections_per_ip", func(o *Options) { o.ConnectionsPerIPMax = 2 })
}

// pipeServer serves one in-memory connection inside a synctest bubble, so that time is the test's.
func pipeServer(t *testing.T, table []handler.Row, change func(*Options)) (*Server, *client) {
	o := testOptions()
	if change != nil {
		change(&o)
	}
	s := New(nil, table, o)
	t.Cleanup(func() { s.Shutdown(context.Background()) })
	return s, s.pipe(t, Listener{SASL: o.Auth != nil})
}

// pipe serves one more in-memory connection.
func (s *Server) pipe(t *testing.T, how Listener) *client {
	near, far := net.Pipe()
	how.Name = "pipe"
	s.welcome(far, &how)
	t.Cleanup(func() { near.Close() })
	return &client{Conn: near, t: t}
}

// TestIdle shows that a connection is closed after the idle time, counted from its last answer, and not while a request
// of it is in flight.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		records := make(chan struct{})
		wait := func(*handler.Handler, *handler.Call) error { <-records; return nil }
		s, c := pipeServer(t, on(tableOf(wire.KeyFetch), wire.KeyFetch, nil, wait), nil)
		c.send(wire.KeyFetch, 12, 1)
		time.Sleep(time.Hour)
		records <- struct{}{}
		c.receive(wire.KeyFetch, 12, 1)
		answered := time.Now()
		c.send(wire.KeyFetch, 12, 2)
		records <- struct{}{}
		c.receive(wire.KeyFetch, 12, 2)
		c.ended()
		if idle := time.Since(answered); idle < 10*time.Minute || idle > 21*time.Minute {
			t.Errorf("closed after %v, want 10 minutes", idle)
		}
		synctest.Wait()
		if s.metrics.ConnectionsClosed("idle").Get() != 1 {
			t.Error("the ending is not counted as idle")
		}
	})
}

// TestIdleBeforeReadTimeout shows that a quiet connection is closed after the idle time though requests may take longer
// to arrive.
func TestIdleBeforeReadTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := pipeServer(t, tableOf(wire.KeyMetadata), func(o *Options) { o.ReadTimeout = 24 * time.Hour })
		began := time.Now()
		whole := request(wire.KeyMetadata, 12, 1, &wire.MetadataRequest{})
		c.Write(whole[:3])
		time.Sleep(time.Hour)
		c.Write(whole[3:10])
		time.Sleep(time.Hour)
		c.Write(whole[10:])
		c.receive(wire.KeyMetadata, 12, 1)
		c.ended()
		if idle := time.Since(began) - 2*time.Hour; idle > s.options.IdleTimeout {
			t.Errorf("closed after %v without a request, want %v", idle, s.options.IdleTimeout)
		}
	})
}

// TestQuietConnectionIsSmall shows that a connection at rest has neither a finisher nor buffers, and serves on.
func TestQuietConnectionIsSmall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := pipeServer(t, tableOf(wire.KeyMetadata), nil)
		for i := range int32(3) {
			for range 200 {
				c.send(wire.KeyMetadata, 12, i)
				c.receive(wire.KeyMetadata, 12, i)
			}
			time.Sleep(time.Minute)
			conn := s.connections()[0]
			synctest.Wait()
			if conn.queue != nil || len(conn.frames.buf) != bufferBytesMin || conn.writer.buf != nil || conn.header.ClientID != nil {
				t.Errorf("at rest: a queue: %v, a read buffer of %d bytes, a response buffer of %d, a header %+v", conn.queue != nil, len(conn.frames.buf), cap(conn.writer.buf), conn.header)
			}
		}
	})
}

// TestSlowSender shows that a client which stops in the middle of a request is closed after the read timeout.
func TestSlowSender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := pipeServer(t, tableOf(wire.KeyMetadata), nil)
		began := time.Now()
		c.Write(request(wire.KeyMetadata, 12, 1, &wire.MetadataRequest{})[:10])
		c.ended()
		if took := time.Since(began); took > time.Minute {
			t.Errorf("closed after %v", took)
		}
		synctest.Wait()
		if s.metrics.ConnectionsClosed("slow_sender").Get() != 1 {
			t.Error("the ending is not counted as slow_sender")
		}
	})
}

// TestSlowReader shows that a client that does not read its answers is closed after the write timeout, and that what
// waited for it is let go of: Sent runs, the bytes are given back, requests in flight are still finished.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent, finished atomic.Int32
		finish := func(_ *handler.Handler, c *handler.Call) error {
			finished.Add(1)
			c.Sent = func() { sent.Add(1) }
			return nil
		}
		s, c := pipeServer(t, on(tableOf(wire.KeyProduce), wire.KeyProduce, nil, finish), nil)
		c.send(wire.KeyProduce, 9, 1, 2, 3, 4)
		time.Sleep(time.Minute)
		synctest.Wait()
		if s.metrics.ConnectionsClosed("slow_reader").Get() != 1 {
			t.Error("the ending is not counted as slow_reader")
		}
		if finished.Load() != 4 || sent.Load() != 4 || s.responses.held() != 0 {
			t.Errorf("%d finished, %d sent, %d bytes held; want 4, 4, 0", finished.Load(), sent.Load(), s.responses.held())
		}
	})
}

// TestReserve shows that room for records is what slow readers leave of the limit, never less than a small batch needs,
// and that it is given back once the response is written, shorter than reserved or not.
func TestReserve(t *testing.T) {
	granted := make(chan int, 1)
	finish := func(_ *handler.Handler, c *handler.Call) error {
		granted <- c.Conn.Reserve(3 << 20)
		return nil
	}
	s, address := start(t, on(tableOf(wire.KeyFetch), wire.KeyFetch, nil, finish), nil)
	c := dial(t, address)
	f := func(id int32, held int64, want int) {
		t.Helper()
		s.responses.take(held)
		c.send(wire.KeyFetch, 12, id)
		c.receive(wire.KeyFetch, 12, id)
		if got := <-granted; got != want {
			t.Errorf("with %d bytes held %d were granted, want %d", held, got, want)
		}
		s.responses.release(held)
	}
	f(1, 0, 3<<20)
	f(2, 2<<20, 2<<20)
	f(3, 4<<20, grantBytesMin)
	f(4, 0, 3<<20)
}

// TestShutdown shows that a server which stops answers what it has accepted, tells waiting requests to hurry, reads
// nothing more, and closes.
func TestShutdown(t *testing.T) {
	waiting := make(chan struct{})
	wait := func(_ *handler.Handler, c *handler.Call) error {
		close(waiting)
		<-c.Conn.Done
		return nil
	}
	s, address := start(t, on(tableOf(wire.KeyFetch, wire.KeyMetadata), wire.KeyFetch, nil, wait), nil)
	c, idle := dial(t, address), dial(t, address)
	idle.send(wire.KeyMetadata, 12, 1)
	idle.receive(wire.KeyMetadata, 12, 1)
	c.send(wire.KeyFetch, 12, 1)
	<-waiting
	stopped := make(chan error)
	go func() { stopped <- s.Shutdown(context.Background()) }()
	idle.ended()
	idle.Close()
	c.receive(wire.KeyFetch, 12, 1)
	c.ended()
	c.Close()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", address); err == nil {
		t.Error("the server still listens")
	}
}

// TestShutdownCut shows that a stop does not wait longer than it may: a request that never finishes costs its connection.
func TestShutdownCut(t *testing.T) {
	release := make(chan struct{})
	waiting := make(chan struct{})
	stuck := func(_ *handler.Handler, c *handler.Call) error {
		close(waiting)
		<-release
		return nil
	}
	s, address := start(t, on(tableOf(wire.KeyFetch), wire.KeyFetch, nil, stuck), nil)
	c := dial(t, address)
	c.send(wire.KeyFetch, 12, 1)
	<-waiting
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	stopped := make(chan error)
	go func() { stopped <- s.Shutdown(ctx) }()
	c.ended()
	close(release)
	if err := <-stopped; !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown ended in %v, want the context's error", err)
	}
}

// TestViewsArePoisoned shows, under the race detector, that bytes of a request kept beyond its end do not stay what they
// were, so that a handler that keeps them fails its tests.
func TestViewsArePoisoned(t *testing.T) {
	lengths := make(chan int, 1)
	submit := func(_ *handler.Handler, c *handler.Call) error {
		kept := c.Request.(*wire.ProduceRequest).TopicData[0].PartitionData[0].Records.Bytes
		before := string(kept)
		c.ReleaseFrame()
		if poisoned := string(kept) != before; poisoned != raceEnabled() {
			t.Errorf("view changed by its release: %v, race detector: %v", poisoned, raceEnabled())
		}
		lengths <- len(kept)
		return nil
	}
	_, address := start(t, on(tableOf(wire.KeyProduce), wire.KeyProduce, submit, answer), nil)
	c := dial(t, address)
	c.Write(request(wire.KeyProduce, 9, 1, &wire.ProduceRequest{TopicData: []wire.ProduceRequestTopicProduceData{{
		PartitionData: []wire.ProduceRequestPartitionProduceData{{Records: kbin.Records{Bytes: random(1000)}}},
	}}}))
	c.receive(wire.KeyProduce, 9, 1)
	if n := <-lengths; n != 1000 {
		t.Fatalf("a view of %d bytes", n)
	}
}

// BenchmarkPipelined is what the server itself costs: bursts of eight small requests, answered by empty responses. The
// client's part is in it.
func BenchmarkPipelined(b *testing.B) {
	o := testOptions()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := New(nil, on(tableOf(wire.KeyProduce), wire.KeyProduce, answer, answer), o)
	go s.Serve(l, Listener{Name: "bench"})
	defer s.Shutdown(context.Background())
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	burst := bytes.Repeat(request(wire.KeyProduce, 9, 1, &wire.ProduceRequest{}), 8)
	answers := make([]byte, 8*len(framed(wire.NewResponse(wire.KeyProduce).Append(make([]byte, 5), 9))))
	b.ReportAllocs()
	for b.Loop() {
		c.Write(burst)
		if _, err := io.ReadFull(c, answers); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(8*b.N), "ns/request")
}

// raceEnabled says whether kbin.Poison does something.
func raceEnabled() bool {
	b := []byte{1}
	kbin.Poison(b)
	return b[0] != 1
}
