package auth

import (
	"net/netip"
	"sync"
	"time"
)

// Limits of what is remembered of failures.
const (
	doublingsMax   = 5           // of the delay of a peer's first failure
	peersMax       = 4096        // remembered at once; more take the place of any
	failuresMemory = time.Minute // after which a peer without another failure is as new
)

// failures remembers which peers failed lately, and how often.
type failures struct {
	delay time.Duration
	mu    struct {
		sync.Mutex
		peers map[netip.Addr]*failing
	}
}

// failing is a peer that failed.
type failing struct {
	times  int
	newest time.Time
}

// note counts a failure and returns by how much its answer should be late: twice as much as the one before, up to a limit.
func (f *failures) note(peer netip.Addr) time.Duration {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.peerLocked(Network(peer))
	if now.Sub(p.newest) > failuresMemory {
		p.times = 0
	}
	p.newest = now
	delay := f.delay << min(p.times, doublingsMax)
	p.times++
	return delay
}

// peerLocked returns what is remembered of a peer, which takes another one's place if need be.
func (f *failures) peerLocked(peer netip.Addr) *failing {
	if p := f.mu.peers[peer]; p != nil {
		return p
	}
	if f.mu.peers == nil {
		f.mu.peers = map[netip.Addr]*failing{}
	}
	for other := range f.mu.peers {
		if len(f.mu.peers) < peersMax {
			break
		}
		delete(f.mu.peers, other)
	}
	p := &failing{}
	f.mu.peers[peer] = p
	return p
}
