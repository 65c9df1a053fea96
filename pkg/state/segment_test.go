package state

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// These tests show that segments take the place of exactly what they hold, that a command which comes too late changes
// nothing, and that what a partition holds stays in order whatever comes.

// ten produces ten batches of ten records each, an entry each.
func ten(f *fold) {
	for range 10 {
		f.produce(0, batch(-1, -1, -1, 10, 5))
	}
}

// held returns the bounds of a partition's segments, and where its extents begin.
func held(p *Partition) (segments [][2]int64, archivedTo int64) {
	for g := range p.Segments(0) {
		segments = append(segments, [2]int64{g.Base, g.End})
	}
	return segments, p.ArchivedTo()
}

func archive(from, to int64, unique uint64, replaces ...uint64) ReplaceSegments {
	g := Segment{Base: from, End: to, Unique: unique, Bytes: 100, Records: to - from, MaxTimestamp: 5, CameMs: 1000}
	return ReplaceSegments{ID: orders, From: from, To: to, Replaces: replaces, Segments: []Segment{g}}
}

func TestSegmentsTakeThePlaceOfExtents(t *testing.T) {
	f := newFold(t)
	ten(f)
	p := f.state.Partition(orders, 0)
	bytes := p.Bytes
	g := func(c ReplaceSegments, code kerr.Code, archivedTo int64, want ...[2]int64) {
		t.Helper()
		if r := f.do(c); r.Code != code {
			t.Errorf("%+v: %v, want %v", c, r.Code, code)
		}
		if got, to := held(p); !slices.Equal(got, want) || to != archivedTo {
			t.Errorf("%+v: segments %v, extents from %d; want %v, %d", c, got, to, want, archivedTo)
		}
	}
	g(archive(0, 30, 1), kerr.None, 30, [2]int64{0, 30})
	if want := bytes*7/10 + 100; p.Bytes != want {
		t.Errorf("%d bytes, want %d", p.Bytes, want)
	}
	if slot, _ := p.FirstSlot(); slot != 4 {
		t.Errorf("needs the journal from entry %d, want 4", slot)
	}
	g(archive(30, 35, 2), kerr.InvalidRequest, 30, [2]int64{0, 30})    // ends inside an extent
	g(archive(40, 50, 2), kerr.InvalidRequest, 30, [2]int64{0, 30})    // leaves extents before
	g(archive(0, 40, 2), kerr.InvalidRequest, 30, [2]int64{0, 30})     // another segment lies there
	g(archive(90, 110, 2), kerr.InvalidRequest, 30, [2]int64{0, 30})   // beyond the end
	g(archive(10, 20, 2, 1), kerr.InvalidRequest, 30, [2]int64{0, 30}) // the segment reaches over
	g(archive(30, 100, 2), kerr.None, 100, [2]int64{0, 30}, [2]int64{30, 100})
	g(archive(0, 100, 3, 1, 2), kerr.None, 100, [2]int64{0, 100})
	g(archive(0, 100, 3, 1, 2), kerr.InvalidRequest, 100, [2]int64{0, 100}) // has happened
	if _, needs := p.FirstSlot(); needs || p.Bytes != 100 || p.HighWatermark != 100 {
		t.Errorf("needs the journal: %v; %d bytes, high watermark %d", needs, p.Bytes, p.HighWatermark)
	}
	f.produce(0, batch(-1, -1, -1, 10, 5))
	g(ReplaceSegments{ID: orders, From: 0, To: 100, Replaces: []uint64{3}, CleanedTo: 100}, kerr.None, 100)
	if p.CleanedTo != 100 || p.HighWatermark != 110 {
		t.Errorf("cleaned to %d, high watermark %d", p.CleanedTo, p.HighWatermark)
	}
}

