package segment

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"slices"

	"github.com/apache/thrift/lib/go/thrift"
	"github.com/xitongsys/parquet-go/common"
	"github.com/xitongsys/parquet-go/layout"
	"github.com/xitongsys/parquet-go/parquet"
	"github.com/xitongsys/parquet-go/schema"
)

// A page is what one column has of a block: a run of rows of which all columns end a page together. So the page of any
// column that holds a row has the same number as that of any other.

const (
	bufferKept    = 4 << 20 // capacity a buffer keeps from one block to the next
	pageBytesMax  = 3 << 29 // of a page before compression; the next power of two is beyond Parquet's int32
	arenaBytes    = 1 << 20
	boundBytesMax = 64 // longest key in statistics
)

// gathering collects the values of one column until they become a page.
type gathering struct {
	def, rep []byte  // levels; def where defMax is 1 or more, rep where repMax is
	ints     []int64 // of an integer column
	plain    []byte  // of a binary column: every value behind its length
	present  int     // values
	nulls    int     // levels without a value
	low      span    // of an indexed binary column: the least value, in plain
	high     span
}

type span struct{ at, end int }

func (g *gathering) reset() {
	if cap(g.plain) > bufferKept {
		g.plain = nil
	}
	*g = gathering{def: g.def[:0], rep: g.rep[:0], ints: g.ints[:0], plain: g.plain[:0]}
}

// int adds a value to a required column.
func (g *gathering) int(v int64) {
	g.ints = append(g.ints, v)
	g.present++
}

// maybe adds a value, or none, to an optional column.
func (g *gathering) maybe(v int64, has bool) {
	if !has {
		g.null()
		return
	}
	g.def = append(g.def, 1)
	g.int(v)
}

func (g *gathering) null() {
	g.def = append(g.def, 0)
	g.nulls++
}

// bytes adds a value, or none if it is nil, to an optional column.
func (g *gathering) bytes(v []byte) {
	if v == nil {
		g.null()
		return
	}
	g.def = append(g.def, 1)
	g.put(v)
}

func (g *gathering) put(v []byte) {
	g.plain = binary.LittleEndian.AppendUint32(g.plain, uint32(len(v)))
	g.plain = append(g.plain, v...)
	g.present++
}

// bounded is bytes for a column with statistics.
func (g *gathering) bounded(v []byte) {
	g.bytes(v)
	if v == nil {
		return
	}
	s := span{len(g.plain) - len(v), len(g.plain)}
	if g.present == 1 {
		g.low, g.high = s, s
		return
	}
	if bytes.Compare(v, g.at(g.low)) < 0 {
		g.low = s
	} else if bytes.Compare(v, g.at(g.high)) > 0 {
		g.high = s
	}
}

func (g *gathering) at(s span) []byte { return g.plain[s.at:s.end] }

// levels returns how many levels there are, in a column that has any.
func (g *gathering) levels() int { return g.present + g.nulls }

// appendRaw appends the page as it is before compression.
func (g *gathering) appendRaw(b []byte, c *column) []byte {
	if c.repMax > 0 {
		b = appendLevels(b, g.rep, c.repMax)
	}
	if c.defMax > 0 {
		b = appendLevels(b, g.def, c.defMax)
	}
	if c.integer() {
		return appendDelta(b, g.ints, c.bits())
	}
	return append(b, g.plain...)
}

// bounds are the least and the largest value of a page or a column chunk; nil when there is no value.
type bounds struct {
	low, high   []byte // as the statistics have them; cut to boundBytesMax
	exact       bool   // not cut
	unbounded   bool   // the largest value has no short bound
	nulls, rows int64
}

