package segment

import (
	"math"

	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/xitongsys/parquet-go/parquet"
)

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
