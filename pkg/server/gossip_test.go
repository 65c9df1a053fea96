package server

import (
	"bytes"
	"encoding/binary"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestGossip shows that the same about clients of the same network is said once a minute, with the count of what was left out
// after it, that other things and other networks are heard meanwhile, and that each of it is there for who listens closely.
func TestGossip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var info, debug bytes.Buffer
		g := gossip{log: slog.New(slog.NewTextHandler(&info, nil))}
		f := func(peer, reason string, want int) {
			t.Helper()
			before := strings.Count(info.String(), "\n")
			for range 1000 {
				g.tell(slog.LevelInfo, netip.MustParseAddr(peer), "connection closed", reason)
			}
			if got := strings.Count(info.String(), "\n") - before; got != want {
				t.Errorf("%s of %s was said %d times, want %d", reason, peer, got, want)
			}
		}
		f("192.0.2.1", "not_tls", 1)
		f("192.0.2.1", "not_tls", 0)
		f("192.0.2.1", "http", 1)
		f("192.0.2.2", "not_tls", 1)
		f("2001:db8::1", "not_tls", 1)
		f("2001:db8::ffff", "not_tls", 0)
		f("2001:db8:0:1::1", "not_tls", 1)
		g.sum()
		if strings.Contains(info.String(), "left out") {
			t.Error("what was left out is told before the minute is over")
		}
		time.Sleep(gossipTime)
		g.sum()
		if !strings.Contains(info.String(), `network=192.0.2.1 reason=not_tls count=1999`) || !strings.Contains(info.String(), "network=2001:db8:: reason=not_tls count=1999") {
			t.Errorf("what was left out is not told:\n%s", info.String())
		}
		f("192.0.2.1", "not_tls", 1)

		g.log = slog.New(slog.NewTextHandler(&debug, &slog.HandlerOptions{Level: slog.LevelDebug}))
		f("192.0.2.1", "not_tls", 0)
		if n := strings.Count(debug.String(), "level=DEBUG"); n != 1000 {
			t.Errorf("%d of 1000 are there at Debug", n)
		}
	})
}

// TestGossipIsBounded shows that clients of any number of networks fill neither memory nor the log.
func TestGossipIsBounded(t *testing.T) {
	var said bytes.Buffer
	g := gossip{log: slog.New(slog.NewTextHandler(&said, nil))}
	for i := range uint32(100_000) {
		peer := netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, i)))
		g.tell(slog.LevelInfo, peer, "connection closed", []string{"http", "not_tls"}[i%2])
	}
	if lines := strings.Count(said.String(), "\n"); lines > gossipMax+2 || len(g.mu.said) > gossipMax+2 {
		t.Errorf("%d lines, %d things remembered", lines, len(g.mu.said))
	}
}
