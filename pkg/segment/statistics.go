package segment

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/xitongsys/parquet-go/parquet"
)

const boundBytesMax = 64 // longest key in statistics

// bounds are the least and the largest value of a page or a column chunk; nil when there is no value.
type bounds struct {
	low, high   []byte // as the statistics have them; cut to boundBytesMax
	exact       bool   // not cut
	unbounded   bool   // the largest value has no short bound
	nulls, rows int64
}

// bounds computes what the index says of the page.
func (cb *columnBuilder) bounds(c *column, rows int) bounds {
	b := bounds{nulls: int64(cb.nulls), rows: int64(rows), exact: true}
	switch {
	case !c.indexed || cb.present == 0:
	case c.integer():
		b.low, b.high = integerBound(slices.Min(cb.ints), c), integerBound(slices.Max(cb.ints), c)
	default:
		low, high := cb.at(cb.low), cb.at(cb.high)
		b.exact = len(low) <= boundBytesMax && len(high) <= boundBytesMax
		b.low = append([]byte{}, low[:min(len(low), boundBytesMax)]...)
		b.high, b.unbounded = upperBound(high)
	}
	return b
}

func integerBound(v int64, c *column) []byte {
	if c.bits() == 32 {
		return binary.LittleEndian.AppendUint32(nil, uint32(v))
	}
	return binary.LittleEndian.AppendUint64(nil, uint64(v))
}

// upperBound returns v, or a short value above it; there is none above a long run of 0xff.
func upperBound(v []byte) (b []byte, unbounded bool) {
	if len(v) <= boundBytesMax {
		return append([]byte{}, v...), false
	}
	b = bytes.TrimRight(v[:boundBytesMax], "\xff")
	if len(b) == 0 {
		return nil, true
	}
	b = bytes.Clone(b)
	b[len(b)-1]++
	return b, false
}

// statistics are those of a column chunk. Values that are too long are left out, since not every reader knows that they
// may be cut.
func statistics(c *column, pages []indexedPage) *parquet.Statistics {
	s := &parquet.Statistics{NullCount: new(int64)}
	var low, high []byte
	exact := c.indexed
	for i := range pages {
		p := &pages[i]
		*s.NullCount += p.nulls
		exact = exact && p.exact && !p.unbounded
		if p.low == nil {
			continue
		}
		if low == nil || c.compare(p.low, low) < 0 {
			low = p.low
		}
		if high == nil || c.compare(p.high, high) > 0 {
			high = p.high
		}
	}
	if exact && low != nil {
		s.MinValue, s.MaxValue = low, high
	}
	if c.integer() { // what readers of old go by: the order of binary values was not defined then
		s.Min, s.Max = s.MinValue, s.MaxValue
	}
	return s
}

// compare compares bounds.
func (c *column) compare(a, b []byte) int {
	if !c.integer() {
		return bytes.Compare(a, b)
	}
	x, y := c.integerOf(a), c.integerOf(b)
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// integerOf is the value of a bound of an integer column.
func (c *column) integerOf(b []byte) int64 {
	if c.bits() == 32 {
		return int64(int32(binary.LittleEndian.Uint32(b)))
	}
	return int64(binary.LittleEndian.Uint64(b))
}

// boundaryOrder says whether the bounds of pages rise or fall; pages of nulls do not count.
func boundaryOrder(c *column, pages []indexedPage) parquet.BoundaryOrder {
	rises, falls := true, true
	var last *indexedPage
	for i := range pages {
		p := &pages[i]
		if p.low == nil {
			continue
		}
		if last != nil {
			low, high := c.compare(last.low, p.low), c.compare(last.high, p.high)
			rises = rises && low <= 0 && high <= 0
			falls = falls && low >= 0 && high >= 0
		}
		last = p
	}
	switch {
	case rises:
		return parquet.BoundaryOrder_ASCENDING
	case falls:
		return parquet.BoundaryOrder_DESCENDING
	}
	return parquet.BoundaryOrder_UNORDERED
}
