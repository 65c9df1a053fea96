package segment

import (
	"context"
	"encoding/binary"
	"math"
	"reflect"
	"slices"
	"sort"
	"unsafe"

	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/xitongsys/parquet-go/parquet"
)

// Get fills p with the bytes of an object from off on, as objstore.Store's GetRange does. It is called by several
// goroutines at a time.
type Get func(ctx context.Context, p []byte, off int64) error

// Footer is where everything in a segment is. It never changes, and may be shared and kept.
type Footer struct {
	Meta
	codec  Codec
	groups []rowGroup
	blocks []block // of all row groups, by offset
}

// rowGroup is where the pages of a row group are.
type rowGroup struct {
	at        int64 // in the file
	block     int   // its first one
	blocks    int
	plainMax  [leafCount]int64    // what the pages of a column hold before compression, together
	positions [leafCount][]uint32 // of the pages, and the end of the last one, counted from at
}

// block is a run of rows of which all columns have one page.
type block struct {
	first, last  int64 // offset of its first record and of its last
	maxTimestamp int64
	rows         int32
	group        int32
}

// MemoryBytes is about what the footer takes in memory: for a cache to count.
func (f *Footer) MemoryBytes() int {
	const positions = int(leafCount) * 4
	n := int(unsafe.Sizeof(*f)) + len(f.blocks)*(int(unsafe.Sizeof(block{}))+positions)
	return n + len(f.groups)*(int(unsafe.Sizeof(rowGroup{}))+positions)
}

// What is read of a segment's end at first: enough for the whole tail of nearly all.
const (
	tailGuessMin   = 64 << 10
	tailGuessRatio = 128 // of the size: it is a 180th to a 600th
	tailGuessMax   = 4 << 20
	headBytes      = int64(len(magic))
	sizeMin        = headBytes + int64(trailerBytes)
)

// ReadFooter reads what is at the end of an object of so many bytes: with one ranged get as a rule, with a second
// where the guess how long the tail is was too short, and a third where that was so for the footer alone. ErrDamaged;
// ErrVersion; the errors of get.
func ReadFooter(ctx context.Context, get Get, size int64) (*Footer, error) {
	t := tail{get: get, size: size}
	_, f, err := t.read(ctx)
	return f, err
}

// tail is the end of an object, as much as has been read of it.
type tail struct {
	get  Get
	size int64
	b    []byte
}

// read reads the footer and the index.
func (t *tail) read(ctx context.Context) (*parquet.FileMetaData, *Footer, error) {
	if t.size < sizeMin {
		return nil, nil, damaged("segment of %d bytes", t.size)
	}
	if err := t.extend(ctx, min(t.size, max(tailGuessMin, min(t.size/tailGuessRatio, tailGuessMax)))); err != nil {
		return nil, nil, err
	}
	m, err := t.footer(ctx)
	if err != nil {
		return nil, nil, err
	}
	f, err := t.index(ctx, m)
	return m, f, err
}

// extend reads until n bytes are there.
func (t *tail) extend(ctx context.Context, n int64) error {
	have := int64(len(t.b))
	if n <= have {
		return nil
	}
	if n > tailBytesMax || n > t.size {
		return damaged("index and footer of %d bytes in %d", n, t.size)
	}
	b := make([]byte, n)
	copy(b[n-have:], t.b)
	if err := t.get(ctx, b[:n-have], t.size-n); err != nil {
		return err
	}
	t.b = b
	return nil
}

// footer reads the footer alone.
func (t *tail) footer(ctx context.Context) (*parquet.FileMetaData, error) {
	trailer := t.b[len(t.b)-trailerBytes:]
	if string(trailer[4:]) != magic {
		return nil, damaged("the last bytes are %q", trailer[4:])
	}
	n := int64(binary.LittleEndian.Uint32(trailer))
	whole := n + int64(trailerBytes)
	if whole > t.size-headBytes {
		return nil, damaged("footer of %d bytes in %d", n, t.size)
	}
	if whole > int64(len(t.b)) { // with what may be as much again for the index, several times
		if err := t.extend(ctx, max(whole, min(8*whole, t.size, tailBytesMax))); err != nil {
			return nil, err
		}
	}
	f := &parquet.FileMetaData{}
	b := t.b[int64(len(t.b))-whole:]
	if used, err := parse(f, b[:n]); err != nil {
		return nil, err
	} else if int64(used) != n {
		return nil, damaged("footer of %d bytes ends after %d", n, used)
	}
	return f, nil
}

// section returns bytes of what has been read by their position in the object.
func (t *tail) section(at *int64, n *int32) ([]byte, error) {
	start := t.size - int64(len(t.b))
	if at == nil || n == nil || *n < 0 || *at < start || *at > t.size-int64(*n) {
		return nil, damaged("index outside of the tail")
	}
	from := *at - start
	return t.b[from : from+int64(*n)], nil
}

