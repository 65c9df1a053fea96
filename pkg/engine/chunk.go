package engine

import (
	"slices"
	"sync"
	"sync/atomic"
)

// chunkBytes is the size of a chunk. A batch that does not fit has a chunk of its own, of its size.
const chunkBytes = 4 << 20

// chunk is a block of memory that is filled with entries, one after the other: first the write buffer of the journal,
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

// pool keeps free chunks. Their pages have been touched; touching new ones is the most expensive part of writing to memory.
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
