package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/journal/mem"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/objstore"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// These tests show that archived records are read as they were, that the journal is given back, that nothing is lost and
// nothing left behind by a crash at any step, and that searches by time find in segments what they find in the journal.

// atOnce is the setting of a topic whose records are archived at the next opportunity.
var atOnce = state.ConfigEntry{Name: "segment.ms", Value: "1"}

// archive archives, merges and compacts what there is to be, now.
func (r *rig) archive() {
	r.t.Helper()
	time.Sleep(2 * time.Millisecond) // what came in this millisecond is not of age
	if err := r.archiver().work(); err != nil {
		r.t.Fatal(err)
	}
}

// archiver returns an archiver that has taken the inventory.
func (r *rig) archiver() *archiver {
	a := newArchiver(r.Engine)
	if err := a.list(); err != nil {
		r.t.Fatal(err)
	}
	return a
}

// segments returns the bounds of partition 0's segments.
func (r *rig) segments(id state.ID) (bounds [][2]int64) {
	r.View(func(s *state.State) {
		for g := range s.Partition(id, 0).Segments(0) {
			bounds = append(bounds, [2]int64{g.Base, g.End})
		}
	})
	return bounds
}

// objects returns the keys of the objects below topics/.
func (r *rig) objects() (keys []string) {
	r.t.Helper()
	objects, err := r.store.List(context.Background(), state.SegmentsPrefix)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, o := range objects {
		keys = append(keys, o.Key)
	}
	return keys
}

// segmentKeys returns the keys of the state's segments.
func (r *rig) segmentKeys() (keys []string) {
	r.eachPartition(func(t *state.Topic, i int32, p *state.Partition) {
		for g := range p.Segments(0) {
			keys = append(keys, g.Key(t.Name, i))
		}
	})
	slices.Sort(keys)
	return keys
}

// tidy fails unless the objects are exactly those of the state's segments.
func (r *rig) tidy() {
	r.t.Helper()
	if got, want := r.objects(), r.segmentKeys(); !slices.Equal(got, want) {
		r.t.Errorf("objects %q, segments %q", got, want)
	}
}

func TestArchivedRecordsReadTheSame(t *testing.T) {
	r := newRig(t, Options{CacheBytesMax: 1})
	id := r.create("orders", 1, forEver, atOnce)
	f := func(what string) {
		t.Helper()
		for from := range int64(5) {
			want := []string{"0:a", "1:b", "2:c", "3:d", "4:e"}[from:]
			if got := r.values(id, from); !slices.Equal(got, want) {
				t.Errorf("%s, from %d: %q", what, from, got)
			}
		}
	}
	r.produce(id, batchOf("a", "b"), batchOf("c"))
	r.archive()
	r.produce(id, batchOf("d", "e"))
	f("some archived")
	if got := r.segments(id); len(got) != 1 || got[0] != [2]int64{0, 3} {
		t.Errorf("segments %v", got)
	}
	r.crash()
	f("after a crash")
	r.archive()
	f("all archived")
	if err := r.checkpoint(); err != nil {
		t.Fatal(err)
	}
	if floor, next := r.journal.Bounds(); floor != next {
		t.Errorf("the journal holds entries %d to %d after all was archived", floor, next)
	}
	f("the journal trimmed")
	r.crash()
	f("the journal trimmed, after a crash")
	r.tidy()
	if key := r.objects()[0]; !strings.HasPrefix(key, "topics/orders/partition=0/00000000000000000000-00000000000000000002-") {
		t.Errorf("the first object is %s", key)
	}
}

// TestArchiveWhatIsWorthIt shows when a partition is archived: by size, by age, or when the journal is too large.
func TestArchiveWhatIsWorthIt(t *testing.T) {
	r := newRig(t, Options{JournalBytesMax: 10 << 20})
	config := func(name, value string) state.ConfigEntry { return state.ConfigEntry{Name: name, Value: value} }
	id := r.create("orders", 1, forEver, config("segment.bytes", "1048576"), config("segment.ms", "3600000"))
	r.produce(id, batchOfBytes(500<<10))
	now := time.Now().UnixMilli()
	a := r.archiver()
	f := func(what string, nowMs int64, want int64) {
		t.Helper()
		found := a.survey(nowMs).archive
		if len(found) != int(min(want, 1)) {
			t.Fatalf("%s: %v", what, found)
		}
		if job, ok := r.archiveJob(Key{id, 0}, nowMs); ok != (want > 0) || ok && (job.from != 0 || job.to != want || job.topic != "orders") {
			t.Errorf("%s: %+v, %v", what, job, ok)
		}
	}
	f("small and young", now, 0)
	f("small and old", now+3_600_001, 1)
	r.produce(id, batchOfBytes(500<<10))
	f("a little less than a segment", now, 0)
	r.produce(id, batchOfBytes(500<<10))
	f("more than a segment", now, 2)
	if err := errors.Join(a.archiveOne(Key{id, 0}), a.tell()); err != nil {
		t.Fatal(err)
	}
	f("the rest of that", now, 0)
	for range 4 {
		r.produce(r.create(NewID().String(), 1, forEver), batchOfBytes(1<<20))
	}
	if found := a.survey(now).archive; len(found) != 5 || found[0].ID != id {
		t.Errorf("the journal is too large: %v; want all, the oldest first", found)
	}
}

