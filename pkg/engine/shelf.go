package engine

import (
	"container/list"
	"sync"
)

// shelf keeps what was read of segments, up to a number of bytes; what was asked for longest ago goes first. Whatever is asked
// for by many at once is read once.
type shelf struct {
	bytesMax int64
	mu       struct {
		sync.Mutex
		things map[shelfKey]*list.Element // of *shelved
		order  list.List                  // of what has been read, the last asked for first
		bytes  int64
	}
}

// shelfKey names a part of a segment.
type shelfKey struct {
	unique uint64 // of the segment
	part   int64
}

// shelved is a thing on the shelf, or one that is being read.
type shelved struct {
	key   shelfKey
	ready chan struct{} // closed once the rest is set
	value any
	bytes int64
	err   error
}

func newShelf(bytesMax int64) *shelf {
	s := &shelf{bytesMax: bytesMax}
	s.mu.things = map[shelfKey]*list.Element{}
	return s
}

// get returns a thing, which read reads, with its size in memory, unless it is there or somebody reads it now. An error is
// that of all who asked meanwhile, and forgotten. found says whether nothing had to be read.
func (s *shelf) get(key shelfKey, read func() (value any, bytes int64, err error)) (value any, found bool, err error) {
	s.mu.Lock()
	if el := s.mu.things[key]; el != nil {
		s.mu.order.MoveToFront(el) // which does nothing while it is being read
		s.mu.Unlock()
		it := el.Value.(*shelved)
		<-it.ready
		return it.value, true, it.err
	}
	it := &shelved{key: key, ready: make(chan struct{})}
	s.mu.things[key] = &list.Element{Value: it}
	s.mu.Unlock()
	it.value, it.bytes, it.err = read()
	s.put(it)
	close(it.ready)
	return it.value, false, it.err
}

// put keeps a thing that has been read, or forgets it when that failed.
func (s *shelf) put(it *shelved) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if it.err != nil {
		delete(s.mu.things, it.key)
		return
	}
	s.mu.things[it.key] = s.mu.order.PushFront(it)
	s.mu.bytes += it.bytes
	for s.mu.bytes > s.bytesMax && s.mu.order.Len() > 1 {
		s.dropLocked(s.mu.order.Back())
	}
}

func (s *shelf) dropLocked(el *list.Element) {
	it := s.mu.order.Remove(el).(*shelved)
	delete(s.mu.things, it.key)
	s.mu.bytes -= it.bytes
}

// has says whether a thing is there, or on its way.
func (s *shelf) has(key shelfKey) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.things[key] != nil
}

func (s *shelf) bytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.bytes
}
