package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/journal/mem"
	"github.com/heraclitus/heraclitus/pkg/objstore"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// These tests show that trouble with one partition or one object is not trouble for all others, that a journal that has grown
// too large is given back as soon as it is archived, and that a store that does not answer does not keep the engine from being
// closed.

// blot is a journal one entry of which cannot be read any more.
type blot struct {
	journal.Journal
	slot uint64
	err  error
}

func (b *blot) ReadAt(slot uint64, p []byte, off int64) error {
	if slot == b.slot {
		return fmt.Errorf("slot %d: %w", slot, b.err)
	}
	return b.Journal.ReadAt(slot, p, off)
}

// TestDamagedPartitionKeepsNoOther has an entry in the journal that cannot be read: its partition cannot be archived, the
// others are. It kept all of them from being archived once.
func TestDamagedPartitionKeepsNoOther(t *testing.T) {
	r := newRig(t, Options{CacheBytesMax: 1})
	_, slot := r.Engine.journal.Bounds()
	bad, good := r.create("bad", 1, forEver, atOnce), r.create("good", 1, forEver, atOnce)
	r.produce(bad, batchOf("a")) // after the entries that create the topics
	r.produce(good, batchOf("b"))
	r.crash()
	r.journal.Journal = &blot{r.journal.Journal, slot + 2, journal.ErrDamaged}
	time.Sleep(2 * time.Millisecond)
	a := r.archiver()
	if err := a.work(); !errors.Is(err, journal.ErrDamaged) {
		t.Errorf("archiving ends in %v", err)
	}
	if got := r.segments(good); len(got) != 1 || len(r.segments(bad)) != 0 {
		t.Errorf("segments %v", got)
	}
	if err := a.work(); err != nil {
		t.Errorf("what failed is tried again at once: %v", err)
	}
}

// TestTrimmedByAnotherServer has an entry that another server trimmed, which took a bucket over: there is nothing to be done,
// and it is not tried again and again without a pause, as it was once.
func TestTrimmedByAnotherServer(t *testing.T) {
	r := newRig(t, Options{})
	_, slot := r.Engine.journal.Bounds()
	r.produce(r.create("orders", 1, forEver, atOnce), batchOf("a"))
	r.crash()
	r.journal.Journal = &blot{r.journal.Journal, slot + 1, journal.ErrTrimmed}
	time.Sleep(2 * time.Millisecond)
	if err := r.archiver().work(); !errors.Is(err, journal.ErrTrimmed) {
		t.Errorf("archiving ends in %v", err)
	}
}

// clinging is a store that deletes nothing, or does not list, as one whose permissions are incomplete.
type clinging struct {
	objstore.Store
	deletes, lists bool
}

func (c *clinging) Delete(ctx context.Context, key string) error {
	if !c.deletes {
		return errStumbled
	}
	return c.Store.Delete(ctx, key)
}

func (c *clinging) List(ctx context.Context, prefix string) ([]objstore.Object, error) {
	if !c.lists {
		return nil, errStumbled
	}
	return c.Store.List(ctx, prefix)
}

// TestSweepKeepsNothingFromBeingArchived has objects that cannot be deleted, or listed. Archiving waited for that once.
func TestSweepKeepsNothingFromBeingArchived(t *testing.T) {
	r := newRig(t, Options{})
	id := r.create("orders", 1, forEver, atOnce)
	orphan := state.Segment{Base: 0, End: 7, Unique: 1}.Key("orders", 0)
	if err := r.store.Put(t.Context(), orphan, []byte("x")); err != nil {
		t.Fatal(err)
	}
	store := &clinging{Store: r.store}
	r.Engine.store = store
	a := newArchiver(r.Engine)
	f := func(what string, segments int, swept bool) {
		t.Helper()
		r.produce(id, batchOf(what))
		time.Sleep(2 * time.Millisecond)
		a.swept = time.Time{}
		if err := a.work(); (err == nil) != swept {
			t.Errorf("%s: %v", what, err)
		}
		if got := r.segments(id); len(got) != segments {
			t.Errorf("%s: segments %v", what, got)
		}
	}
	f("no listing", 1, false)
	store.lists = true
	f("no deletion", 2, false)
	store.deletes = true
	f("all is well", 3, true)
	if slices.Contains(r.objects(), orphan) {
		t.Error("the orphan is still there")
	}
	r.tidy()
}

// TestOvergrownJournalIsTrimmed shows that a journal that has outgrown its limit is trimmed when its records have been
// archived. It kept its size, and producers their restraint, until the next look at retention once; and where the limit was
// small, for ever.
func TestOvergrownJournalIsTrimmed(t *testing.T) {
	r := newRig(t, Options{JournalBytesMax: 4 << 20, RetentionCheck: 10_000 * time.Hour})
	id := r.create("orders", 1, forEver)
	for range 3 {
		r.produce(id, batchOfBytes(1<<20))
	}
	if !r.pressed() {
		t.Fatal("the journal is not large enough")
	}
	r.archive()
	if r.pressed() {
		t.Errorf("the journal has %d bytes after all was archived", r.Engine.journal.Size())
	}
}

