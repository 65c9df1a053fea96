package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/journal/mem"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/metrics"
	memstore "github.com/heraclitus/heraclitus/pkg/objstore/mem"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/topic"
)

// These tests show what the engine promises: offsets without gaps in the order of commits, what was acknowledged is there
// after a restart, a full or a broken journal refuses and never loses, and views stay as they are while they are pinned.

// rig is an engine with what lies under it, which outlives the engine.
type rig struct {
	*Engine
	t       testing.TB
	journal *faulty
	store   *memstore.Store
	options Options

	pipelined bool            // the journal takes several entries at a time
	on        journal.Journal // what the engine is opened on
}

func newRig(t testing.TB, o Options) *rig {
	t.Helper()
	return newRigOn(t, mem.Options{}, o)
}

func newRigOn(t testing.TB, m mem.Options, o Options) *rig {
	t.Helper()
	return newRigOver(t, mem.Open(m), o)
}

func newRigOver(t testing.TB, j journal.Journal, o Options) *rig {
	t.Helper()
	return newRigIn(t, j, memstore.Open(), o)
}

func newRigIn(t testing.TB, j journal.Journal, store *memstore.Store, o Options) *rig {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	o.Metrics = metrics.New("test")
	set(&o.ArchiveCheck, 10_000*time.Hour) // tests archive when they say so
	if o.Topics == (topic.Settings{}) {
		o.Topics = topic.Defaults()
	}
	r := &rig{t: t, journal: &faulty{Journal: j}, store: store, options: o}
	r.open()
	t.Cleanup(func() { r.Close() })
	return r
}

func (r *rig) open() {
	r.t.Helper()
	r.on = r.journal
	if r.pipelined {
		r.on = newPipeline(r.journal)
	}
	var err error
	if r.Engine, err = Open(r.on, r.store, r.options); err != nil {
		r.t.Fatal(err)
	}
}

// crash leaves the engine as a kill would, without its last checkpoint, and opens another on what it left.
func (r *rig) crash() {
	r.t.Helper()
	r.fail(errors.New("crash")) // so that Close makes no checkpoint
	r.Close()
	r.open()
}

func (r *rig) create(name string, partitions int32, config ...state.ConfigEntry) state.ID {
	r.t.Helper()
	id := NewID()
	if _, err := r.Do(state.CreateTopic{ID: id, Name: name, Partitions: partitions, Config: config}); err != nil {
		r.t.Fatal(err)
	}
	return id
}

// produce appends batches to partition 0 and returns their results.
func (r *rig) produce(id state.ID, batches ...[]byte) []state.Result {
	var g Pending
	g.Reset(len(batches))
	for i, b := range batches {
		r.AppendBatch(&g, i, id, 0, b)
	}
	g.Wait(0, nil)
	return g.Results
}

// values reads partition 0 from an offset to its end, and returns what its records say.
func (r *rig) values(id state.ID, from int64) []string {
	r.t.Helper()
	values, err := r.read(id, from)
	if err != nil {
		r.t.Fatal(err)
	}
	return values
}

// read is values, for those who expect that it may fail.
func (r *rig) read(id state.ID, from int64) (values []string, err error) {
	for {
		var pins Pins
		log, err := r.Read(id, 0, from, 1<<20, true, &pins)
		if err != nil {
			return values, fmt.Errorf("read at %d: %w", from, err)
		}
		if len(log.Parts) == 0 {
			return values, nil
		}
		for _, part := range log.Parts {
			b := record.Batch(part)
			if !b.Intact() || b.LeaderEpoch() != 0 {
				return values, fmt.Errorf("batch at %d: intact %v, leader epoch %d", b.BaseOffset(), b.Intact(), b.LeaderEpoch())
			}
			for rec, err := range b.Records() {
				if err != nil {
					return values, err
				}
				if rec.Offset >= from {
					values = append(values, fmt.Sprintf("%d:%s", rec.Offset, rec.Value))
				}
			}
			from = max(from, b.LastOffset()+1)
		}
		pins.Release()
	}
}

// faulty is a journal whose appends can be held up and made to fail.
type faulty struct {
	journal.Journal
	mu     sync.Mutex
	gate   chan struct{} // appends wait until it is closed; nil for none
	held   chan struct{} // signalled by an append that waits
	faults []error       // of the next appends; nil passes one on
	every  error         // of all appends after those
	chaos  func() (fault error, lost bool)
	broken bool         // by a fault: nothing is carried out any more
	lost   bool         // whether an append that fails is carried out all the same
	landed []byte       // the last entry that was carried out with an unknown outcome
	calls  atomic.Int64 // of Append and MakeRoom
}

