package engine

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// TestModel has idempotent producers write to some partitions at once, over a journal that lacks space, loses answers and
// breaks, and over crashes and restarts, with and without the archiver at work, and with one entry or several under way at a
// time; each retries what was refused. In the end every batch that was acknowledged is at its offset, once, all that a consumer
// has ever read is where it read it, and there is nothing that nobody sent.
func TestModel(t *testing.T) {
	for seed := range uint64(8) {
		synctest.Test(t, func(t *testing.T) { newModel(t, seed).run() })
	}
}

const (
	modelPartitions = 3
	modelProducers  = 4
	modelRounds     = 12
)

// model is an engine under fire, and what is known of it.
type model struct {
	*rig
	t     *testing.T
	rand  *rand.Rand // of the test's goroutine
	id    state.ID
	known sync.Mutex
	at    [modelPartitions]map[int64]string // what was acknowledged or read, by offset
	start [modelPartitions]int64            // log starts that were acknowledged
}

func newModel(t *testing.T, seed uint64) *model {
	m := &model{t: t, rand: rand.New(rand.NewPCG(seed, 3))}
	o := Options{EntryBytesMax: 1 << 10, CacheBytesMax: 1, CheckpointBytes: 8 << 10, ProducerIDExpiry: 1000 * time.Hour}
	if seed%2 == 1 {
		o.ArchiveCheck, o.PastBytesMax = 20*time.Millisecond, 1+int64(seed)*1000
	}
	pipelined := seed%4 >= 2
	if pipelined {
		o.EntryRecordsMax = 2 // for entries are under way beside others only when they are full
	}
	m.rig = newRig(t, o)
	if pipelined {
		m.pipeline()
	}
	m.id = m.create("orders", modelPartitions, forEver, atOnce)
	for p := range m.at {
		m.at[p] = map[int64]string{}
	}
	m.journal.chaos = newChaos(seed)
	return m
}

// newChaos returns what becomes of one append after the other.
func newChaos(seed uint64) func() (fault error, lost bool) {
	r := rand.New(rand.NewPCG(seed, 4))
	return func() (error, bool) {
		switch r.IntN(50) {
		case 0, 1, 2:
			return journal.ErrNoSpace, false
		case 3, 4, 5:
			return journal.ErrUnknown, r.IntN(2) == 0
		case 6:
			return journal.ErrBroken, r.IntN(2) == 0
		}
		return nil, false
	}
}

func (m *model) run() {
	producers := make([]*modelProducer, modelProducers)
	for i := range producers {
		producers[i] = &modelProducer{model: m, id: int64(i), rand: rand.New(rand.NewPCG(m.rand.Uint64(), 5))}
	}
	for range modelRounds {
		m.round(producers)
		m.check(producers)
	}
	m.journal.chaos = nil
	for _, p := range producers {
		p.settle()
	}
	m.check(producers)
	if m.options.ArchiveCheck < time.Hour && m.metrics.ArchivedRecords.Get() == 0 {
		m.t.Error("nothing was archived")
	}
}

// round has everybody at work for a while, ends the engine under them, and leaves another one.
func (m *model) round(producers []*modelProducer) {
	var all sync.WaitGroup
	var over atomic.Bool
	for _, p := range producers {
		all.Go(func() { p.work(&over) })
	}
	for p := range int32(modelPartitions) {
		all.Go(func() { m.consume(p, &over) })
	}
	for range m.rand.IntN(5) {
		m.disturb()
	}
	if m.rand.IntN(2) == 0 {
		m.fail(errors.New("crash"))
	}
	m.Close()
	over.Store(true)
	all.Wait()
	m.journal.repair()
	m.open()
}

// disturb moves a log start or has the engine maintained, some time later.
func (m *model) disturb() {
	time.Sleep(time.Duration(m.rand.IntN(50)) * time.Millisecond)
	if m.rand.IntN(2) == 0 {
		m.Maintain() // ends in an error as the journal likes
		return
	}
	p := int32(m.rand.IntN(modelPartitions))
	log, err := m.Offsets(m.id, p)
	if err != nil {
		m.t.Error(err)
		return
	}
	to := log.Start + m.rand.Int64N(log.HighWatermark-log.Start+1)/4
	if _, err := m.Do(state.MoveLogStart{ID: m.id, Partition: p, Offset: to}); err == nil {
		m.start[p] = max(m.start[p], to)
	}
}

// note holds on to what is known to be at an offset.
func (m *model) note(partition int32, offset int64, value, who string) {
	m.known.Lock()
	defer m.known.Unlock()
	if was, ok := m.at[partition][offset]; ok && was != value {
		m.t.Errorf("partition %d offset %d: %s says %q, and it was %q", partition, offset, who, value, was)
	}
	m.at[partition][offset] = value
}

// consume reads a partition from its start, and then as it grows.
func (m *model) consume(partition int32, over *atomic.Bool) {
	engine, offset := m.Engine, int64(0)
	for !over.Load() {
		offset = m.read(engine, partition, offset, func(offset int64, value string) { m.note(partition, offset, value, "a consumer") })
		time.Sleep(time.Millisecond)
	}
}

