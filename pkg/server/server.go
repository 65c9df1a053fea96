// Package server is the Kafka listener: it turns connections into calls of the handlers' table, and their answers into
// bytes.
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
//     handled, the requests in flight, the responses not yet written, the memory kept for reuse.
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
	trimInterval    = 30 * time.Second // how often free buffers that nobody needs are given back to the system
	cutTime         = 2 * time.Second  // how long Shutdown waits for connections that it has cut
	chatterMessages = 10               // a second: so much about clients is logged at Info, the rest at Debug
)

// Options are the settings of a server. All limits must be set.
type Options struct {
	AdvertisedHost string // what clients are told to connect to; empty: the address they came to
	AdvertisedPort int32  // likewise; 0: the port they came to

	Auth         *auth.Authenticator // knows who may come in; nil lets everybody in
	LoginTimeout time.Duration       // for a client to authenticate itself, if it must

	FrameBytesMax       int           // of one request; Kafka's socket.request.max.bytes
	FramesBytesMax      int64         // of all requests being read or handled; Kafka's queued.max.request.bytes
	ResponsesBytesMax   int64         // of all responses not yet written; a response that is being made may exceed it
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
	responses *budget

	loginFrames *budget // frames of clients that are not authenticated yet

	inFlight atomic.Int64
	chatter  chatter
	stopping chan struct{} // closed by Shutdown
	empty    chan struct{} // closed after that, when the last connection has ended

	mu struct {
		sync.Mutex
		stopped   bool
		listeners map[net.Listener]struct{}
		conns     map[*conn]struct{}
		perIP     map[netip.Addr]int
	}
}

// New returns a server that answers by table, whose methods it gives h. It holds a little until Shutdown.
func New(h *handler.Handler, table []handler.Row, o Options) *Server {
	s := &Server{
		options: o, handler: h, apis: newAPIs(table, o.Metrics), log: o.Log, metrics: o.Metrics,
		pool: &pool{keepMax: o.BufferPoolBytesMax}, frames: newBudget(o.FramesBytesMax), responses: newBudget(o.ResponsesBytesMax),
		loginFrames: newBudget(min(o.FramesBytesMax, loginFramesBytesMax)),
		stopping:    make(chan struct{}), empty: make(chan struct{}),
	}
	s.mu.listeners = map[net.Listener]struct{}{}
	s.mu.conns = map[*conn]struct{}{}
	s.mu.perIP = map[netip.Addr]int{}
	s.metrics.OnScrape(s.gauge)
	go s.trim()
	return s
}

// Serve accepts connections from l, which it closes in the end. It returns ErrClosed after Shutdown, else what stopped it.
// The name is handlers' to see, as handler.Conn.Listener.
func (s *Server) Serve(l net.Listener, name string) error {
	defer l.Close()
	if !s.addListener(l) {
		return ErrClosed
	}
	for pause := time.Duration(0); ; {
		nc, err := l.Accept()
		if err == nil {
			pause = 0
			s.welcome(nc, name)
			continue
		}
		if s.isStopping() {
			return ErrClosed
		}
		if errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("accept connections on %s: %w", l.Addr(), err)
		}
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		s.log.Warn("a connection could not be accepted; trying on", "listener", l.Addr(), "err", err, "pause", pause)
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
// ends first the connections are cut, and its error is returned, soon even if a handler does not return at all.
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
		c.net.Close()
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
func (s *Server) welcome(nc net.Conn, listener string) {
	c := s.newConn(nc, listener)
	if limit := s.register(c); limit != "" {
		s.metrics.ConnectionsRefused(limit).Inc()
		s.log.Log(context.Background(), s.chatter.level(slog.LevelInfo), "connection refused", "peer", c.shared.RemoteAddr, "limit", limit)
		nc.Close()
		return
	}
	s.metrics.ConnectionsOpened.Inc()
	s.tune(nc)
	go func() {
		c.serve()
		s.unregister(c)
	}()
}

// newConn makes a connection of an accepted socket.
func (s *Server) newConn(nc net.Conn, listener string) *conn {
	c := &conn{
		server: s, net: nc, done: make(chan struct{}), barrier: make(chan struct{}),
		frames: frameReader{
			conn: nc, pool: s.pool, budget: s.frames, bytesMax: s.options.FrameBytesMax,
			stall: s.options.ReadTimeout, received: s.metrics.NetworkReceived,
		},
		writer: newWriter(nc, s.pool, s.options.WriteTimeout, s.metrics.NetworkSent),
	}
	c.frames.done = c.done
	host, port := s.advertise(nc.LocalAddr())
	c.shared = handler.Conn{
		Listener: listener, AdvertisedHost: host, AdvertisedPort: port, RemoteAddr: nc.RemoteAddr().String(), Session: s.session(nc),
		Done: c.done, Flush: c.flush, Reserve: c.reserve,
	}
	return c
}

// advertise says what a client that came to this local address is told to connect to.
func (s *Server) advertise(local net.Addr) (host string, port int32) {
	host, port = s.options.AdvertisedHost, s.options.AdvertisedPort
	at := addrPort(local)
	if host == "" {
		host = at.Addr().String()
		if at.Addr().IsLoopback() {
			host = "localhost"
		}
	}
	if port == 0 {
		port = int32(at.Port())
	}
	return host, port
}

// addrPort is the address and port of a socket's end, zero for sockets that are not of the internet.
func addrPort(a net.Addr) netip.AddrPort {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	at := tcp.AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

// tune applies the socket settings. Those the system refuses are the system's choice then.
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

// register counts a connection in, or names the limit that it meets.
func (s *Server) register(c *conn) (limit string) {
	ip := addrPort(c.net.RemoteAddr()).Addr()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.mu.stopped:
		return "shutdown"
	case len(s.mu.conns) >= s.options.ConnectionsMax:
		return "connections"
	case s.mu.perIP[ip] >= s.options.ConnectionsPerIPMax:
		return "connections_per_ip"
	}
	s.mu.conns[c] = struct{}{}
	s.mu.perIP[ip]++
	return ""
}

func (s *Server) unregister(c *conn) {
	ip := addrPort(c.net.RemoteAddr()).Addr()
	s.mu.Lock()
	defer s.mu.Unlock()
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

// chatter counts what is said about clients, so that nobody fills the log from outside.
type chatter struct{ second, said atomic.Int64 }

// level is the level wanted for one more message, or Debug when enough has been said in this second.
func (c *chatter) level(wanted slog.Level) slog.Level {
	now := time.Now().Unix()
	if c.second.Swap(now) != now {
		c.said.Store(0)
	}
	if wanted > slog.LevelDebug && c.said.Add(1) > chatterMessages {
		return slog.LevelDebug
	}
	return wanted
}

// trim gives back unused buffers until the server stops.
func (s *Server) trim() {
	ticker := time.NewTicker(trimInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.pool.trim()
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
	s.metrics.FramePoolBytes.Set(float64(s.pool.kept.Load()))
	s.metrics.ResponseBytes.Set(float64(s.responses.held()))
}
