package engine

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/journal/mem"
	"github.com/heraclitus/heraclitus/pkg/metrics"
	"github.com/heraclitus/heraclitus/pkg/objstore"
	memstore "github.com/heraclitus/heraclitus/pkg/objstore/mem"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/topic"
)

// lazyJournal is a journal that makes entries durable when Sync is called, and not before.
type lazyJournal struct {
	journal.Journal
	entries [][]byte // by slot
	durable uint64   // what is below it survives a power cut
	ignores bool     // whether it is the broken twin, of which nobody asks to sync
}

func (j *lazyJournal) Append(slot uint64, entry []byte) error {
	j.entries = append(j.entries, bytes.Clone(entry))
	return j.Journal.Append(slot, entry)
}

func (j *lazyJournal) Sync() error {
	if !j.ignores {
		_, j.durable = j.Bounds()
	}
	return j.Journal.Sync()
}

// cutPower returns what a power cut leaves.
func (j *lazyJournal) cutPower(t *testing.T) journal.Journal {
	t.Helper()
	left := mem.Open(mem.Options{})
	for slot, entry := range j.entries[:j.durable] {
		if err := left.Append(uint64(slot), entry); err != nil {
			t.Fatal(err)
		}
	}
	return left
}

// TestCheckpointIsNotAheadOfTheJournal shows that a power cut right after a checkpoint leaves a journal that the checkpoint fits,
// also when entries are acknowledged before they are durable.
func TestCheckpointIsNotAheadOfTheJournal(t *testing.T) {
	f := func(ignores bool) error {
		lazy := &lazyJournal{Journal: mem.Open(mem.Options{}), ignores: ignores}
		r := &rig{t: t, journal: &faulty{Journal: lazy}, store: memstore.Open(), options: Options{
			Log: slog.New(slog.DiscardHandler), Metrics: metrics.New("test"), Topics: topic.Defaults(),
		}}
		r.open()
		defer r.Close()
		r.produce(r.create("orders", 1), batchOf("a"), batchOf("b"))
		if err := r.checkpoint(); err != nil {
			t.Fatal(err)
		}
		e, err := Open(lazy.cutPower(t), r.store, r.options)
		if err == nil {
			e.Close()
		}
		return err
	}
	if err := f(false); err != nil {
		t.Error(err)
	}
	if err := f(true); err == nil || !strings.Contains(err.Error(), "does not fit the journal") {
		t.Errorf("a checkpoint made without a sync: %v", err)
	}
}

// TestOtherObjectsAreNoCheckpoints has an object beside the checkpoints that sorts behind them. It was once taken for the
// newest one: the real ones were removed as old, and the next start refused it.
func TestOtherObjectsAreNoCheckpoints(t *testing.T) {
	for _, key := range []string{CheckpointsPrefix + "notes.txt", CheckpointsPrefix + "99999999999999999999", checkpointKey(1<<60) + "/x", CheckpointsPrefix + "1"} {
		r := newRig(t, Options{})
		if err := r.store.Put(t.Context(), key, []byte("not ours")); err != nil {
			t.Fatal(err)
		}
		id := r.create("orders", 1, forEver)
		for range 2 {
			r.produce(id, batchOf("a"))
			if err := r.checkpoint(); err != nil {
				t.Fatal(err)
			}
		}
		r.crash()
		if log, err := r.Offsets(id, 0); err != nil || log.HighWatermark != 2 {
			t.Errorf("%s: high watermark %d after a restart, %v", key, log.HighWatermark, err)
		}
		if keys, err := r.store.List(t.Context(), CheckpointsPrefix); err != nil || len(keys) != 3 {
			t.Errorf("%s: objects %v, %v; want it, a checkpoint and its copy", key, keys, err)
		}
	}
}

// TestFailedCheckpointIsTriedAgain has a store fail once: the checkpoint is made with the next maintenance, and not only when
// as much has been appended again.
func TestFailedCheckpointIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{CheckpointBytes: 1 << 20})
		store := &brittleStore{Store: r.store}
		r.Engine.store = store
		id := r.create("orders", 1, forEver)
		store.failing.Store(true)
		r.produce(id, batchOfBytes(2<<20))
		synctest.Wait()
		for range 1000 {
			r.produce(id, batchOf("a"))
		}
		if puts := store.puts.Load(); puts != 1 {
			t.Errorf("%d tries in no time, want 1", puts)
		}
		time.Sleep(r.Engine.options.RetentionCheck + time.Second)
		store.failing.Store(false)
		time.Sleep(r.Engine.options.RetentionCheck + time.Second)
		if got := r.checkpointed.Load(); got < 1000 {
			t.Errorf("the last checkpoint is at entry %d", got)
		}
		if puts := store.puts.Load(); puts != 4 {
			t.Errorf("%d tries after a while, want 3, and one of the copy", puts)
		}
	})
}

// brittleStore can be made to fail.
type brittleStore struct {
	objstore.Store
	failing atomic.Bool
	puts    atomic.Int32
}

func (s *brittleStore) Get(ctx context.Context, key string) ([]byte, error) {
	if s.failing.Load() {
		return nil, errFull
	}
	return s.Store.Get(ctx, key)
}

func (s *brittleStore) Put(ctx context.Context, key string, b []byte) error {
	s.puts.Add(1)
	if s.failing.Load() {
		return errFull
	}
	return s.Store.Put(ctx, key, b)
}

