package interop

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/heraclitus/heraclitus/pkg/objstore/s3/s3test"
)

// sky decides what befalls the requests of a storm: something befalls a few of them, and now and then one thing all of them for a
// while.
type sky struct {
	mu     sync.Mutex
	calm   bool
	until  time.Time // of a squall
	squall s3test.Fault
	counts map[s3test.Fault]int
	late   int // requests that were delayed
}

const (
	faultPercent   = 4
	delayPercent   = 10
	delayMax       = 100 * time.Millisecond
	squallPerMille = 1
	squallMax      = time.Second
)

// ills are the faults there are, by their names.
var ills = map[s3test.Fault]string{
	s3test.CutBefore: "cut before", s3test.CutAfter: "answer lost", s3test.CutInside: "cut inside",
	s3test.Failure: "500", s3test.SlowDown: "503", s3test.Throttled: "throttled",
}

func anyIll() s3test.Fault {
	n := rand.IntN(len(ills))
	for fault := range ills {
		if n--; n < 0 {
			return fault
		}
	}
	return s3test.None
}

// decide is what a proxy is told.
func (s *sky) decide(r *http.Request) s3test.Fault {
	fault, delay := s.draw()
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-r.Context().Done():
		}
	}
	return fault
}

func (s *sky) draw() (s3test.Fault, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calm {
		return s3test.None, 0
	}
	fault, delay := s3test.None, time.Duration(0)
	if rand.IntN(1000) < squallPerMille {
		s.until, s.squall = time.Now().Add(rand.N(squallMax)), anyIll()
	}
	if time.Now().Before(s.until) {
		fault = s.squall
	} else if rand.IntN(100) < faultPercent {
		fault = anyIll()
	}
	if rand.IntN(100) < delayPercent {
		delay = rand.N(delayMax)
		s.late++
	}
	s.counts[fault]++
	return fault, delay
}

// befell is what happened to how many requests, by name.
func (s *sky) befell() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]int{"delayed": s.late, "nothing": s.counts[s3test.None]}
	for fault, name := range ills {
		all[name] = s.counts[fault]
	}
	return all
}

// clear ends the storm.
func (s *sky) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calm = true
}
