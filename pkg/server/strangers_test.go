package server

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/certificate/certificatetest"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// login logs a client in.
func (c *client) login() {
	c.t.Helper()
	c.handshake(1)
	c.Write(tokenRequest(1, 2, rightToken))
	c.receive(wire.KeySaslAuthenticate, 2, 2)
}

// TestStrangersTakeNoRoom shows, in time that does not pass, that strangers who stop in the middle of their largest requests
// hold up neither clients that are known nor others that log in; and, as the broken twin, that they do where the room for
// requests is the same for all.
func TestStrangersTakeNoRoom(t *testing.T) {
	f := func(shared, held bool) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			s, known := pipeServer(t, loginTable(), func(o *Options) {
				guard(o)
				o.FrameBytesMax, o.FramesBytesMax = 1<<20, 1<<20
			})
			known.login()
			if shared {
				s.loginFrames = s.frames
			}
			for range strangersMin - 1 {
				c := s.pipe(t, Listener{SASL: true})
				go c.Write(framed(random(loginFrameBytesMax))[:loginFrameBytesMax])
			}
			synctest.Wait()
			began := time.Now()
			known.Write(framed(append(request(wire.KeyMetadata, 12, 1, &wire.MetadataRequest{})[sizeBytes:], make([]byte, 900<<10)...)))
			known.receive(wire.KeyMetadata, 12, 1)
			s.pipe(t, Listener{SASL: true}).login()
			if took := time.Since(began); took > 0 != held {
				t.Errorf("room shared: %v: known and new clients were served after %v", shared, took)
			}
		})
	}
	f(false, false)
	f(true, true)
}

// TestStrangersGiveWay shows that there are never more strangers than there may be: newcomers are refused at first, and take
// the places of those who have sat there for a while; and that nobody else gives way, neither who is known nor who comes by
// a listener that asks nobody.
func TestStrangersGiveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, known := pipeServer(t, loginTable(), guard)
		known.login()
		synctest.Wait()
		strangers := func() int {
			synctest.Wait()
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.mu.strangers.list.Len()
		}
		var first []*client
		for range strangersMin {
			first = append(first, s.pipe(t, Listener{SASL: true}))
		}
		s.pipe(t, Listener{SASL: true}).ended()
		if n := strangers(); n != strangersMin || s.metrics.ConnectionsRefused("strangers").Get() != 1 {
			t.Errorf("%d strangers, %d refused", n, s.metrics.ConnectionsRefused("strangers").Get())
		}
		time.Sleep(strangerTime)
		s.pipe(t, Listener{SASL: true}).login()
		first[0].ended()
		if n := strangers(); n != strangersMin-1 || s.metrics.ConnectionsClosed("crowded_out").Get() != 1 {
			t.Errorf("%d strangers, %d crowded out", n, s.metrics.ConnectionsClosed("crowded_out").Get())
		}
		first[1].login()
		for _, c := range []*client{known, first[1], s.pipe(t, Listener{})} {
			c.send(wire.KeyMetadata, 12, 1)
			c.receive(wire.KeyMetadata, 12, 1)
		}
		for _, c := range first[2:] {
			c.Close()
		}
		if n := strangers(); n != 0 {
			t.Errorf("%d strangers are left", n)
		}
	})
}

// TestStalledHandshakes shows, in time that does not pass, that clients who stop in the middle of their TLS handshake hold up
// nobody and are cut off in the end; and, as the broken twin, that nobody comes in while all turns are taken, as they would
// be if they were kept while clients are waited for.
func TestStalledHandshakes(t *testing.T) {
	f := func(taken bool) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			a := certificatetest.New(t)
			how := lock(t, a, tls.NoClientCert)
			o := testOptions()
			shortHandshakes(&o)
			s := New(nil, tableOf(wire.KeyMetadata), o)
			stalled := min(2*cap(s.turns), strangersMin-1)
			for range stalled {
				c := s.pipe(t, how)
				go tls.Client(&halfway{client: c}, a.Trust()).Handshake()
			}
			synctest.Wait()
			for range cap(s.turns) {
				if taken {
					s.turns <- struct{}{}
				}
			}
			began := time.Now()
			c := s.pipe(t, how)
			c.Conn = tls.Client(c.Conn, a.Trust())
			c.Write(request(wire.KeyMetadata, 12, 1, &wire.MetadataRequest{}))
			if taken {
				io.Copy(io.Discard, c)
			} else {
				c.receive(wire.KeyMetadata, 12, 1)
			}
			if waited := time.Since(began); waited > 0 != taken {
				t.Errorf("turns taken: %v: the client waited for %v", taken, waited)
			}
			time.Sleep(2 * testLoginTimeout)
			synctest.Wait()
			if n := s.metrics.HandshakesFailed("handshake_timeout").Get(); int(n) < stalled {
				t.Errorf("%d of %d were cut off", n, stalled)
			}
			if n := len(s.turns); n != 0 && !taken {
				t.Errorf("%d turns are taken in the end", n)
			}
			c.Close()
			s.Shutdown(t.Context())
		})
	}
	f(false)
	f(true)
}

