package objstoretest_test

import (
	"errors"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/objstore"
	"github.com/heraclitus/heraclitus/pkg/objstore/mem"
	"github.com/heraclitus/heraclitus/pkg/objstore/objstoretest"
)

// Wrappers that are not asked for anything keep the contract.
func TestWrappersKeepTheContract(t *testing.T) {
	objstoretest.Run(t, func(testing.TB) objstore.Store {
		return objstoretest.NewTrace(objstoretest.NewFaulty(mem.Open()))
	})
}

// A fault befalls the write that it is meant for, and no other: cut, it does not happen; lost, it does; late, it does
// after some other operations, or when what is late is flushed.
func TestFaults(t *testing.T) {
	there := func(s objstore.Store, key string) bool {
		_, err := s.Get(t.Context(), key)
		return err == nil
	}
	f := func(fault objstoretest.Fault, happens bool) *objstoretest.Faulty {
		t.Helper()
		s := objstoretest.NewFaulty(mem.Open())
		happened := s.Nth(2, fault)
		if err := s.Put(t.Context(), "first", nil); err != nil || happened() {
			t.Errorf("fault %d befell the first write: %v", fault, err)
		}
		err := s.PutIfAbsent(t.Context(), "second", nil)
		if !errors.Is(err, objstoretest.ErrFault) || !errors.Is(err, objstore.ErrUnknown) || !happened() {
			t.Errorf("fault %d: the write ended in %v", fault, err)
		}
		if got := there(s.Store, "second"); got != happens {
			t.Errorf("fault %d: the write happened: %v", fault, got)
		}
		if err := s.Put(t.Context(), "third", nil); err != nil {
			t.Errorf("fault %d befell the third write: %v", fault, err)
		}
		return s
	}
	f(objstoretest.Cut, false)
	f(objstoretest.Lost, true)
	s := f(objstoretest.Late, false)
	for range 2 {
		if there(s, "second") {
			t.Error("what is late happened at once")
		}
	}
	if !there(s, "second") {
		t.Error("what is late did not happen")
	}
	s = f(objstoretest.Late, false)
	s.Flush()
	if !there(s.Store, "second") {
		t.Error("what is late did not happen when it was flushed")
	}
	s.On(func(o objstoretest.Operation) objstoretest.Fault { return objstoretest.Cut })
	if _, err := s.List(t.Context(), ""); !errors.Is(err, objstoretest.ErrFault) || errors.Is(err, objstore.ErrUnknown) {
		t.Errorf("a listing that was cut ended in %v", err)
	}
}

// A trace has a line for each call, with the names of errors, once.
func TestTrace(t *testing.T) {
	s := objstoretest.NewTrace(mem.Open())
	s.PutIfAbsent(t.Context(), "a/b", []byte("12345"))
	s.PutIfAbsent(t.Context(), "a/b", nil)
	s.GetRange(t.Context(), "a/b", make([]byte, 2), 1)
	_, v, _ := s.GetVersion(t.Context(), "a/b")
	s.PutIfMatch(t.Context(), "a/b", []byte("1"), v)
	s.Put(t.Context(), "a/b", nil)
	s.List(t.Context(), "a/")
	s.Delete(t.Context(), "a/b")
	s.Get(t.Context(), "a/b")
	want := `put-if-absent a/b 5 bytes
put-if-absent a/b 0 bytes: condition of the write does not hold
get a/b 2 bytes at 1
get a/b 5 bytes with version
put-if-match a/b 1 bytes
put a/b 0 bytes
list a/ 1 objects
delete a/b
get a/b 0 bytes: object is absent
`
	if got := s.Take(); got != want {
		t.Errorf("the trace is\n%s, want\n%s", got, want)
	}
	if got := s.Take(); got != "" {
		t.Errorf("taken once more it is\n%s", got)
	}
}
