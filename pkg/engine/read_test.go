package engine

import (
	"errors"
	"fmt"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/journal/mem"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// These tests show what is read from a journal whose bytes are damaged or trimmed meanwhile, how much a read gives, and that
// searches by time see the records that are there and no others.

// readHook is a journal in whose reads a test has a hand.
type readHook struct {
	journal.Journal
	hook func(slot uint64, p []byte, off int64) error // called after each good read
}

func (j *readHook) ReadAt(slot uint64, p []byte, off int64) error {
	if err := j.Journal.ReadAt(slot, p, off); err != nil || j.hook == nil {
		return err
	}
	return j.hook(slot, p, off)
}

// newColdRig returns a rig on a journal with a hook, and a topic of one partition with what fill produced, none of it in memory.
func newColdRig(t *testing.T, fill func(r *rig, id state.ID)) (*rig, *readHook, state.ID) {
	t.Helper()
	j := &readHook{Journal: mem.Open(mem.Options{})}
	r := newRigOver(t, j, Options{})
	id := r.create("orders", 1, forEver)
	fill(r, id)
	r.crash()
	return r, j, id
}

// together appends batches in one entry.
func (r *rig) together(id state.ID, batches ...[]byte) {
	r.t.Helper()
	release := r.journal.hold()
	var first, rest Pending
	first.Reset(1)
	r.AppendBatch(&first, 0, id, 99, batches[0]) // to a partition that does not exist: it occupies the committer
	<-r.journal.held
	rest.Reset(len(batches))
	for i, b := range batches {
		r.AppendBatch(&rest, i, id, 0, b)
	}
	release()
	first.Wait(0, nil)
	rest.Wait(0, nil)
}

// TestDamageIsNeverRead flips every bit that is read back of two batches side by side: a read says that they are damaged, or
// they are as they were.
func TestDamageIsNeverRead(t *testing.T) {
	r, j, id := newColdRig(t, func(r *rig, id state.ID) { r.together(id, batchOf("a"), batchOf("b", "c")) })
	damaged := 0
	for bit := 0; ; bit++ {
		beyond := false
		j.hook = func(_ uint64, p []byte, _ int64) error {
			if beyond = bit >= 8*len(p); !beyond {
				p[bit/8] ^= 1 << (bit % 8)
			}
			return nil
		}
		var pins Pins
		log, err := r.Read(id, 0, 0, 1<<20, true, &pins)
		if beyond {
			break
		}
		if err == nil && fmt.Sprint(valuesOf(t, log.Parts)) != "[0:a 1:b 2:c]" {
			t.Fatalf("bit %d: read %v", bit, valuesOf(t, log.Parts))
		}
		if err != nil {
			damaged++
			if !errors.Is(err, kerr.KafkaStorageError) {
				t.Fatalf("bit %d: %v", bit, err)
			}
		}
		pins.Release()
	}
	if harmless := 8 * (2*12 + state.ProduceHeaderBytes); damaged == 0 || damaged < 8*(2*record.HeaderBytes)-harmless {
		t.Errorf("%d flipped bits were noticed", damaged)
	}
}

// valuesOf returns what the records of batches say.
func valuesOf(t *testing.T, parts [][]byte) (values []string) {
	t.Helper()
	for _, part := range parts {
		for rec, err := range record.Batch(part).Records() {
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, fmt.Sprintf("%d:%s", rec.Offset, rec.Value))
		}
	}
	return values
}

// TestReadUpToDamage shows that what lies before a damaged batch is read, and what lies behind it. A read that came upon the
// damage after good batches once gave nothing at all, and so nothing before it could be consumed.
func TestReadUpToDamage(t *testing.T) {
	var slots []uint64
	r, j, id := newColdRig(t, func(r *rig, id state.ID) {
		for i := range 5 {
			_, next := r.journal.Bounds()
			slots = append(slots, next)
			r.produce(id, batchOf(fmt.Sprint(i)))
		}
	})
	j.hook = func(slot uint64, p []byte, _ int64) error {
		if slot == slots[2] {
			p[len(p)-1] ^= 1
		}
		return nil
	}
	f := func(offset int64, want string) {
		t.Helper()
		var pins Pins
		defer pins.Release()
		log, err := r.Read(id, 0, offset, 1<<20, true, &pins)
		got := fmt.Sprint(valuesOf(t, log.Parts))
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("read at %d: %s, want %s", offset, got, want)
		}
	}
	f(0, "[0:0 1:1]")
	f(1, "[1:1]")
	f(2, kerr.KafkaStorageError.Error())
	f(3, "[3:3 4:4]")
	if _, err := r.Do(state.MoveLogStart{ID: id, Offset: 2}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.OffsetForTime(id, 0, 1); !errors.Is(err, kerr.KafkaStorageError) {
		t.Errorf("search of a damaged batch: %v", err)
	}
}