// halfway is a connection whose client sends one message, and no other.
type halfway struct {
	*client
	sent bool
}

func (h *halfway) Write(p []byte) (int, error) {
	if h.sent {
		n, err := io.Copy(io.Discard, h.client)
		return int(n), err
	}
	h.sent = true
	return h.client.Write(p)
}

// TestHandshakeBytes shows that a client cannot send for ever what looks like a TLS handshake.
func TestHandshakeBytes(t *testing.T) {
	s, address := startAs(t, tableOf(wire.KeyMetadata), shortHandshakes, lock(t, certificatetest.New(t), tls.NoClientCert))
	c := dial(t, address)
	hello := append([]byte{1, 0, 0xff, 0xff}, make([]byte, 0xffff)...)
	for len(hello) > 0 {
		n := min(len(hello), 1000)
		c.Write(append([]byte{22, 3, 1, byte(n >> 8), byte(n)}, hello[:n]...))
		hello = hello[n:]
	}
	c.SetReadDeadline(time.Now().Add(patience))
	io.Copy(io.Discard, c)
	waitFor(t, func() bool { return s.metrics.HandshakesFailed("handshake").Get() == 1 }, "the handshake is refused")
}

// from is a connection from an address.
type from struct {
	net.Conn
	address string
}

func (f from) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(f.address))
}

// TestStrangersOfOneNetwork shows that one network never has more than half of the places, however fast it comes, so that
// others find room; that its newcomers take the places of its own who have sat there for a while; and that places are
// counted rightly whatever becomes of those who had them.
func TestStrangersOfOneNetwork(t *testing.T) {
	const half = strangersMin / 2
	synctest.Test(t, func(t *testing.T) {
		o := testOptions()
		guard(&o)
		o.ConnectionsMax, o.ConnectionsPerIPMax = 4*strangersMin, 4*strangersMin
		s := New(nil, loginTable(), o)
		comes := func(address string) *client {
			near, far := net.Pipe()
			s.welcome(from{far, address}, &Listener{Name: "pipe", SASL: true})
			t.Cleanup(func() { near.Close() })
			synctest.Wait()
			return &client{Conn: near, t: t}
		}
		count := func(want int, refused uint64) {
			t.Helper()
			synctest.Wait()
			s.mu.Lock()
			defer s.mu.Unlock()
			if n := s.mu.strangers.list.Len(); n != want || s.metrics.ConnectionsRefused("strangers").Get() != refused {
				t.Errorf("%d strangers, want %d; %d refused, want %d", n, want, s.metrics.ConnectionsRefused("strangers").Get(), refused)
			}
			total := 0
			for network, n := range s.mu.strangers.places {
				if total += n; n < 1 || n > half {
					t.Errorf("%v has %d places", network, n)
				}
			}
			if total != want {
				t.Errorf("%d places of %d are counted", total, want)
			}
		}
		other := comes("[2001:db8:0:2::1]:1")
		var flood []*client
		for i := range 2 * half {
			flood = append(flood, comes(fmt.Sprintf("[2001:db8:0:1::%x]:1", i+1)))
		}
		count(1+half, half)
		comes("192.0.2.1:1").login()
		other.login()
		count(half, half)
		time.Sleep(strangerTime)
		comes("[2001:db8:0:3::1]:1")
		comes("[2001:db8:0:1::1]:2").login()
		flood[0].ended()
		count(half, half)
		for _, c := range flood {
			c.Close()
		}
		count(1, half)
		s.Shutdown(t.Context())
		count(0, half)
	})
}
