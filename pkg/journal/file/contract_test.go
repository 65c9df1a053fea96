package file

import (
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

// simPlace is a place on a disk that can fail, fill up and lose its power.
func simPlace(d *simDisk, f *faults, o Options) *journaltest.Place {
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
	journaltest.Run(t, func(testing.TB) *journaltest.Place { return simPlace(newSimDisk(1), &faults{}, small) })
}

// The driver keeps the contract in a directory, of which a killed process leaves all it has written.
func TestContractInDirectory(t *testing.T) {
	journaltest.Run(t, func(t testing.TB) *journaltest.Place { return dirPlace(t.TempDir(), small) })
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
