package server

import (
	"container/list"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/heraclitus/heraclitus/pkg/handler"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// Limits of one connection.
const (
	grantBytesMin = 64 << 10        // of record bytes that every response may hold, however tight memory is
	lingerBytes   = 16 << 20        // read and thrown away at the end, so that the last responses are not lost with a reset
	lingerTime    = 2 * time.Second // likewise
)

// Endings of a connection that its handlers cause.
var (
	errHandler = errors.New("request refused")
	errPanic   = errors.New("panic in a handler")
)

// conn is one client connection.
//
// Two goroutines serve it. The reader reads frames, decodes them and submits them, in order; the finisher finishes them in
// the same order and writes their responses. Between them is the queue, whose capacity is the number of requests in
// flight. A row that is not pipelined makes the reader wait until it is finished. A connection that is quiet for a while
// gives up its finisher, its queue and its buffers until the next request: then it is one goroutine and 512 bytes.
type conn struct {
	server   *Server
	listener *Listener
	wire     net.Conn   // the socket
	net      net.Conn   // what is read and written: the socket, or TLS over it
	cipher   *cipherEnd // the socket as TLS sees it; nil without TLS
	shared   handler.Conn
	done     chan struct{} // shared.Done
	ended    atomic.Bool   // done is closed
	cause    atomic.Pointer[error]

	// Under the server's lock.

	came    time.Time
	strange *list.Element // of the strangers; nil once the client is known

	// The reader's.

	frames frameReader
	reader kbin.Reader
	header wire.RequestHeader
	intern kbin.Interner
	shaken bool        // the TLS handshake is done
	login  *time.Timer // ends the connection if its client is not known by then; nil once it is

	// Between the two.

	queue    chan *call    // nil while quiet
	finished chan struct{} // closed by the finisher at its end
	barrier  chan struct{} // signalled by the finisher after each request that is not pipelined
	inFlight atomic.Int32
	answered atomic.Int64 // when the newest response was written, Unix nanoseconds

	// The finisher's.

	writer   *writer
	broken   bool  // nothing is written any more
	severed  bool  // nothing can be written any more
	reserved int64 // of the responses budget, for the response that is being made
	pending  int64 // of the responses budget, by what the writer holds
}

// serve serves the connection until it ends, and closes it.
func (c *conn) serve() {
	c.frames.open()
	c.reader.Intern = &c.intern
	err := c.shakeHands()
	if err == nil {
		c.beginLogin()
		err = c.readRequests()
		c.forgetLogin()
	}
	c.fail(err)
	c.hurry()
	c.rest()
	c.linger()
	c.wire.Close()
	c.frames.close()
	c.report(*c.cause.Load())
}

// readRequests accepts requests until reading ends.
func (c *conn) readRequests() error {
	for {
		fr, err := c.frames.next()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = c.sitQuiet()
			if err == nil {
				continue
			}
		}
		if err != nil {
			return err
		}
		if err := c.accept(fr); err != nil {
			return err
		}
	}
}

// accept decodes a frame, submits it and hands it to the finisher.
func (c *conn) accept(fr frame) error {
	call, err := c.decode(fr)
	if err != nil {
		return err
	}
	if call.api.Submit != nil {
		if err := c.run(call.api.Submit, call); err != nil {
			call.recycle()
			return err
		}
	}
	pipelined := call.api.Pipelined
	c.inFlight.Add(1)
	c.server.inFlight.Add(1)
	c.startFinisher()
	c.queue <- call
	if !pipelined {
		<-c.barrier
		c.endLogin()
	}
	return nil
}

// sitQuiet waits at rest for a request, or for the idle time to pass.
func (c *conn) sitQuiet() error {
	if c.inFlight.Load() == 0 {
		c.rest()
		c.intern, c.header = kbin.Interner{}, wire.RequestHeader{}
	}
	idle := c.server.options.IdleTimeout
	for {
		since := max(c.answered.Load(), c.frames.now.UnixNano())
		left := idle - time.Since(time.Unix(0, since))
		if c.inFlight.Load() > 0 {
			left = idle
		}
		if left <= 0 {
			return errIdle
		}
		if err := c.frames.await(left); !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
	}
}

func (c *conn) startFinisher() {
	if c.queue != nil {
		return
	}
	c.queue = make(chan *call, c.server.options.InFlightMax-1)
	c.finished = make(chan struct{})
	go c.finishRequests(c.queue)
}

