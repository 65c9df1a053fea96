package engine

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/journal/mem"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// These tests show that a journal without room refuses what takes space and goes on with everything else, that it always
// takes what gives space back, and that it recovers by itself.

// tight is a journal of which every entry takes whole blocks, of a number that can be changed.
type tight struct {
	journal.Journal
	mu     sync.Mutex
	blocks int64
	sizes  []int64       // in blocks, of the entries from the floor on
	slow   time.Duration // what MakeRoom takes
	calls  atomic.Int32  // under way
	t      testing.TB
}

const tightBlockBytes = 4096

func newTight(t testing.TB, blocks int64) *tight {
	return &tight{Journal: mem.Open(mem.Options{}), blocks: blocks, t: t}
}

func (j *tight) room() (blocks int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	blocks = j.blocks
	for _, n := range j.sizes {
		blocks -= n
	}
	return blocks
}

func (j *tight) resize(blocks int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.blocks = blocks
}

// alone notes that the one goroutine that may append and make room does so.
func (j *tight) alone() (done func()) {
	if j.calls.Add(1) > 1 {
		j.t.Error("the journal is called by two who append or make room")
	}
	return func() { j.calls.Add(-1) }
}

func (j *tight) Append(slot uint64, entry []byte) error {
	defer j.alone()()
	n := int64(len(entry)/tightBlockBytes + 1)
	if n > j.room() {
		return journal.ErrNoSpace
	}
	err := j.Journal.Append(slot, entry)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sizes = append(j.sizes, n)
	return err
}

func (j *tight) Trim(below uint64) error {
	floor, _ := j.Bounds()
	err := j.Journal.Trim(below)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sizes = j.sizes[below-min(floor, below):]
	return err
}

func (j *tight) MakeRoom(n int64) error {
	defer j.alone()()
	time.Sleep(j.slow)
	if n > j.Room() {
		return journal.ErrNoSpace
	}
	return nil
}

func (j *tight) Room() int64 { return j.room() * tightBlockBytes }

// TestFullJournal fills the journal until records are refused, sees that reads and commands go on, frees space by deleting a
// topic, and sees that records are accepted again.
func TestFullJournal(t *testing.T) {
	r := newRigOn(t, mem.Options{BytesMax: 8 << 20}, Options{})
	id, other := r.create("orders", 1, forEver), r.create("other", 1, forEver)
	r.produce(other, batchOf("here"))
	big := batchOf(string(make([]byte, 500<<10)))
	accepted := 0
	for ; accepted < 100; accepted++ {
		if got := r.produce(id, big)[0]; got.Code != kerr.None {
			if got.Code != kerr.KafkaStorageError || !got.Code.Retriable() {
				t.Errorf("refused with %v", got.Code)
			}
			break
		}
	}
	if accepted == 0 || accepted == 100 {
		t.Fatalf("%d batches accepted into 8 MiB", accepted)
	}
	if r.Ready() == nil {
		t.Error("a full engine says that it is ready")
	}
	if got := fmt.Sprint(r.values(other, 0)); got != "[0:here]" {
		t.Errorf("read while full: %s", got)
	}
	if _, err := r.Do(state.DeleteTopic{ID: id}); err != nil {
		t.Fatalf("delete while full: %v", err)
	}
	if _, err := r.Do(state.MoveLogStart{ID: other, Offset: 1}); err != nil {
		t.Fatal(err)
	}
	if err := r.Maintain(); err != nil {
		t.Fatal(err)
	}
	if got := r.produce(other, batchOf("again"))[0]; got.Code != kerr.None || got.Offset != 1 {
		t.Errorf("after space came back: %+v", got)
	}
	if err := r.Ready(); err != nil {
		t.Errorf("after space came back: %v", err)
	}
}

// TestCommandsLeaveTheReserve shows that commands of clients are refused by a full journal that still takes a command
// that gives space back.
func TestCommandsLeaveTheReserve(t *testing.T) {
	r := newRigOn(t, mem.Options{BytesMax: 4 << 20}, Options{})
	id := r.create("orders", 1)
	large := fmt.Sprintf("%0100000d", 0)
	for i := 0; ; i++ {
		if i == 100 {
			t.Fatal("the journal does not fill")
		}
		var g Pending
		g.Reset(1)
		r.AppendCommand(&g, 0, commitOf(id, int64(i), large))
		g.Wait(0, nil)
		if g.Results[0].Code == kerr.KafkaStorageError {
			break
		}
	}
	if r.Ready() == nil {
		t.Error("the journal is not full")
	}
	var again Pending
	again.Reset(1)
	if r.AppendCommand(&again, 0, commitOf(id, 1, "")); !again.Ready() || again.Results[0].Code != kerr.KafkaStorageError {
		t.Errorf("a small command: %v", again.Results[0].Code)
	}
	if _, err := r.Do(state.DeleteTopic{ID: id}); err != nil {
		t.Errorf("a full journal refuses to delete: %v", err)
	}
}