// read reads a partition from an offset, or its start, to its end, and returns the offset it has come to.
func (m *model) read(engine *Engine, partition int32, offset int64, f func(offset int64, value string)) int64 {
	for {
		var pins Pins
		log, err := engine.Read(m.id, partition, offset, 4<<10, true, &pins)
		if errors.Is(err, kerr.OffsetOutOfRange) && offset < log.Start {
			offset = log.Start
			continue
		}
		if err != nil {
			m.t.Errorf("read partition %d at %d: %v", partition, offset, err)
			return offset
		}
		for _, part := range log.Parts {
			for r, err := range record.Batch(part).Records() {
				if err != nil {
					m.t.Error(err)
				}
				if r.Offset >= offset {
					if r.Offset != offset {
						m.t.Errorf("partition %d: offset %d follows %d", partition, r.Offset, offset-1)
					}
					f(r.Offset, string(r.Value))
					offset = r.Offset + 1
				}
			}
		}
		pins.Release()
		if len(log.Parts) == 0 {
			return offset
		}
	}
}

// check compares what is there with what is known.
func (m *model) check(producers []*modelProducer) {
	pending := map[string]bool{}
	for _, p := range producers {
		for _, s := range p.pending {
			for _, v := range s.values {
				pending[v] = true
			}
		}
	}
	for p := range int32(modelPartitions) {
		log, err := m.Offsets(m.id, p)
		if err != nil || log.Start < m.start[p] {
			m.t.Fatalf("partition %d: log start %d, %v; it was moved to %d", p, log.Start, err, m.start[p])
		}
		there, seen := map[int64]string{}, map[string]int64{}
		m.read(m.Engine, p, log.Start, func(offset int64, value string) {
			if first, twice := seen[value]; twice {
				m.t.Errorf("partition %d: %q is at offset %d and at %d", p, value, first, offset)
			}
			there[offset], seen[value] = value, offset
			if _, known := m.at[p][offset]; !known && !pending[value] {
				m.t.Errorf("partition %d offset %d: %q was neither acknowledged nor is it under way", p, offset, value)
			}
		})
		for offset, value := range m.at[p] {
			if offset >= log.Start && there[offset] != value {
				m.t.Errorf("partition %d offset %d: %q is there, %q was acknowledged or read", p, offset, there[offset], value)
			}
		}
	}
	if m.t.Failed() {
		m.t.FailNow()
	}
}

// modelProducer is an idempotent producer. It has one batch under way in each partition at most.
type modelProducer struct {
	model   *model
	id      int64
	rand    *rand.Rand
	next    [modelPartitions]int32 // sequence numbers
	pending []modelSend            // not acknowledged yet
}

// modelSend is a batch on its way.
type modelSend struct {
	partition int32
	values    []string
	batch     record.Batch
}

// work sends until a round is over.
func (p *modelProducer) work(over *atomic.Bool) {
	for engine := p.model.Engine; !over.Load(); time.Sleep(time.Duration(p.rand.IntN(3)) * time.Millisecond) {
		if len(p.pending) == 0 {
			p.draw()
		}
		p.send(engine)
	}
}

// settle sends what is left until all of it is acknowledged.
func (p *modelProducer) settle() {
	for len(p.pending) > 0 {
		p.send(p.model.Engine)
	}
}

// draw makes batches for some partitions.
func (p *modelProducer) draw() {
	for partition := range int32(modelPartitions) {
		if p.rand.IntN(2) == 0 {
			continue
		}
		s := modelSend{partition: partition}
		var records []record.Record
		for i := range 1 + p.rand.IntN(3) {
			value := fmt.Sprintf("%d-%d", p.id, int(p.next[partition])+i)
			s.values = append(s.values, value)
			records = append(records, record.Record{Offset: int64(i), Timestamp: 1000, Value: []byte(value)})
		}
		var err error
		s.batch, err = record.Build(record.Options{Producer: &record.Producer{ID: p.id, Sequence: p.next[partition]}}, records...)
		if err != nil {
			p.model.t.Error(err)
		}
		p.next[partition] += int32(len(records))
		p.pending = append(p.pending, s)
	}
}

// send sends what is pending, as one request, and keeps what is refused.
func (p *modelProducer) send(e *Engine) {
	var g Pending
	g.Reset(len(p.pending))
	for i, s := range p.pending {
		e.AppendBatch(&g, i, p.model.id, s.partition, s.batch)
	}
	g.Wait(0, nil)
	left := p.pending[:0]
	for i, s := range p.pending {
		switch r := g.Results[i]; r.Code {
		case kerr.None:
			for j, v := range s.values {
				p.model.note(s.partition, r.Offset+int64(j), v, "an acknowledgement")
			}
		case kerr.KafkaStorageError:
			left = append(left, s)
		default:
			p.model.t.Errorf("producer %d, partition %d, sequence %d: %v", p.id, s.partition, s.batch.BaseSequence(), r.Code)
		}
	}
	p.pending = left
}
