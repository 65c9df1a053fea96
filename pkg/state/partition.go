package state

import (
	"fmt"
	"iter"
	"slices"
	"sort"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/record"
)

// Partition is one log: the offsets it spans, where its batches lie in the journal, and its producers.
type Partition struct {
	LogStart      int64 // offset of the first record that may be read
	HighWatermark int64 // offset the next record gets; all records below it are durable
	Bytes         int64 // of all segments and extents
	CleanedTo     int64 // offset up to which compaction has been over the records

	segments  []Segment // by offset; the slice is replaced, never changed
	extents   []Extent  // by offset, after the segments, without gaps up to open; never changed once appended
	open      Extent    // the last one, which may still grow; no Bytes when there is none
	producers map[int64]*producer
}

// Extent is a run of batches of one partition that lie one after the other in one entry: from Pos on a batch, then, while
// Bytes are left, [ProduceHeaderBytes] of the next command and its batch.
type Extent struct {
	Base         int64  // offset of its first record
	Slot         uint64 // the entry
	Pos          uint32 // position of its first batch in the entry
	Bytes        uint32 // up to the end of its last batch
	MaxTimestamp int64  // the largest of its batches, in milliseconds; -1 when none has one
	CameMs       int64  // when the last of its batches came, by the server's clock
}

// extentBytesMax is how far extents grow, so that finding a batch in one stays short.
const extentBytesMax = 64 << 10

// Extents yields the extents in order, from the one that holds offset on. It must be ranged over under the owner's lock.
func (p *Partition) Extents(offset int64) iter.Seq[Extent] {
	return func(yield func(Extent) bool) {
		after := sort.Search(len(p.extents), func(i int) bool { return p.extents[i].Base > offset })
		if p.open.Bytes > 0 && p.open.Base <= offset {
			after = len(p.extents) + 1
		}
		for _, e := range p.extents[min(max(after-1, 0), len(p.extents)):] {
			if !yield(e) {
				return
			}
		}
		if p.open.Bytes > 0 {
			yield(p.open)
		}
	}
}

// FirstSlot returns the slot of the oldest entry that the partition still needs; ok is false when it needs none.
func (p *Partition) FirstSlot() (slot uint64, ok bool) {
	if len(p.extents) > 0 {
		return p.extents[0].Slot, true
	}
	return p.open.Slot, p.open.Bytes > 0
}

func (s *State) produce(c raw, at place) (Result, error) {
	cmd, err := c.produced()
	if err != nil {
		return Result{}, err
	}
	if delta := cmd.Batch.LastOffsetDelta(); delta < 0 {
		return Result{}, fmt.Errorf("produce command with a batch whose last offset delta is %d", delta)
	}
	r := Result{Offset: -1, LogStart: -1, AppendMs: -1}
	p := s.Partition(cmd.ID, cmd.Partition)
	if p == nil {
		r.Code = kerr.UnknownTopicOrPartition
		return r, nil
	}
	p.produce(cmd.Batch, cmd.CameMs, at, &r)
	return r, nil
}

// produce appends a batch unless its producer's sequence says otherwise.
func (p *Partition) produce(b record.Batch, nowMs int64, at place, r *Result) {
	r.LogStart = p.LogStart
	if b.TimestampType() == record.LogAppendTime {
		r.AppendMs = b.MaxTimestamp()
	}
	if b.ProducerID() >= 0 {
		if p.judge(b, r); r.Code != kerr.None || r.Duplicate {
			return
		}
	}
	r.Offset = p.HighWatermark
	p.extend(b, nowMs, at)
	p.HighWatermark += int64(b.LastOffsetDelta()) + 1
	if b.ProducerID() >= 0 {
		p.remember(b, r, nowMs)
	}
}

// extend adds a batch to the index: to the open extent when it lies right after it, else as a new one.
func (p *Partition) extend(b record.Batch, nowMs int64, at place) {
	o := &p.open
	if o.Bytes > 0 && o.Slot == at.slot && o.Pos+o.Bytes == at.pos && int(o.Bytes)+len(b) <= extentBytesMax {
		p.Bytes += int64(ProduceHeaderBytes + len(b))
		o.Bytes += uint32(ProduceHeaderBytes + len(b))
		o.MaxTimestamp, o.CameMs = max(o.MaxTimestamp, b.MaxTimestamp()), max(o.CameMs, nowMs)
		return
	}
	if o.Bytes > 0 {
		p.extents = append(p.extents, *o)
	}
	p.open = Extent{p.HighWatermark, at.slot, at.pos + ProduceHeaderBytes, uint32(len(b)), b.MaxTimestamp(), nowMs}
	p.Bytes += int64(len(b))
}

func (s *State) moveLogStart(c *MoveLogStart, r *Result) {
	p := s.Partition(c.ID, c.Partition)
	if p == nil {
		r.Code = kerr.UnknownTopicOrPartition
		return
	}
	if c.Offset > p.HighWatermark {
		r.Code = kerr.OffsetOutOfRange
		return
	}
	p.LogStart = max(p.LogStart, c.Offset)
	p.dropBelow(p.LogStart)
	r.LogStart = p.LogStart
}

// dropBelow forgets the segments and extents that end at or below offset.
func (p *Partition) dropBelow(offset int64) {
	gone := 0
	for gone < len(p.segments) && p.segments[gone].End <= offset {
		p.Bytes -= p.segments[gone].Bytes
		gone++
	}
	p.segments = p.segments[gone:]
	p.dropExtentsBelow(offset)
}

// dropExtentsBelow forgets the extents that end at or below offset.
func (p *Partition) dropExtentsBelow(offset int64) {
	gone := 0
	for gone < len(p.extents) && p.endOf(gone) <= offset {
		p.Bytes -= int64(p.extents[gone].Bytes)
		gone++
	}
	rest := p.extents[gone:]
	if gone > len(rest) {
		rest = slices.Clone(rest) // to give the memory before it back
	}
	p.extents = rest
	if p.HighWatermark <= offset {
		p.Bytes -= int64(p.open.Bytes)
		p.open = Extent{}
	}
}

// endOf returns the offset after the last record of extent i, which is not the open one.
func (p *Partition) endOf(i int) int64 {
	if i+1 < len(p.extents) {
		return p.extents[i+1].Base
	}
	return p.open.Base
}