// TestMergesWhileThereIsMoreToArchive shows that small segments are merged though there is always something to archive.
func TestMergesWhileThereIsMoreToArchive(t *testing.T) {
	r := newRig(t, Options{})
	id := r.create("orders", 1, forEver, atOnce)
	a := r.archiver()
	for range 2*mergeCount + 1 {
		r.produce(id, batchOf("a"))
		time.Sleep(2 * time.Millisecond)
		if found := a.survey(time.Now().UnixMilli()); len(found.archive) == 0 || a.round(found) != nil {
			t.Fatal(found)
		}
	}
	if got := r.segments(id); len(got) > 2*mergeCount+1-mergeCount {
		t.Errorf("there are %d segments: %v", len(got), got)
	}
}

// TestSweep shows that objects go which no segment is, and no others.
func TestSweep(t *testing.T) {
	r := newRig(t, Options{})
	id, other := r.create("orders", 1, forEver, atOnce), r.create("other", 1, forEver, atOnce)
	r.produce(id, batchOf("a"), batchOf("b"))
	r.produce(other, batchOf("c"))
	r.archive()
	orphan := state.Segment{Base: 0, End: 7, Unique: 1}.Key("orders", 0)
	foreign := []string{"topics/orders/notes.txt", "topics/orders/partition=0/x.parquet", "topics/readme/partition=0/00000000000000000000-00000000000000000001-zz.parquet"}
	for _, key := range append(foreign, orphan) {
		if err := r.store.Put(t.Context(), key, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(r.objects()); got != 6 {
		t.Fatalf("%d objects", got)
	}
	a := r.archiver()
	f := func(what string, want int) {
		t.Helper()
		a.swept = time.Time{}
		if err := a.work(); err != nil {
			t.Fatal(err)
		}
		if got := r.objects(); len(got) != want+len(foreign) || slices.Contains(got, orphan) {
			t.Errorf("%s: objects %q", what, got)
		}
	}
	f("an orphan", 2)
	if _, err := r.Do(state.MoveLogStart{ID: id, Offset: 2}); err != nil {
		t.Fatal(err)
	}
	f("records that are gone", 1)
	if _, err := r.Do(state.DeleteTopic{ID: other}); err != nil {
		t.Fatal(err)
	}
	f("a topic that is deleted", 0)
}

// TestSearchByTimeInSegments compares searches in a partition that lies in segments, cut by its log start, with what they are in
// one that lies in the journal.
func TestSearchByTimeInSegments(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		r := newRig(t, Options{})
		archived, kept := r.create("archived", 1, forEver, atOnce), r.create("kept", 1, forEver)
		for i := range 30 {
			b := batchAt(int64(1000+rng.IntN(20)), "a", "b", "c")
			if rng.IntN(6) == 0 {
				b = batchAt(record.NoTimestamp, "n")
			}
			r.produce(archived, b)
			r.produce(kept, b)
			if i%10 == 5 {
				r.archive()
			}
		}
		start := rng.Int64N(40)
		for _, id := range []state.ID{archived, kept} {
			if _, err := r.Do(state.MoveLogStart{ID: id, Offset: start}); err != nil {
				t.Fatal(err)
			}
		}
		if len(r.segments(archived)) == 0 || len(r.segments(kept)) > 0 {
			t.Fatal("nothing to compare")
		}
		for ms := int64(-1); ms < 1025; ms++ {
			if ms == 0 {
				ms = 998
			}
			offset, at, err := r.OffsetForTime(archived, 0, ms)
			want, wantAt, _ := r.OffsetForTime(kept, 0, ms)
			if offset != want || at != wantAt || err != nil {
				t.Errorf("from %d, time %d: %d at %d, %v; want %d at %d", start, ms, offset, at, err, want, wantAt)
			}
		}
		offset, at, err := r.OffsetOfMaxTime(archived, 0)
		want, wantAt, _ := r.OffsetOfMaxTime(kept, 0)
		if offset != want || at != wantAt || err != nil {
			t.Errorf("from %d, largest time: %d at %d, %v; want %d at %d", start, offset, at, err, want, wantAt)
		}
	}
}

// TestRetentionOfSegments shows that retention counts segments as it counts extents.
func TestRetentionOfSegments(t *testing.T) {
	r := newRig(t, Options{})
	id := r.create("orders", 1, atOnce, state.ConfigEntry{Name: "retention.ms", Value: "3600000"})
	now := time.Now().UnixMilli()
	for _, ms := range []int64{now - 7200_000, now - 3700_000, now} {
		r.produce(id, batchAt(ms, "a"))
		r.archive()
	}
	r.produce(id, batchAt(now, "b"))
	if err := r.Maintain(); err != nil {
		t.Fatal(err)
	}
	if log, err := r.Offsets(id, 0); err != nil || log.Start != 2 || len(r.segments(id)) != 1 {
		t.Errorf("log start %d, %v; segments %v", log.Start, err, r.segments(id))
	}
}

// stumbling is a store that fails from one operation on, which may be carried out all the same.
type stumbling struct {
	objstore.Store
	left int
	lost bool // carried out, and the answer lost
}

var errStumbled = errors.New("store does not answer")

func (s *stumbling) step(do func() error) error {
	if s.left--; s.left >= 0 {
		return do()
	}
	if s.left == -1 && s.lost {
		do()
	}
	return errStumbled
}

func (s *stumbling) Put(ctx context.Context, key string, b []byte) error {
	return s.step(func() error { return s.Store.Put(ctx, key, b) })
}

func (s *stumbling) Delete(ctx context.Context, key string) error {
	return s.step(func() error { return s.Store.Delete(ctx, key) })
}

func (s *stumbling) GetRange(ctx context.Context, key string, p []byte, off int64) error {
	return s.step(func() error { return s.Store.GetRange(ctx, key, p, off) })
}

func (s *stumbling) List(ctx context.Context, prefix string) (objects []objstore.Object, err error) {
	err = s.step(func() error { objects, err = s.Store.List(ctx, prefix); return err })
	return objects, err
}

// TestCrashAtEveryStep has the store, or the journal, fail at the first operation of archiving, merging, sweeping and trimming,
// then at the second, and so on, and the server crash there. Nothing is lost, and the next start leaves nothing behind.
func TestCrashAtEveryStep(t *testing.T) {
	for what, least := range map[string]int{"store": 10, "store, answer lost": 10, "journal": 2, "journal, answer lost": 2} {
		steps := 0
		for ; ; steps++ {
			r := newRig(t, Options{CacheBytesMax: 1})
			id := r.create("orders", 1, forEver, atOnce)
			var want []string
			for i := range 2*mergeCount - 1 {
				r.produce(id, batchOf(fmt.Sprint(i)))
				want = append(want, fmt.Sprintf("%d:%d", i, i))
				if i < 2*mergeCount-2 { // the last one, and the merge that follows, are for later
					r.archive()
				}
			}
			stumbled := r.stumble(what, steps)
			r.crash()
			if got := r.values(id, 0); !slices.Equal(got, want) {
				t.Fatalf("%s fails at step %d: read %q", what, steps, got)
			}
			r.archive()
			if got := r.values(id, 0); !slices.Equal(got, want) {
				t.Fatalf("%s fails at step %d: read %q after archiving again", what, steps, got)
			}
			r.tidy()
			if !stumbled {
				break
			}
		}
		if steps < least {
			t.Errorf("%s: %d steps, at least %d are to fail", what, steps, least)
		}
	}
}

// stumble lets everything be done whose operation number so many fails, and says whether one did.
func (r *rig) stumble(what string, steps int) bool {
	time.Sleep(2 * time.Millisecond)
	lost := strings.HasSuffix(what, "lost")
	var store *stumbling
	if strings.HasPrefix(what, "store") {
		store = &stumbling{Store: r.store, left: steps, lost: lost}
		r.Engine.store, r.past.store = store, store
	} else {
		r.journal.set(lost, append(make([]error, steps), journal.ErrBroken)...)
	}
	a := newArchiver(r.Engine)
	err := errors.Join(a.work(), r.checkpoint(), a.sweep())
	defer r.journal.repair()
	defer r.journal.set(false)
	return err != nil || r.Err() != nil || store != nil && store.left < 0
}

// TestLateSegmentIsGarbage has records deleted, or their topic, while they are being archived.
func TestLateSegmentIsGarbage(t *testing.T) {
	for what, meanwhile := range map[string]func(state.ID) state.Command{
		"records": func(id state.ID) state.Command { return state.MoveLogStart{ID: id, Offset: 2} },
		"topic":   func(id state.ID) state.Command { return state.DeleteTopic{ID: id} },
	} {
		r := newRig(t, Options{})
		id := r.create("orders", 1, forEver, atOnce)
		r.produce(id, batchOf("a"), batchOf("b"))
		time.Sleep(2 * time.Millisecond)
		a := r.archiver()
		if err := a.archiveOne(Key{id, 0}); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Do(meanwhile(id)); err != nil {
			t.Fatal(err)
		}
		if err := a.tell(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if len(r.objects()) != 1 {
			t.Errorf("%s: objects %q", what, r.objects())
		}
		if err := a.sweep(); err != nil || len(r.objects()) != 0 {
			t.Errorf("%s: %v, objects %q", what, err, r.objects())
		}
	}
}

// TestReadOfASegmentThatGoes has a segment merged away between the moment it is found and the moment it is read.
func TestReadOfASegmentThatGoes(t *testing.T) {
	r := newRig(t, Options{})
	id := r.create("orders", 1, forEver, atOnce)
	var want []string
	for i := range mergeCount {
		r.produce(id, batchOf(fmt.Sprint(i)))
		want = append(want, fmt.Sprintf("%d:%d", i, i))
		if i < mergeCount-1 {
			r.archive()
		}
	}
	store := &vanishing{Store: r.store, meanwhile: r.archive}
	r.past.store = store
	if got := r.values(id, 0); !slices.Equal(got, want) || store.meanwhile != nil {
		t.Errorf("read %q", got)
	}
	r.tidy()
	for _, key := range r.objects() {
		r.store.Delete(t.Context(), key)
	}
	r.past.reading.Wait()
	r.past.cache = newLRU(1)
	var pins Pins
	if _, err := r.Read(id, 0, 0, 100, true, &pins); kerr.Of(err) != kerr.KafkaStorageError {
		t.Errorf("a segment whose object is lost: %v", err)
	}
}

// vanishing is a store where something happens before the second read: the footer has been read then, and the rows have not.
type vanishing struct {
	objstore.Store
	reads     int
	meanwhile func()
}

func (s *vanishing) GetRange(ctx context.Context, key string, p []byte, off int64) error {
	s.reads++
	if f := s.meanwhile; f != nil && s.reads == 2 {
		s.meanwhile = nil
		f()
	}
	return s.Store.GetRange(ctx, key, p, off)
}

// TestSweepAtTheEnd shows that a server that stops leaves no object behind that no segment is.
func TestSweepAtTheEnd(t *testing.T) {
	r := newRig(t, Options{ArchiveCheck: time.Millisecond})
	id := r.create("orders", 1, forEver, atOnce)
	r.produce(id, batchOf("a"))
	for late := time.Now().Add(30 * time.Second); len(r.segments(id)) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatal("nothing is archived")
		}
	}
	if _, err := r.Do(state.DeleteTopic{ID: id}); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if got := r.objects(); len(got) > 0 {
		t.Errorf("objects %q are left", got)
	}
	r.open()
}