// TestCheckpointIsReadBack has a store that keeps something else than it is given: the journal is not trimmed for that.
func TestCheckpointIsReadBack(t *testing.T) {
	r := newRig(t, Options{})
	r.Engine.store = lossyStore{r.store}
	id := r.create("orders", 1)
	r.produce(id, batchOf("a"))
	if _, err := r.Do(state.MoveLogStart{ID: id, Offset: 1}); err != nil {
		t.Fatal(err)
	}
	if err := r.checkpoint(); err == nil {
		t.Error("a checkpoint that reads back differently passes")
	}
	if floor, _ := r.journal.Bounds(); floor != 0 {
		t.Errorf("the journal is trimmed below entry %d", floor)
	}
	r.fail(errFull) // so that Close makes no checkpoint
}

type lossyStore struct{ objstore.Store }

func (s lossyStore) Put(ctx context.Context, key string, b []byte) error {
	return s.Store.Put(ctx, key, b[:len(b)-1])
}

// TestMaintenanceTakesTurns calls for maintenance from many goroutines while offsets are committed.
func TestMaintenanceTakesTurns(t *testing.T) {
	r := newRig(t, Options{CheckpointBytes: 1})
	id := r.create("orders", 1, forEver)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 20 {
				var g Pending
				g.Reset(1)
				r.AppendCommand(&g, 0, commitOf(id, int64(i), ""))
				g.Wait(0, nil)
				if err := r.Maintain(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	r.Close()
	keys, err := r.store.List(t.Context(), CheckpointsPrefix)
	if err != nil || len(keys) != 2 || keys[0].Key != checkpointKey(r.checkpointed.Load()) {
		t.Errorf("checkpoints %v, %v, the last one said to be at %d", keys, err, r.checkpointed.Load())
	}
	r.open()
}

// TestForeignCheckpointIsRefused shows that a checkpoint which the journal does not reach, or does not go on from, is refused.
func TestForeignCheckpointIsRefused(t *testing.T) {
	r := newRig(t, Options{})
	r.create("orders", 1)
	r.Close()
	empty := mem.Open(mem.Options{})
	if _, err := Open(empty, r.store, r.options); err == nil || !strings.Contains(err.Error(), "does not fit the journal") {
		t.Errorf("opened on an empty journal: %v", err)
	}
	r.open()
	if err := r.Maintain(); err != nil {
		t.Fatal(err)
	}
	if err := r.journal.Trim(r.checkpointed.Load()); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(r.journal, memstore.Open(), r.options); err == nil || !strings.Contains(err.Error(), "does not fit the journal") {
		t.Errorf("opened without the checkpoint: %v", err)
	}
}

// TestReplayStopsAtWhatItDoesNotKnow shows that a server does not start on a journal that a newer release has written.
func TestReplayStopsAtWhatItDoesNotKnow(t *testing.T) {
	r := newRig(t, Options{})
	r.crash()
	r.fail(errFull)
	r.Close()
	_, next := r.journal.Bounds()
	if err := r.journal.Append(next, []byte{0, 0, 0, 1, 255}); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(r.journal, r.store, r.options); err == nil || !strings.Contains(err.Error(), "unknown command kind 255") {
		t.Errorf("opened on an unknown command: %v", err)
	}
	r.journal.Journal = mem.Open(mem.Options{}) // for the end of the test
	r.store = memstore.Open()
	r.open()
}

// TestRenamedCheckpointIsRefused shows that a checkpoint has to be the one its name says.
func TestRenamedCheckpointIsRefused(t *testing.T) {
	r := newRig(t, Options{})
	r.create("orders", 1)
	r.Close()
	key := checkpointKey(r.checkpointed.Load())
	b, err := r.store.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	renamed := checkpointKey(r.checkpointed.Load() + 1)
	if err := r.store.Put(t.Context(), renamed, b); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(r.journal, r.store, r.options); err == nil || !strings.Contains(err.Error(), "it is the checkpoint at entry 2") {
		t.Errorf("opened on a renamed checkpoint: %v", err)
	}
	if err := r.store.Delete(t.Context(), renamed); err != nil {
		t.Fatal(err)
	}
	r.open()
}

// TestBrokenByMaintenance shows that a journal which breaks while it is trimmed, or made durable, is not taken for sound.
func TestBrokenByMaintenance(t *testing.T) {
	f := func(j *breaks) {
		t.Helper()
		j.Journal = mem.Open(mem.Options{})
		r := newRigOver(t, j, Options{})
		if err := r.checkpoint(); !errors.Is(err, journal.ErrBroken) || !errors.Is(r.Err(), journal.ErrBroken) || r.Ready() == nil {
			t.Errorf("a checkpoint ends in %v, the engine is left with %v", err, r.Err())
		}
	}
	f(&breaks{sync: journal.ErrBroken})
	f(&breaks{trim: journal.ErrBroken})
}

// breaks is a journal of which one call breaks it.
type breaks struct {
	journal.Journal
	sync, trim error
}

func (j *breaks) Sync() error {
	if j.sync != nil {
		return j.sync
	}
	return j.Journal.Sync()
}

func (j *breaks) Trim(below uint64) error {
	if j.trim != nil {
		return j.trim
	}
	return j.Journal.Trim(below)
}

// TestUnreadableCheckpointIsRefused shows that a server does not start without the checkpoint there is.
func TestUnreadableCheckpointIsRefused(t *testing.T) {
	r := newRig(t, Options{})
	r.create("orders", 1)
	r.Close()
	store := &brittleStore{Store: r.store}
	store.failing.Store(true)
	if _, err := Open(r.journal, store, r.options); !errors.Is(err, errFull) {
		t.Errorf("opened without its checkpoint: %v", err)
	}
	r.open()
}
