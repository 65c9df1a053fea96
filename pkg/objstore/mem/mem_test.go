package mem_test

import (
	"testing"

	"github.com/heraclitus/heraclitus/pkg/objstore"
	"github.com/heraclitus/heraclitus/pkg/objstore/mem"
	"github.com/heraclitus/heraclitus/pkg/objstore/objstoretest"
)

// The driver in memory keeps the contract.
func TestContract(t *testing.T) {
	objstoretest.Run(t, func(testing.TB) objstore.Store { return mem.Open() })
}

// TestBounded shows that a store refuses what is too much, and has room again for what is deleted or replaced.
func TestBounded(t *testing.T) {
	s := mem.OpenBounded(10)
	f := func(key string, bytes int, want bool) {
		t.Helper()
		if err := s.Put(t.Context(), key, make([]byte, bytes)); (err == nil) != want {
			t.Errorf("%d bytes: %v", bytes, err)
		}
	}
	f("a", 6, true)
	f("b", 5, false)
	f("b", 4, true)
	f("a", 7, false)
	f("a", 5, true)
	f("b", 5, true)
	s.Delete(t.Context(), "a")
	f("c", 6, false)
	f("c", 5, true)
}