// TestNothingGoesBeforeItsEntryIsDurable cuts the power right after segments were merged, or let go, in a journal that
// acknowledges entries before they are durable. The objects were deleted at once, and a state that was back at the entry before
// spoke of them.
func TestNothingGoesBeforeItsEntryIsDurable(t *testing.T) {
	f := func(ignores bool, goes func(r *rig, id state.ID)) error {
		lazy := &lazyJournal{Journal: mem.Open(mem.Options{}), ignores: ignores}
		r := newRigOver(t, lazy, Options{})
		id := r.create("orders", 1, forEver, atOnce)
		for range mergeCount - 1 {
			r.produce(id, batchOf("a"))
			r.archive()
		}
		_, lazy.durable = lazy.Bounds()
		goes(r, id)
		r.fail(errors.New("power cut"))
		r.Close()
		r.journal.Journal = lazy.cutPower(t)
		r.open()
		if log, err := r.Offsets(id, 0); err != nil || log.Start == log.HighWatermark {
			return err // not back, nor is what was deleted
		}
		_, err := r.read(id, 0)
		return err
	}
	merge := func(r *rig, id state.ID) {
		r.produce(id, batchOf("the last one of a merge"))
		r.archive()
		if got := r.segments(id); len(got) != 1 {
			t.Fatalf("segments %v", got)
		}
	}
	letGo := func(r *rig, id state.ID) {
		if _, err := r.Do(state.MoveLogStart{ID: id, Offset: mergeCount - 1}); err != nil {
			t.Fatal(err)
		}
		if err := r.archiver().sweep(); err != nil || len(r.objects()) > 0 {
			t.Fatalf("%v, objects %q", err, r.objects())
		}
	}
	for _, goes := range []func(*rig, state.ID){merge, letGo} {
		if err := f(false, goes); err != nil {
			t.Error(err)
		}
		if err := f(true, goes); err == nil {
			t.Error("without a sync nothing is lost: the test shows nothing")
		}
	}
}
