package engine

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/journal/s3"
	memstore "github.com/heraclitus/heraclitus/pkg/objstore/mem"
)

// newSession opens the journal in a store, and an engine on both, as another server would that takes a bucket over.
func newSession(t *testing.T, store *memstore.Store) *rig {
	t.Helper()
	j, err := s3.Open(t.Context(), store, s3.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return newRigIn(t, j, store, Options{CacheBytesMax: 1})
}

// TestLateInventory has a server list the objects in a bucket when another one has taken it over and has written segments, which the
// state of the first one does not speak of. They are not swept away. They were once, and their records lost, because the first one had
// nothing to write that would have told it.
func TestLateInventory(t *testing.T) {
	store := memstore.Open()
	late := newSession(t, store)
	id := late.create("orders", 1, forEver, atOnce)
	late.produce(id, batchOf("a"))
	newer := newSession(t, store)
	newer.produce(id, batchOf("b"))
	newer.archive()
	if got := newer.objects(); len(got) == 0 {
		t.Fatal("there is nothing to be swept away")
	}
	a := newArchiver(late.Engine)
	if err := a.list(); err == nil {
		t.Error("a server takes the inventory of a bucket that another one has taken over")
	}
	if err := a.sweep(); err != nil {
		t.Error(err)
	}
	newer.tidy()
	if got := newer.values(id, 0); !slices.Equal(got, []string{"0:a", "1:b"}) {
		t.Errorf("read %s", fmt.Sprint(got))
	}
}
