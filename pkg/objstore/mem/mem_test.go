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
