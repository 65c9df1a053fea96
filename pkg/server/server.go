// Package server is the Kafka listeners: it turns connections into calls of the handlers' table, and their answers into
// bytes.
//
// Each listener (listener.go) says whether a connection begins with a TLS handshake (handshake.go), and whether its
// client logs in by SASL (login.go); until it has done so it is a stranger (strangers.go).
//
// A request's way through a connection (conn.go): the reader cuts a frame from the socket (frame.go), decodes it
// (call.go) and runs its row's Submit; the finisher runs its row's Finish, in the same order, and writes the response
// (writer.go). While one request waits, for its commit or for records, the next ones are read: that is what makes a
// connection fast whose commits are slow.
//
// What must hold:
//   - Responses leave a connection in the order of its requests.
//   - Nothing that a client claims takes memory before it is paid for with bytes: frames grow as they arrive.
//   - Everything clients can make the server hold is bounded over all connections: their number, the frames being read or
//     handled and what they decode into, the requests in flight, the responses not yet written, the memory kept for reuse.
//   - Strangers cost the clients that are known neither memory nor connections, and at most half of the processors.
//   - A request ends its own connection at worst, even by a panic.
//   - What was accepted is answered, also when the server stops.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/heraclitus/heraclitus/pkg/auth"
	"github.com/heraclitus/heraclitus/pkg/handler"
	"github.com/heraclitus/heraclitus/pkg/metrics"
)

const (
	trimInterval = 30 * time.Second // how often free buffers that nobody needs go back to the system
	cutTime      = 2 * time.Second  // how long Shutdown waits for connections that it has cut
)

// Options are the settings of a server. All limits must be set.
type Options struct {
	Auth         *auth.Authenticator // knows who may come in by a listener that asks; nil: there is none
	LoginTimeout time.Duration       // for a TLS handshake, and for a client to authenticate itself, if it must

	FrameBytesMax       int           // of one request; Kafka's socket.request.max.bytes
	FramesBytesMax      int64         // of all requests being read or handled, and as much again decoded; Kafka's queued.max.request.bytes
	ResponsesBytesMax   int64         // of all responses not yet written; one that is being made may exceed it
	BufferPoolBytesMax  int64         // of free buffers kept for reuse
	ConnectionsMax      int           // Kafka's max.connections
	ConnectionsPerIPMax int           // Kafka's max.connections.per.ip
	InFlightMax         int           // requests of one connection that were read and not yet answered, at least 1
	IdleTimeout         time.Duration // Kafka's connections.max.idle.ms
	ReadTimeout         time.Duration // for more of a request that has begun
	WriteTimeout        time.Duration // for every MiB of responses

	NoDelay            bool // TCP_NODELAY
	SendBufferBytes    int  // SO_SNDBUF; 0: the system's choice
	ReceiveBufferBytes int  // SO_RCVBUF; 0: the system's choice

	Log     *slog.Logger
	Metrics *metrics.Metrics
}

// ErrClosed is returned by Serve after Shutdown.
var ErrClosed = errors.New("server is closed")

// Server serves Kafka's protocol on any number of listeners.
type Server struct {
	options   Options
	handler   *handler.Handler
	apis      []*api // by key
	log       *slog.Logger
	metrics   *metrics.Metrics
	pool      *pool
	frames    *budget
	decoded   *budget // what the frames are decoded into
	responses *budget

	loginFrames *budget // frames of clients that are not authenticated yet

	inFlight atomic.Int64
	gossip   gossip
	turns    chan struct{} // of TLS handshakes
	stopping chan struct{} // closed by Shutdown
	empty    chan struct{} // closed after that, when the last connection has ended

	mu struct {
		sync.Mutex
		stopped   bool
		listeners map[net.Listener]struct{}
		conns     map[*conn]struct{}
		strangers strangers
		perIP     map[netip.Addr]int
	}
}

// New returns a server that answers by table, whose methods it gives h. It holds a goroutine until Shutdown.
func New(h *handler.Handler, table []handler.Row, o Options) *Server {
	s := &Server{
		options: o, handler: h, apis: newAPIs(table, o.Metrics), log: o.Log, metrics: o.Metrics,
		pool:   &pool{keepMax: o.BufferPoolBytesMax},
		frames: newBudget(o.FramesBytesMax), decoded: newBudget(o.FramesBytesMax), responses: newBudget(o.ResponsesBytesMax),
		gossip: gossip{log: o.Log}, turns: newTurns(),
		stopping: make(chan struct{}), empty: make(chan struct{}),
	}
	s.mu.strangers.max = max(o.ConnectionsMax/strangersPart, strangersMin)
	s.loginFrames = newBudget(int64(s.mu.strangers.max) * loginFrameBytesMax)
	s.mu.strangers.places = map[netip.Addr]int{}
	s.mu.listeners = map[net.Listener]struct{}{}
	s.mu.conns = map[*conn]struct{}{}
	s.mu.perIP = map[netip.Addr]int{}
	s.metrics.OnScrape(s.gauge)
	go s.trim()
	return s
}