func (f *faulty) MakeRoom(n int64) error {
	f.calls.Add(1)
	return f.Journal.MakeRoom(n)
}

func (f *faulty) Append(slot uint64, entry []byte) error {
	f.calls.Add(1)
	f.mu.Lock()
	gate := f.gate
	f.mu.Unlock()
	if gate != nil {
		signal(f.held)
		<-gate
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken {
		return journal.ErrBroken
	}
	fault, lost := f.every, f.lost
	if len(f.faults) > 0 {
		fault, f.faults = f.faults[0], f.faults[1:]
	} else if f.chaos != nil {
		fault, lost = f.chaos()
	}
	f.broken = errors.Is(fault, journal.ErrBroken)
	if fault == nil || lost {
		if err := f.carryOut(slot, entry, fault); err != nil {
			return err
		}
	}
	return fault
}

// carryOut appends an entry, unless it is what was asked for before and did land.
func (f *faulty) carryOut(slot uint64, entry []byte, fault error) error {
	_, next := f.Bounds()
	if f.landed == nil || slot+1 != next || !bytes.Equal(entry, f.landed) {
		if err := f.Journal.Append(slot, entry); err != nil {
			return err
		}
	}
	f.landed = nil
	if errors.Is(fault, journal.ErrUnknown) {
		f.landed = bytes.Clone(entry)
	}
	return nil
}

// repair has a journal that broke take appends again, as one that is opened anew.
func (f *faulty) repair() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken = false
}

// set gives the next appends their outcomes.
func (f *faulty) set(lost bool, faults ...error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults, f.lost, f.every = faults, lost, nil
}

// setEvery gives all appends from now on the same outcome.
func (f *faulty) setEvery(lost bool, fault error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults, f.lost, f.every = nil, lost, fault
}

// hold makes appends wait until release is called.
func (f *faulty) hold() (release func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	gate := make(chan struct{})
	f.gate, f.held = gate, make(chan struct{}, 1)
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.gate = nil
		close(gate)
	}
}

func TestProduceAndRead(t *testing.T) {
	r := newRig(t, Options{})
	id := r.create("orders", 1)
	results := r.produce(id, batchOf("a", "b"), batchOf("c"))
	if results[0].Offset != 0 || results[1].Offset != 2 {
		t.Errorf("offsets %d and %d, want 0 and 2", results[0].Offset, results[1].Offset)
	}
	f := func(from int64, want string) {
		t.Helper()
		if got := fmt.Sprint(r.values(id, from)); got != want {
			t.Errorf("from %d: got %s, want %s", from, got, want)
		}
	}
	f(0, "[0:a 1:b 2:c]")
	f(1, "[1:b 2:c]")
	f(2, "[2:c]")
	f(3, "[]")
	for _, offset := range []int64{-1, 4} {
		if log, err := r.Read(id, 0, offset, 1<<20, true, &Pins{}); !errors.Is(err, kerr.OffsetOutOfRange) || log.HighWatermark != 3 {
			t.Errorf("read at %d: %v, high watermark %d", offset, err, log.HighWatermark)
		}
	}
	if _, err := r.Read(id, 1, 0, 1<<20, true, &Pins{}); !errors.Is(err, kerr.UnknownTopicOrPartition) {
		t.Errorf("read of partition 1: %v", err)
	}
}

func TestReadStaysWithinItsLimit(t *testing.T) {
	r := newRig(t, Options{})
	id := r.create("orders", 1)
	one := batchOf("0123456789")
	for range 10 {
		r.produce(id, one)
	}
	f := func(bytesMax int, atLeastOne bool, want int) {
		t.Helper()
		var pins Pins
		defer pins.Release()
		log, err := r.Read(id, 0, 0, bytesMax, atLeastOne, &pins)
		if err != nil || len(log.Parts) != want || log.Bytes != want*len(one) {
			t.Errorf("up to %d bytes: %d batches, %d bytes, %v; want %d batches", bytesMax, len(log.Parts), log.Bytes, err, want)
		}
	}
	f(3*len(one), false, 3)
	f(3*len(one)-1, false, 2)
	f(len(one)-1, false, 0)
	f(len(one)-1, true, 1)
	f(0, true, 1)
	f(1<<20, false, 10)
	r.produce(id, batchOf("a large one", string(make([]byte, 1000))))
	r.produce(id, one)
	f(11*len(one), false, 10) // a smaller batch never goes before a larger one
}

