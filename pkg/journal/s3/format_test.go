package s3

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/objstore"
	"github.com/heraclitus/heraclitus/pkg/objstore/mem"
	"github.com/heraclitus/heraclitus/pkg/objstore/objstoretest"
)

// The calls of the store are those that the package comment and FORMAT.md tell of, one for an entry, in an order that
// a crash can cut anywhere.
func TestCallsOfTheStore(t *testing.T) {
	trace := objstoretest.NewTrace(mem.Open())
	f := func(what, want string) {
		t.Helper()
		want = strings.NewReplacer("SLOT", "journal/0000000000000000000", "FLOOR", "journal/floor/0000000000000000000").Replace(want)
		if got := trace.Take(); got != strings.TrimPrefix(want, "\n") {
			t.Errorf("%s calls\n%s, want%s", what, got, want)
		}
	}
	j := mustOpen(t, trace, small)
	f("opening a new journal", `
list journal/ 0 objects
get FLOOR0 0 bytes: object is absent
put-if-absent SLOT0 64 bytes
get SLOT0 64 bytes at 0
get SLOT0 64 bytes with version
list journal/floor/ 0 objects
`)
	mustAppend(t, j, "one", "two")
	f("appending", `
put-if-match SLOT0 67 bytes
put-if-absent SLOT1 67 bytes
`)
	if err := j.Trim(1); err != nil {
		t.Fatal(err)
	}
	f("trimming", `
get SLOT2 64 bytes at 0: object is absent
put FLOOR1 64 bytes
get SLOT0 64 bytes at 0
put SLOT0 64 bytes
`)
	j = mustOpen(t, trace, small)
	f("opening what is there", `
list journal/ 3 objects
get SLOT1 64 bytes at 0
get FLOOR1 64 bytes
put-if-absent SLOT2 64 bytes
get SLOT2 64 bytes at 0
get SLOT2 64 bytes with version
list journal/floor/ 1 objects
`)
	mustHold(t, j, "two")
	f("replaying", `
get SLOT1 67 bytes
`)
}

// writeVersion1 makes the journal of testdata/v1: two sessions, trimmed to slot 2, with a stone, entries, and a claim.
func writeVersion1(t *testing.T, store objstore.Store) {
	t.Helper()
	for i, entries := range [][]string{{"one", "two", ""}, {"four", "five"}, nil} {
		j := &Journal{store: store, o: small}
		for k := range j.session.name {
			j.session.name[k] = byte(i + 1)
		}
		if err := j.open(t.Context()); err != nil {
			t.Fatal(err)
		}
		j.start(t.Context())
		mustAppend(t, j, entries...)
		if i == 1 {
			if err := j.Trim(2); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A journal of format version 1, as it was written once, can be opened for good; and version 1 is what is still written.
func TestFormatVersion1(t *testing.T) {
	written := mem.Open()
	writeVersion1(t, written)
	const fixture = "testdata/v1"
	all, err := written.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(fixture); errors.Is(err, os.ErrNotExist) {
		t.Fatal("the fixture is missing: take it from the repository's history, it is never written again")
	}
	found, err := filepath.Glob(fixture + "/journal/*[0-9]")
	floors, err2 := filepath.Glob(fixture + "/journal/floor/*")
	if err = errors.Join(err, err2); err != nil || len(all) != len(found)+len(floors) {
		t.Fatalf("%d objects are written, the fixture has %d and %d, %v", len(all), len(found), len(floors), err)
	}
	copied := mem.Open()
	for _, o := range all {
		want, err := os.ReadFile(filepath.Join(fixture, filepath.FromSlash(o.Key)))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := written.Get(t.Context(), o.Key); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is written as %x, %v; want %x", o.Key, got, err, want)
		}
		if err := copied.Put(t.Context(), o.Key, want); err != nil {
			t.Fatal(err)
		}
	}
	j := mustOpen(t, copied, small)
	if floor, next := j.Bounds(); floor != 2 || next != 5 || j.session.number != 4 {
		t.Errorf("opened with bounds %d and %d, session %d; want 2, 5, 4", floor, next, j.session.number)
	}
	mustHold(t, j, " four five")
}

// Every flipped bit of an entry's object is found by a replay, and so is an object that is missing or another one's.
func TestDamageIsFound(t *testing.T) {
	f := func(what string, damage func(s objstore.Store) error) {
		t.Helper()
		store := mem.Open()
		j := mustOpen(t, store, small)
		mustAppend(t, j, "one", "two", "three")
		if err := damage(store); err != nil {
			t.Fatal(err)
		}
		if _, err := content(j); !errors.Is(err, journal.ErrDamaged) || !strings.Contains(err.Error(), slotKey(1)) {
			t.Errorf("%s: replay ends in %v", what, err)
		}
		if again, err := Open(t.Context(), store, small); err == nil {
			if _, err := content(again); !errors.Is(err, journal.ErrDamaged) {
				t.Errorf("%s: replay ends in %v after opening again", what, err)
			}
		} else if !errors.Is(err, journal.ErrDamaged) {
			t.Errorf("%s: opening again ends in %v", what, err)
		}
	}
	change := func(how func(b []byte) []byte) func(s objstore.Store) error {
		return func(s objstore.Store) error {
			b, err := s.Get(t.Context(), slotKey(1))
			return errors.Join(err, s.Put(t.Context(), slotKey(1), how(b)))
		}
	}
	for bit := range (headerBytes + 3) * 8 {
		f(fmt.Sprintf("bit %d flipped", bit), change(func(b []byte) []byte { b[bit/8] ^= 1 << (bit % 8); return b }))
	}
	f("cut short", change(func(b []byte) []byte { return b[:len(b)-1] }))
	f("cut to less than a header", change(func(b []byte) []byte { return b[:10] }))
	f("longer", change(func(b []byte) []byte { return append(b, 0) }))
	f("missing", func(s objstore.Store) error { return s.Delete(t.Context(), slotKey(1)) })
	f("another slot's", func(s objstore.Store) error {
		b, err := s.Get(t.Context(), slotKey(2))
		return errors.Join(err, s.Put(t.Context(), slotKey(1), b))
	})
}

// Objects of other names are left alone.
func TestForeignObjectsAreLeftAlone(t *testing.T) {
	store := mem.Open()
	for _, key := range []string{"journal/README", "journal/7", "journal/floor/x", "journals/00000000000000000000"} {
		if err := store.Put(t.Context(), key, []byte("foreign")); err != nil {
			t.Fatal(err)
		}
	}
	j := mustOpen(t, store, small)
	mustAppend(t, j, "one", "two")
	if err := j.Trim(2); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, mustOpen(t, store, small), "three")
	all, err := store.List(t.Context(), "")
	foreign := 0
	for _, o := range all {
		if o.Bytes == int64(len("foreign")) {
			foreign++
		}
	}
	if err != nil || foreign != 4 {
		t.Errorf("of 4 foreign objects %d are left: %v, %v", foreign, all, err)
	}
}
