package state

import (
	"fmt"
	"iter"
	"slices"
	"sort"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// Segment is an object that holds records of one partition at rest. Its records have offsets from Base up to, and not
// including, End; where it has none of an offset there, nobody has.
type Segment struct {
	Base, End    int64
	Unique       uint64 // tells its object from any other one of the same offsets
	Bytes        int64  // of the object
	Records      int64
	MaxTimestamp int64 // the largest of its records, in milliseconds; -1 when none has one
	CameMs       int64 // when the last of its batches came, by the server's clock
	CleanedMs    int64 // when compaction first went over its records; 0 when it has not
}

// Key is the name of the segment's object, for a partition of a topic: the path by which query engines find the table.
func (g Segment) Key(topic string, partition int32) string {
	return fmt.Sprintf("%s%020d-%020d-%016x.parquet", SegmentPrefix(topic, partition), g.Base, g.End-1, g.Unique)
}

// SegmentsPrefix begins the keys of all segments.
const SegmentsPrefix = "topics/"

// SegmentPrefix begins the keys of one partition's segments.
func SegmentPrefix(topic string, partition int32) string {
	return fmt.Sprintf("%s%s/partition=%d/", SegmentsPrefix, topic, partition)
}

// Segments yields the segments in order, from the one that holds offset, or else the first one after it. It must be ranged over
// under the owner's lock. What comes after them lies in extents.
func (p *Partition) Segments(offset int64) iter.Seq[Segment] {
	from := sort.Search(len(p.segments), func(i int) bool { return p.segments[i].End > offset })
	return slices.Values(p.segments[from:])
}

// SegmentCount is how many segments there are.
func (p *Partition) SegmentCount() int { return len(p.segments) }

// ArchivedTo is the offset up to which the partition's records lie in segments, and from which on they lie in extents.
func (p *Partition) ArchivedTo() int64 {
	for x := range p.Extents(p.LogStart) {
		return x.Base
	}
	return p.HighWatermark
}

// JournalBytes is how many bytes of the partition lie in extents.
func (p *Partition) JournalBytes() int64 {
	bytes := p.Bytes
	for _, g := range p.segments {
		bytes -= g.Bytes
	}
	return bytes
}

// ReplaceSegments puts segments in place of all that a partition holds from From up to, and not including, To: extents that
// have been archived, or segments that have been merged or compacted. It is refused, so that the objects are garbage, with
// UnknownTopicOrPartition, or with InvalidRequest when the partition does not hold there what it did when they were written:
// the segments there must be those in Replaces, none may reach across From or To, and extents must be the first ones, whole.
type ReplaceSegments struct {
	ID        ID
	Partition int32
	From, To  int64
	Replaces  []uint64  // Unique of the segments there, in order
	Segments  []Segment // in order, between From and To
	CleanedTo int64     // offset up to which the partition has been compacted now; ignored when it is lower than before
}

func (ReplaceSegments) kind() byte { return kindReplaceSegments }

func (c ReplaceSegments) append(b []byte) []byte {
	b = appendInt32(append(b, c.ID[:]...), c.Partition)
	b = appendInt64(appendInt64(b, c.From), c.To)
	b = appendUvarint(b, len(c.Replaces))
	for _, unique := range c.Replaces {
		b = appendInt64(b, int64(unique))
	}
	b = appendSegments(b, c.Segments)
	return appendInt64(b, c.CleanedTo)
}

func (c *ReplaceSegments) decode(d *decoder) {
	c.ID, c.Partition, c.From, c.To = d.id(), d.int32(), d.int64(), d.int64()
	for range d.count(8) {
		c.Replaces = append(c.Replaces, uint64(d.int64()))
	}
	c.Segments = d.segments()
	c.CleanedTo = d.int64()
}

func appendSegments(b []byte, segments []Segment) []byte {
	b = appendUvarint(b, len(segments))
	for _, g := range segments {
		for _, v := range []int64{g.Base, g.End, int64(g.Unique), g.Bytes, g.Records, g.MaxTimestamp, g.CameMs, g.CleanedMs} {
			b = appendInt64(b, v)
		}
	}
	return b
}

// segmentBytes is the size of a segment in a command or a snapshot.
const segmentBytes = 8 * 8

func (d *decoder) segments() []Segment {
	var segments []Segment
	for range d.count(segmentBytes) {
		segments = append(segments, Segment{d.int64(), d.int64(), uint64(d.int64()), d.int64(), d.int64(), d.int64(), d.int64(), d.int64()})
	}
	return slices.Clip(segments)
}

func (s *State) replaceSegments(c *ReplaceSegments, r *Result) {
	p := s.Partition(c.ID, c.Partition)
	switch {
	case p == nil:
		r.Code = kerr.UnknownTopicOrPartition
	case !c.inOrder() || !p.fits(c):
		r.Code = kerr.InvalidRequest
	default:
		p.replace(c)
	}
}

// inOrder says whether the segments lie one after the other between From and To.
func (c *ReplaceSegments) inOrder() bool {
	at := c.From
	for _, g := range c.Segments {
		if g.Base < at || g.End <= g.Base || g.Bytes <= 0 {
			return false
		}
		at = g.End
	}
	return at <= c.To && c.From < c.To
}

// fits says whether the partition holds from From to To what the command assumes.
func (p *Partition) fits(c *ReplaceSegments) bool {
	if c.From < 0 || c.To > p.HighWatermark {
		return false
	}
	first, last := p.segmentsIn(c.From, c.To)
	there := p.segments[first:last]
	if !slices.EqualFunc(there, c.Replaces, func(g Segment, unique uint64) bool { return g.Unique == unique }) {
		return false
	}
	if len(there) > 0 && (there[0].Base < c.From || there[len(there)-1].End > c.To) {
		return false
	}
	archived := p.ArchivedTo()
	return c.To <= archived || c.From <= archived && p.beginsExtent(c.To)
}

// segmentsIn returns which segments hold offsets from from up to to.
func (p *Partition) segmentsIn(from, to int64) (first, last int) {
	first = sort.Search(len(p.segments), func(i int) bool { return p.segments[i].End > from })
	last = sort.Search(len(p.segments), func(i int) bool { return p.segments[i].Base >= to })
	return first, max(first, last)
}

// beginsExtent says whether an extent begins at offset, or the partition ends there.
func (p *Partition) beginsExtent(offset int64) bool {
	for x := range p.Extents(offset) {
		return x.Base == offset || offset == p.HighWatermark
	}
	return offset == p.HighWatermark
}

func (p *Partition) replace(c *ReplaceSegments) {
	first, last := p.segmentsIn(c.From, c.To)
	for _, g := range p.segments[first:last] {
		p.Bytes -= g.Bytes
	}
	for _, g := range c.Segments {
		p.Bytes += g.Bytes
	}
	p.segments = slices.Concat(p.segments[:first], c.Segments, p.segments[last:]) // never changed in place: clones share it
	p.CleanedTo = max(p.CleanedTo, min(c.CleanedTo, p.HighWatermark))
	if c.To > p.ArchivedTo() {
		p.dropExtentsBelow(c.To)
	}
	p.dropBelow(p.LogStart)
}