func TestManyProducersShareCommits(t *testing.T) {
	r := newRig(t, Options{EntryBytesMax: 4 << 10})
	id := r.create("orders", 1)
	const producers, each = 16, 200
	var mu sync.Mutex
	want := map[string]bool{}
	var all sync.WaitGroup
	for p := range producers {
		all.Go(func() {
			for i := range each {
				value := fmt.Sprintf("%d-%d", p, i)
				offset := r.produce(id, batchOf(value))[0].Offset
				mu.Lock()
				want[fmt.Sprintf("%d:%s", offset, value)] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
	got := r.values(id, 0)
	if len(got) != producers*each || len(want) != producers*each {
		t.Fatalf("%d records, %d acknowledged, want %d", len(got), len(want), producers*each)
	}
	for _, v := range got {
		if !want[v] {
			t.Errorf("%s was never acknowledged so", v)
		}
	}
}

// TestRestarts folds random produces, trims and restarts, clean and by crash, and compares every read with a model.
func TestRestarts(t *testing.T) {
	for seed := range uint64(5) {
		rng := rand.New(rand.NewPCG(seed, 2))
		r := newRig(t, Options{EntryBytesMax: 2 << 10, CacheBytesMax: 1, CheckpointBytes: 8 << 10})
		id := r.create("orders", 1, forEver)
		var model []string
		start := 0
		for step := range 400 {
			switch rng.IntN(20) {
			case 0:
				r.Close()
				r.open()
			case 1:
				r.crash()
			case 2:
				start += rng.IntN(len(model) - start + 1)
				if _, err := r.Do(state.MoveLogStart{ID: id, Partition: 0, Offset: int64(start)}); err != nil {
					t.Fatal(err)
				}
				if err := r.Maintain(); err != nil {
					t.Fatal(err)
				}
			default:
				var values []string
				for range 1 + rng.IntN(4) {
					values = append(values, fmt.Sprint(step))
					model = append(model, fmt.Sprintf("%d:%d", len(model), step))
				}
				if got := r.produce(id, batchOf(values...))[0]; got.Offset != int64(len(model)-len(values)) {
					t.Fatalf("seed %d step %d: %+v, want offset %d", seed, step, got, len(model)-len(values))
				}
			}
		}
		if got, want := fmt.Sprint(r.values(id, int64(start))), fmt.Sprint(model[start:]); got != want {
			t.Fatalf("seed %d: got %s, want %s", seed, got, want)
		}
	}
}

// TestPinnedViewsStay reads, lets the cache turn over many times, and looks again; then releases and sees that memory is
// used again at all, without which the first half would show nothing.
func TestPinnedViewsStay(t *testing.T) {
	r := newRig(t, Options{CacheBytesMax: 1})
	id := r.create("orders", 1)
	r.produce(id, batchOf("keep me"))
	var pins Pins
	log, err := r.Read(id, 0, 0, 1<<20, true, &pins)
	if err != nil {
		t.Fatal(err)
	}
	if len(pins.chunks) != 1 {
		t.Fatal("the read was not answered from memory")
	}
	view, want := log.Parts[0], bytes.Clone(log.Parts[0])
	turn := func() {
		big := batchOf(string(make([]byte, 900<<10)))
		for range 40 {
			r.produce(id, big)
		}
	}
	turn()
	if !bytes.Equal(view, want) {
		t.Error("a pinned view has changed")
	}
	pins.Release()
	turn()
	if bytes.Equal(view, want) {
		t.Error("released memory was never used again")
	}
}

func TestRetention(t *testing.T) {
	r := newRig(t, Options{})
	now := time.Now().UnixMilli()
	byTime := r.create("by-time", 1, state.ConfigEntry{Name: "retention.ms", Value: "60000"})
	r.produce(byTime, batchAt(now-120_000, "old"))
	r.produce(byTime, batchAt(now-90_000, "old too"))
	r.produce(byTime, batchAt(now, "young"))
	bySize := r.create("by-size", 1, state.ConfigEntry{Name: "retention.bytes", Value: fmt.Sprint(2 * len(batchOf("0")))}, forEver)
	for i := range 5 {
		r.produce(bySize, batchOf(fmt.Sprint(i)))
	}
	between := r.create("between", 1, state.ConfigEntry{Name: "retention.bytes", Value: fmt.Sprint(2*len(batchOf("0")) + 1)}, forEver)
	for i := range 5 {
		r.produce(between, batchOf(fmt.Sprint(i)))
	}
	compacted := r.create("compacted", 1, state.ConfigEntry{Name: "cleanup.policy", Value: "compact"}, state.ConfigEntry{Name: "retention.ms", Value: "1"})
	r.produce(compacted, batchAt(now-90_000, "kept"))
	if err := r.Maintain(); err != nil {
		t.Fatal(err)
	}
	f := func(id state.ID, start int64, want string) {
		t.Helper()
		log, err := r.Offsets(id, 0)
		if err != nil || log.Start != start {
			t.Errorf("log start %d, %v; want %d", log.Start, err, start)
		}
		if got := fmt.Sprint(r.values(id, log.Start)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	f(byTime, 2, "[2:young]")
	f(bySize, 3, "[3:3 4:4]")
	f(between, 2, "[2:2 3:3 4:4]") // so much, at least, is kept
	f(compacted, 0, "[0:kept]")
	want := len(batchOf("old")) + len(batchOf("old too")) + (3+2)*len(batchOf("0"))
	if got := r.metrics.RetentionBytes.Get(); got != uint64(want) {
		t.Errorf("%d bytes are said to be dropped, want %d", got, want)
	}
}

// TestBrokenJournal breaks an append: it is not acknowledged, nor is anything after it, and reads go on. What it wrote shows
// up after a restart or does not, but never at another's place.
func TestBrokenJournal(t *testing.T) {
	for _, lost := range []bool{false, true} {
		r := newRig(t, Options{})
		id := r.create("orders", 1)
		r.produce(id, batchOf("before"))
		r.journal.set(lost, journal.ErrBroken)
		for range 2 {
			if got := r.produce(id, batchOf("during"))[0]; got.Code != kerr.KafkaStorageError {
				t.Errorf("during: %+v", got)
			}
		}
		if _, err := r.Do(state.AllocateProducerID{}); !errors.Is(err, kerr.KafkaStorageError) {
			t.Errorf("another command: %v", err)
		}
		if got := fmt.Sprint(r.values(id, 0)); got != "[0:before]" {
			t.Errorf("read while broken: %s", got)
		}
		r.Close()
		r.journal.repair()
		r.open()
		want := "[0:before]"
		if lost {
			want = "[0:before 1:during]"
		}
		if got := fmt.Sprint(r.values(id, 0)); got != want {
			t.Errorf("after a restart: %s, want %s", got, want)
		}
	}
}

// TestUnknownOutcome loses the answers of appends, whether they were carried out or not: they are repeated until the answer
// is definite, and the records are there once.
func TestUnknownOutcome(t *testing.T) {
	for _, landed := range []bool{false, true} {
		r := newRig(t, Options{})
		id := r.create("orders", 1)
		r.journal.set(landed, journal.ErrUnknown, journal.ErrUnknown)
		if got := r.produce(id, batchOf("a"))[0]; got.Code != kerr.None || got.Offset != 0 {
			t.Errorf("%+v", got)
		}
		if got := fmt.Sprint(r.values(id, 0)); got != "[0:a]" {
			t.Errorf("got %s", got)
		}
	}
}

func TestWatch(t *testing.T) {
	r := newRig(t, Options{})
	id := r.create("orders", 2)
	one := batchOf("a")
	signalled := func(w *Watcher) bool {
		select {
		case <-w.C:
			return true
		default:
			return false
		}
	}
	w := r.Watch([]Key{{id, 0}}, 2*len(one))
	r.produce(id, one)
	if signalled(w) {
		t.Error("signalled after half of what was asked for")
	}
	r.produce(id, one)
	if !signalled(w) {
		t.Error("not signalled after all that was asked for")
	}
	r.Unwatch(w)
	r.produce(id, one)
	if signalled(w) {
		t.Error("signalled after the watch ended")
	}
	w = r.Watch([]Key{{id, 1}}, 1)
	r.produce(id, one)
	if signalled(w) {
		t.Error("signalled by another partition")
	}
	if _, err := r.Do(state.AllocateProducerID{}); err != nil || signalled(w) {
		t.Errorf("a producer id: %v, or signalled by it", err)
	}
	if _, err := r.Do(state.DeleteTopic{ID: id}); err != nil || !signalled(w) {
		t.Errorf("deleted topic: %v, or not signalled", err)
	}
	r.Unwatch(w)
	if len(r.watches.mu.byKey) != 0 {
		t.Error("watches are left behind")
	}
}

func TestOffsetsByTime(t *testing.T) {
	r := newRig(t, Options{})
	id := r.create("orders", 1)
	for _, ms := range []int64{100, 300, 200, 400, 400} {
		r.produce(id, batchAt(ms, "x", "y"))
	}
	f := func(ms, wantOffset, wantMs int64) {
		t.Helper()
		offset, at, err := r.OffsetForTime(id, 0, ms)
		if err != nil || offset != wantOffset || at != wantMs {
			t.Errorf("at %d: offset %d, time %d, %v; want %d, %d", ms, offset, at, err, wantOffset, wantMs)
		}
	}
	f(0, 0, 100)
	f(101, 2, 300)
	f(301, 6, 400)
	f(401, -1, -1)
	if _, err := r.Do(state.MoveLogStart{ID: id, Offset: 7}); err != nil {
		t.Fatal(err)
	}
	f(0, 7, 400)
	offset, at, err := r.OffsetOfMaxTime(id, 0)
	if err != nil || offset != 7 || at != 400 {
		t.Errorf("largest time: offset %d, time %d, %v", offset, at, err)
	}
	empty := r.create("empty", 1)
	if offset, at, err := r.OffsetOfMaxTime(empty, 0); err != nil || offset != -1 || at != -1 {
		t.Errorf("largest time of nothing: offset %d, time %d, %v", offset, at, err)
	}
}

func TestWaitGivesUp(t *testing.T) {
	r := newRig(t, Options{})
	id := r.create("orders", 1)
	release := r.journal.hold()
	var g Pending
	g.Reset(1)
	r.AppendBatch(&g, 0, id, 0, batchOf("a"))
	if g.Wait(time.Millisecond, nil) {
		t.Error("waited for a commit that could not happen")
	}
	release()
}

// TestFullStoreDoesNotKeepTheJournalFull lets no checkpoint be written, as on a full disk: what the last one covers is given
// back all the same.
func TestFullStoreDoesNotKeepTheJournalFull(t *testing.T) {
	r := newRig(t, Options{})
	id := r.create("orders", 1, forEver)
	r.produce(id, batchOf("covered by a checkpoint"))
	if err := r.checkpoint(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Do(state.MoveLogStart{ID: id, Offset: 1}); err != nil {
		t.Fatal(err)
	}
	r.full.Store(true)
	r.Engine.store = fullStore{r.store}
	if err := r.Maintain(); !errors.Is(err, errFull) {
		t.Errorf("maintenance with a full store: %v", err)
	}
	if floor, _ := r.journal.Bounds(); floor != r.checkpointed.Load() {
		t.Errorf("journal begins at entry %d, want the checkpoint's %d", floor, r.checkpointed.Load())
	}
	r.Engine.store = r.store
}

var errFull = errors.New("no space left")

// fullStore takes no more objects.
type fullStore struct{ *memstore.Store }

func (fullStore) Put(context.Context, string, []byte) error { return errFull }

// TestDamagedCheckpoint shows that a checkpoint which is damaged or gone does no harm while its copy is there, and that without
// either a server does not start.
func TestDamagedCheckpoint(t *testing.T) {
	r := newRig(t, Options{})
	id := r.create("orders", 1)
	r.Close()
	key := checkpointKey(r.checkpointed.Load())
	good, err := r.store.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	put := func(key string, b []byte) {
		t.Helper()
		if err := r.store.Put(t.Context(), key, b); err != nil {
			t.Fatal(err)
		}
	}
	for _, damage := range []func(){
		func() { put(key, []byte("damaged")) },
		func() { r.store.Delete(t.Context(), key) },
		func() { put(key, good); put(key+copySuffix, []byte("damaged")) },
		func() { r.store.Delete(t.Context(), key+copySuffix) },
	} {
		damage()
		r.open()
		if _, ok := r.TopicByID(id); !ok {
			t.Error("opened without the state of the checkpoint")
		}
		r.Close()
	}
	put(key, []byte("damaged"))
	if _, err := Open(r.journal, r.store, r.options); !errors.Is(err, state.ErrSnapshot) {
		t.Errorf("opened on a damaged checkpoint without a copy: %v", err)
	}
	put(key, good)
	r.open()
}

// forEver is the setting of a topic whose records, all of long ago here, are kept whatever their age.
var forEver = state.ConfigEntry{Name: "retention.ms", Value: "-1"}

// batchOf returns a batch of records, each with one value, at time 1000.
func batchOf(values ...string) []byte { return batchAt(1000, values...) }

// batchAt returns a batch of records, each with one value, at one time (milliseconds).
func batchAt(ms int64, values ...string) []byte {
	var records []record.Record
	for i, v := range values {
		records = append(records, record.Record{Offset: int64(i), Timestamp: ms, Value: []byte(v)})
	}
	b, err := record.Build(record.Options{}, records...)
	if err != nil {
		panic(err)
	}
	return b
}

// batchOfBytes returns a batch of one record that is n bytes long.
func batchOfBytes(n int) []byte {
	for value := n; ; {
		b := batchOf(string(make([]byte, value)))
		if len(b) <= n {
			return b
		}
		value -= len(b) - n
	}
}
