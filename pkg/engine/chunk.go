package engine

import (
	"slices"
	"sort"
	"sync"
	"sync/atomic"
)

// chunkBytes is the size of a chunk. A batch that does not fit has a chunk of its own, of its size.
const chunkBytes = 4 << 20

// chunk is a block of memory that is filled with entries, one behind the other: first the write buffer of the journal,
// then the cache of readers. It goes back to the pool when nobody refers to it: the writer while it fills it, each entry
// under way, the cache, and each reader that holds views of it.
type chunk struct {
	pool *pool
	mem  []byte // all of it; what entries under way and readers see
	buf  []byte // mem up to where it is used; the writer's, under its lock
	refs atomic.Int32

	first uint64 // slot of its first committed entry; this and spans are the cache's, under its lock
	spans []span // of its committed entries, which have consecutive slots
}

// span is where an entry lies in its chunk.
type span struct{ from, to int }

// newChunk returns a chunk of n bytes.
func newChunk(p *pool, n int) *chunk {
	mem := make([]byte, n)
	return &chunk{pool: p, mem: mem, buf: mem[:0]}
}

func (c *chunk) room() int { return len(c.mem) - len(c.buf) }

func (c *chunk) hold() { c.refs.Add(1) }

func (c *chunk) release() {
	if c.refs.Add(-1) == 0 {
		c.pool.put(c)
	}
}

// pool keeps free chunks. Their pages have been touched, and touching new ones is the dearest part of writing to memory.
type pool struct {
	mu struct {
		sync.Mutex
		free []*chunk
	}
	freeMax int
}

// get returns an empty chunk with room for at least n bytes, held once.
func (p *pool) get(n int) *chunk {
	p.mu.Lock()
	defer p.mu.Unlock()
	var c *chunk
	if last := len(p.mu.free) - 1; last >= 0 && n <= chunkBytes {
		c = p.mu.free[last]
		p.mu.free = slices.Delete(p.mu.free, last, last+1)
	} else {
		c = newChunk(p, max(n, chunkBytes))
	}
	c.refs.Store(1)
	return c
}

func (p *pool) put(c *chunk) {
	if len(c.mem) != chunkBytes {
		return
	}
	c.buf, c.spans = c.buf[:0], c.spans[:0]
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.mu.free) < p.freeMax {
		p.mu.free = append(p.mu.free, c)
	}
}

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
