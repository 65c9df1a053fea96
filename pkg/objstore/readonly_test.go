package objstore_test

import (
	"errors"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/objstore"
	"github.com/heraclitus/heraclitus/pkg/objstore/mem"
)

// TestReadOnly shows that a store that is only looked at shows the objects, and changes none.
func TestReadOnly(t *testing.T) {
	s := mem.Open()
	if err := s.Put(t.Context(), "a/b", []byte("one")); err != nil {
		t.Fatal(err)
	}
	r := objstore.ReadOnly(s)
	_, version, err := r.GetVersion(t.Context(), "a/b")
	if err != nil {
		t.Fatal(err)
	}
	f := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, objstore.ErrReadOnly) {
			t.Errorf("%s ends in %v", what, err)
		}
	}
	f("put", r.Put(t.Context(), "a/b", []byte("two")))
	f("put if absent", r.PutIfAbsent(t.Context(), "a/c", nil))
	f("put if match", r.PutIfMatch(t.Context(), "a/b", []byte("two"), version))
	f("delete", r.Delete(t.Context(), "a/b"))
	all, err := r.List(t.Context(), "")
	got, err2 := r.Get(t.Context(), "a/b")
	if err = errors.Join(err, err2); err != nil || len(all) != 1 || string(got) != "one" {
		t.Errorf("it holds %v, %q, %v", all, got, err)
	}
}