// TestReadWhileTrimmed has what is about to be read trimmed: reads and searches see what is left.
func TestReadWhileTrimmed(t *testing.T) {
	r, j, id := newColdRig(t, func(r *rig, id state.ID) {
		for i := range int64(5) {
			r.produce(id, batchAt(100+i, fmt.Sprint(i)))
		}
	})
	start := int64(0)
	trimsOnce := func() {
		start++
		j.hook = func(uint64, []byte, int64) error {
			j.hook = nil
			if _, err := r.Do(state.MoveLogStart{ID: id, Offset: start}); err != nil {
				t.Error(err)
			}
			return journal.ErrTrimmed
		}
	}
	trimsOnce()
	if log, err := r.Read(id, 0, 0, 1<<20, true, &Pins{}); !errors.Is(err, kerr.OffsetOutOfRange) || log.Start != 1 {
		t.Errorf("read: %v, log start %d", err, log.Start)
	}
	trimsOnce()
	if offset, ms, err := r.OffsetForTime(id, 0, 0); err != nil || offset != 2 || ms != 102 {
		t.Errorf("search: offset %d, time %d, %v", offset, ms, err)
	}
	j.hook = func(uint64, []byte, int64) error { return journal.ErrTrimmed }
	if _, err := r.Read(id, 0, 2, 1<<20, true, &Pins{}); !errors.Is(err, kerr.KafkaStorageError) {
		t.Errorf("read of what is always trimmed: %v", err)
	}
	if _, _, err := r.OffsetForTime(id, 0, 0); !errors.Is(err, kerr.KafkaStorageError) {
		t.Errorf("search of what is always trimmed: %v", err)
	}
}

// TestReadFillsItsLimit reads from the end of a large extent, with many small ones behind it. That the first extent is large
// once made the read stop after the second, and a fetch that wants more wait although it was there.
func TestReadFillsItsLimit(t *testing.T) {
	r := newRig(t, Options{})
	id := r.create("orders", 1, forEver)
	one := batchOfBytes(1000)
	r.together(id, one, one, one, one, one, one, one, one, one, one)
	for range 10 {
		r.produce(id, one)
	}
	var pins Pins
	defer pins.Release()
	if log, err := r.Read(id, 0, 9, 5000, true, &pins); err != nil || log.Bytes != 5000 {
		t.Errorf("%d bytes, %v; want 5000", log.Bytes, err)
	}
}

// TestLargestTimeAfterTheLogStart has the largest timestamps of an extent before the log start: they are not there any more. The
// answer once was that there are no records.
func TestLargestTimeAfterTheLogStart(t *testing.T) {
	r := newRig(t, Options{})
	id := r.create("orders", 1, forEver)
	r.together(id, batchAt(900, "a"), batchAt(100, "b"), batchAt(200, "c", "d"))
	f := func(start, wantOffset, wantMs int64) {
		t.Helper()
		if _, err := r.Do(state.MoveLogStart{ID: id, Offset: start}); err != nil {
			t.Fatal(err)
		}
		offset, ms, err := r.OffsetOfMaxTime(id, 0)
		if err != nil || offset != wantOffset || ms != wantMs {
			t.Errorf("from %d: offset %d, time %d, %v; want %d, %d", start, offset, ms, err, wantOffset, wantMs)
		}
	}
	f(0, 0, 900)
	f(1, 2, 200)
	f(3, 3, 200)
	r.produce(id, batchAt(200, "e"))
	if offset, ms, err := r.OffsetForTime(id, 0, 100); err != nil || offset != 3 || ms != 200 {
		t.Errorf("time 100: offset %d, time %d, %v", offset, ms, err)
	}
	f(3, 3, 200)
	r.produce(id, batchAt(300, "f"))
	f(3, 5, 300)
	if offset, ms, err := r.OffsetForTime(id, 0, 201); err != nil || offset != 5 || ms != 300 {
		t.Errorf("time 201, of which the extent that is cut holds a later one: offset %d, time %d, %v", offset, ms, err)
	}
	f(4, 5, 300)
	f(6, -1, -1)
	r.produce(id, batchAt(record.NoTimestamp, "no time"))
	f(6, 6, -1)
	r.produce(id, batchAt(5, "g"))
	f(6, 7, 5)
}

// TestPinsGiveMemoryBack reads many small batches, and then has the pins keep no room for as many.
func TestPinsGiveMemoryBack(t *testing.T) {
	const total = 2 * pinsKeptMax
	r := newRig(t, Options{})
	id := r.create("orders", 2, forEver)
	one := batchOf("a")
	var g Pending
	g.Reset(2 * total)
	for i := range 2 * total {
		r.AppendBatch(&g, i, id, int32(i%2), one) // by turns, so that each has an extent of its own
	}
	g.Wait(0, nil)
	var pins Pins
	if log, err := r.Read(id, 0, 0, 64<<20, true, &pins); err != nil || len(log.Parts) != total {
		t.Fatalf("%d batches, %v", len(log.Parts), err)
	}
	pins.Release()
	if n := max(cap(pins.chunks), cap(pins.parts), cap(pins.extents)); n > pinsKeptMax {
		t.Errorf("room for %d things is kept", n)
	}
}

// TestServedIsCountedOnce reads a record twice, as a fetch that waits does, before it is sent: it is counted once.
func TestServedIsCountedOnce(t *testing.T) {
	r := newRig(t, Options{})
	id := r.create("orders", 1)
	one := batchOf("a")
	r.produce(id, one)
	var pins Pins
	for range 2 {
		pins.Release()
		if _, err := r.Read(id, 0, 0, 1<<20, true, &pins); err != nil {
			t.Fatal(err)
		}
	}
	r.Served(&pins)
	if n, bytes := r.options.Metrics.MessagesOut.Get(), r.options.Metrics.BytesOut.Get(); n != 1 || bytes != uint64(len(one)) {
		t.Errorf("counted %d records and %d bytes, want 1 and %d", n, bytes, len(one))
	}
}
