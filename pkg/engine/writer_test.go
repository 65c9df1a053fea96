package engine

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/journal/mem"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// These tests show when entries are committed, that whoever appends waits for a committer that is behind, and that closing
// leaves nobody without an outcome.

// TestAppendedBeforeCloseIsCommitted shows that a closed writer has not ended while it holds a command. The committer once
// asked whether anything waits, and then whether the writer is closed: what was appended in between had no outcome, ever.
func TestAppendedBeforeCloseIsCommitted(t *testing.T) {
	o := Options{}
	o.setDefaults()
	w := newWriter(o, &pool{})
	var g Pending
	g.Reset(1)
	w.appendCommand(command{pending: &g}, state.AllocateProducerID{})
	w.close()
	if w.ended() {
		t.Error("a writer with a command in it has ended")
	}
	w.recycle(w.take())
	if !w.ended() {
		t.Error("a closed and empty writer has not ended")
	}
}

// TestAppendersWaitForTheCommitter holds up the journal: as many batches are taken in as entries may wait, and whoever has
// more waits too, until the committer goes on or the engine is closed. Then everybody has an outcome.
func TestAppendersWaitForTheCommitter(t *testing.T) {
	const total, taken = 10, 1 + sealedMax + 1 // under way, sealed, open
	f := func(end func(r *rig, release func(), returned *int), accepted int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, Options{EntryBytesMax: 1})
			id := r.create("orders", 1)
			release := r.journal.hold()
			var pending [total]Pending
			var mu sync.Mutex
			returned := 0
			for i := range pending {
				go func() {
					pending[i].Reset(1)
					r.AppendBatch(&pending[i], 0, id, 0, batchOf("a"))
					mu.Lock()
					returned++
					mu.Unlock()
				}()
			}
			synctest.Wait()
			if returned != taken {
				t.Errorf("%d batches were taken in, want %d", returned, taken)
			}
			end(r, release, &returned)
			synctest.Wait()
			offsets := map[int64]bool{}
			for i := range pending {
				pending[i].Wait(0, nil)
				if got := pending[i].Results[0]; got.Code == kerr.None {
					offsets[got.Offset] = true
				} else if got.Code != kerr.KafkaStorageError {
					t.Errorf("refused with %v", got.Code)
				}
			}
			if len(offsets) != accepted {
				t.Errorf("%d batches have an offset of their own, want %d", len(offsets), accepted)
			}
		})
	}
	f(func(_ *rig, release func(), _ *int) { release() }, total)
	f(func(r *rig, release func(), returned *int) {
		go r.Close()
		synctest.Wait()
		if *returned != total {
			t.Errorf("%d of %d have returned when the engine is closed and the journal still held up", *returned, total)
		}
		release()
		synctest.Wait()
		r.open()
	}, taken)
}

// TestFlushInterval shows that commits keep their distance, but for an entry that is full. An entry with as many records as
// it may hold once waited all the same, and one that had been full made a later one hurry.
func TestFlushInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{FlushInterval: time.Second, EntryRecordsMax: 3, EntryBytesMax: 1 << 10})
		id := r.create("orders", 1)
		f := func(what string, want time.Duration, batches ...[]byte) {
			t.Helper()
			start := time.Now()
			r.produce(id, batches...)
			if took := time.Since(start); took != want {
				t.Errorf("%s took %v, want %v", what, took, want)
			}
		}
		one, three := batchOf("a"), batchOf("a", "b", "c")
		f("a batch right after another commit", time.Second, one)
		time.Sleep(time.Second)
		f("a batch after a rest", 0, one)
		f("a batch as large as an entry may be", 0, three)
		f("a batch right after a full entry", time.Second, one)
		f("more than entries may hold", time.Second, three, three, three, one)
		f("a batch after entries that were full", time.Second, one)
		early := func(what string, fill func()) {
			t.Helper()
			time.Sleep(2 * time.Second)
			r.produce(id, one)
			go func() { time.Sleep(time.Second / 4); fill() }()
			f(what, time.Second/4, one)
		}
		early("a batch whose entry is filled by another", func() { r.produce(id, batchOf("b", "c")) })
		early("a batch whose entry has no place for another", func() { r.produce(id, batchOf(string(make([]byte, 900)))) })
		early("a batch when the engine is closed", func() { r.Close() })
		synctest.Wait()
		r.open()
	})
}

