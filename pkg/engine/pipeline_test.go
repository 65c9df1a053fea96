package engine

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// These tests show that full entries are on their way beside each other into a journal that takes several, that they land in
// order, and that what befalls one befalls those behind it, none of which is lost or there twice. TestModel has such a journal
// as well.

// pipeline makes a journal take several entries at a time, each of which is a second on its way.
type pipeline struct {
	journal.Journal
	mu    sync.Mutex
	begun []*begun // what is under way, or has failed
	next  uint64   // slot to begin at
	most  int      // that were under way at the same time
	takes time.Duration
	over  chan struct{} // closed by GiveUp
	taken error
}

type begun struct {
	slot  uint64
	ended chan struct{}
	err   error
}

const journeyTime = time.Second

func newPipeline(j journal.Journal) *pipeline {
	_, next := j.Bounds()
	return &pipeline{Journal: j, next: next, takes: journeyTime, over: make(chan struct{})}
}

func (p *pipeline) StillOurs() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken
}

// takeOver has another server take the journal over.
func (p *pipeline) takeOver() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken = fmt.Errorf("%w: %w", journal.ErrBroken, journal.ErrTaken)
}

func (p *pipeline) GiveUp() { close(p.over) }

// Append waits for what is under way, and takes no time itself.
func (p *pipeline) Append(slot uint64, entry []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settleLocked()
	select {
	case <-p.over:
		return journal.ErrUnknown
	default:
	}
	err := withRoom(p.Journal.Append(slot, entry))
	if err == nil {
		p.next = slot + 1
	}
	return err
}

// settleLocked waits for what is under way. What has failed may be begun again then.
func (p *pipeline) settleLocked() {
	for _, b := range p.begun {
		if <-b.ended; b.err != nil {
			p.next = min(p.next, b.slot)
		}
	}
	p.begun = nil
}

func (p *pipeline) Begin(slot uint64, entry []byte) (wait func() error, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.begun); n > 0 && p.begun[n-1].hasEnded() {
		p.settleLocked()
	}
	if slot != p.next {
		return nil, journal.ErrGap
	}
	b, before := &begun{slot: slot, ended: make(chan struct{})}, p.begun
	p.begun, p.next = append(p.begun[:len(p.begun):len(p.begun)], b), slot+1
	p.most = max(p.most, p.underWayLocked())
	entry = append([]byte(nil), entry...)
	go func() {
		defer close(b.ended)
		select {
		case <-time.After(p.takes):
		case <-p.over:
			b.err = journal.ErrUnknown
			return
		}
		for _, first := range before {
			if <-first.ended; first.err != nil {
				b.err = fmt.Errorf("behind another entry: %w", first.err)
				return
			}
		}
		b.err = withRoom(p.Journal.Append(slot, entry))
	}()
	return func() error {
		<-b.ended
		return b.err
	}, nil
}

func (b *begun) hasEnded() bool {
	select {
	case <-b.ended:
		return true
	default:
		return false
	}
}

func (p *pipeline) underWayLocked() (n int) {
	for _, b := range p.begun {
		if !b.hasEnded() {
			n++
		}
	}
	return n
}

// withRoom is the outcome in a journal that never lacks space: what the journal below has no room for it does not answer for.
func withRoom(err error) error {
	if errors.Is(err, journal.ErrNoSpace) {
		return fmt.Errorf("%w: %w", journal.ErrUnknown, err)
	}
	return err
}

// newPipelined returns an engine whose entries take two batches of a size, and its topic.
func newPipelined(t *testing.T) (*rig, state.ID) {
	one := batchOf(strings.Repeat("x", 500))
	r := newRig(t, Options{EntryBytesMax: 2 * len(one)})
	id := r.create("orders", 1)
	r.crash()
	r.pipeline()
	return r, id
}

// pipeline opens the engine anew, on its journal as one that takes several entries.
func (r *rig) pipeline() {
	r.t.Helper()
	r.Close()
	r.pipelined = true
	r.open()
}

// sendMany appends batches that fill an entry each, and returns what waits for them.
func (r *rig) sendMany(id state.ID, n int) *Pending {
	g := new(Pending)
	g.Reset(n)
	for i := range n {
		r.AppendBatch(g, i, id, 0, batchOf(fmt.Sprint(i), strings.Repeat("x", 1000)))
	}
	return g
}