// rest ends the finisher, once it has finished what is in flight.
func (c *conn) rest() {
	if c.queue == nil {
		return
	}
	close(c.queue)
	<-c.finished
	c.queue = nil
	c.writer.release()
}

// finishRequests finishes requests until the queue is closed. It writes whenever there is nothing to finish at once.
func (c *conn) finishRequests(queue <-chan *call) {
	defer close(c.finished)
	for {
		select {
		case call, ok := <-queue:
			if !ok {
				c.flush()
				return
			}
			c.finish(call)
		default:
			c.flush()
			call, ok := <-queue
			if !ok {
				return
			}
			c.finish(call)
		}
	}
}

// finish finishes one request and encodes its response. Once the connection is broken, requests are still finished, so
// that they let go of what they hold, but not answered.
func (c *conn) finish(call *call) {
	if call.api.Submit == nil {
		c.flush()
	}
	if c.server.responses.full() {
		c.flush()
		c.server.responses.acquire(0, c.done)
	}
	pipelined := call.api.Pipelined
	err := c.run(call.api.Finish, call)
	last := call.Last
	call.releaseFrame()
	if last {
		c.holdBack()
	}
	if err != nil {
		call.NoResponse = true
	}
	c.encode(call)
	if err != nil {
		c.flush()
		c.breakOff(err)
	}
	if last {
		c.turnAway()
	}
	if !pipelined {
		c.barrier <- struct{}{}
	}
	if c.writer.size > burstBytesMax {
		c.flush()
	}
}

// encode hands a finished call to the writer, and keeps the account of its bytes and of the errors in it.
func (c *conn) encode(call *call) {
	if c.broken {
		call.NoResponse = true
	}
	if call.refuses != nil && !call.NoResponse {
		call.refuses.EachError(call.api.refuse)
	}
	size := int64(c.writer.add(call))
	c.server.responses.take(size - c.reserved)
	c.reserved = 0
	c.pending += size
}

// reserve is handler.Conn.Reserve.
func (c *conn) reserve(want int) int {
	granted := c.server.responses.grant(int64(want), grantBytesMin)
	c.reserved += granted
	return int(granted)
}

// flush writes the responses that are encoded and ends their calls.
func (c *conn) flush() {
	if len(c.writer.calls) == 0 {
		return
	}
	if err := c.writer.flush(); err != nil {
		c.severed = true
		c.breakOff(err)
	}
	now := time.Now()
	c.answered.Store(now.UnixNano())
	c.server.responses.release(c.pending)
	c.pending = 0
	for _, call := range c.writer.calls {
		call.api.metrics.Seconds.Update(now.Sub(call.arrived).Seconds())
		c.end(call)
	}
	c.writer.calls = emptied(c.writer.calls)
}

// end lets go of a call whose response was written or given up.
func (c *conn) end(call *call) {
	if call.Sent != nil {
		call.Sent()
	}
	call.recycle()
	c.inFlight.Add(-1)
	c.server.inFlight.Add(-1)
}

// breakOff ends writing because of err, and reading with it.
func (c *conn) breakOff(err error) {
	c.broken = true
	c.fail(err)
	c.hurry()
	c.frames.stop()
}

// fail notes why the connection ends. The first cause counts, but for the client's leaving, which counts when there is no
// other: a client may close its side while a request that will be refused is under way. That reading was stopped never
// replaces an earlier cause.
func (c *conn) fail(err error) {
	if c.cause.CompareAndSwap(nil, &err) || isLeaving(err) || errors.Is(err, errStopReading) {
		return
	}
	if first := c.cause.Load(); isLeaving(*first) {
		c.cause.CompareAndSwap(first, &err)
	}
}

func isLeaving(cause error) bool {
	reason, _ := classify(cause)
	return reason == leaving
}

// hurry makes the requests in flight that wait for more to happen answer with what there is.
func (c *conn) hurry() {
	if c.ended.CompareAndSwap(false, true) {
		close(c.done)
	}
}

// stop ends the connection gracefully: nothing more is read, what was accepted is answered. Any goroutine may call it.
func (c *conn) stop() {
	c.hurry()
	c.frames.stop()
}

// cut ends the connection at once. Any goroutine may call it.
func (c *conn) cut(err error) {
	c.fail(err)
	c.stop()
	c.wire.Close()
}

