package engine

import (
	"slices"
	"sort"
	"sync"
)

// cache finds the chunk of a slot. It holds the newest chunks, up to a number of bytes.
type cache struct {
	bytesMax int
	mu       struct {
		sync.RWMutex
		chunks []*chunk // by slot
		bytes  int
	}
}

// add notes a committed entry, which lies at s in c, and lets the oldest chunks go if there are too many.
func (k *cache) add(slot uint64, c *chunk, s span) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(c.spans) == 0 {
		c.first = slot
		c.hold()
		k.mu.chunks = append(k.mu.chunks, c)
		k.mu.bytes += len(c.mem)
		k.evictLocked()
	}
	c.spans = append(c.spans, s)
}

// evictLocked lets go of the oldest chunks, but never of the newest, which may still be filled.
func (k *cache) evictLocked() {
	gone := 0
	for gone < len(k.mu.chunks)-1 && k.mu.bytes > k.bytesMax {
		k.mu.bytes -= len(k.mu.chunks[gone].mem)
		k.mu.chunks[gone].release()
		gone++
	}
	k.mu.chunks = slices.Delete(k.mu.chunks, 0, gone)
}

// get returns the entry in slot and its chunk, held for the caller; nil when the slot is not in memory.
func (k *cache) get(slot uint64) ([]byte, *chunk) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	after := sort.Search(len(k.mu.chunks), func(i int) bool { return k.mu.chunks[i].first > slot })
	if after == 0 {
		return nil, nil
	}
	c := k.mu.chunks[after-1]
	i := slot - c.first
	if i >= uint64(len(c.spans)) {
		return nil, nil
	}
	c.hold()
	s := c.spans[i]
	return c.mem[s.from:s.to:s.to], c
}

func (k *cache) bytes() int {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.mu.bytes
}
