package s3

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/objstore"
	"github.com/heraclitus/heraclitus/pkg/objstore/mem"
	"github.com/heraclitus/heraclitus/pkg/objstore/objstoretest"
)

// These tests show that an onlooker sees of a journal what a server would, that it writes nothing and fences nobody,
// and that a server at work beside it does not confuse it.

func seen(i *Inspection) (all string, err error) {
	floor, _ := i.Bounds()
	err = i.Replay(floor, func(_ uint64, entry []byte) error {
		all += " " + string(entry)
		return nil
	})
	return all, err
}

func TestInspect(t *testing.T) {
	store := mem.Open()
	names, err := filepath.Glob("testdata/v1/journal/*[0-9]")
	floors, err2 := filepath.Glob("testdata/v1/journal/floor/*")
	for _, name := range append(names, floors...) {
		b, err := os.ReadFile(name)
		if err := errors.Join(err, err2, store.Put(t.Context(), strings.TrimPrefix(filepath.ToSlash(name), "testdata/v1/"), b)); err != nil {
			t.Fatal(err)
		}
	}
	trace := objstoretest.NewTrace(store)
	i, err := Inspect(t.Context(), trace)
	if err != nil {
		t.Fatal(err)
	}
	if floor, next := i.Bounds(); floor != 2 || next != 5 {
		t.Errorf("bounds are %d and %d, want 2 and 5", floor, next)
	}
	if got, err := seen(i); err != nil || got != "  four five" {
		t.Errorf("it holds %q, %v", got, err)
	}
	i.Close()
	if calls := trace.Take(); strings.Contains(calls, "put") || strings.Contains(calls, "delete") {
		t.Errorf("calls of the store:\n%s", calls)
	}
	for key, want := range map[string]bool{slotKey(7): true, floorKey(7): true, "journal/7": false, "journal/floor/x": false, "topics/x": false} {
		if IsOurs(key) != want {
			t.Errorf("%s is ours: %v", key, !want)
		}
	}
}

func TestInspectDamage(t *testing.T) {
	f := func(what, key string, damage func(b []byte) []byte) {
		t.Helper()
		store := mem.Open()
		j := mustOpen(t, store, small)
		mustAppend(t, j, "one", "two", "three")
		if err := j.Trim(1); err != nil {
			t.Fatal(err)
		}
		b, err := store.Get(t.Context(), key)
		if b = damage(b); b == nil {
			err = errors.Join(err, store.Delete(t.Context(), key))
		} else {
			err = errors.Join(err, store.Put(t.Context(), key, b))
		}
		if err != nil {
			t.Fatal(err)
		}
		i, err := Inspect(t.Context(), store)
		if err == nil {
			_, err = seen(i)
		}
		if !errors.Is(err, journal.ErrDamaged) || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", what, err)
		}
	}
	flip := func(at int) func([]byte) []byte { return func(b []byte) []byte { b[at] ^= 1; return b } }
	f("an entry", slotKey(1), flip(headerBytes))
	f("an entry's header", slotKey(2), flip(9))
	f("the floor", floorKey(1), flip(30))
	f("an entry that is missing", slotKey(1), func([]byte) []byte { return nil })
}

// TestInspectBesideAServer shows that an onlooker beside a server that has entries under way, and trims, sees no
// damage and does not disturb it.
func TestInspectBesideAServer(t *testing.T) {
	store := mem.Open()
	j := mustOpen(t, store, small)
	var server sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	server.Go(func() {
		for slot := uint64(0); ctx.Err() == nil; slot++ {
			if _, err := j.Begin(slot, fmt.Appendf(nil, "%d", slot)); err != nil {
				t.Error(err)
				return
			}
			if _, next := j.Bounds(); slot%50 == 49 {
				if err := j.Trim(next); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	for range 300 {
		i, err := Inspect(t.Context(), objstore.ReadOnly(store))
		if err != nil {
			t.Fatal(err)
		}
		floor, _ := i.Bounds()
		err = i.Replay(floor, func(slot uint64, entry []byte) error {
			if string(entry) != fmt.Sprint(slot) {
				return fmt.Errorf("slot %d holds %q", slot, entry)
			}
			return nil
		})
		if err != nil && !errors.Is(err, journal.ErrTrimmed) {
			t.Fatal(err)
		}
		i.Close()
	}
	stop()
	server.Wait()
}