// index checks the footer, and reads what it points to.
func (t *tail) index(ctx context.Context, m *parquet.FileMetaData) (*Footer, error) {
	meta, err := readMeta(m.KeyValueMetadata)
	if err != nil {
		return nil, err
	}
	if err := checkShape(m); err != nil {
		return nil, err
	}
	from := m.RowGroups[0].Columns[leafOffset].ColumnIndexOffset
	if from == nil || *from < headBytes || *from > t.size {
		return nil, damaged("no index")
	}
	if err := t.extend(ctx, t.size-*from); err != nil {
		return nil, err
	}
	t.b = t.b[int64(len(t.b))-(t.size-*from):]
	if err := t.checkSum(); err != nil {
		return nil, err
	}
	meta.Bytes = t.size
	r := indexReader{tail: t, at: headBytes, from: *from, f: &Footer{Meta: meta, codec: Codec(m.RowGroups[0].Columns[0].MetaData.Codec)}}
	return r.read(m)
}

func (t *tail) checkSum() error {
	place := checksumAt(t.b)
	if place == nil {
		return damaged("no checksum")
	}
	var want uint32
	for _, c := range place {
		digit := slices.Index([]byte("0123456789abcdef"), c)
		if digit < 0 {
			return damaged("checksum %q", place)
		}
		want = want<<4 | uint32(digit)
	}
	if have := checksum(t.b, place); have != want {
		return damaged("checksum of index and footer is %08x instead of %08x", have, want)
	}
	return nil
}

// checkShape checks that the columns are ours, and that nothing is missing of which the rest of the footer's reader makes use.
func checkShape(m *parquet.FileMetaData) error {
	if !reflect.DeepEqual(m.Schema, schemaElements()) {
		return damaged("schema of %d elements is not that of a segment", len(m.Schema))
	}
	if len(m.RowGroups) == 0 {
		return damaged("no row groups")
	}
	codec := parquet.CompressionCodec(-1)
	for i, g := range m.RowGroups {
		if len(g.Columns) != int(leafCount) {
			return damaged("row group %d of %d columns", i, len(g.Columns))
		}
		for l, c := range g.Columns {
			if c.MetaData == nil || c.OffsetIndexOffset == nil || c.OffsetIndexLength == nil {
				return damaged("row group %d, column %d: no metadata", i, l)
			}
			if codec < 0 {
				codec = c.MetaData.Codec
			}
			if c.MetaData.Codec != codec || c.MetaData.Type != columns[l].kind {
				return damaged("row group %d, column %d: %v by %v", i, l, c.MetaData.Type, c.MetaData.Codec)
			}
		}
	}
	if _, err := newCompressor(Codec(codec), 0); err != nil {
		return damaged("%v", err)
	}
	return nil
}

// indexReader makes a Footer of what the library read.
type indexReader struct {
	*tail
	from int64 // where in the object the tail begins
	at   int64 // where the next column chunk has to begin
	f    *Footer
	next int64 // least offset that the next block may begin with
	rows int64
}

func (r *indexReader) read(m *parquet.FileMetaData) (*Footer, error) {
	r.next = r.f.First
	for i, g := range m.RowGroups {
		if err := r.group(g); err != nil {
			return nil, damaged("row group %d: %v", i, err)
		}
	}
	switch {
	case r.at != r.from:
		return nil, damaged("row groups end at %d instead of %d", r.at, r.from)
	case r.rows != r.f.Records || m.NumRows != r.rows:
		return nil, damaged("%d rows instead of %d", r.rows, r.f.Records)
	case r.next > r.f.Last+1:
		return nil, damaged("records beyond the last offset %d", r.f.Last)
	}
	return r.f, nil
}

// group adds one row group.
func (r *indexReader) group(g *parquet.RowGroup) error {
	group := rowGroup{at: r.at, block: len(r.f.blocks)}
	rows, err := r.blockRows(g)
	if err != nil {
		return err
	}
	group.blocks = len(rows)
	for l, c := range g.Columns {
		group.plainMax[l] = c.MetaData.TotalUncompressedSize
		if group.positions[l], err = r.positions(c, group.at, rows); err != nil {
			return damaged("column %s: %v", columns[l].path, err)
		}
	}
	if err := r.offsets(g.Columns[leafOffset], rows); err != nil {
		return err
	}
	for _, l := range []leaf{leafTimestamp, leafRawTimestamp} {
		if err := r.timestamps(g.Columns[l], l, group.block); err != nil {
			return damaged("column %s: %v", columns[l].path, err)
		}
	}
	r.f.groups = append(r.f.groups, group)
	return nil
}

func (r *indexReader) offsetIndex(c *parquet.ColumnChunk) ([]*parquet.PageLocation, error) {
	b, err := r.section(c.OffsetIndexOffset, c.OffsetIndexLength)
	if err != nil {
		return nil, err
	}
	x := &parquet.OffsetIndex{}
	_, err = parse(x, b)
	return x.PageLocations, err
}

