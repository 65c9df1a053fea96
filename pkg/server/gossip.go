package server

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/heraclitus/heraclitus/pkg/auth"
)

// Limits of what the log says about clients.
const (
	gossipTime = time.Minute // in which the same is said once
	gossipMax  = 256         // things remembered at once: whatever comes beyond them is counted as one
)

// gossip logs what an operator should know about clients, and logs it once: of connections from one network that end the
// same way only the first in a minute is told of, and the others are counted, so that nobody can fill the log from
// outside.
type gossip struct {
	log *slog.Logger
	mu  struct {
		sync.Mutex
		said map[topic]*saying
	}
}

// topic is what is told of once.
type topic struct {
	network netip.Addr // zero: of all others
	message string
	reason  string
}

// saying is what was said of a topic.
type saying struct {
	first   time.Time
	leftOut int // since then
}

// tell logs a message about a client, at level or, when that was said lately, at Debug.
func (g *gossip) tell(level slog.Level, peer netip.Addr, message, reason string, about ...any) {
	if level > slog.LevelDebug && !g.news(topic{auth.Network(peer), message, reason}) {
		level = slog.LevelDebug
	}
	g.log.Log(context.Background(), level, message, append(about, "reason", reason)...)
}

// news says whether a topic is new, and counts it if it is not.
func (g *gossip) news(t topic) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.mu.said == nil {
		g.mu.said = map[topic]*saying{}
	}
	if g.mu.said[t] == nil && len(g.mu.said) >= gossipMax {
		t.network = netip.Addr{}
	}
	if s := g.mu.said[t]; s != nil {
		s.leftOut++
		return false
	}
	g.mu.said[t] = &saying{first: time.Now()}
	return true
}

// sum forgets what was said more than a minute ago, and says how much was left out.
func (g *gossip) sum() {
	g.mu.Lock()
	leftOut := map[topic]int{}
	for t, s := range g.mu.said {
		if time.Since(s.first) >= gossipTime {
			delete(g.mu.said, t)
			leftOut[t] = s.leftOut
		}
	}
	g.mu.Unlock()
	for t, n := range leftOut {
		if n > 0 {
			g.log.Info("more of the same was left out", "of", t.message, "network", t.network, "reason", t.reason, "count", n)
		}
	}
}
