package server

import (
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/auth"
	"github.com/heraclitus/heraclitus/pkg/certificate/certificatetest"
	"github.com/heraclitus/heraclitus/pkg/handler"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// heldForClients says what the server holds for connections; empty for nothing at all.
func (s *Server) heldForClients() string {
	s.mu.Lock()
	conns, strangers, addresses := len(s.mu.conns), s.mu.strangers.list.Len(), len(s.mu.perIP)
	s.mu.Unlock()
	text := ""
	for _, b := range []*budget{s.frames, s.loginFrames, s.responses} {
		b.mu.Lock()
		text += fmt.Sprintf("%d bytes, overdrawn %v, %d waiting; ", b.mu.used, b.mu.overdrawn, len(b.mu.waiting))
		b.mu.Unlock()
	}
	text += fmt.Sprintf("%d requests, %d connections, %d strangers, %d addresses, %d turns, %v open", s.inFlight.Load(), conns, strangers, addresses, len(s.turns), s.metrics.ListenerConnections("pipe").Get())
	if text == "0 bytes, overdrawn false, 0 waiting; 0 bytes, overdrawn false, 0 waiting; 0 bytes, overdrawn false, 0 waiting; 0 requests, 0 connections, 0 strangers, 0 addresses, 0 turns, 0 open" {
		return ""
	}
	return text
}

// mortal is a connection whose client falls silent, or is gone, after it has sent so many bytes.
type mortal struct {
	net.Conn
	left   int
	silent bool
}

func (m *mortal) Write(p []byte) (int, error) {
	if len(p) <= m.left {
		m.left -= len(p)
		return m.Conn.Write(p)
	}
	n, _ := m.Conn.Write(p[:m.left])
	m.left = 0
	if !m.silent {
		m.Close()
	}
	return n, io.ErrShortWrite
}

// deadlyTable is one whose requests wait, panic, fail, take room for records and answer, each API in its own way.
func deadlyTable() []handler.Row {
	table := loginTable()
	on(table, wire.KeyFetch, nil, func(_ *handler.Handler, c *handler.Call) error {
		c.Conn.Reserve(1 << 20)
		select {
		case <-c.Conn.Done:
		case <-time.After(time.Minute):
		}
		return nil
	})
	on(table, wire.KeyProduce, func(_ *handler.Handler, c *handler.Call) error {
		c.ReleaseFrame()
		return nil
	}, answer)
	on(table, wire.KeyListOffsets, nil, func(_ *handler.Handler, c *handler.Call) error {
		c.Conn.Reserve(1 << 20)
		panic("a bug")
	})
	on(table, wire.KeyDeleteTopics, func(*handler.Handler, *handler.Call) error { return io.ErrNoProgress }, answer)
	return table
}

// life is what a client sends in one write: perhaps a login, then requests.
func life(r *rand.Rand, sasl bool) []byte {
	b := request(wire.KeyApiVersions, 3, 1, wire.NewRequest(wire.KeyApiVersions))
	if sasl {
		version := int16(r.IntN(2))
		b = append(b, request(wire.KeySaslHandshake, version, 2, &wire.SaslHandshakeRequest{Mechanism: auth.Plain})...)
		b = append(b, tokenRequest(version, 2, [][]byte{rightToken, rightToken, rightToken, wrongToken}[r.IntN(4)])...)
	}
	keys := []int16{wire.KeyProduce, wire.KeyProduce, wire.KeyMetadata, wire.KeyMetadata, wire.KeyFetch, wire.KeyListOffsets, wire.KeyDeleteTopics, wire.KeySaslHandshake, wire.KeySaslAuthenticate}
	for range r.IntN(6) {
		key := keys[r.IntN(len(keys))]
		_, highest, _, _ := wire.Versions(key)
		next := append(request(key, highest, 3, wire.NewRequest(key)), make([]byte, r.IntN(2)*r.IntN(400<<10))...)
		binary.BigEndian.PutUint32(next, uint32(len(next)-sizeBytes))
		b = append(b, next...)
	}
	return b
}

// live connects, sends what a client sends, and dies of it, or before.
func live(s *Server, t *testing.T, r *rand.Rand, how Listener, trust *tls.Config) {
	near, far := net.Pipe()
	how.Name = "pipe"
	s.welcome(far, &how)
	b := life(r, how.SASL)
	m := &mortal{Conn: near, left: r.IntN(len(b) + 100), silent: r.IntN(2) == 0}
	if r.IntN(2) == 0 {
		m.left = r.IntN(1000) // in the login, or the handshake before it
	}
	var c net.Conn = m
	if how.TLS != nil {
		secret := tls.Client(m, trust)
		if secret.Handshake() == nil {
			c = secret
		}
	}
	var reading sync.WaitGroup
	if r.IntN(3) > 0 {
		reading.Go(func() { io.Copy(io.Discard, c) })
	}
	c.Write(b)
	if m.silent {
		reading.Wait()
	}
	near.Close()
	reading.Wait()
}

// TestDeathsLeaveNothing shows that connections give back everything that was held for them, wherever they end: thousands
// die, by leaving or by falling silent, after any number of bytes of their handshake, their login and their requests,
// eighty at a time and with too little room for all. (As the broken twin, a byte that is not given back is noticed. A
// goroutine that stays is, too: the test does not end.)
func TestDeathsLeaveNothing(t *testing.T) {
	f := func(sasl, byTLS bool, rounds int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(5, uint64(rounds)))
			a := certificatetest.New(t)
			o := testOptions()
			guard(&o)
			o.FrameBytesMax, o.FramesBytesMax, o.ResponsesBytesMax = 1<<20, 1<<20, 1<<20
			s := New(nil, deadlyTable(), o)
			how := Listener{SASL: sasl}
			if byTLS {
				how.TLS = lock(t, a, tls.NoClientCert).TLS
			}
			for range rounds {
				var all sync.WaitGroup
				for range 80 {
					own := rand.New(rand.NewPCG(r.Uint64(), 1))
					all.Go(func() { live(s, t, own, how, a.Trust()) })
				}
				all.Wait()
				time.Sleep(o.IdleTimeout) // those that nobody reads from are given up
				synctest.Wait()
				if held := s.heldForClients(); held != "" {
					t.Fatalf("sasl %v, TLS %v: when all are dead there are %s", sasl, byTLS, held)
				}
			}
			for reason, seen := range map[string]bool{"slow_sender": true, "slow_reader": true, "panic": true, "refused": true, leaving: true, "login_refused": sasl, "handshake_timeout": byTLS, "shutdown": false} {
				if n := s.metrics.ConnectionsClosed(reason).Get(); n > 0 != seen {
					t.Errorf("sasl %v, TLS %v: %d ended by %s", sasl, byTLS, n, reason)
				}
			}
			s.frames.take(1)
			if s.heldForClients() == "" {
				t.Error("a byte that is not given back is not noticed")
			}
			s.frames.release(1)
			s.Shutdown(t.Context())
		})
	}
	f(false, false, 10)
	f(true, false, 10)
	f(false, true, 10)
	f(true, true, 10)
}
