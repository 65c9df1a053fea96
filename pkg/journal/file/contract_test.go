package file

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/journal/journaltest"
)

// Small volumes, so that a few entries fill one.
var small = Options{FileBytes: 64 << 10, EntryBytesMax: 20_000, Log: slog.New(slog.DiscardHandler)}

// complete fills in what o leaves out.
func complete(o Options) Options {
	o, err := o.withDefaults()
	if err != nil {
		panic(err)
	}
	return o
}

// simPlace is a place on a disk that can fail, fill up and lose its power. It holds 16 volumes, so that space must be
// used again.
func simPlace(d *simDisk, f *faults, o Options) *journaltest.Place {
	d.bytes = 16 * o.FileBytes
	var running *process
	return &journaltest.Place{
		Open: func() (journal.Journal, error) {
			running = &process{}
			return openOn(faultyDisk{d, f, running}, "sim", complete(o))
		},
		EntryBytesMax: o.EntryBytesMax,
		Crash: func(power bool) {
			running.kill()
			if power {
				d.cutPower()
			}
		},
		Fail: f.arm,
		Fill: d.fill,
	}
}

// The driver keeps the contract on a simulated disk, whatever fails or gets lost there.
func TestContractOnSimulatedDisk(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			journaltest.Run(t, func(testing.TB) *journaltest.Place { return simPlace(newSimDisk(seed), &faults{}, small) })
		})
	}
}

// The driver keeps the contract in a directory, of which a killed process leaves all it has written.
func TestContractInDirectory(t *testing.T) {
	journaltest.Run(t, func(t testing.TB) *journaltest.Place { return dirPlace(t.TempDir(), small) })
}

// Entries of all lengths around those of a write are written and read back by the operating system.
func TestLargeEntriesInDirectory(t *testing.T) {
	newPlace := func(t testing.TB) *journaltest.Place {
		return dirPlace(t.TempDir(), Options{FileBytes: 12 << 20, EntryBytesMax: 5 << 20, Log: small.Log})
	}
	for _, check := range []string{"an entry is read back, whole and in part", "replay goes in order, from any slot"} {
		if err := journaltest.Failure(t, check, newPlace); err != nil {
			t.Errorf("%s: %v", check, err)
		}
	}
}

// dirPlace is a place in a directory.
func dirPlace(dir string, o Options) *journaltest.Place {
	var running *process
	f := &faults{}
	return &journaltest.Place{
		Open: func() (journal.Journal, error) {
			d, err := openDir(dir)
			if err != nil {
				return nil, err
			}
			running = &process{}
			return openOn(faultyDisk{d, f, running}, dir, complete(o))
		},
		EntryBytesMax: o.EntryBytesMax,
		Crash:         func(bool) { running.kill() },
		Fail:          f.arm,
	}
}

// The suite finds a driver that leaves out what keeps it safe from a disk; here it is the disk that leaves it out for
// the driver.
func TestBrokenTwinsFail(t *testing.T) {
	const (
		crashes  = "what was acknowledged survives crashes"
		failures = "what was acknowledged survives a failure anywhere"
	)
	f := func(what, check string, broken func(d *simDisk, f *faults)) {
		t.Helper()
		for seed := range uint64(20) { // with luck a driver gets through one of them
			err := journaltest.Failure(t, check, func(testing.TB) *journaltest.Place {
				d, f := newSimDisk(seed), &faults{}
				broken(d, f)
				return simPlace(d, f, small)
			})
			if err != nil {
				return
			}
		}
		t.Errorf("a driver that %s passes %q", what, check)
	}
	f("does not sync entries", crashes, func(d *simDisk, _ *faults) { d.forgetsBytes = true })
	f("does not sync names", crashes, func(d *simDisk, _ *faults) { d.forgetsNames = true })
	f("ignores that a sync failed", failures, func(_ *simDisk, f *faults) { f.ignoresSync = true })
	f("does not write the end once more when it opens", failures, func(d *simDisk, _ *faults) { d.ignoresSame = true })
}
