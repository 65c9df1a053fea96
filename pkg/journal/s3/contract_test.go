package s3

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/journal/journaltest"
	"github.com/heraclitus/heraclitus/pkg/objstore"
	"github.com/heraclitus/heraclitus/pkg/objstore/mem"
	"github.com/heraclitus/heraclitus/pkg/objstore/objstoretest"
	"github.com/heraclitus/heraclitus/pkg/objstore/s3/s3test"
)

var small = Options{EntryBytesMax: 20_000, Log: slog.New(slog.DiscardHandler)}

// process returns a store as one process sees it, and what ends that process: nothing it does from then on reaches
// the store.
func process(s objstore.Store) (objstore.Store, func()) {
	var killed atomic.Bool
	seen := objstoretest.NewFaulty(s)
	seen.On(func(objstoretest.Operation) objstoretest.Fault {
		if killed.Load() {
			return objstoretest.Cut
		}
		return objstoretest.None
	})
	return seen, func() { killed.Store(true) }
}

// place is a place in a store, each process of which can be killed. Operations fail in all ways there are, by a seed.
func place(s objstore.Store, o Options, seed uint64) *journaltest.Place {
	kill := func() {}
	faulty := objstoretest.NewFaulty(s)
	r := rand.New(rand.NewPCG(seed, 0))
	return &journaltest.Place{
		Open: func() (journal.Journal, error) {
			var seen objstore.Store
			seen, kill = process(faulty)
			j, err := Open(context.Background(), seen, o)
			if err != nil {
				return nil, err
			}
			return j, nil
		},
		EntryBytesMax: o.EntryBytesMax,
		Crash:         func(bool) { kill() },
		Fail: func(n int) func() bool {
			return faulty.Nth(n, []objstoretest.Fault{objstoretest.Cut, objstoretest.Lost, objstoretest.Late}[r.IntN(3)])
		},
	}
}

// The driver keeps the contract, whatever is cut, lost or late.
func TestContractInMemory(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			journaltest.Run(t, func(testing.TB) *journaltest.Place { return place(mem.Open(), small, seed) })
		})
	}
}

// The driver keeps the contract on a real server.
func TestContractOnServer(t *testing.T) {
	server := s3test.Start(t)
	var places atomic.Uint64
	journaltest.Run(t, func(t testing.TB) *journaltest.Place {
		n := places.Add(1)
		return place(server.Open(t, fmt.Sprintf("place-%d", n)), small, n)
	})
}
