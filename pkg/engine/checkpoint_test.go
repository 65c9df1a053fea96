package engine

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/journal/mem"
	"github.com/heraclitus/heraclitus/pkg/metrics"
	memstore "github.com/heraclitus/heraclitus/pkg/objstore/mem"
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
