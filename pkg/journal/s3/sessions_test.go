package s3

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/objstore"
	"github.com/heraclitus/heraclitus/pkg/objstore/mem"
	"github.com/heraclitus/heraclitus/pkg/objstore/objstoretest"
)

func mustOpen(t testing.TB, s objstore.Store, o Options) *Journal {
	t.Helper()
	j, err := Open(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

// mustAppend appends entries at the end.
func mustAppend(t testing.TB, j *Journal, entries ...string) {
	t.Helper()
	for _, e := range entries {
		_, slot := j.Bounds()
		if err := j.Append(slot, []byte(e)); err != nil {
			t.Fatal(err)
		}
	}
}

// content is what a replay finds, joined by spaces.
func content(j *Journal) (string, error) {
	var all []string
	from, _ := j.Bounds()
	err := j.Replay(from, func(_ uint64, entry []byte) error {
		all = append(all, string(entry))
		return nil
	})
	return strings.Join(all, " "), err
}

func mustHold(t testing.TB, j *Journal, want string) {
	t.Helper()
	if got, err := content(j); got != want || err != nil {
		t.Errorf("the journal holds %q, %v; want %q", got, err, want)
	}
}

func mustBeFenced(t testing.TB, err error) {
	t.Helper()
	if !errors.Is(err, journal.ErrTaken) || !errors.Is(err, journal.ErrBroken) {
		t.Errorf("the older session's write ended in %v, want it to be told that its slot is taken", err)
	}
}

// Whoever opens the journal ends the session of whoever had it open, which notices with its next write, says so, and
// can still read.
func TestOpenEndsTheSessionBefore(t *testing.T) {
	store := mem.Open()
	var said strings.Builder
	before := mustOpen(t, store, Options{Log: slog.New(slog.NewTextHandler(&said, nil))})
	mustAppend(t, before, "one", "two")
	newer := mustOpen(t, store, small)
	mustHold(t, newer, "one two")

	mustBeFenced(t, before.Append(2, []byte("three")))
	mustBeFenced(t, before.Append(2, []byte("three")))
	mustBeFenced(t, before.Trim(1))
	mustHold(t, before, "one two")
	if !strings.Contains(said.String(), "another server has taken the journal over") {
		t.Errorf("the log has %q", said.String())
	}
	mustAppend(t, newer, "drei", "vier")
	mustHold(t, mustOpen(t, store, small), "one two drei vier")
}

// A session that wrote nothing is ended likewise, and one that trims before it writes again.
func TestIdleSessionsEnd(t *testing.T) {
	store := mem.Open()
	idle := mustOpen(t, store, small)
	writer := mustOpen(t, store, small)
	mustBeFenced(t, idle.Append(0, nil))
	mustAppend(t, writer, "one", "two")
	mustOpen(t, store, small)
	mustBeFenced(t, writer.Trim(2))
	if floor, _ := writer.Bounds(); floor != 0 {
		t.Errorf("a session that had ended raised the floor to %d", floor)
	}
}

// gate lets writes of a journal's entries through, or holds them up until it is opened.
type gate struct {
	held   chan struct{} // signalled when a write is held up
	opened chan struct{}
}

func (g *gate) decide(o objstoretest.Operation) objstoretest.Fault {
	if o.Name == "put-if-absent" {
		g.held <- struct{}{}
		<-g.opened
	}
	return objstoretest.None
}

// lateAppend has the write of a session come only when its slot has been written by the next one, trimmed and
// deleted, by that one or by one that followed. It returns how the append ended.
func lateAppend(t *testing.T, followed bool, wrap func(objstore.Store) objstore.Store) error {
	t.Helper()
	store := wrap(mem.Open())
	faulty := objstoretest.NewFaulty(store)
	late := mustOpen(t, faulty, small)
	mustAppend(t, late, "one")
	g := gate{make(chan struct{}, putTries), make(chan struct{})}
	faulty.On(g.decide)
	ended := make(chan error)
	go func() { ended <- late.Append(1, []byte("late")) }()
	<-g.held

	newer := mustOpen(t, store, small)
	mustAppend(t, newer, "two", "three", "four")
	if followed {
		newer = mustOpen(t, store, small)
	}
	if err := newer.Trim(4); err != nil {
		t.Fatal(err)
	}
	close(g.opened)
	return <-ended
}

// A write that comes when its slot has been trimmed is refused: nobody will ever read it. That takes the stone: where it is
// deleted like the rest, the write is acknowledged.
func TestLateWriterBelowTheFloor(t *testing.T) {
	for _, followed := range []bool{false, true} {
		mustBeFenced(t, lateAppend(t, followed, func(s objstore.Store) objstore.Store { return s }))
		if err := lateAppend(t, followed, func(s objstore.Store) objstore.Store { return stoneless{s} }); err != nil {
			t.Errorf("without stones a late write ended in %v: the test shows nothing", err)
		}
	}
}

// leave has a session leave an object in slot 2 that is no entry: it was under way with that of slot 1, which was cut.
func leave(t *testing.T, store objstore.Store) *Journal {
	t.Helper()
	faulty := objstoretest.NewFaulty(store)
	j := mustOpen(t, faulty, small)
	mustAppend(t, j, "one")
	faulty.On(func(o objstoretest.Operation) objstoretest.Fault {
		if o.Key == slotKey(1) {
			return objstoretest.Cut
		}
		return objstoretest.None
	})
	first, err := j.Begin(1, []byte("cut"))
	second, err2 := j.Begin(2, []byte("left"))
	if err = errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(first(), second()); !errors.Is(err, journal.ErrUnknown) {
		t.Fatalf("the entries ended in %v", err)
	}
	faulty.On(nil)
	return j
}

// An entry behind one whose outcome is not known is not acknowledged, though its object is there, and both can be
// begun again.
func TestOutcomesComeInOrder(t *testing.T) {
	j := leave(t, mem.Open())
	if _, next := j.Bounds(); next != 1 {
		t.Errorf("the next slot is %d, want 1", next)
	}
	mustHold(t, j, "one")
	if _, err := j.Begin(2, []byte("left")); !errors.Is(err, journal.ErrGap) {
		t.Errorf("an entry can be begun again without the one before: %v", err)
	}
	mustAppend(t, j, "cut", "left")
	mustHold(t, j, "one cut left")
}

// What a session leaves beyond its end is no entry, not even when everything before it is trimmed, and its slot is
// written when its turn comes.
func TestLeftBeyondTheEnd(t *testing.T) {
	store := mem.Open()
	leave(t, store)
	second := mustOpen(t, store, small)
	mustHold(t, second, "one")
	mustAppend(t, second, "two")
	if err := second.Trim(2); err != nil {
		t.Fatal(err)
	}
	third := mustOpen(t, store, small)
	mustHold(t, third, "")
	if floor, next := third.Bounds(); floor != 2 || next != 2 {
		t.Errorf("bounds are %d and %d, want 2 and 2", floor, next)
	}
	mustBeFenced(t, second.Append(2, []byte("late")))
	mustAppend(t, third, "three", "four")
	mustHold(t, mustOpen(t, store, small), "three four")

	store = mem.Open()
	leave(t, store)
	second = mustOpen(t, store, small)
	mustAppend(t, second, "two", "three", "four")
	mustHold(t, mustOpen(t, store, small), "one two three four")
}

// stoneless deletes what should become a stone.
type stoneless struct{ objstore.Store }

func (s stoneless) Put(ctx context.Context, key string, b []byte) error {
	if h, err := decodeHeader(b); err == nil && h.kind == kindStone {
		return s.Store.Delete(ctx, key)
	}
	return s.Store.Put(ctx, key, b)
}

// overwriting does not heed conditions.
type overwriting struct{ objstore.Store }

func (s overwriting) PutIfAbsent(ctx context.Context, key string, b []byte) error {
	return s.Put(ctx, key, b)
}

func (s overwriting) PutIfMatch(ctx context.Context, key string, b []byte, _ objstore.Version) error {
	return s.Put(ctx, key, b)
}

// guessing takes a write whose answer was lost for done.
type guessing struct{ objstore.Store }

func (s guessing) PutIfAbsent(ctx context.Context, key string, b []byte) error {
	err := s.Store.PutIfAbsent(ctx, key, b)
	if errors.Is(err, objstore.ErrUnknown) {
		return nil
	}
	return err
}

// floorless forgets how high the floor was raised.
type floorless struct{ objstore.Store }

func (s floorless) Put(ctx context.Context, key string, b []byte) error {
	if strings.HasPrefix(key, floorPrefix) {
		return nil
	}
	return s.Store.Put(ctx, key, b)
}

// A struggle is several processes that open, append and trim one journal at the same time, on a store whose answers are cut,
// lost and late. Each is ended by the others, or crashes, and begins again.
type struggle struct {
	store  *objstoretest.Faulty
	wrap   func(objstore.Store) objstore.Store
	serial sync.Mutex // of rand
	rand   *rand.Rand

	mu struct {
		sync.Mutex
		acknowledged map[uint64]string
		errs         []error
	}
}

const (
	struggleProcesses = 3
	struggleSessions  = 12 // of each
	struggleAppends   = 20 // of each session
)

func (s *struggle) roll(n int) int {
	s.serial.Lock()
	defer s.serial.Unlock()
	return s.rand.IntN(n)
}

func (s *struggle) wrong(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.errs = append(s.mu.errs, fmt.Errorf(format, args...))
}

// acknowledge notes that an entry was appended. No slot can be acknowledged twice.
func (s *struggle) acknowledge(slot uint64, entry string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if other, twice := s.mu.acknowledged[slot]; twice {
		s.mu.errs = append(s.mu.errs, fmt.Errorf("slot %d was acknowledged for %s and for %s", slot, other, entry))
	}
	s.mu.acknowledged[slot] = entry
}

// check compares what a journal holds with what was acknowledged before it was opened.
func (s *struggle) check(j *Journal, acknowledged map[uint64]string) {
	from, next := j.Bounds()
	held := map[uint64]string{}
	err := j.Replay(from, func(slot uint64, entry []byte) error {
		held[slot] = string(entry)
		return nil
	})
	if errors.Is(err, journal.ErrTrimmed) {
		return // by the session before, which had not noticed yet; a server would start again
	}
	if err != nil {
		s.wrong("replay: %w", err)
		return
	}
	for slot, entry := range acknowledged {
		if slot >= from && held[slot] != entry {
			s.wrong("slot %d of %d to %d holds %q, %q was acknowledged", slot, from, next, held[slot], entry)
		}
	}
}

func (s *struggle) snapshot() map[uint64]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[uint64]string{}
	for slot, entry := range s.mu.acknowledged {
		all[slot] = entry
	}
	return all
}

// live is one session of a process.
func (s *struggle) live(name string) {
	store, kill := process(s.wrap(s.store))
	before := s.snapshot()
	j, err := Open(context.Background(), store, small)
	if err != nil {
		return // by faults, or because others were faster
	}
	defer j.Close()
	defer kill()
	s.check(j, before)
	for i := range s.roll(struggleAppends) {
		_, slot := j.Bounds()
		var entries []string
		for k := range 1 + s.roll(5) {
			entries = append(entries, fmt.Sprintf("%s.%d.%d", name, i, k))
		}
		if s.appendAll(j, slot, entries) != nil {
			return
		}
		if s.roll(4) == 0 {
			floor, next := j.Bounds()
			_ = j.Trim(floor + uint64(s.roll(int(next-floor)+1)))
		}
	}
}

// appendAll appends entries that are under way together, and begins those anew whose outcome is not known, a few times.
func (s *struggle) appendAll(j *Journal, slot uint64, entries []string) (err error) {
	for range 3 {
		var waits []func() error
		for i, entry := range entries {
			wait, err := j.Begin(slot+uint64(i), []byte(entry))
			if err != nil {
				wait = func() error { return err }
			}
			waits = append(waits, wait)
		}
		done := 0
		for i, wait := range waits {
			switch e := wait(); {
			case e == nil && done < i:
				s.wrong("slot %d is acknowledged, and one before it is not", slot+uint64(i))
				return journal.ErrBroken
			case e == nil:
				s.acknowledge(slot+uint64(i), entries[i])
				done++
			case i == done:
				err = e
			}
		}
		slot += uint64(done)
		if entries = entries[done:]; len(entries) == 0 {
			return nil
		}
		if !errors.Is(err, journal.ErrUnknown) {
			return err
		}
	}
	return err
}

// run lets the processes struggle, and returns what was wrong.
func (s *struggle) run(seed uint64) error {
	s.rand = rand.New(rand.NewPCG(seed, 0))
	s.store = objstoretest.NewFaulty(mem.Open())
	s.store.On(func(o objstoretest.Operation) objstoretest.Fault {
		if !o.Writes() {
			return objstoretest.None
		}
		return [20]objstoretest.Fault{objstoretest.Cut, objstoretest.Lost, objstoretest.Late}[s.roll(20)]
	})
	s.mu.acknowledged = map[uint64]string{}
	var all sync.WaitGroup
	for p := range struggleProcesses {
		all.Go(func() {
			for life := range struggleSessions {
				s.live(fmt.Sprintf("%d.%d", p, life))
			}
		})
	}
	all.Wait()
	s.store.On(nil)
	s.store.Flush()
	j, err := Open(context.Background(), s.wrap(s.store), small)
	if err != nil {
		return errors.Join(append(s.mu.errs, err)...)
	}
	s.check(j, s.snapshot())
	if len(s.mu.acknowledged) == 0 {
		s.wrong("nothing was acknowledged")
	}
	return errors.Join(append(s.mu.errs, j.Close())...)
}

// However many processes struggle for a journal, whatever is cut, lost or late: what was acknowledged is there, in
// its slot, once.
func TestNothingIsLostInAStruggle(t *testing.T) {
	for seed := range uint64(60) {
		s := struggle{wrap: func(s objstore.Store) objstore.Store { return s }}
		if err := s.run(seed); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// The struggle finds each guard that is missing.
func TestBrokenTwinsFail(t *testing.T) {
	f := func(wrap func(objstore.Store) objstore.Store) {
		t.Helper()
		for seed := range uint64(400) { // with luck a driver gets through some of them
			s := struggle{wrap: wrap}
			if s.run(seed) != nil {
				return
			}
		}
		t.Errorf("a journal on %T loses nothing", wrap(nil))
	}
	f(func(s objstore.Store) objstore.Store { return overwriting{s} })
	f(func(s objstore.Store) objstore.Store { return guessing{s} })
	f(func(s objstore.Store) objstore.Store { return floorless{s} })
	f(func(s objstore.Store) objstore.Store { return stoneless{s} })
}

// silent is a store that takes no object until the call is given up.
type silent struct{ objstore.Store }

func (s silent) PutIfMatch(ctx context.Context, _ string, _ []byte, _ objstore.Version) error {
	<-ctx.Done()
	return ctx.Err()
}

func (s silent) PutIfAbsent(ctx context.Context, _ string, _ []byte) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestGiveUp shows that nothing waits for a store that does not answer once that is given up, and that another
// session goes on.
func TestGiveUp(t *testing.T) {
	store := mem.Open()
	j := mustOpen(t, store, Options{})
	j.store = silent{store}
	var waits []func() error
	for slot := range uint64(3) {
		wait, err := j.Begin(slot, []byte("lost"))
		if err != nil {
			t.Fatal(err)
		}
		waits = append(waits, wait)
	}
	j.GiveUp()
	for slot, wait := range waits {
		if err := wait(); !errors.Is(err, journal.ErrUnknown) {
			t.Errorf("slot %d: %v", slot, err)
		}
	}
	if err := j.Append(0, []byte("lost")); !errors.Is(err, journal.ErrUnknown) {
		t.Errorf("append after it was given up: %v", err)
	}
	if err := errors.Join(j.Close(), mustOpen(t, store, Options{}).Append(0, []byte("kept"))); err != nil {
		t.Error(err)
	}
}

// overlooking is a store whose first listing does not show an object, as one that is written while the listing is made.
type overlooking struct {
	objstore.Store
	key    string
	listed atomic.Bool
}

func (s *overlooking) List(ctx context.Context, prefix string) ([]objstore.Object, error) {
	all, err := s.Store.List(ctx, prefix)
	if s.listed.Swap(true) {
		return all, err
	}
	return slices.DeleteFunc(all, func(o objstore.Object) bool { return o.Key == s.key }), err
}

// Whoever takes the journal over while the session before writes is not told of damage where a listing misses an object
// and shows a later one.
func TestListingMissesAnEntry(t *testing.T) {
	store := mem.Open()
	mustAppend(t, mustOpen(t, store, small), "one", "two", "three")
	mustHold(t, mustOpen(t, &overlooking{Store: store, key: slotKey(1)}, small), "one two three")
}