func TestSegmentsBelowTheLogStartAreForgotten(t *testing.T) {
	f := newFold(t)
	ten(f)
	f.do(archive(0, 30, 1))
	f.do(archive(30, 60, 2))
	p := f.state.Partition(orders, 0)
	g := func(offset int64, want ...[2]int64) {
		t.Helper()
		f.do(MoveLogStart{orders, 0, offset})
		if got, _ := held(p); !slices.Equal(got, want) {
			t.Errorf("log start %d: segments %v, want %v", offset, got, want)
		}
	}
	g(29, [2]int64{0, 30}, [2]int64{30, 60})
	g(30, [2]int64{30, 60})
	if r := f.do(archive(0, 60, 3, 1, 2)); r.Code != kerr.InvalidRequest {
		t.Errorf("a merge that comes too late: %v", r.Code)
	}
	g(59, [2]int64{30, 60})
	g(75)
	if r := f.do(archive(60, 80, 4)); r.Code != kerr.None {
		t.Errorf("archive what begins before the log start: %v", r.Code)
	}
	g(80)
	g(100)
	if p.Bytes != 0 {
		t.Errorf("%d bytes in an empty partition", p.Bytes)
	}
}

func TestReadsBeginWithTheSegmentThatHoldsTheOffset(t *testing.T) {
	f := newFold(t)
	ten(f)
	c := archive(0, 100, 1)
	c.Segments = []Segment{{Base: 10, End: 20, Unique: 1, Bytes: 1}, {Base: 40, End: 60, Unique: 2, Bytes: 1}}
	f.do(c)
	for offset, want := range map[int64]int64{0: 10, 10: 10, 19: 10, 20: 40, 59: 40, 60: -1, 99: -1} {
		got := int64(-1)
		for g := range f.state.Partition(orders, 0).Segments(offset) {
			got = g.Base
			break
		}
		if got != want {
			t.Errorf("offset %d: segment at %d, want %d", offset, got, want)
		}
	}
}

func TestKeysOfSegmentsSortByOffset(t *testing.T) {
	g := Segment{Base: 7, End: 1 << 40, Unique: 0xabc}
	want := "topics/web.log/partition=3/00000000000000000007-00000001099511627775-0000000000000abc.parquet"
	if got := g.Key("web.log", 3); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// randomReplacement returns a command that may fit what a partition of s holds.
func randomReplacement(s *State, rng *rand.Rand) Command {
	id, partition := ID{byte(1 + rng.IntN(3))}, int32(rng.IntN(3))
	p := s.Partition(id, partition)
	if p == nil {
		return AllocateProducerID{}
	}
	c := ReplaceSegments{ID: id, Partition: partition, CleanedTo: int64(rng.IntN(100))}
	var bounds []int64
	for g := range p.Segments(0) {
		bounds = append(bounds, g.Base, g.End)
	}
	for x := range p.Extents(0) {
		bounds = append(bounds, x.Base)
	}
	bounds = append(bounds, p.HighWatermark)
	from := rng.IntN(len(bounds))
	c.From, c.To = bounds[from], bounds[from+rng.IntN(len(bounds)-from)]
	first, last := p.segmentsIn(c.From, c.To)
	for _, g := range p.segments[first:last] {
		c.Replaces = append(c.Replaces, g.Unique)
	}
	for at := c.From; at < c.To && rng.IntN(4) > 0; {
		g := Segment{Base: at, End: at + 1 + rng.Int64N(c.To-at), Unique: rng.Uint64(), Bytes: 1 + rng.Int64N(100)}
		c.Segments, at = append(c.Segments, g), g.End
	}
	return c
}

// checkOrder holds a partition against what is always true of one.
func checkOrder(t *testing.T, p *Partition) {
	t.Helper()
	at, bytes := int64(0), int64(0)
	for _, g := range p.segments {
		if g.Base < at || g.End <= g.Base || g.End <= p.LogStart {
			t.Fatalf("segment %+v at %d, log start %d", g, at, p.LogStart)
		}
		at, bytes = g.End, bytes+g.Bytes
	}
	first := true
	for x := range p.Extents(0) {
		if x.Base < at || !first && x.Base != at {
			t.Fatalf("extent %+v at %d", x, at)
		}
		first, at, bytes = false, x.Base+1, bytes+int64(x.Bytes)
		for i := range p.extents {
			if p.extents[i] == x {
				at = p.endOf(i)
			}
		}
	}
	if at > p.HighWatermark || bytes != p.Bytes {
		t.Fatalf("ends at %d of %d; %d bytes, counted %d", at, p.HighWatermark, bytes, p.Bytes)
	}
}