// bounds computes what the index says of the page.
func (g *gathering) bounds(c *column, rows int) bounds {
	b := bounds{nulls: int64(g.nulls), rows: int64(rows), exact: true}
	switch {
	case !c.indexed || g.present == 0:
	case c.integer():
		b.low, b.high = integerBound(slices.Min(g.ints), c), integerBound(slices.Max(g.ints), c)
	default:
		low, high := g.at(g.low), g.at(g.high)
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

// press makes finished pages: header and compressed values. The pages of a row group lie in its arena until the
// group is written.
type press struct {
	compressor
	raw        []byte
	packed     []byte
	arena      arena
	serializer *thrift.TSerializer
	handler    *schema.SchemaHandler
	elements   [leafCount]*parquet.SchemaElement
	info       *common.Tag
}

func newPress(c compressor, h *schema.SchemaHandler) *press {
	p := &press{compressor: c, serializer: compactSerializer(), handler: h}
	// The library is to keep its hands off: it neither makes dictionaries of plain pages nor statistics where it is told to
	// omit them.
	p.info = common.NewTag()
	p.info.Encoding, p.info.OmitStats = parquet.Encoding_PLAIN, true
	l := 0
	for _, e := range h.SchemaElements {
		if e.GetNumChildren() == 0 {
			p.elements[l] = e
			l++
		}
	}
	return p
}

// page makes the page of what g has gathered.
func (p *press) page(g *gathering, l leaf) (*layout.Page, error) {
	c := &columns[l]
	if cap(p.raw) > bufferKept {
		p.raw, p.packed = nil, nil
	}
	p.raw = g.appendRaw(p.raw[:0], c)
	if len(p.raw) > pageBytesMax {
		return nil, fmt.Errorf("page of %d bytes of column %s: %w", len(p.raw), c.path, ErrTooLarge)
	}
	p.packed = p.compress(p.packed[:0], p.raw)
	header := dataPage(c, g.levels(), len(p.raw), p.packed)
	head, err := p.serializer.Write(context.Background(), header)
	if err != nil {
		return nil, fmt.Errorf("serialise page header: %w", err)
	}
	if len(p.packed) > math.MaxInt32-len(head) {
		return nil, fmt.Errorf("page of %d bytes of column %s, compressed: %w", len(p.packed), c.path, ErrTooLarge)
	}
	block := p.arena.take(len(head) + len(p.packed))
	copy(block[copy(block, head):], p.packed)
	return &layout.Page{Header: header, RawData: block, CompressType: parquet.CompressionCodec(p.codec),
		Schema: p.elements[l], Path: common.StrToPath(p.handler.ValueColumns[l]), Info: p.info}, nil
}

// dataPage is the header of a page.
func dataPage(c *column, levels, raw int, packed []byte) *parquet.PageHeader {
	return &parquet.PageHeader{
		Type:                 parquet.PageType_DATA_PAGE,
		UncompressedPageSize: int32(raw),
		CompressedPageSize:   int32(len(packed)),
		Crc:                  ptr(int32(crc32.ChecksumIEEE(packed))),
		DataPageHeader: &parquet.DataPageHeader{
			NumValues:               int32(levels),
			Encoding:                c.encoding,
			DefinitionLevelEncoding: parquet.Encoding_RLE,
			RepetitionLevelEncoding: parquet.Encoding_RLE,
		},
	}
}

// arena gives out memory that is all given back at once.
type arena struct {
	full [][]byte // blocks in use
	free [][]byte // of arenaBytes
	last []byte   // the block in use last; its length is what was given out
}

func (a *arena) take(n int) []byte {
	if cap(a.last)-len(a.last) < n {
		a.full = append(a.full, a.last)
		a.last = a.block(n)
	}
	at := len(a.last)
	a.last = a.last[:at+n]
	return a.last[at : at+n : at+n]
}

func (a *arena) block(n int) []byte {
	if k := len(a.free) - 1; k >= 0 && n <= arenaBytes {
		b := a.free[k]
		a.free = a.free[:k]
		return b
	}
	return make([]byte, 0, max(n, arenaBytes))
}

// reset takes everything back. Blocks made for one large page are let go.
func (a *arena) reset() {
	for _, b := range append(a.full, a.last) {
		if cap(b) == arenaBytes {
			a.free = append(a.free, b[:0])
		}
	}
	clear(a.full)
	a.full, a.last = a.full[:0], nil
}