// TestArchivingIsNotRestrained archives many small partitions while a commit takes long, as when producers are slowed down:
// what says that they are archived takes two commits at most. It took one for each once, and each could wait for a second.
func TestArchivingIsNotRestrained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		const partitions = 50
		id := r.create("orders", partitions, forEver, atOnce)
		var g Pending
		g.Reset(partitions)
		for p := range int32(partitions) {
			r.AppendBatch(&g, int(p), id, p, batchOf("a"))
		}
		g.Wait(0, nil)
		_, before := r.Engine.journal.Bounds()
		release := r.journal.hold()
		ended := make(chan struct{})
		go func() { r.archive(); close(ended) }()
		<-r.journal.held
		synctest.Wait()
		release()
		<-ended
		if _, after := r.Engine.journal.Bounds(); after > before+2 {
			t.Errorf("%d entries for %d segments", after-before, partitions)
		}
		if got := len(r.objects()); got != partitions {
			t.Errorf("%d objects", got)
		}
	})
}

// hanging is a store whose writes get no answer until they are given up.
type hanging struct {
	objstore.Store
	put chan struct{} // signalled by a write
}

func (h *hanging) Put(ctx context.Context, _ string, _ []byte) error {
	signal(h.put)
	<-ctx.Done()
	return ctx.Err()
}

// TestCloseDoesNotWaitForTheStore closes an engine whose archiver waits for a store that does not answer.
func TestCloseDoesNotWaitForTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		id := r.create("orders", 1, forEver, atOnce)
		r.Close()
		store := &hanging{r.store, make(chan struct{}, 1)}
		o := r.options
		o.ArchiveCheck, o.RetentionCheck = time.Second, time.Hour
		var err error
		if r.Engine, err = Open(r.journal, store, o); err != nil {
			t.Fatal(err)
		}
		r.produce(id, batchOf("a"))
		<-store.put
		start := time.Now()
		if err := r.Close(); !errors.Is(err, context.Canceled) {
			t.Errorf("the last checkpoint ends in %v", err)
		}
		if took := time.Since(start); took > closeTimeout {
			t.Errorf("closing took %v", took)
		}
		r.open()
		if got := r.values(id, 0); !slices.Equal(got, []string{"0:a"}) {
			t.Errorf("read %q", got)
		}
	})
}

// TestSegmentsHaveASize archives records that take far more room than in the journal: they go into segments of limited size.
func TestSegmentsHaveASize(t *testing.T) {
	r := newRig(t, Options{SegmentBytesMax: 1 << 20}) // whose segments are not compressed
	id := r.create("orders", 1, forEver, atOnce)
	for range 8 {
		r.produce(id, zeros(1<<20))
	}
	r.archive()
	var all []state.Segment
	r.View(func(s *state.State) { all = slices.Collect(s.Partition(id, 0).Segments(0)) })
	if len(all) < 4 || all[len(all)-1].End != 8 {
		t.Errorf("segments %+v", all)
	}
	for _, g := range all {
		if g.Bytes > 3<<20 {
			t.Errorf("a segment of %d bytes", g.Bytes)
		}
	}
}

// zeros returns a batch of one record of n bytes that are easy to compress.
func zeros(n int) []byte {
	b, err := record.Build(record.Options{Codec: record.Zstd}, record.Record{Timestamp: 1000, Value: make([]byte, n)})
	if err != nil {
		panic(err)
	}
	return b
}

// vast is a journal that can be made to say that it is larger than any limit, and then counts how often it is asked.
type vast struct {
	journal.Journal
	on     atomic.Bool
	asked  atomic.Int64
	enough func() // called when that was too often
}

func (v *vast) Size() int64 {
	if !v.on.Load() {
		return v.Journal.Size()
	}
	if v.asked.Add(1) == 10_000 {
		v.enough()
	}
	return math.MaxInt64
}

// TestOvergrownJournalIsNoReasonToSpin has segments to be merged while the journal is too large though all is archived, as when
// a partition that cannot be read holds it. Merging waits until it is smaller; the archiver looked again without a pause once.
func TestOvergrownJournalIsNoReasonToSpin(t *testing.T) {
	j := &vast{Journal: mem.Open(mem.Options{})}
	r := newRigOver(t, j, Options{})
	j.enough = func() { r.fail(errors.New("the archiver spins")) }
	id := r.create("orders", 1, forEver, atOnce)
	for range mergeCount - 1 {
		r.produce(id, batchOf("a"))
		r.archive()
	}
	r.produce(id, batchOf("a"))
	j.on.Store(true)
	r.archive()
	if got := r.segments(id); r.Err() != nil || len(got) != mergeCount {
		t.Fatalf("%v, segments %v", r.Err(), got)
	}
	j.on.Store(false)
	r.archive()
	if got := r.segments(id); len(got) != 1 {
		t.Errorf("once the journal is smaller, there are the segments %v", got)
	}
}

// TestUnreadablePartitionIsToldOnce shows that however often a partition cannot be read, the log says so
// once a minute, by the topic's name.
func TestUnreadablePartitionIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said strings.Builder
		r := newRig(t, Options{CacheBytesMax: 1})
		id := r.create("orders", 1, forEver, atOnce)
		r.produce(id, batchOf("a"))
		_, next := r.Engine.journal.Bounds()
		r.fail(errors.New("crash"))
		r.Close()
		r.options.Log = slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelError}))
		r.journal.Journal = &blot{r.journal.Journal, next - 1, journal.ErrDamaged}
		r.open()
		for range 2 {
			for range 100 {
				if _, err := r.read(id, 0); err == nil {
					t.Fatal("it can be read")
				}
			}
			time.Sleep(unreadableWait)
		}
		if got := said.String(); strings.Count(got, "\n") != 2 || strings.Count(got, "topic=orders") != 2 {
			t.Errorf("the log says\n%s", got)
		}
	})
}
