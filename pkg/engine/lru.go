package engine

import (
	"container/list"
	"sync"
)

// lru keeps what was read of segments, up to a number of bytes; the least recently used item goes first. However many ask for
// an item at once, it is read once.
type lru struct {
	bytesMax int64
	mu       struct {
		sync.Mutex
		items map[lruKey]*list.Element // of *lruItem
		order list.List                // of those that have been read, the most recently used first
		bytes int64
	}
}

// lruKey names a part of a segment.
type lruKey struct {
	unique uint64 // of the segment
	part   int64
}

// lruItem is an item that is kept, or one that is being read.
type lruItem struct {
	key   lruKey
	ready chan struct{} // closed once the rest is set
	value any
	bytes int64
	err   error
}

func newLRU(bytesMax int64) *lru {
	c := &lru{bytesMax: bytesMax}
	c.mu.items = map[lruKey]*list.Element{}
	return c
}

// get returns an item. Unless it is kept, or being read by somebody else, read reads it and says what it takes in memory. An
// error goes to everybody who waited for that read, and is not kept. found says whether nothing had to be read.
func (c *lru) get(key lruKey, read func() (value any, bytes int64, err error)) (value any, found bool, err error) {
	c.mu.Lock()
	if el := c.mu.items[key]; el != nil {
		c.mu.order.MoveToFront(el) // which does nothing while it is being read
		c.mu.Unlock()
		it := el.Value.(*lruItem)
		<-it.ready
		return it.value, true, it.err
	}
	it := &lruItem{key: key, ready: make(chan struct{})}
	c.mu.items[key] = &list.Element{Value: it}
	c.mu.Unlock()
	it.value, it.bytes, it.err = read()
	c.put(it)
	close(it.ready)
	return it.value, false, it.err
}

// put keeps an item that has been read, or forgets it when that failed.
func (c *lru) put(it *lruItem) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if it.err != nil {
		delete(c.mu.items, it.key)
		return
	}
	c.mu.items[it.key] = c.mu.order.PushFront(it)
	c.mu.bytes += it.bytes
	for c.mu.bytes > c.bytesMax && c.mu.order.Len() > 1 {
		c.dropLocked(c.mu.order.Back())
	}
}

func (c *lru) dropLocked(el *list.Element) {
	it := c.mu.order.Remove(el).(*lruItem)
	delete(c.mu.items, it.key)
	c.mu.bytes -= it.bytes
}

// has says whether an item is kept, or being read.
func (c *lru) has(key lruKey) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.items[key] != nil
}

func (c *lru) bytes() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.bytes
}
