package file

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/journal/journaltest"
)

// lazy has no entry synced but by Sync, in tests that take less than an hour.
var lazy = Options{FileBytes: 64 << 10, EntryBytesMax: 20_000, SyncInterval: time.Hour, Log: small.Log}

// A lazyTrial appends to a journal with an interval, cuts the power, and looks at what is left.
type lazyTrial struct {
	disk    *simDisk
	rand    *rand.Rand
	entries [][]byte // what was appended, by slot
	synced  uint64   // what the last completed Sync, or the opening, covers
	floor   uint64

	// What makes the driver a broken twin of itself: which calls sync nothing.
	forgetsSync, forgetsRoll bool
}

const lazyRounds = 60

// run goes through power cuts at random and returns what does not hold after one of them.
func (l *lazyTrial) run() error {
	for round := range lazyRounds {
		if err := l.round(); err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
		l.disk.cutPower()
	}
	return nil
}

func (l *lazyTrial) round() error {
	running := &process{}
	j, err := openOn(faultyDisk{l.disk, &faults{}, running}, "sim", complete(lazy))
	if err != nil {
		return err
	}
	defer j.Close()
	defer running.kill() // first, so that closing makes nothing durable
	if err := l.audit(j); err != nil {
		return err
	}
	for range l.rand.IntN(30) {
		if err := l.step(j); err != nil {
			return err
		}
	}
	return nil
}

func (l *lazyTrial) step(j *Journal) error {
	next := uint64(len(l.entries))
	switch n := l.rand.IntN(20); {
	case n == 0:
		l.synced = next
		l.disk.forgetVolumes(l.forgetsSync)
		defer l.disk.forgetVolumes(false)
		return j.Sync()
	case n == 1:
		l.floor += l.rand.Uint64N(next - l.floor + 1)
		return j.Trim(l.floor)
	}
	entry := make([]byte, l.rand.IntN(2)*l.rand.IntN(lazy.EntryBytesMax)+8) // half of them in one block, where others were before
	for i := range entry {
		entry[i] = byte(l.rand.Uint32())
	}
	l.entries = append(l.entries, entry)
	l.disk.forgetVolumes(l.forgetsRoll)
	defer l.disk.forgetVolumes(false)
	return j.Append(next, entry)
}

// audit checks that what is left is a prefix, and not shorter than what was synced, and goes on with it.
func (l *lazyTrial) audit(j *Journal) error {
	floor, next := j.Bounds()
	if floor != l.floor || next < l.synced || next > uint64(len(l.entries)) {
		return fmt.Errorf("slots %d to %d are left, want %d to between %d and %d", floor, next, l.floor, l.synced, len(l.entries))
	}
	l.entries, l.synced = l.entries[:next], next
	return j.Replay(floor, func(slot uint64, entry []byte) error {
		if !bytes.Equal(entry, l.entries[slot]) {
			return fmt.Errorf("slot %d holds other bytes", slot)
		}
		return nil
	})
}

func runLazy(seed uint64, broken func(l *lazyTrial)) error {
	l := &lazyTrial{disk: newSimDisk(seed), rand: rand.New(rand.NewPCG(seed, 1))}
	broken(l)
	return l.run()
}

const lazySeeds = 4

