package state

import (
	"iter"
	"maps"
	"math"
	"slices"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/record"
)

// recentBatches is how many batches of a producer are remembered per partition, to recognise a repeated one: as many as a
// producer may have in flight. Kafka's ProducerStateEntry.NUM_BATCHES_TO_RETAIN.
const recentBatches = 5

// producer is what a partition knows of an idempotent producer (KIP-98).
type producer struct {
	epoch  int16
	lastMs int64 // when it last appended
	recent []appended
}

// appended is a batch that a producer appended.
type appended struct {
	firstSeq, lastSeq int32
	offset            int64 // of its first record
	appendMs          int64 // its timestamp if it is LogAppendTime; else -1
}

func (s *State) allocateProducerID(_ *AllocateProducerID, r *Result) {
	r.ProducerID = s.nextProducerID
	s.nextProducerID++
}

// judge decides whether a batch of an idempotent producer may be appended, by the rules of Kafka's ProducerAppendInfo: a
// repeated batch is answered with its first offset, a lower epoch is fenced, sequences follow each other, and a new epoch
// starts at sequence 0. A producer that is not known may start at any sequence.
func (p *Partition) judge(b record.Batch, r *Result) {
	known := p.producers[b.ProducerID()]
	if known == nil {
		return
	}
	if known.epoch == b.ProducerEpoch() {
		if again := known.find(b.BaseSequence(), lastSequence(b)); again != nil {
			r.Duplicate, r.Offset, r.AppendMs = true, again.offset, again.appendMs
			return
		}
	}
	r.Code = known.check(b.ProducerEpoch(), b.BaseSequence())
}

func (k *producer) find(firstSeq, lastSeq int32) *appended {
	for i := range k.recent {
		if k.recent[i].firstSeq == firstSeq && k.recent[i].lastSeq == lastSeq {
			return &k.recent[i]
		}
	}
	return nil
}

func (k *producer) check(epoch int16, firstSeq int32) kerr.Code {
	switch {
	case epoch < k.epoch:
		return kerr.InvalidProducerEpoch
	case epoch > k.epoch && firstSeq != 0:
		return kerr.OutOfOrderSequenceNumber
	case epoch == k.epoch && firstSeq != follow(k.recent[len(k.recent)-1].lastSeq, 1):
		return kerr.OutOfOrderSequenceNumber
	}
	return kerr.None
}

// remember notes a batch that was appended at r.Offset.
func (p *Partition) remember(b record.Batch, r *Result, nowMs int64) {
	k := p.producers[b.ProducerID()]
	if k == nil {
		k = &producer{epoch: b.ProducerEpoch(), recent: make([]appended, 0, recentBatches)}
		if p.producers == nil {
			p.producers = map[int64]*producer{}
		}
		p.producers[b.ProducerID()] = k
	}
	if k.epoch != b.ProducerEpoch() {
		k.epoch, k.recent = b.ProducerEpoch(), k.recent[:0]
	}
	if len(k.recent) == recentBatches {
		copy(k.recent, k.recent[1:])
		k.recent = k.recent[:recentBatches-1]
	}
	k.recent = append(k.recent, appended{b.BaseSequence(), lastSequence(b), r.Offset, r.AppendMs})
	k.lastMs = nowMs
}

func (s *State) expireProducers(c *ExpireProducers, _ *Result) {
	for _, t := range s.topics {
		for _, p := range t.Partitions {
			for id, k := range p.producers {
				if k.lastMs < c.BeforeMs {
					delete(p.producers, id)
				}
			}
		}
	}
}

// HasProducersSilentSince says whether ExpireProducers with this BeforeMs would forget any.
func (s *State) HasProducersSilentSince(ms int64) bool {
	for _, t := range s.topics {
		for _, p := range t.Partitions {
			for _, k := range p.producers {
				if k.lastMs < ms {
					return true
				}
			}
		}
	}
	return false
}

func lastSequence(b record.Batch) int32 { return follow(b.BaseSequence(), b.LastOffsetDelta()) }

// follow adds n to a sequence number; they wrap from the largest int32 to 0.
func follow(seq, n int32) int32 {
	if seq > math.MaxInt32-n {
		return n - (math.MaxInt32 - seq) - 1
	}
	return seq + n
}

// Producer is what a partition remembers of an idempotent producer.
type Producer struct {
	ID           int64
	Epoch        int16
	LastMs       int64 // when it last appended
	LastSequence int32
}

// Producers yields the producers that the partition remembers, by id. It must be ranged over under the owner's lock.
func (p *Partition) Producers() iter.Seq[Producer] {
	return func(yield func(Producer) bool) {
		for _, id := range slices.Sorted(maps.Keys(p.producers)) {
			k := p.producers[id]
			r := Producer{ID: id, Epoch: k.epoch, LastMs: k.lastMs, LastSequence: record.NoSequence}
			if n := len(k.recent); n > 0 {
				r.LastSequence = k.recent[n-1].lastSeq
			}
			if !yield(r) {
				return
			}
		}
	}
}

// NextProducerID is what the next AllocateProducerID hands out.
func (s *State) NextProducerID() int64 { return s.nextProducerID }