// blockRows returns how many rows each block of a row group has, by the pages of the first column.
func (r *indexReader) blockRows(g *parquet.RowGroup) ([]int32, error) {
	pages, err := r.offsetIndex(g.Columns[0])
	if err != nil {
		return nil, err
	}
	if len(pages) == 0 || pages[0].FirstRowIndex != 0 {
		return nil, damaged("%d pages", len(pages))
	}
	rows := make([]int32, len(pages))
	for i, p := range pages {
		end := g.NumRows
		if i+1 < len(pages) {
			end = pages[i+1].FirstRowIndex
		}
		n := end - p.FirstRowIndex
		if end < p.FirstRowIndex || n == 0 || n > blockRowsMax {
			return nil, damaged("page %d of rows %d to %d", i, p.FirstRowIndex, end)
		}
		rows[i] = int32(n)
	}
	r.rows += g.NumRows
	return rows, nil
}

// positions returns where the pages of a column chunk are, which has to begin where the one before it ended.
func (r *indexReader) positions(c *parquet.ColumnChunk, group int64, rows []int32) ([]uint32, error) {
	pages, err := r.offsetIndex(c)
	if err != nil {
		return nil, err
	}
	m := c.MetaData
	if len(pages) != len(rows) || m.DataPageOffset != r.at || m.TotalUncompressedSize < 0 {
		return nil, damaged("%d pages instead of %d, at %d instead of %d", len(pages), len(rows), m.DataPageOffset, r.at)
	}
	p := make([]uint32, 0, len(pages)+1)
	row := int64(0)
	for i, page := range pages {
		if page.Offset != r.at || page.FirstRowIndex != row || page.CompressedPageSize <= 0 {
			return nil, damaged("page %d at %d instead of %d, from row %d instead of %d", i, page.Offset, r.at, page.FirstRowIndex, row)
		}
		p = append(p, uint32(r.at-group))
		r.at += int64(page.CompressedPageSize)
		row += int64(rows[i])
		if r.at > r.from || r.at-group > math.MaxUint32 {
			return nil, damaged("page %d ends at %d", i, r.at)
		}
	}
	if from := m.DataPageOffset; r.at-from != m.TotalCompressedSize {
		return nil, damaged("pages of %d bytes instead of %d", r.at-from, m.TotalCompressedSize)
	}
	return append(p, uint32(r.at-group)), nil
}

func (r *indexReader) columnIndex(c *parquet.ColumnChunk, pages int) (*parquet.ColumnIndex, error) {
	b, err := r.section(c.ColumnIndexOffset, c.ColumnIndexLength)
	if err != nil {
		return nil, err
	}
	x := &parquet.ColumnIndex{}
	if _, err := parse(x, b); err != nil {
		return nil, err
	}
	if len(x.NullPages) != pages || len(x.MinValues) != pages || len(x.MaxValues) != pages || len(x.NullCounts) != pages {
		return nil, damaged("column index of %d pages instead of %d", len(x.NullPages), pages)
	}
	return x, nil
}

// offsets adds the blocks of a row group, which go from their least offset to their largest.
func (r *indexReader) offsets(c *parquet.ColumnChunk, rows []int32) error {
	x, err := r.columnIndex(c, len(rows))
	if err != nil {
		return err
	}
	for i, n := range rows {
		if len(x.MinValues[i]) != 8 || len(x.MaxValues[i]) != 8 {
			return damaged("block %d: no offsets", i)
		}
		column := &columns[leafOffset]
		b := block{first: column.integerOf(x.MinValues[i]), last: column.integerOf(x.MaxValues[i]), rows: n,
			group: int32(len(r.f.groups)), maxTimestamp: record.NoTimestamp}
		if b.first < r.next || b.last < b.first || b.last > r.f.Last || b.last-b.first < int64(n)-1 {
			return damaged("block %d of %d rows has offsets %d to %d, behind %d", i, n, b.first, b.last, r.next-1)
		}
		r.next = b.last + 1
		r.f.blocks = append(r.f.blocks, b)
	}
	return nil
}

// timestamps sets the largest timestamp of the blocks of a row group.
func (r *indexReader) timestamps(c *parquet.ColumnChunk, l leaf, first int) error {
	blocks := r.f.blocks[first:]
	x, err := r.columnIndex(c, len(blocks))
	if err != nil {
		return err
	}
	for i := range blocks {
		if x.NullPages[i] {
			continue
		}
		if len(x.MaxValues[i]) != 8 {
			return damaged("block %d: no timestamp", i)
		}
		ms := columns[l].integerOf(x.MaxValues[i])
		if b := &blocks[i]; b.maxTimestamp == record.NoTimestamp || ms > b.maxTimestamp {
			b.maxTimestamp = ms
		}
	}
	return nil
}

// find returns the number of the first block that has an offset of at least from; len(f.blocks) when none has.
func (f *Footer) find(from int64) int {
	return sort.Search(len(f.blocks), func(i int) bool { return f.blocks[i].last >= from })
}

// firstOf is the first offset of a block; behind the last one, that behind the segment.
func (f *Footer) firstOf(block int) int64 {
	if block >= len(f.blocks) {
		return f.Last + 1
	}
	return f.blocks[block].first
}