// TestCloseDoesNotWaitForAnAnswer closes an engine whose journal never says what became of an entry: whoever waits for that
// one learns that it is not known to be stored, nothing is written in its place, and a restart finds out.
func TestCloseDoesNotWaitForAnAnswer(t *testing.T) {
	for _, landed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, Options{})
			id := r.create("orders", 1)
			r.journal.setEvery(landed, journal.ErrUnknown)
			var results [2]state.Result
			for i := range results {
				go func() { results[i] = r.produce(id, batchOf("a"))[0] }()
				synctest.Wait()
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			for _, got := range results {
				if got.Code != kerr.KafkaStorageError {
					t.Errorf("%+v", got)
				}
			}
			r.journal.set(false)
			r.open()
			log, err := r.Offsets(id, 0)
			if want := map[bool]int64{true: 1}[landed]; err != nil || log.HighWatermark != want {
				t.Errorf("after a restart: high watermark %d, %v; want %d", log.HighWatermark, err, want)
			}
		})
	}
}

// TestNobodyWaitsForAStuckJournal has a journal not answer for a while: what has room in the entries gathered so far waits for
// it, what has none is refused at once, reads go on, and when the journal answers everything that waited is stored.
func TestNobodyWaitsForAStuckJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{EntryBytesMax: 1 << 10})
		id := r.create("orders", 1, forEver)
		r.produce(id, batchOf("before"))
		r.journal.setEvery(false, journal.ErrUnknown)
		var waiting sync.WaitGroup
		var stored, refused atomic.Int32
		for range 20 {
			waiting.Go(func() {
				switch got := r.produce(id, batchOfBytes(1<<10))[0]; got.Code {
				case kerr.None:
					stored.Add(1)
				case kerr.KafkaStorageError:
					refused.Add(1)
				}
			})
			synctest.Wait()
		}
		if got := refused.Load(); got != 20-sealedMax-2 || stored.Load() != 0 || r.Ready() == nil {
			t.Errorf("%d refused, %d stored, ready: %v", got, stored.Load(), r.Ready())
		}
		if got := r.values(id, 0); len(got) != 1 {
			t.Errorf("read %q", got)
		}
		time.Sleep(time.Hour)
		r.journal.set(false)
		waiting.Wait()
		if log, _ := r.Offsets(id, 0); stored.Load() != sealedMax+2 || log.HighWatermark != sealedMax+3 || r.Ready() != nil {
			t.Errorf("%d stored, %+v, ready: %v", stored.Load(), log, r.Ready())
		}
	})
}

// TestTooLargeForTheJournal shows that batches and commands which the journal cannot take are refused, and nothing else is.
// One such batch once ended all writing.
func TestTooLargeForTheJournal(t *testing.T) {
	const entryBytesMax, batchBytesMax = 64 << 10, 64<<10 - BatchOverheadBytes
	r := newRigOn(t, mem.Options{EntryBytesMax: entryBytesMax}, Options{BatchBytesMax: batchBytesMax, EntryBytesMax: 1 << 20})
	id := r.create("orders", 1)
	f := func(b []byte, want kerr.Code) {
		t.Helper()
		if got := r.produce(id, b)[0]; got.Code != want {
			t.Errorf("batch of %d bytes: %v, want %v", len(b), got.Code, want)
		}
	}
	f(batchOfBytes(batchBytesMax), kerr.None)
	f(batchOfBytes(batchBytesMax+1), kerr.MessageTooLarge)
	f(batchOf("small"), kerr.None)
	config := state.ConfigEntry{Name: "leader.replication.throttled.replicas", Value: strings.Repeat("0:0,", entryBytesMax/4)}
	if _, err := r.Do(state.CreateTopic{ID: NewID(), Name: "other", Partitions: 1, Config: []state.ConfigEntry{config}}); !errors.Is(err, kerr.MessageTooLarge) {
		t.Errorf("create a topic with a large setting: %v", err)
	}
	release := r.journal.hold()
	var g Pending
	g.Reset(100)
	for i := range 100 {
		r.AppendBatch(&g, i, id, 0, batchOfBytes(1000)) // together more than an entry holds
	}
	release()
	g.Wait(0, nil)
	for i, got := range g.Results {
		if got.Code != kerr.None {
			t.Errorf("batch %d of many: %v", i, got.Code)
		}
	}
	if err := r.Err(); err != nil {
		t.Error(err)
	}
}
