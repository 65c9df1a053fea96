package engine

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/journal/mem"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/objstore"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// These tests have a disk run out of room at each write of archiving, merging, compacting, sweeping, checkpointing and trimming
// in turn, and have room again after some minutes. Meanwhile the server goes on: what there is can be read, and records are
// accepted, or refused with an error that clients retry. Afterwards all that was begun is finished, without anybody's help:
// nothing is lost, and nothing left behind.

// disk is what a journal and a store are on together.
type disk struct {
	reserve bool // the journal has set room aside, so that what gives space back has room to the last
	frees   bool // to delete and to trim takes no room, as it does on disks that write what they change elsewhere
	forgets bool // the broken twin: it takes objects that it has no room for, and does not have them later
	clings  bool // another: it says that it deletes, and does not

	mu        sync.Mutex
	left      int    // writes there is room for
	first     string // what there was no room for at first
	forgotten []string
}

// roomy is room for all there can be.
const roomy = math.MaxInt

// write takes room for one write, which is named by what it does.
func (d *disk) write(what string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left > 0 {
		d.left--
		return nil
	}
	if d.first == "" {
		d.first = what
	}
	return fmt.Errorf("%s: %w", what, syscall.ENOSPC)
}

// resize leaves room for so many writes from now on.
func (d *disk) resize(writes int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left = writes
}

// lacked returns what there was no room for at first; nothing when there was for all.
func (d *disk) lacked() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.first
}

func (d *disk) isFull() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.left == 0
}

// diskJournal is a journal on a disk.
type diskJournal struct {
	journal.Journal
	disk *disk
}

func noSpace(err error) error {
	if err != nil {
		err = fmt.Errorf("%w: %w", journal.ErrNoSpace, err)
	}
	return err
}

func (j *diskJournal) Append(slot uint64, entry []byte) error {
	if !j.disk.reserve {
		if err := noSpace(j.disk.write("append")); err != nil {
			return err
		}
	}
	return j.Journal.Append(slot, entry)
}

func (j *diskJournal) Trim(below uint64) error {
	if !j.disk.frees {
		if err := noSpace(j.disk.write("trim")); err != nil {
			return err
		}
	}
	return j.Journal.Trim(below)
}

func (j *diskJournal) MakeRoom(n int64) error {
	if j.disk.isFull() {
		return journal.ErrNoSpace
	}
	return j.Journal.MakeRoom(n)
}

// diskStore is a store on a disk.
type diskStore struct {
	objstore.Store
	disk *disk
}

func (s *diskStore) Put(ctx context.Context, key string, b []byte) error {
	if err := s.disk.write("put " + kindOf(key)); err != nil && !s.disk.forgets {
		return err
	} else if err != nil {
		s.disk.forgotten = append(s.disk.forgotten, key)
	}
	return s.Store.Put(ctx, key, b)
}

func (s *diskStore) Delete(ctx context.Context, key string) error {
	if !s.disk.frees {
		if err := s.disk.write("delete " + kindOf(key)); err != nil {
			return err
		}
	}
	if s.disk.clings {
		return nil
	}
	return s.Store.Delete(ctx, key)
}

// kindOf is what kind of object a key is of. Copies of checkpoints are checkpoints.
func kindOf(key string) string {
	if IsSegmentKey(key) {
		return "segment"
	}
	return "checkpoint"
}

// shortage is a server on a disk that runs out of room.
type shortage struct {
	*rig
	disk          *disk
	orders, users state.ID
	want          []string // of orders
	faults        []string
}

// newShortage prepares a server that has everything to do: records that are not archived yet, segments that are to be merged
// with them, keys that came twice, a topic that is deleted, and a checkpoint that is old. It runs from now on.
func newShortage(t *testing.T, d *disk) *shortage {
	d.resize(roomy)
	s := &shortage{rig: newRigOver(t, &diskJournal{mem.Open(mem.Options{}), d}, Options{CacheBytesMax: 1}), disk: d}
	s.orders = s.create("orders", 1, forEver, atOnce)
	s.users = s.create("users", 1, forEver, atOnce, compacted)
	gone := s.create("gone", 1, forEver, atOnce)
	s.rig.produce(gone, batchOf("gone"))
	for range 2*mergeCount - 2 {
		s.produce()
		s.archive()
	}
	s.produce()
	s.rig.produce(s.users, keyed("a=1", "b=1", "a=2", "b=2", "c=1"))
	if _, err := s.Do(state.DeleteTopic{ID: gone}); err != nil {
		t.Fatal(err)
	}
	return s
}

// run has the server do what there is to do on what is left of the disk.
func (s *shortage) run(writes int) {
	s.t.Helper()
	s.Close()
	s.disk.resize(writes)
	o := s.options
	o.ArchiveCheck, o.RetentionCheck, o.CheckpointBytes = time.Second, time.Minute, 1
	var err error
	if s.Engine, err = Open(s.journal, &diskStore{s.store, s.disk}, o); err != nil {
		s.t.Fatal(err)
	}
	time.Sleep(3 * time.Minute)
}