// fill produces until a batch is refused.
func (r *rig) fill(id state.ID, batch []byte) {
	r.t.Helper()
	for range 10_000 {
		if r.produce(id, batch)[0].Code != kerr.None {
			return
		}
	}
	r.t.Fatal("the journal does not fill")
}

// TestDeletionBesideRecords has a batch, a new topic and the deletion of another one in one entry, for which a full journal has
// no room: all but the deletion is refused. The deletion was refused with the others once.
func TestDeletionBesideRecords(t *testing.T) {
	const batch, creation, deletion = 0, 1, 2
	f := func(order ...int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			j := newTight(t, 2000)
			r := newRigOver(t, j, Options{})
			id, other := r.create("orders", 1, forEver), r.create("other", 1, forEver)
			r.produce(id, batchOf("a"))
			var codes [3]kerr.Code
			do := func(c state.Command) kerr.Code { got, _ := r.Do(c); return got.Code }
			calls := [...]func(){
				batch:    func() { codes[batch] = r.produce(other, batchOf("b"))[0].Code },
				creation: func() { codes[creation] = do(state.CreateTopic{ID: NewID(), Name: "new", Partitions: 1}) },
				deletion: func() { codes[deletion] = do(state.DeleteTopic{ID: id}) },
			}
			release := r.journal.hold()
			go r.produce(other, batchOf("holds the committer"))
			for _, i := range order {
				synctest.Wait()
				go calls[i]()
			}
			synctest.Wait()
			j.resize(commandReserveBytes / tightBlockBytes)
			release()
			synctest.Wait()
			if codes[batch] != kerr.KafkaStorageError || codes[creation] != kerr.KafkaStorageError || codes[deletion] != kerr.None {
				t.Errorf("in order %v: batch %v, creation %v, deletion %v", order, codes[batch], codes[creation], codes[deletion])
			}
			r.crash()
			if topics := r.Topics(); len(topics) != 1 || topics[0].ID != other {
				t.Errorf("in order %v: after a restart there are the topics %v", order, topics)
			}
			if got := fmt.Sprint(r.values(other, 0)); got != "[0:holds the committer]" {
				t.Errorf("in order %v: the other topic has %s", order, got)
			}
		})
	}
	f(batch, creation, deletion)
	f(deletion, batch, creation)
	f(creation, deletion, batch)
}

// TestReserveIsForWhatFrees shows that neither records nor the creation of topics use up the room that a deletion needs.
func TestReserveIsForWhatFrees(t *testing.T) {
	r := newRigOver(t, newTight(t, 2000), Options{})
	id := r.create("orders", 1, forEver)
	r.fill(id, batchOfBytes(100<<10))
	created := 0
	for ; ; created++ {
		if created > 1000 {
			t.Fatal("topics are created without end in a full journal")
		}
		if _, err := r.Do(state.CreateTopic{ID: NewID(), Name: fmt.Sprint(created), Partitions: 1}); err != nil {
			break
		}
	}
	if created == 0 {
		t.Error("a journal that is full for records takes no command either")
	}
	if _, err := r.Do(state.DeleteTopic{ID: id}); err != nil {
		t.Errorf("a full journal refuses to delete: %v", err)
	}
}

// TestRetentionOfAFullJournal fills a journal with records of many partitions that are too old, more than the reserve has
// blocks. Their log starts were moved in an entry each once, and when the reserve had run out nothing was trimmed, ever.
func TestRetentionOfAFullJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const partitions = 400
		r := newRigOver(t, newTight(t, 2000), Options{EntryBytesMax: 1 << 20})
		id := r.create("orders", partitions)
		var g Pending
		g.Reset(partitions)
		for p := range int32(partitions) {
			r.AppendBatch(&g, int(p), id, p, batchOfBytes(8<<10))
		}
		g.Wait(0, nil)
		other := r.create("other", 1, forEver)
		r.journal.calls.Store(0)
		r.fill(other, batchOfBytes(100<<10))
		time.Sleep(roomCheckWait)
		if err := r.Ready(); err != nil {
			t.Error(err)
		}
		if calls := r.journal.calls.Load(); calls > partitions/2 {
			t.Errorf("the journal was called %d times", calls)
		}
		for p := range int32(partitions) {
			if log, err := r.Offsets(id, p); err != nil || log.Start != 1 {
				t.Fatalf("partition %d: log start %d, %v", p, log.Start, err)
			}
		}
	})
}

