package s3_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/objstore"
	"github.com/heraclitus/heraclitus/pkg/objstore/objstoretest"
	"github.com/heraclitus/heraclitus/pkg/objstore/s3/s3test"
)

// The driver keeps the contract on a real server.
func TestContract(t *testing.T) {
	server := s3test.Start(t)
	var stores atomic.Int64
	objstoretest.Run(t, func(t testing.TB) objstore.Store {
		return server.Open(t, fmt.Sprintf("store-%d", stores.Add(1)))
	})
}
