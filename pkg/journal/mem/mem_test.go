package mem_test

import (
	"testing"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/journal/journaltest"
	"github.com/heraclitus/heraclitus/pkg/journal/mem"
)

// The driver in memory keeps the contract; it is full when BytesMax is reached, and has space again after Trim.
func TestContract(t *testing.T) {
	journaltest.Run(t, func(testing.TB) *journaltest.Place {
		const entryBytesMax = 1<<20 + 100_000 // more than a block
		var open journal.Journal
		return &journaltest.Place{
			Open: func() (journal.Journal, error) {
				open = mem.Open(mem.Options{BytesMax: 6 * entryBytesMax, EntryBytesMax: entryBytesMax})
				return open, nil
			},
			EntryBytesMax: entryBytesMax,
			Fill: func(full bool) {
				if _, next := open.Bounds(); !full {
					open.Trim(next)
				}
			},
		}
	})
}