// run runs one method of a handler. A panic in it is a bug, but one that ends this connection only.
func (c *conn) run(m handler.Method, call *call) (err error) {
	defer c.survive(call, &err)
	if err := m(c.server.handler, &call.Call); err != nil {
		call.api.metrics.Errors.Inc()
		return fmt.Errorf("%w: %s version %d: %w", errHandler, wire.Name(call.Key), call.Version, err)
	}
	return nil
}

// survive makes a panic the error of the deferring function. The call is not used again.
func (c *conn) survive(call *call, err *error) {
	if p := recover(); p != nil {
		c.server.metrics.HandlerPanics.Inc()
		call.api.metrics.Errors.Inc()
		c.server.log.Error("panic in a handler: the connection is closed", "peer", c.shared.RemoteAddr, "api", wire.Name(call.Key), "version", call.Version, "panic", p, "stack", string(debug.Stack()))
		call.large = true
		*err = fmt.Errorf("%w: %v", errPanic, p)
	}
}

// linger says that no more responses come, and then reads on for a moment: closing a connection with bytes unread resets
// it, and a reset takes back responses that the client has not read yet. A client that was not let in is first given time
// to hang up by itself.
func (c *conn) linger() {
	cause := *c.cause.Load()
	if c.severed || errors.Is(cause, io.EOF) {
		return
	}
	if errors.Is(cause, errLoginRefused) {
		c.drain(refusalTime)
	}
	if half, ok := c.net.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
		c.drain(lingerTime)
	}
}

// drain reads and ignores what comes, until the client closes its side or the time is up.
func (c *conn) drain(most time.Duration) {
	c.net.SetReadDeadline(time.Now().Add(most))
	io.Copy(io.Discard, io.LimitReader(c.net, lingerBytes))
}

// report logs and counts the ending.
func (c *conn) report(cause error) {
	reason, level := classify(cause)
	c.server.metrics.ConnectionsClosed(reason).Inc()
	if c.cipher != nil && !c.shaken {
		c.server.metrics.HandshakesFailed(reason).Inc()
	}
	c.server.gossip.tell(level, c.peer(), "connection closed", reason, "listener", c.listener.Name, "peer", c.shared.RemoteAddr, "user", c.shared.Session.User(), "cause", cause)
}

// peer is the address of the client.
func (c *conn) peer() netip.Addr { return addrPort(c.wire.RemoteAddr()).Addr() }

// endings says how each ending is counted, and how loudly it is told: what an operator can mend or should know of is
// Info, the everyday is Debug.
var endings = []struct {
	cause  error
	reason string
	level  slog.Level
}{
	{errStopReading, "shutdown", slog.LevelDebug},
	{errIdle, "idle", slog.LevelDebug},
	{errTLS, "tls", slog.LevelInfo},
	{errHTTP, "http", slog.LevelInfo},
	{errNotTLS, "not_tls", slog.LevelInfo},
	{errHandshakeTimeout, "handshake_timeout", slog.LevelInfo},
	{errNoCertificate, "no_certificate", slog.LevelInfo},
	{errCertificate, "untrusted_certificate", slog.LevelInfo},
	{errTLSVersion, "tls_version", slog.LevelInfo},
	{errAlert, "refused_by_client", slog.LevelInfo},
	{errHandshake, "handshake", slog.LevelInfo},
	{errCrowdedOut, "crowded_out", slog.LevelInfo},
	{errSlowSender, "slow_sender", slog.LevelInfo},
	{errSlowReader, "slow_reader", slog.LevelInfo},
	{errFrameSize, "too_large", slog.LevelInfo},
	{errNegative, "malformed", slog.LevelInfo},
	{errMalformed, "malformed", slog.LevelInfo},
	{errUnsupported, "unsupported", slog.LevelInfo},
	{errUnauthenticated, "unauthenticated", slog.LevelInfo},
	{errLoginRefused, "login_refused", slog.LevelInfo},
	{errLoginTimeout, "login_timeout", slog.LevelInfo},
	{errExpired, "session_expired", slog.LevelInfo},
	{errPanic, "panic", slog.LevelInfo},
	{errHandler, "refused", slog.LevelInfo},
}

// leaving is the reason of a connection that its client or the network ended.
const leaving = "client"

// classify finds the ending a cause is; anything else is the client's leaving, or the network's doing.
func classify(cause error) (reason string, level slog.Level) {
	for _, e := range endings {
		if errors.Is(cause, e.cause) {
			return e.reason, e.level
		}
	}
	return leaving, slog.LevelDebug
}