// With an interval, a power cut at any moment leaves a prefix that has everything up to the last completed Sync, and what it
// cuts off never comes back.
func TestPowerCutLeavesPrefix(t *testing.T) {
	for seed := range uint64(lazySeeds) {
		if err := runLazy(seed, func(*lazyTrial) {}); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}

// The test above finds a driver that leaves out what it shows; here it is the disk that leaves it out for the driver.
func TestBrokenLazyTwinsFail(t *testing.T) {
	f := func(what string, broken func(l *lazyTrial)) {
		t.Helper()
		for seed := range uint64(lazySeeds) {
			if runLazy(seed, broken) != nil {
				return
			}
		}
		t.Errorf("a driver that %s passes", what)
	}
	f("does not overwrite headers of what is cut off", func(l *lazyTrial) { l.disk.ignoresZeros = true })
	f("does not sync when it is asked to", func(l *lazyTrial) { l.forgetsSync = true })
	f("does not sync a volume that is full", func(l *lazyTrial) { l.forgetsRoll = true })
}

// A journal cannot end below its floor: Trim syncs first.
func TestTrimSyncsFirst(t *testing.T) {
	f := func(forgets bool) error {
		d := newSimDisk(1)
		running := &process{}
		j, err := openOn(faultyDisk{d, &faults{}, running}, "sim", complete(lazy))
		if err != nil {
			t.Fatal(err)
		}
		mustAppend(t, j, 1, 2, 3, 4, 5, 6)
		d.forgetVolumes(forgets)
		if err := j.Trim(6); err != nil {
			t.Fatal(err)
		}
		running.kill()
		j.Close()
		d.cutPower()
		j, err = openOn(d, "sim", complete(lazy))
		if err == nil {
			j.Close()
		}
		return err
	}
	if err := f(false); err != nil {
		t.Error(err)
	}
	if err := f(true); !errors.Is(err, journal.ErrDamaged) {
		t.Errorf("a trim that does not sync first: %v", err)
	}
}

// The driver keeps the contract with an interval, as far as it is about processes that are killed and disks that fail
// and fill up.
func TestContractWithInterval(t *testing.T) {
	o := lazy
	o.SyncInterval = time.Millisecond
	journaltest.Run(t, func(testing.TB) *journaltest.Place {
		p := simPlace(newSimDisk(1), &faults{}, o)
		crash := p.Crash
		p.Crash = func(bool) { crash(false) }
		return p
	})
}

// What is appended is synced an interval later, with one sync for all of it, and none after that; Close syncs what is left.
func TestEntriesAreSyncedEveryInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSimDisk(1)
		j := mustOpen(t, d, lazy)
		syncs := func() int { d.mu.Lock(); defer d.mu.Unlock(); return d.seen()[volumeName(0)].syncs }
		f := func(want int) {
			t.Helper()
			synctest.Wait()
			if got := syncs(); got != want {
				t.Errorf("%d syncs, want %d", got, want)
			}
		}
		begun := syncs()
		mustAppend(t, j, 1, 2, 3)
		time.Sleep(lazy.SyncInterval - 1)
		f(begun)
		time.Sleep(1)
		f(begun + 1)
		time.Sleep(3 * lazy.SyncInterval)
		f(begun + 1)
		mustAppend(t, j, 4)
		if err := j.Close(); err != nil {
			t.Error(err)
		}
		f(begun + 2)
	})
}

// A sync between appends that fails ends writing, with a word in the log, and Close does not say that all is durable.
func TestFailedIntervalSyncBreaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, running := &faults{}, &process{}
		var log bytes.Buffer
		o := lazy
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
		j, err := openOn(faultyDisk{newSimDisk(1), f, running}, "sim", complete(o))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(lazy.SyncInterval / 2) // the spare is filled by then
		mustAppend(t, j, 1)
		happened := f.arm(1)
		time.Sleep(lazy.SyncInterval)
		synctest.Wait()
		if err := j.Append(1, nil); !happened() || !errors.Is(err, journal.ErrBroken) || !errors.Is(j.Sync(), journal.ErrBroken) {
			t.Errorf("append after a failed sync: %v", err)
		}
		if !strings.Contains(log.String(), "may not last") {
			t.Errorf("the log has %q", log.String())
		}
		mustRead(t, j, 0, 1, 1)
		if err := j.Close(); !errors.Is(err, journal.ErrBroken) {
			t.Errorf("close, with an entry that may not last, ended in %v", err)
		}
	})
}

// What is cut off is told, with where and how much. An entry that says of the missing one that it was durable makes
// it damage.
func TestLostEntriesAreTold(t *testing.T) {
	f := func(syncAfter int, want error, said string) {
		t.Helper()
		d := newSimDisk(1)
		j := mustOpen(t, d, lazy)
		for i := range 6 {
			mustAppend(t, j, 100)
			if i+1 == syncAfter {
				if err := j.Sync(); err != nil {
					t.Fatal(err)
				}
			}
		}
		j.Close()
		clear(d.file(volumeName(0))[3*blockBytes:][:sectorBytes]) // slot 2
		var log bytes.Buffer
		o := lazy
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
		j, err := openOn(d, "sim", complete(o))
		if !errors.Is(err, want) || !strings.Contains(log.String(), said) {
			t.Errorf("synced after %d entries: %v, the log has %q, want %v and %q", syncAfter, err, log.String(), want, said)
		}
		if err == nil {
			mustAppend(t, j, 100, 100, 100, 100)
			mustRead(t, j, 0, 6, 100)
			j.Close()
		}
	}
	said := fmt.Sprintf("file=sim/%s position=%d slot=2 entries=4", volumeName(0), 3*blockBytes)
	f(0, nil, said)
	f(2, nil, said)
	f(3, journal.ErrDamaged, "")
	f(5, journal.ErrDamaged, "")
}
