package server

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// Buffers come in powers of two between these. Larger ones are made to measure and never kept.
const (
	bufferShiftMin = 9  // 512 bytes
	bufferShiftMax = 24 // 16 MiB
	bufferBytesMin = 1 << bufferShiftMin
	bufferBytesMax = 1 << bufferShiftMax
)

// pool keeps free buffers, one list for each power of two. Memory that was touched before is what makes reading fast:
// fresh memory costs a page fault every 4 KiB, which is dearer than the copy into it. A sync.Pool would not do: every
// garbage collection empties it.
type pool struct {
	keepMax int64 // bytes of free buffers kept, at most
	kept    atomic.Int64
	classes [bufferShiftMax - bufferShiftMin + 1]class
}

// class is the free list of one size.
type class struct {
	mu struct {
		sync.Mutex
		free [][]byte
		idle int // how many of free nobody has needed since the last trim
	}
}

// bufferSize is the capacity of the buffer that get gives for n bytes.
func bufferSize(n int) int {
	switch {
	case n <= bufferBytesMin:
		return bufferBytesMin
	case n > bufferBytesMax:
		return n
	}
	return 1 << bits.Len(uint(n-1))
}

// classOf is the free list for buffers of exactly this capacity, nil if there is none.
func (p *pool) classOf(capacity int) *class {
	if capacity < bufferBytesMin || capacity > bufferBytesMax || capacity&(capacity-1) != 0 {
		return nil
	}
	return &p.classes[bits.Len(uint(capacity))-1-bufferShiftMin]
}

// get returns a buffer of length n and capacity bufferSize(n). What it holds is left over from earlier use.
func (p *pool) get(n int) []byte {
	size := bufferSize(n)
	if c := p.classOf(size); c != nil {
		if b := c.take(); b != nil {
			p.kept.Add(int64(-size))
			return b[:n]
		}
	}
	return make([]byte, n, size)
}

// put takes a buffer back. Buffers of other sizes than get gives, and those over the limit, are left to the collector.
func (p *pool) put(b []byte) {
	c := p.classOf(cap(b))
	if c == nil {
		return
	}
	if p.kept.Add(int64(cap(b))) > p.keepMax {
		p.kept.Add(int64(-cap(b)))
		return
	}
	c.give(b)
}

// trim drops the buffers that nobody has needed since the last trim.
func (p *pool) trim() {
	for i := range p.classes {
		dropped := p.classes[i].trim()
		p.kept.Add(int64(-dropped) << (i + bufferShiftMin))
	}
}

func (c *class) take() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := len(c.mu.free) - 1
	if last < 0 {
		return nil
	}
	b := c.mu.free[last]
	c.mu.free[last] = nil
	c.mu.free = c.mu.free[:last]
	c.mu.idle = min(c.mu.idle, last)
	return b
}

func (c *class) give(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.free = append(c.mu.free, b)
}

// trim drops the idle buffers, which lie at the bottom of the list, and says how many they were.
func (c *class) trim() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	dropped := c.mu.idle
	left := copy(c.mu.free, c.mu.free[dropped:])
	clear(c.mu.free[left:])
	c.mu.free = c.mu.free[:left]
	c.mu.idle = left
	return dropped
}
