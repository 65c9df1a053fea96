// Package session keeps fetch sessions (KIP-227): what each consumer reads, and what it was last told, so that a fetch
// request names only the partitions that are new or have moved, and a response only those with news.
//
// A fetch goes through two steps. [Cache.Begin] takes what the request says and gives the partitions to read. The handler
// reads them and notes how each went. [Fetch.End] then opens the session if one is due, remembers what the client is about
// to be told, and marks the partitions that need no telling.
//
// What must hold:
//   - A session is an optimisation. It may be forgotten at any moment; the client is told so and starts over.
//   - The epoch counts the requests of a session. A request out of turn changes nothing and is refused.
//   - Memory is bounded: in sessions, in partitions a session, and in partitions of all.
package session

import (
	"container/list"
	"fmt"
	"math"
	"sync"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// The epochs with a meaning of their own; Kafka's FetchMetadata.
const (
	openEpoch  = 0  // a request for all its partitions, which asks for a session
	finalEpoch = -1 // a request for all its partitions, which wants none
)

// Key names a partition as the client does: up to Fetch v12 by name, with ID zero, and from v13 by id, with Topic empty.
type Key struct {
	ID        kbin.UUID
	Topic     string
	Partition int32
}

// Partition is what a client wants of a partition.
type Partition struct {
	Key
	Offset           int64  // to read from
	BytesMax         int32  // to read
	LeaderEpoch      int32  // that the client believes in; -1 for none
	LastFetchedEpoch int32  // of the record before Offset; -1 when the client does not say
	Name             string // of a topic asked for by id: the name it was known by when it was first found, empty before
}

// Outcome is how reading a partition went, as the client is told.
type Outcome struct {
	Code          kerr.Code
	HighWatermark int64 // -1 with an error, so that the end of the error is news
	LogStart      int64 // likewise
	Bytes         int   // of records
	Diverging     bool  // the client's log is not a prefix of ours
	Omit          bool  // set by End: the client knows it all
}

// session is the memory of one session.
type session struct {
	id        int32
	byID      bool  // partitions are named by topic id
	createdMs int64 // guarded by Cache.mu, as are the next two
	usedMs    int64
	size      int // partitions, at the last request

	mu struct {
		sync.Mutex
		epoch      int32      // of the request that is due
		order      *list.List // of *partition, in the order in which they are read
		partitions map[Key]*list.Element
	}
}

// partition is a partition of a session.
type partition struct {
	Partition
	highWatermark int64 // as last told
	logStart      int64
}

func newSession(id int32, byID bool, nowMs int64) *session {
	s := &session{id: id, byID: byID, createdMs: nowMs, usedMs: nowMs}
	s.mu.epoch = after(openEpoch)
	s.mu.order = list.New()
	s.mu.partitions = map[Key]*list.Element{}
	return s
}

// after returns the epoch that follows; they go round past the largest, leaving out those with a meaning.
func after(epoch int32) int32 {
	if epoch == math.MaxInt32 {
		return 1
	}
	return epoch + 1
}

// setLocked adds a partition at the end, or changes what the client wants of it.
func (s *session) setLocked(p *Partition) *partition {
	if e := s.mu.partitions[p.Key]; e != nil {
		known := e.Value.(*partition)
		name := known.Name
		known.Partition = *p
		known.Name = name
		return known
	}
	added := &partition{Partition: *p, highWatermark: -1, logStart: -1}
	s.mu.partitions[p.Key] = s.mu.order.PushBack(added)
	return added
}

func (s *session) forgetLocked(k Key) {
	if e := s.mu.partitions[k]; e != nil {
		s.mu.order.Remove(e)
		delete(s.mu.partitions, k)
	}
}

// errTooLarge says that a session has grown so large that it is given up. Its client then asks for all its partitions again,
// and is served without a session.
var errTooLarge = fmt.Errorf("more than %d partitions: %w", sessionPartitionsMax, kerr.FetchSessionIDNotFound)

// take makes the changes of a request whose turn it is and gives f the partitions to read. It returns their number.
func (s *session) take(f *Fetch, r *Request) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.mu.epoch != r.Epoch:
		return 0, kerr.InvalidFetchSessionEpoch
	case s.byID != r.ByID:
		return 0, kerr.FetchSessionTopicIDError
	}
	for i := range r.Partitions {
		s.setLocked(&r.Partitions[i])
	}
	for _, k := range r.Forgotten {
		s.forgetLocked(k)
	}
	if len(s.mu.partitions) > sessionPartitionsMax {
		return 0, errTooLarge
	}
	s.mu.epoch = after(s.mu.epoch)
	f.epoch = s.mu.epoch
	for e := s.mu.order.Front(); e != nil; e = e.Next() {
		f.Partitions = append(f.Partitions, e.Value.(*partition).Partition)
	}
	return len(f.Partitions), nil
}

// tell notes what the client is told and marks what it is not. Partitions that have records go to the end of the order,
// so that no partition is kept waiting by busy ones before it.
func (s *session) tell(f *Fetch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.epoch != f.epoch {
		return kerr.InvalidFetchSessionEpoch
	}
	for i := range f.Partitions {
		e, o := s.mu.partitions[f.Partitions[i].Key], &f.Outcomes[i]
		p := e.Value.(*partition)
		p.Name = f.Partitions[i].Name
		o.Omit = !p.news(o)
		if o.Bytes > 0 {
			s.mu.order.MoveToBack(e)
		}
	}
	return nil
}

// news says whether an outcome is something the client was not told before, and notes that it is told now. Kafka's
// CachedPartition.maybeUpdateResponseData.
func (p *partition) news(o *Outcome) bool {
	news := o.Bytes > 0 || o.Diverging || o.Code != kerr.None || p.highWatermark != o.HighWatermark || p.logStart != o.LogStart
	p.highWatermark, p.logStart = o.HighWatermark, o.LogStart
	return news
}
