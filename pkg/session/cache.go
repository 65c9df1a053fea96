package session

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// What all sessions may take up: some 200 bytes a partition.
const (
	sessionPartitionsMax = 20_000  // of one session; who wants more is served without
	cachePartitionsMax   = 200_000 // of all
)

// evictionMs is how long a session is safe from being forgotten for the sake of others; Kafka's
// min.incremental.fetch.session.eviction.ms.
const evictionMs = 2 * 60 * 1000

// refusalMs is how long nobody looks again for sessions to evict, for one that is no larger, after none was found: looking
// takes all sessions, and while the cache is full every client without a session asks for one with every fetch.
const refusalMs = 1000

// Cache holds the sessions of a server. It is safe for any number of goroutines.
type Cache struct {
	sessionsMax int
	mu          struct { // taken before a session's, never after
		sync.Mutex
		sessions   map[int32]*session
		partitions int // of all sessions
		refused    struct {
			atMs int64
			size int
		} // the last session for which nobody made room
	}
}

// NewCache returns a cache of up to sessionsMax sessions; 0 keeps none.
func NewCache(sessionsMax int) *Cache {
	c := &Cache{sessionsMax: sessionsMax}
	c.mu.sessions = map[int32]*session{}
	return c
}

// Request is what a fetch request says of its session.
type Request struct {
	ID         int32 // of the session; 0 for none
	Epoch      int32
	ByID       bool // the request names topics by id
	Partitions []Partition
	Forgotten  []Key
}

// Fetch is one fetch request on its way. The zero value is ready for Begin, and so is a used one.
type Fetch struct {
	Partitions []Partition // what to read, in this order
	Outcomes   []Outcome   // of each; for the reader to fill in

	cache   *Cache
	session *session // the one it belongs to; nil for none
	epoch   int32    // that its session has unless another request came in between
	open    bool     // a session is to be opened for it
	byID    bool
}

// Begin finds out what f has to read, by the rules of Kafka's FetchManager.newContext. Errors, for the whole response:
// FetchSessionIDNotFound, InvalidFetchSessionEpoch, FetchSessionTopicIDError.
func (c *Cache) Begin(f *Fetch, r *Request) error {
	*f = Fetch{Partitions: f.Partitions[:0], Outcomes: f.Outcomes[:0], cache: c, byID: r.ByID}
	if err := c.begin(f, r); err != nil {
		return err
	}
	f.Outcomes = append(f.Outcomes, make([]Outcome, len(f.Partitions))...)
	return nil
}

func (c *Cache) begin(f *Fetch, r *Request) error {
	if r.Epoch == openEpoch || r.Epoch == finalEpoch {
		c.remove(r.ID)
		f.open = r.Epoch == openEpoch
		f.Partitions = append(f.Partitions, r.Partitions...)
		return nil
	}
	s := c.get(r.ID)
	if s == nil {
		return kerr.FetchSessionIDNotFound
	}
	size, err := s.take(f, r)
	switch {
	case err == errTooLarge || err == nil && size == 0:
		c.remove(s.id)
		return err
	case err != nil:
		return err
	}
	f.session = s
	c.touch(s, size)
	return nil
}

// End opens a session for f if one is due and there is room, and marks the outcomes that its client knows already. It
// returns the id of the session, 0 for none. InvalidFetchSessionEpoch means that another request of the session came
// before f ended: the response names no partition then.
func (f *Fetch) End() (id int32, err error) {
	switch {
	case f.session != nil:
		return f.session.id, f.session.tell(f)
	case f.open:
		return f.cache.create(f), nil
	}
	return 0, nil
}

func (c *Cache) get(id int32) *session {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.sessions[id]
}

// touch notes that a session was used, and how large it is now. If that is too much for all together, it is given up.
func (c *Cache) touch(s *session, size int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.sessions[s.id] != s {
		return // forgotten meanwhile
	}
	c.mu.partitions += size - s.size
	s.usedMs, s.size = time.Now().UnixMilli(), size
	if c.mu.partitions > cachePartitionsMax {
		c.removeLocked(s)
	}
}

func (c *Cache) remove(id int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.mu.sessions[id]; s != nil {
		c.removeLocked(s)
	}
}

func (c *Cache) removeLocked(s *session) {
	delete(c.mu.sessions, s.id)
	c.mu.partitions -= s.size
}

// create opens a session with the partitions of f and returns its id, or 0 when there is no room for it.
func (c *Cache) create(f *Fetch) int32 {
	if c.sessionsMax == 0 || len(f.Partitions) > sessionPartitionsMax {
		return 0
	}
	s := newSession(0, f.byID, time.Now().UnixMilli())
	s.fill(f)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.makeRoomLocked(s.size, s.createdMs) {
		return 0
	}
	s.id = c.newIDLocked()
	c.mu.sessions[s.id] = s
	c.mu.partitions += s.size
	return s.id
}

// fill gives a session that nobody else knows yet the partitions of the request that opens it.
func (s *session) fill(f *Fetch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range f.Partitions {
		s.setLocked(&f.Partitions[i]).news(&f.Outcomes[i])
	}
	s.size = len(s.mu.partitions)
}

func (c *Cache) newIDLocked() int32 {
	for {
		if id := rand.Int32(); id != 0 && c.mu.sessions[id] == nil {
			return id
		}
	}
}

// makeRoomLocked sees to it that a session of size partitions fits in, and evicts others for it if it may.
func (c *Cache) makeRoomLocked(size int, nowMs int64) bool {
	for len(c.mu.sessions) >= c.sessionsMax || c.mu.partitions+size > cachePartitionsMax {
		last := &c.mu.refused
		if size <= last.size && nowMs-last.atMs < refusalMs {
			return false
		}
		s := c.evictableLocked(size, nowMs)
		if s == nil {
			last.atMs, last.size = nowMs, size
			return false
		}
		c.removeLocked(s)
	}
	return true
}

// evictableLocked returns the session that has to make room for one of size partitions, or nil. By the rules of Kafka's
// FetchSessionCacheShard.tryEvict that is the one unused for longest, if longer than evictionMs; else the smallest of
// those older than that, if it is smaller than the new one.
func (c *Cache) evictableLocked(size int, nowMs int64) *session {
	var stalest, smallest *session
	for _, s := range c.mu.sessions {
		if stalest == nil || s.usedMs < stalest.usedMs {
			stalest = s
		}
		if nowMs-s.createdMs > evictionMs && (smallest == nil || s.size < smallest.size) {
			smallest = s
		}
	}
	switch {
	case stalest != nil && nowMs-stalest.usedMs > evictionMs:
		return stalest
	case smallest != nil && smallest.size < size:
		return smallest
	}
	return nil
}