// order says what of sendMany is there.
func (r *rig) order(id state.ID) (s []string) {
	for _, v := range r.values(id, 0) {
		if at, value, _ := strings.Cut(v, ":"); len(value) < 1000 {
			s = append(s, at+":"+value)
		}
	}
	return s
}

const allSix = "[0:0 2:1 4:2 6:3 8:4 10:5]"

func TestFullEntriesAreUnderWayTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, id := newPipelined(t)
		start := time.Now()
		r.sendMany(id, 6).Wait(0, nil)
		if took := time.Since(start); took >= 6*journeyTime || r.on.(*pipeline).most != underWayMax {
			t.Errorf("6 entries took %v, and %d of them were under way at the same time", took, r.on.(*pipeline).most)
		}
		if got := fmt.Sprint(r.order(id)); got != allSix {
			t.Errorf("there is %s, want %s", got, allSix)
		}
	})
}

func TestSmallEntriesGatherOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, id := newPipelined(t)
		_, before := r.on.Bounds()
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() { r.produce(id, batchOf("small")) })
			time.Sleep(journeyTime / 10)
		}
		all.Wait()
		if _, after := r.on.Bounds(); after != before+2 {
			t.Errorf("what came while the first of 5 was under way made %d entries, want 2", after-before)
		}
	})
}

// Whichever entry it is whose outcome the journal does not know at first, and whether it is there or not, all get there, in
// order, once.
func TestUnknownOutcomeUnderWay(t *testing.T) {
	for at := range 6 {
		for _, lost := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				r, id := newPipelined(t)
				faults := make([]error, at+2)
				faults[at], faults[at+1] = journal.ErrUnknown, journal.ErrUnknown
				r.journal.set(lost, faults...)
				g := r.sendMany(id, 6)
				g.Wait(0, nil)
				for i, result := range g.Results {
					if result.Code != kerr.None || result.Offset != int64(2*i) {
						t.Errorf("entry %d fails: batch %d: %v at offset %d", at, i, result.Code, result.Offset)
					}
				}
				if got := fmt.Sprint(r.order(id)); got != allSix {
					t.Errorf("entry %d fails: there is %s, want %s", at, got, allSix)
				}
			})
		}
	}
}

// When the journal breaks, what was begun after the entry that broke it is refused with it, and what was before it is there.
func TestBrokenUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, id := newPipelined(t)
		r.journal.set(false, nil, nil, journal.ErrBroken)
		g := r.sendMany(id, 6)
		g.Wait(0, nil)
		for i, result := range g.Results {
			if good := result.Code == kerr.None; good != (i < 2) {
				t.Errorf("batch %d: %v", i, result.Code)
			}
		}
		if r.Err() == nil {
			t.Error("the engine goes on")
		}
		r.journal.repair()
		r.crash()
		if got := fmt.Sprint(r.order(id)); got != "[0:0 2:1]" {
			t.Errorf("after a restart there is %s", got)
		}
	})
}

// An engine that is closed lands what is under way first.
func TestCloseWhileUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, id := newPipelined(t)
		g := r.sendMany(id, 6)
		r.Close()
		g.Wait(0, nil)
		r.open()
		if got := fmt.Sprint(r.order(id)); got != allSix {
			t.Errorf("there is %s, want %s", got, allSix)
		}
	})
}

// An engine is closed within a time though the store does not answer. What is under way is refused, and the next one finds out.
func TestCloseWhileStoreIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, id := newPipelined(t)
		r.on.(*pipeline).takes = 1000 * time.Hour
		g := r.sendMany(id, 6)
		start := time.Now()
		r.Close()
		if took := time.Since(start); took > closeTimeout+time.Second {
			t.Errorf("it took %v", took)
		}
		g.Wait(0, nil)
		for i, result := range g.Results {
			if result.Code != kerr.KafkaStorageError {
				t.Errorf("batch %d: %v", i, result.Code)
			}
		}
		r.open()
		if got := r.order(id); len(got) != 0 {
			t.Errorf("there is %v", got)
		}
	})
}

// A server that writes nothing notices that another one has taken its storage over.
func TestTakeoverOfAnIdleServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := newPipelined(t)
		time.Sleep(2 * takeoverCheck)
		if err := r.Ready(); err != nil {
			t.Errorf("before: %v", err)
		}
		r.on.(*pipeline).takeOver()
		time.Sleep(2 * takeoverCheck)
		if err := r.Ready(); !errors.Is(err, journal.ErrTaken) {
			t.Errorf("after: %v", err)
		}
	})
}
