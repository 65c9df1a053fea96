package engine

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"github.com/heraclitus/heraclitus/pkg/metrics"
	"github.com/heraclitus/heraclitus/pkg/objstore"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/segment"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// past reads what lies in segments. It has a cache of its own, so that readers of the past do not push the newest records out
// of memory, and so that many who replay one topic cost one read. A reader that comes to the end of a run finds that the next
// one has been begun.
type past struct {
	store   objstore.Store
	metrics *metrics.Metrics
	cache   *lru
	ahead   chan struct{} // a place for each read ahead of its reader
	reading sync.WaitGroup
	ctx     context.Context
	stop    context.CancelFunc
}

const (
	runBytes    = 2 << 20 // of records before compression that are read at a time
	readsAhead  = 4       // at once, of all readers
	footerPart  = -1      // in the cache: the footer of a segment; other parts are the first offsets of runs
	footerBytes = 512     // what a footer takes beside its own count
)

func newPast(s objstore.Store, m *metrics.Metrics, bytesMax int64) *past {
	p := &past{store: s, metrics: m, cache: newLRU(bytesMax), ahead: make(chan struct{}, readsAhead)}
	p.ctx, p.stop = context.WithCancel(context.Background())
	return p
}

// close ends what is being read ahead.
func (p *past) close() {
	p.stop()
	p.reading.Wait()
}

// at is a segment and where it belongs.
type at struct {
	topic     string
	partition int32
	state.Segment
}

// reader returns a reader of a segment.
func (p *past) reader(g at) (*segment.Reader, error) {
	key := g.Key(g.topic, g.partition)
	get := func(ctx context.Context, b []byte, off int64) error { return p.store.GetRange(ctx, key, b, off) }
	v, _, err := p.cache.get(lruKey{g.Unique, footerPart}, func() (any, int64, error) {
		f, err := segment.ReadFooter(p.ctx, get, g.Bytes)
		if err != nil {
			return nil, 0, fmt.Errorf("open %s: %w", key, err)
		}
		return f, int64(f.MemoryBytes() + footerBytes), nil
	})
	if err != nil {
		return nil, err
	}
	return segment.NewReader(v.(*segment.Footer), get), nil
}

// run is a run of batches of a segment, as consumers get them.
type run struct {
	bytes []byte
	next  int64 // offset after them
}

// batches yields the batches of a run that have records from an offset on.
func (r *run) batches(from int64) iter.Seq[record.Batch] {
	return func(yield func(record.Batch) bool) {
		for b := r.bytes; len(b) > 0; {
			n := record.Batch(b).Size()
			if last := record.Batch(b).LastOffset(); last >= from && !yield(record.Batch(b[:n:n])) {
				return
			}
			b = b[n:]
		}
	}
}

// run returns the run of a segment that holds the first record at or after an offset. If that offset is where the run begins,
// its reader has come from the run before, and the next one is read ahead.
func (p *past) run(g at, offset int64) (*run, error) {
	r, err := p.reader(g)
	if err != nil {
		return nil, err
	}
	start := r.Footer().Start(offset, runBytes)
	found, err := p.runAt(r, g.Unique, start)
	if err == nil && offset <= start {
		p.readAhead(r, g.Unique, found.next)
	}
	return found, err
}

// runAt returns the run that begins at an offset.
func (p *past) runAt(r *segment.Reader, unique uint64, start int64) (*run, error) {
	v, found, err := p.cache.get(lruKey{unique, start}, func() (any, int64, error) {
		bytes, next, err := r.Read(p.ctx, make([]byte, 0, runCapacity(r.Footer())), start, runBytes, segment.Rebuild{LeaderEpoch: leaderEpoch})
		return &run{bytes, next}, int64(cap(bytes)), err
	})
	if err != nil {
		return nil, err
	}
	if found {
		p.metrics.PastHits.Inc()
	} else {
		p.metrics.PastMisses.Inc()
	}
	return v.(*run), nil
}

// runCapacity is the memory to set aside for a run: for a small segment, little more than what it holds.
func runCapacity(f *segment.Footer) int {
	const headers = 4 << 10 // of batches
	return int(min(f.PlainBytes+f.PlainBytes/8+headers, runBytes))
}

// readAhead begins to read the run at an offset, unless it is there or too much is being read.
func (p *past) readAhead(r *segment.Reader, unique uint64, start int64) {
	if start > r.Footer().Last || p.cache.has(lruKey{unique, start}) {
		return
	}
	select {
	case p.ahead <- struct{}{}:
	default:
		return
	}
	p.reading.Go(func() {
		p.runAt(r, unique, start) // a reader that comes there gets the error again
		<-p.ahead
	})
}
