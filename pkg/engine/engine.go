// Package engine runs the journal and the state: it makes commands durable, gives produced batches their offsets, and
// reads batches back.
//
// One record's way in: a handler calls [Engine.AppendBatch], which copies the batch into the open entry (writer.go). The
// committer (commit.go) takes the entry once the journal can take another one, appends it, applies it to the state,
// where each batch gets its offset, writes that offset into the copy in memory, and answers everybody who waits: the
// producer through its [Pending], fetches through their [Watcher]. And out: [Engine.Read] (read.go) asks the state for the
// extents that hold an offset, and finds their bytes in the chunk they were written from or, when that has gone, in the journal.
//
// What must hold:
//   - Append first, apply after: nothing is visible or acknowledged before the journal has it, which is durable unless it was
//     opened to sync at an interval.
//   - Only the committer appends to the journal and applies to the state, so slots and offsets have one source.
//   - A command whose entry was not written is answered with an error that clients retry; one whose outcome cannot be known
//     is never answered as done.
//   - What is trimmed from the journal is below every extent and below the checkpoint that a restart would load.
//   - What is done outside of the journal (a checkpoint stored, an object deleted) follows from entries that are durable.
package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/metrics"
	"github.com/heraclitus/heraclitus/pkg/objstore"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/segment"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/topic"
)

// Options are the settings of an engine. Zero values of the fields that say so mean the default.
type Options struct {
	Topics  topic.Settings // what topics have that do not set it themselves
	Log     *slog.Logger
	Metrics *metrics.Metrics

	BatchBytesMax    int           // larger batches are refused; at most BatchOverheadBytes less than the journal's longest entry; default 15 MiB
	EntryBytesMax    int           // an entry of this size is committed; a larger batch has one of its own; default, and at most, 4 MiB
	EntryRecordsMax  int           // likewise, in records; default 1,000,000
	FlushInterval    time.Duration // least time between the starts of two commits; 0 commits at once
	CacheBytesMax    int           // chunks kept for readers; default 256 MiB
	PastBytesMax     int64         // what was read of segments and is kept for other readers; default 64 MiB
	JournalBytesMax  int64         // archiving keeps the journal below this, and slows producers down above it; default 4 GiB
	SegmentBytesMax  int64         // of the journal in one segment, whatever its topic says; archiving takes about so much memory; default 128 MiB
	SegmentCodec     SegmentCodec  // how segments are compressed; the zero value is not at all
	CompressionLevel int           // of zstd, on its own scale; 0 and below is the fastest
	CompactionKeys   int           // distinct keys that one round of compaction remembers, at some 50 bytes each; default 1,000,000
	ArchiveCheck     time.Duration // how often the archiver looks for work; default 1 s
	CheckpointBytes  int64         // a checkpoint is made after so many journal bytes; default 256 MiB
	RetentionCheck   time.Duration // how often retention is looked after; default 30 s
	ProducerIDExpiry time.Duration // producers silent for longer are forgotten; Kafka's producer.id.expiration.ms; default 24 h
}

// BatchOverheadBytes is what an entry holds beside a batch that has it to itself.
const BatchOverheadBytes = state.ProduceHeaderBytes

// SegmentCodec is how segments are compressed: one of package segment's codecs, or Adaptive.
type SegmentCodec segment.Codec

// Adaptive is zstd while there is time, and snappy while the journal is so large that archiving quickly matters more.
const Adaptive SegmentCodec = -1

func (o *Options) setDefaults() {
	set(&o.BatchBytesMax, 15<<20)
	set(&o.EntryBytesMax, chunkBytes)
	set(&o.EntryRecordsMax, 1_000_000)
	set(&o.CacheBytesMax, 256<<20)
	set(&o.PastBytesMax, 64<<20)
	set(&o.JournalBytesMax, 4<<30)
	set(&o.SegmentBytesMax, 128<<20)
	set(&o.CompactionKeys, 1_000_000)
	set(&o.ArchiveCheck, time.Second)
	set(&o.CheckpointBytes, 256<<20)
	set(&o.RetentionCheck, 30*time.Second)
	set(&o.ProducerIDExpiry, 24*time.Hour)
	o.EntryBytesMax = min(o.EntryBytesMax, o.BatchBytesMax+BatchOverheadBytes, chunkBytes)
}

