// Package hist keeps latencies.
package hist

import (
	"math/bits"
	"time"
)

const (
	stepBits = 6 // each power of two is cut into 64 steps: a figure is right to 1.6 %
	steps    = 1 << stepBits
)

// Hist is a histogram of durations, from nanoseconds to hours. The zero value is empty. It is not safe for concurrent
// use: give each goroutine its own, and Merge them.
type Hist struct {
	counts [(64 - stepBits) * steps]uint32
	n      int64
}

// Add notes one duration; a negative one counts as 0.
func (h *Hist) Add(d time.Duration) {
	h.counts[bucket(uint64(max(d, 0)))]++
	h.n++
}

// N returns how many durations were added.
func (h *Hist) N() int64 { return h.n }

// Merge adds everything in o.
func (h *Hist) Merge(o *Hist) {
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.n += o.n
}

// Quantile returns the duration that a share q (0 to 1) of all are not longer than, 0 if there are none.
func (h *Hist) Quantile(q float64) time.Duration {
	rank := int64(q * float64(h.n-1))
	for i, n := range h.counts {
		if rank -= int64(n); rank < 0 {
			return time.Duration(middle(i))
		}
	}
	return 0
}

// bucket returns which count v belongs to: the first 128 have one value each, then each power of two has 64.
func bucket(v uint64) int {
	shift := max(bits.Len64(v)-stepBits-1, 0)
	return shift*steps + int(v>>shift)
}

// middle returns the value in the middle of a bucket.
func middle(i int) uint64 {
	if i < 2*steps {
		return uint64(i)
	}
	shift := i/steps - 1
	return uint64(i-shift*steps)<<shift + 1<<shift/2
}
