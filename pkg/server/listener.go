package server

import (
	"crypto/tls"
	"net"
	"net/netip"

	"github.com/heraclitus/heraclitus/pkg/handler"
)

// Listener says how clients are served that come in by one of the doors. The settings of a server hold for all of them.
type Listener struct {
	Name string             // Kafka's name for it: handlers see it, the log and metrics have it
	SASL bool               // clients must authenticate themselves by SASL, which takes Options.Auth
	TLS  func() *tls.Config // asked for each new connection; nil: plain text

	AdvertisedHost string // what clients are told to connect to; empty: the address they came to
	AdvertisedPort int32  // likewise; 0: the port they came to
}

// strange says whether clients are not known when they come.
func (l *Listener) strange() bool { return l.SASL || l.TLS != nil }

// newConn makes a connection of an accepted socket.
func (s *Server) newConn(nc net.Conn, l *Listener) *conn {
	c := &conn{server: s, listener: l, net: nc, wire: nc, done: make(chan struct{}), barrier: make(chan struct{})}
	if l.TLS != nil {
		c.cipher = &cipherEnd{Conn: nc, turns: s.turns, done: c.done}
		c.net = tls.Server(c.cipher, l.TLS())
	}
	c.frames = frameReader{
		conn: c.net, pool: s.pool, budget: s.frames, bytesMax: s.options.FrameBytesMax,
		quiet: min(s.options.ReadTimeout, s.options.IdleTimeout), stall: s.options.ReadTimeout,
		received: s.metrics.NetworkReceived, done: c.done,
	}
	c.writer = newWriter(c.net, s.pool, s.options.WriteTimeout, s.metrics.NetworkSent)
	host, port := l.advertise(nc.LocalAddr())
	c.shared = handler.Conn{
		Listener: l.Name, AdvertisedHost: host, AdvertisedPort: port, RemoteAddr: nc.RemoteAddr().String(), Session: s.session(l, nc),
		Done: c.done, Flush: c.flush, Reserve: c.reserve,
	}
	return c
}

// advertise says what a client that came to this local address is told to connect to.
func (l *Listener) advertise(local net.Addr) (host string, port int32) {
	host, port = l.AdvertisedHost, l.AdvertisedPort
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