func set[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}

// Engine is the journal and the state of one server. It is safe for any number of goroutines.
type Engine struct {
	options Options
	journal journal.Journal
	store   objstore.Store // of checkpoints
	log     *slog.Logger
	metrics *metrics.Metrics
	appends *metrics.Operation
	reads   *metrics.Operation

	writer  *writer
	cache   cache
	past    *past
	buffers sync.Pool // of *buffer, for reads of the journal
	watches watches

	unreadable unreadable

	underWay []*entry       // into a journal that takes several at a time, oldest first; the committer's
	results  []state.Result // scratch of the committer
	woken    []*Pending     // likewise

	mu struct {
		sync.RWMutex
		state *state.State
	}
	upkeep struct { // held while a checkpoint is made or the journal trimmed: one at a time
		sync.Mutex
		overdue bool               // the last checkpoint failed
		ctx     context.Context    // of its calls of the store
		giveUp  context.CancelFunc // ends them
	}
	settings sync.Map // *state.Topic → *topic.Settings

	full         atomic.Bool           // the journal lacks room for records; set by the committer
	stuck        atomic.Pointer[error] // why the journal's last answer is awaited; set by the committer
	failure      atomic.Pointer[error] // why nothing can be written any more
	grown        atomic.Int64          // journal bytes since the last checkpoint
	checkpointed atomic.Uint64         // slot that a replay from the last checkpoint begins at
	maintain     chan struct{}         // signalled when a checkpoint is due
	archive      chan struct{}         // signalled when the journal has grown too large
	reclaim      chan struct{}         // signalled when space has run out, and when some may be had
	seek         chan chan struct{}    // asks the committer to look for room; closed when it has
	stop         chan struct{}         // closed by Close
	committed    chan struct{}         // closed when the committer has ended
	maintained   chan struct{}         // closed when the maintenance has ended
	archived     chan struct{}         // closed when the archiver has ended
}

// Open loads the newest checkpoint from store, replays the journal after it, and starts. The engine closes neither: its
// owner does, after Close.
func Open(j journal.Journal, store objstore.Store, o Options) (*Engine, error) {
	o.setDefaults()
	chunks := &pool{freeMax: sealedMax + 2}
	e := &Engine{
		options: o, journal: j, store: store, log: o.Log, metrics: o.Metrics, appends: o.Metrics.Storage("append"), reads: o.Metrics.Storage("read"),
		writer: newWriter(o, chunks), cache: cache{bytesMax: o.CacheBytesMax},
		maintain: make(chan struct{}, 1), archive: make(chan struct{}, 1), reclaim: make(chan struct{}, 1), seek: make(chan chan struct{}),
		stop: make(chan struct{}), committed: make(chan struct{}), maintained: make(chan struct{}), archived: make(chan struct{}),
	}
	e.upkeep.ctx, e.upkeep.giveUp = context.WithCancel(context.Background())
	e.past = newPast(store, o.Metrics, o.PastBytesMax)
	e.watches.init()
	if err := e.recover(); err != nil {
		return nil, err
	}
	go e.commitLoop()
	if err := e.found(); err != nil {
		e.writer.close()
		<-e.committed
		return nil, err
	}
	e.metrics.OnScrape(e.gauge)
	go e.maintainLoop()
	go e.archiveLoop()
	return e, nil
}

// found gives a new cluster its id.
func (e *Engine) found() error {
	if e.ClusterID() != "" {
		return nil
	}
	if _, err := e.Do(state.CreateCluster{ClusterID: NewID().String()}); err != nil {
		return fmt.Errorf("write the first journal entry: %w", err)
	}
	return nil
}

// closeTimeout is how long Close waits for the store.
const closeTimeout = 10 * time.Second

