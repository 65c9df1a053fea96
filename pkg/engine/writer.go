package engine

import (
	"slices"
	"sync"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// sealedMax is how many full entries may wait for the committer before whoever has more to append must wait.
const sealedMax = 4

// writer gathers commands into entries. Any goroutine appends to the open entry; the committer takes what has gathered
// while it committed the entry before: the commit is the only wait, there is no linger. An entry is sealed early when it
// has grown to entryBytesMax or holds recordsMax records.
type writer struct {
	commandBytesMax int // larger commands are refused: a journal that refuses an entry as too large would pass for a broken one
	entryBytesMax   int
	recordsMax      int
	pool            *pool
	work            chan struct{} // signalled when something has been appended
	full            chan struct{} // signalled when an entry has become full

	mu struct {
		sync.Mutex
		open   *entry
		sealed []*entry // oldest first
		free   []*entry // to be used again
		closed bool
		stuck  bool      // the journal does not answer: what has no room is refused, it does not wait
		taken  sync.Cond // signalled when the committer has taken a sealed entry, or the writer was closed or is stuck
	}
}

// entry is a journal entry that is being gathered or committed: a span of a chunk, and who waits for what is in it.
type entry struct {
	chunk    *chunk
	from     int       // of its first byte in the chunk
	since    time.Time // when its first command came
	bytes    []byte
	commands []command
	records  int

	reserveBytes int64 // the largest of its commands

	slot    uint64     // in the journal, once it is on its way there
	began   time.Time  // to be
	outcome chan error // of one place; nil where it is waited for
}

// command is who waits for one command of an entry.
type command struct {
	pending  *Pending
	index    int // of its result in pending
	pos      int // of its first byte in the entry
	key      Key // of the partition, if it is a batch
	batch    int // bytes of the batch; 0 for other commands
	records  int
	removes  bool // it takes records away
	archives bool // it says that records are archived
	bulk     bool // by AppendCommand
}

func newWriter(o Options, p *pool) *writer {
	w := &writer{commandBytesMax: o.BatchBytesMax + BatchOverheadBytes, entryBytesMax: o.EntryBytesMax, recordsMax: o.EntryRecordsMax, pool: p}
	w.work, w.full = make(chan struct{}, 1), make(chan struct{}, 1)
	w.mu.taken.L = &w.mu
	w.mu.open = &entry{chunk: p.get(0)}
	return w
}

// appendBatch copies a batch into the open entry: the one copy on its way to the journal.
func (w *writer) appendBatch(c command, nowMs int64, b record.Batch) {
	c.batch, c.records = len(b), int(b.Count())
	w.append(c, state.ProduceHeaderBytes+len(b), func(dst []byte) []byte {
		return state.AppendProduce(dst, c.key.ID, c.key.Partition, nowMs, b)
	})
}

func (w *writer) appendCommand(c command, cmd state.Command) {
	encoded := state.AppendCommand(nil, cmd)
	w.append(c, len(encoded), func(dst []byte) []byte { return append(dst, encoded...) })
}

// append adds a command of n bytes, which write appends, to the open entry. It waits while too many entries are sealed.
// A command that is refused has its outcome at once.
func (w *writer) append(c command, n int, write func([]byte) []byte) {
	if n > w.commandBytesMax {
		c.pending.Results[c.index] = refused(kerr.MessageTooLarge)
		return
	}
	c.pending.add()
	w.mu.Lock()
	if !w.makeRoomLocked(n) {
		w.mu.Unlock()
		c.pending.finish(c.index, refused(kerr.KafkaStorageError)) // never the last: it has not been waited for
		return
	}
	e := w.mu.open
	if len(e.commands) == 0 {
		e.since = time.Now()
	}
	c.pos = len(e.chunk.buf) - e.from
	e.chunk.buf = write(e.chunk.buf)
	e.add(c)
	full := w.isFull(e)
	w.mu.Unlock()
	signal(w.work)
	if full {
		signal(w.full)
	}
}

func (e *entry) add(c command) {
	e.commands = append(e.commands, c)
	e.records += c.records
	e.reserveBytes = max(e.reserveBytes, c.reserveBytes())
}

// isFull says whether an entry takes nothing more, however small.
func (w *writer) isFull(e *entry) bool {
	return len(e.chunk.buf)-e.from >= w.entryBytesMax || e.records >= w.recordsMax
}

// makeRoomLocked sees to it that the open entry takes n more bytes; false when the writer is closed, or full and stuck.
func (w *writer) makeRoomLocked(n int) bool {
	for !w.mu.closed {
		e := w.mu.open
		size := len(e.chunk.buf) - e.from
		if size == 0 && e.chunk.room() < n {
			w.moveLocked(e, n)
		}
		if size == 0 || (size+n <= w.entryBytesMax && !w.isFull(e) && e.chunk.room() >= n) {
			return true
		}
		if len(w.mu.sealed) < sealedMax {
			w.sealLocked()
			signal(w.full)
			continue
		}
		if w.mu.stuck {
			return false
		}
		w.mu.taken.Wait()
	}
	return false
}

// moveLocked takes an empty entry to a new chunk that has room for n bytes.
func (w *writer) moveLocked(e *entry, n int) {
	e.chunk.release()
	e.chunk, e.from = w.pool.get(n), 0
}

// sealLocked closes the open entry and opens the next, after it in the same chunk.
func (w *writer) sealLocked() {
	e := w.mu.open
	e.bytes = e.chunk.buf[e.from:len(e.chunk.buf):len(e.chunk.buf)]
	e.chunk.hold()
	w.mu.sealed = append(w.mu.sealed, e)
	w.mu.open = w.entryLocked(e.chunk)
}

// entryLocked returns an empty entry at the end of c.
func (w *writer) entryLocked(c *chunk) *entry {
	last := len(w.mu.free) - 1
	if last < 0 {
		return &entry{chunk: c, from: len(c.buf)}
	}
	e := w.mu.free[last]
	w.mu.free = slices.Delete(w.mu.free, last, last+1)
	e.chunk, e.from = c, len(c.buf)
	return e
}

// waiting says whether there is anything to commit.
func (w *writer) waiting() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.mu.sealed) > 0 || len(w.mu.open.commands) > 0
}