// TestRecoversWithoutTraffic shows that a full engine finds by itself that there is room again: a server that is not ready may
// be sent no records. It noticed only with the next one, once.
func TestRecoversWithoutTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newTight(t, 2000)
		r := newRigOver(t, j, Options{})
		r.fill(r.create("orders", 1, forEver), batchOfBytes(100<<10))
		time.Sleep(time.Hour)
		if r.Ready() == nil || r.writable() {
			t.Error("a full engine is ready")
		}
		j.resize(4000)
		time.Sleep(2 * roomCheckWait)
		if err := r.Ready(); err != nil || !r.writable() {
			t.Errorf("there is room, but: %v", err)
		}
	})
}

// TestDeletionRecovers shows that the space of a topic that is deleted is had at once when it is needed.
func TestDeletionRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRigOver(t, newTight(t, 2000), Options{})
		id := r.create("orders", 1, forEver)
		r.fill(id, batchOfBytes(100<<10))
		time.Sleep(roomCheckWait)
		if _, err := r.Do(state.DeleteTopic{ID: id}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(roomCheckWait)
		if err := r.Ready(); err != nil {
			t.Error(err)
		}
	})
}

// TestFullJournalIsLeftAlone lets an hour pass in which nothing can be appended that would give space back, and in which
// producers try on: the journal is asked now and then. It was asked without a pause once.
func TestFullJournalIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newTight(t, 2000)
		r := newRigOver(t, j, Options{})
		id := r.create("orders", 1)
		r.fill(id, batchOfBytes(100<<10))
		j.resize(0)
		r.journal.calls.Store(0)
		for range 3600 {
			time.Sleep(time.Second)
			r.produce(id, batchOf("a"))
		}
		if calls := r.journal.calls.Load(); calls > 2*3600 {
			t.Errorf("%d calls in an hour", calls)
		}
	})
}

// TestLargeBatchWithoutRoom shows that a batch for which there is no room is refused alone while there is room for others.
func TestLargeBatchWithoutRoom(t *testing.T) {
	r := newRigOver(t, newTight(t, 2000), Options{EntryBytesMax: 1 << 20})
	id := r.create("orders", 1, forEver)
	for range 3 {
		if got := r.produce(id, batchOfBytes(1<<20)); got[0].Code != kerr.None {
			t.Fatal(got[0].Code)
		}
	}
	if got := r.produce(id, batchOfBytes(4<<20)); got[0].Code != kerr.KafkaStorageError {
		t.Errorf("a batch of all that is left: %v", got[0].Code)
	}
	if err := r.Ready(); err != nil {
		t.Error(err)
	}
	if got := r.produce(id, batchOf("small")); got[0].Code != kerr.None {
		t.Errorf("a small batch after that: %v", got[0].Code)
	}
}

// TestRoomIsMadeByTheCommitter has many producers at a full journal, which only the one that appends may ask for room.
func TestRoomIsMadeByTheCommitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newTight(t, 2000)
		j.slow = time.Millisecond
		r := newRigOver(t, j, Options{})
		id := r.create("orders", 1, forEver)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 100 {
					r.produce(id, batchOfBytes(100<<10))
					time.Sleep(time.Millisecond)
				}
			})
		}
		all.Wait()
		if r.Ready() == nil {
			t.Error("the journal was never full")
		}
	})
}

// writable is what the metric of that name says.
func (r *rig) writable() bool {
	r.metrics.Write(io.Discard)
	return r.metrics.Writable.Get() == 1
}

// TestFullAndStuck has a journal that is full not answer a command for a while: when it answers, the metric says that no
// records are accepted. It said that they were, once.
func TestFullAndStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRigOver(t, newTight(t, 2000), Options{})
		if !r.writable() {
			t.Error("a new engine takes no records")
		}
		r.fill(r.create("orders", 1, forEver), batchOfBytes(100<<10))
		r.journal.set(true, journal.ErrUnknown)
		if _, err := r.Do(state.AllocateProducerID{}); err != nil {
			t.Fatal(err)
		}
		if r.Ready() == nil || r.writable() {
			t.Errorf("a full engine is ready, or says that it is")
		}
	})
}