// Close commits what has been appended, makes a last checkpoint and stops. Commands that come later are refused. An entry that
// the journal does not store, or does not say whether it did, is given up, as is the checkpoint when the store does not take it
// within closeTimeout. Close is called once.
func (e *Engine) Close() error {
	close(e.stop)
	late := time.AfterFunc(closeTimeout, e.giveUp)
	defer late.Stop()
	e.writer.close()
	e.past.close()
	<-e.committed
	<-e.maintained
	<-e.archived
	if e.Err() != nil {
		return nil
	}
	return e.checkpoint()
}

// giveUp ends all waiting for a store that does not answer.
func (e *Engine) giveUp() {
	e.upkeep.giveUp()
	if p, ok := e.journal.(journal.Pipeline); ok {
		p.GiveUp()
	}
}

// stopped says whether Close has been called.
func (e *Engine) stopped() bool {
	select {
	case <-e.stop:
		return true
	default:
		return false
	}
}

// Err returns why the engine takes no more commands until it is opened anew, or nil while it does.
func (e *Engine) Err() error {
	if err := e.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// fail stops all writing: what the journal holds is not known any more.
func (e *Engine) fail(err error) {
	switch {
	case !e.failure.CompareAndSwap(nil, &err):
	case errors.Is(err, journal.ErrTaken):
		e.log.Error("another server has taken storage over: nothing is written any more, reads go on; stop this one if the other is to stay", "err", err)
	case e.stopped() && errors.Is(err, journal.ErrUnknown):
		e.log.Warn("stopped before storage answered: records that were not acknowledged may be stored or not", "err", err)
	default:
		e.log.Error("storage failed: nothing is written any more, reads go on; restart once the cause is fixed", "err", err)
	}
}

// Do appends a command that is not a batch and waits until it is durable and applied. A refusal is an error that wraps its
// kerr.Code, MessageTooLarge for a command that the journal cannot take, beside the result of the refused command.
func (e *Engine) Do(c state.Command) (state.Result, error) {
	var g Pending
	g.Reset(1)
	e.writer.appendCommand(command{pending: &g, removes: removes(c), archives: archives(c)}, c)
	g.Wait(0, nil)
	if r := g.Results[0]; r.Code != kerr.None {
		return r, fmt.Errorf("%T: %w", c, r.Code)
	}
	return g.Results[0], nil
}

// AppendBatch appends a checked batch to a partition. The batch is copied before AppendBatch returns, which waits only
// while the journal is too far behind. The outcome is result i of g: MessageTooLarge for a batch larger than
// Options.BatchBytesMax, KafkaStorageError when it could not be stored.
func (e *Engine) AppendBatch(g *Pending, i int, id state.ID, partition int32, b record.Batch) {
	if e.Err() != nil || e.full.Load() {
		g.Results[i] = refused(kerr.KafkaStorageError)
		return
	}
	e.writer.appendBatch(command{pending: g, index: i, key: Key{id, partition}}, time.Now().UnixMilli(), b)
}

// AppendCommand appends a command to be awaited with others, as AppendBatch does a batch. It is for what clients may do in any
// amount: like records, such commands leave a full journal its reserve, except those that take records away.
func (e *Engine) AppendCommand(g *Pending, i int, c state.Command) {
	frees := removes(c)
	if e.Err() != nil || e.full.Load() && !frees {
		g.Results[i] = refused(kerr.KafkaStorageError)
		return
	}
	e.writer.appendCommand(command{pending: g, index: i, removes: frees, bulk: !frees}, c)
}

// View lets f look at the state as it is at one moment. f must be brief, keep nothing that later entries change, and call no
// method of the engine.
func (e *Engine) View(f func(*state.State)) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	f(e.mu.state)
}

// NewID returns a random id for a topic or a cluster. Like Kafka's Uuid.randomUuid it never begins with a dash in its
// written form, which command lines would take for an option.
func NewID() state.ID {
	for {
		var id state.ID
		rand.Read(id[:])
		id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // RFC 9562, version 4
		if id.String()[0] != '-' {
			return id
		}
	}
}