// Serve accepts connections from l, which it closes in the end, and serves them as how says. It returns ErrClosed after
// Shutdown, else what stopped it.
func (s *Server) Serve(l net.Listener, how Listener) error {
	defer l.Close()
	if how.SASL && s.options.Auth == nil {
		return fmt.Errorf("listener %s asks clients who they are, but nobody may come in", how.Name)
	}
	if !s.addListener(l) {
		return ErrClosed
	}
	for pause := time.Duration(0); ; {
		nc, err := l.Accept()
		if err == nil {
			pause = 0
			s.welcome(nc, &how)
			continue
		}
		if s.isStopping() {
			return ErrClosed
		}
		if errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("accept connections on %s: %w", l.Addr(), err)
		}
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		s.log.Warn("a connection could not be accepted; trying again", "listener", l.Addr(), "err", err, "pause", pause)
		s.sleep(pause)
	}
}

// sleep waits for d, or until the server stops.
func (s *Server) sleep(d time.Duration) {
	select {
	case <-time.After(d):
	case <-s.stopping:
	}
}

func (s *Server) isStopping() bool {
	select {
	case <-s.stopping:
		return true
	default:
		return false
	}
}

// Shutdown stops accepting and reading, waits until what was accepted is answered, and closes all connections. When ctx
// ends first the connections are cut and its error is returned, soon, even if a handler never returns.
func (s *Server) Shutdown(ctx context.Context) error {
	for _, c := range s.stopAccepting() {
		c.stop()
	}
	select {
	case <-s.empty:
		return nil
	case <-ctx.Done():
	}
	for _, c := range s.connections() {
		c.wire.Close()
	}
	select {
	case <-s.empty:
	case <-time.After(cutTime):
	}
	return fmt.Errorf("wait for requests in flight: %w", ctx.Err())
}

// stopAccepting closes the listeners and returns the connections there are. No more come.
func (s *Server) stopAccepting() []*conn {
	s.mu.Lock()
	if !s.mu.stopped {
		s.mu.stopped = true
		close(s.stopping)
		s.noteEmptyLocked()
	}
	for l := range s.mu.listeners {
		l.Close()
	}
	s.mu.Unlock()
	return s.connections()
}

func (s *Server) connections() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	conns := make([]*conn, 0, len(s.mu.conns))
	for c := range s.mu.conns {
		conns = append(conns, c)
	}
	return conns
}

func (s *Server) addListener(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.listeners[l] = struct{}{}
	return !s.mu.stopped
}

// welcome serves a new connection, if the limits allow one more.
func (s *Server) welcome(nc net.Conn, l *Listener) {
	c := s.newConn(nc, l)
	oldest, limit := s.register(c)
	if oldest != nil {
		oldest.cut(errCrowdedOut)
	}
	if limit != "" {
		s.metrics.ConnectionsRefused(limit).Inc()
		s.gossip.tell(slog.LevelInfo, c.peer(), "connection refused", limit, "listener", l.Name, "peer", c.shared.RemoteAddr)
		nc.Close()
		return
	}
	s.metrics.ConnectionsOpened.Inc()
	s.tune(nc)
	open := s.metrics.ListenerConnections(l.Name)
	open.Inc()
	go func() {
		c.serve()
		s.unregister(c)
		open.Dec()
	}()
}

// tune applies the socket settings. Where the system refuses one, its own choice stands.
func (s *Server) tune(nc net.Conn) {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return
	}
	tcp.SetNoDelay(s.options.NoDelay)
	if n := s.options.SendBufferBytes; n > 0 {
		tcp.SetWriteBuffer(n)
	}
	if n := s.options.ReceiveBufferBytes; n > 0 {
		tcp.SetReadBuffer(n)
	}
}

// register counts a connection in, or names the limit that it meets. A stranger may take the place of the oldest one,
// which the caller has to cut.
func (s *Server) register(c *conn) (oldest *conn, limit string) {
	ip := c.peer()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.mu.stopped:
		return nil, "shutdown"
	case len(s.mu.conns) >= s.options.ConnectionsMax:
		return nil, "connections"
	case s.mu.perIP[ip] >= s.options.ConnectionsPerIPMax:
		return nil, "connections_per_ip"
	}
	if c.listener.strange() {
		var ok bool
		if oldest, ok = s.mu.strangers.admitLocked(c); !ok {
			return nil, "strangers"
		}
	}
	s.mu.conns[c] = struct{}{}
	s.mu.perIP[ip]++
	return oldest, ""
}

func (s *Server) unregister(c *conn) {
	ip := c.peer()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.strangers.forgetLocked(c)
	delete(s.mu.conns, c)
	if s.mu.perIP[ip]--; s.mu.perIP[ip] == 0 {
		delete(s.mu.perIP, ip)
	}
	s.noteEmptyLocked()
}

func (s *Server) noteEmptyLocked() {
	if s.mu.stopped && len(s.mu.conns) == 0 {
		close(s.empty)
	}
}

// trim gives back unused buffers, and logs how much the log has left out, until the server stops.
func (s *Server) trim() {
	ticker := time.NewTicker(trimInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.pool.trim()
			s.gossip.sum()
		case <-s.stopping:
			return
		}
	}
}

// gauge sets the gauges of what is held now.
func (s *Server) gauge() {
	s.mu.Lock()
	open := len(s.mu.conns)
	s.mu.Unlock()
	s.metrics.Connections.Set(float64(open))
	s.metrics.RequestsInFlight.Set(float64(s.inFlight.Load()))
	s.metrics.FrameBytes.Set(float64(s.frames.held() + s.loginFrames.held()))
	s.metrics.DecodedBytes.Set(float64(s.decoded.held()))
	s.metrics.FramePoolBytes.Set(float64(s.pool.kept.Load()))
	s.metrics.ResponseBytes.Set(float64(s.responses.held()))
}