// produce appends a record, and takes in what came of it.
func (s *shortage) produce() {
	got := s.rig.produce(s.orders, batchOf(fmt.Sprint(len(s.want))))[0]
	switch {
	case got.Code == kerr.None:
		s.want = append(s.want, fmt.Sprintf("%d:%d", got.Offset, len(s.want)))
	case got.Code != kerr.KafkaStorageError:
		s.note("a record is refused with %v", got.Code)
	}
}

func (s *shortage) note(format string, args ...any) {
	s.faults = append(s.faults, fmt.Sprintf(format, args...))
}

// look notes what cannot be read.
func (s *shortage) look(when string) {
	if err := s.Err(); err != nil {
		s.note("%s: the server has given up: %v", when, err)
	}
	if got, err := s.read(s.orders, 0); err != nil || !slices.Equal(got, s.want) {
		s.note("%s: lost: read %q, %v", when, got, err)
	}
}

// lookBehind notes what is not done though there is room for all.
func (s *shortage) lookBehind() {
	if err := s.Ready(); err != nil {
		s.note("not recovered: %v", err)
	}
	if floor, next := s.journal.Bounds(); floor != next {
		s.note("the journal holds entries %d to %d", floor, next)
	}
	if got, want := s.objects(), s.segmentKeys(); !slices.Equal(got, want) {
		s.note("garbage: objects %q, segments %q", got, want)
	}
	if got, err := s.checkpoints(); err != nil || len(got) != 1 {
		s.note("checkpoints at %d, %v", got, err)
	}
	if got, err := s.read(s.users, 0); err != nil || fmt.Sprint(got) != "[2:2 3:2 4:1]" {
		s.note("compacted: %s, %v", got, err)
	}
}

// pass lets a disk be full for some minutes from the write on that follows so many, and room be there again if it ends. It
// returns what there was no room for at first, nothing when it was no write of the server's own, and what went wrong.
func (d *disk) pass(t *testing.T, writes int, ends bool) (first string, faults []string) {
	synctest.Test(t, func(t *testing.T) {
		s := newShortage(t, d)
		s.run(writes)
		first = d.lacked()
		for range 10 {
			s.look("without room")
			s.produce()
			time.Sleep(20 * time.Second)
		}
		if ends {
			d.resize(roomy)
		}
		for _, key := range d.forgotten {
			if err := s.store.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(3 * time.Minute)
		s.look("with room")
		s.produce()
		time.Sleep(3 * time.Minute)
		s.lookBehind()
		s.look("all done")
		d.resize(roomy)
		s.crash()
		s.look("after a crash")
		faults = s.faults
	})
	return first, faults
}

// TestDiskFullAtEveryStep has each write in turn be the first without room, on disks of all kinds.
func TestDiskFullAtEveryStep(t *testing.T) {
	every := []string{"put segment", "put checkpoint"}
	changes := []string{"delete segment", "delete checkpoint", "trim"}
	f := func(reserve, frees bool, kinds ...string) {
		t.Helper()
		lacked := map[string]int{}
		for writes := 0; ; writes++ {
			first, faults := (&disk{reserve: reserve, frees: frees}).pass(t, writes, true)
			if len(faults) > 0 {
				t.Errorf("reserve %v, frees %v, room for %d writes, but for no %s: %s", reserve, frees, writes, first, strings.Join(faults, "\n"))
			}
			if first == "" {
				break
			}
			lacked[first]++
		}
		t.Logf("reserve %v, frees %v: the first without room was %v", reserve, frees, lacked)
		for _, kind := range kinds {
			if lacked[kind] == 0 {
				t.Errorf("reserve %v, frees %v: %s was never the first without room", reserve, frees, kind)
			}
		}
	}
	f(true, true, every...)
	f(false, true, slices.Concat(every, []string{"append"})...)
	f(true, false, slices.Concat(every, changes)...)
	f(false, false, slices.Concat(every, changes, []string{"append"})...)
}

// TestDiskFullTwins shows that the check finds what is wrong: on a disk that never has room again, on one that takes what it
// has no room for and does not have it later, and on one that deletes nothing.
func TestDiskFullTwins(t *testing.T) {
	f := func(d *disk, ends bool, fault string) {
		t.Helper()
		_, faults := d.pass(t, 0, ends)
		if !slices.ContainsFunc(faults, func(s string) bool { return strings.Contains(s, fault) }) {
			t.Errorf("%s: found %q", fault, faults)
		}
	}
	f(&disk{}, false, "not recovered")
	f(&disk{forgets: true, frees: true, reserve: true}, true, "lost")
	f(&disk{clings: true}, true, "garbage")
}