// ripe says whether an entry waits that cannot grow any more.
func (w *writer) ripe() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.mu.sealed) > 0 || w.isFull(w.mu.open)
}

// ended says whether nothing is left to commit and nothing more will come.
func (w *writer) ended() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.closed && len(w.mu.sealed) == 0 && len(w.mu.open.commands) == 0
}

// take returns the next entry to commit, the open one if none is sealed. Something must be waiting.
func (w *writer) take() *entry {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.mu.sealed) == 0 {
		w.sealLocked()
	}
	e := w.mu.sealed[0]
	w.mu.sealed = slices.Delete(w.mu.sealed, 0, 1)
	w.mu.taken.Broadcast()
	return e
}

// recycle gives back an entry that has been committed or refused, and what it refers to.
func (w *writer) recycle(e *entry) {
	e.chunk.release()
	clear(e.commands)
	*e = entry{commands: e.commands[:0]}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.mu.free) < sealedMax {
		w.mu.free = append(w.mu.free, e)
	}
}

// setStuck says whether the committer waits for a journal that does not answer.
func (w *writer) setStuck(stuck bool) {
	w.mu.Lock()
	w.mu.stuck = stuck
	w.mu.Unlock()
	w.mu.taken.Broadcast()
}

// close refuses further commands; those in the writer can still be taken.
func (w *writer) close() {
	w.mu.Lock()
	w.mu.closed = true
	w.mu.Unlock()
	w.mu.taken.Broadcast()
	signal(w.work)
}

// signal makes a channel of one place ready, if it is not already.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
