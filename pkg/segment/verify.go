package segment

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/apache/thrift/lib/go/thrift"
	"github.com/xitongsys/parquet-go/parquet"
)

// Verify reads the whole of a segment of so many bytes, and checks everything it says: every checksum, the order of offsets, the
// index, statistics and metadata. What is not so is an ErrDamaged; the errors of get are returned as they are.
func Verify(ctx context.Context, get Get, size int64) (Meta, error) {
	t := tail{get: get, size: size}
	m, f, err := t.read(ctx)
	if err != nil {
		return Meta{}, fmt.Errorf("verify segment: %w", err)
	}
	v := verifier{Reader: NewReader(f, get), file: m, tail: &t, serializer: compactSerializer()}
	v.seen = Meta{Topic: f.Topic, TopicID: f.TopicID, Partition: f.Partition, First: f.First, MaxTimestamp: -1 << 63, Bytes: size}
	if err := v.run(ctx); err != nil {
		return f.Meta, v.wrap(err)
	}
	return f.Meta, nil
}

// verifier gathers the rows it reads, as a writer does, and compares what comes of it.
type verifier struct {
	*Reader
	file       *parquet.FileMetaData
	tail       *tail
	serializer *thrift.TSerializer
	rows       blockBuilder
	index      index
	seen       Meta
}

func (v *verifier) run(ctx context.Context) error {
	head := make([]byte, headBytes)
	if err := v.get(ctx, head, 0); err != nil {
		return err
	}
	if string(head) != magic {
		return damaged("the first bytes are %q", head)
	}
	for i := range v.f.groups {
		if err := v.group(ctx, i); err != nil {
			return fmt.Errorf("row group %d: %w", i, err)
		}
	}
	v.seen.Last = v.f.Last
	if v.seen != v.f.Meta {
		return damaged("metadata is %+v, the records make it %+v", v.f.Meta, v.seen)
	}
	return nil
}

// group reads a row group, some blocks at a time, and checks what the file says of it.
func (v *verifier) group(ctx context.Context, i int) error {
	g := &v.f.groups[i]
	v.index = index{}
	var levels [leafCount]int64
	for block, end := g.block, 0; block < g.block+g.blocks; block = end {
		end = min(v.f.until(block, rowsBytes), g.block+g.blocks)
		for t, err := range v.tables(ctx, block, end, allLeaves) {
			if err == nil {
				err = v.block(t, &levels)
			}
			if err != nil {
				return err
			}
		}
	}
	for l, c := range v.file.RowGroups[i].Columns {
		if err := v.chunk(leaf(l), c, levels[l]); err != nil {
			return fmt.Errorf("column %s: %w", columns[l].path, err)
		}
	}
	return nil
}

// block gathers the rows of a block.
func (v *verifier) block(t *table, levels *[leafCount]int64) error {
	for i := range t.n {
		r, err := t.at(i)
		if err != nil {
			return err
		}
		n, err := rowSize(r)
		if err != nil {
			return damaged("%v", err)
		}
		v.rows.add(r, n)
		v.seen.add(r, n)
	}
	for l := range leafCount {
		g := &v.rows.columns[l]
		v.index.add(l, g.bounds(&columns[l], v.rows.rows), 0)
		levels[l] += int64(g.levels())
	}
	v.rows.reset()
	return nil
}

// chunk compares what the file says of a column chunk with what has been gathered.
func (v *verifier) chunk(l leaf, c *parquet.ColumnChunk, levels int64) error {
	column, m := &columns[l], c.MetaData
	if m.NumValues != levels || !slices.Equal(m.PathInSchema, column.pathInSchema()) {
		return damaged("%d values of column %s instead of %d", m.NumValues, m.PathInSchema, levels)
	}
	want := statistics(column, v.index.pages[l])
	if m.Statistics == nil || !v.same(m.Statistics, want) {
		return damaged("statistics are %v instead of %v", m.Statistics, want)
	}
	x := columnIndex(column, v.index.pages[l])
	if x == nil || c.ColumnIndexOffset == nil {
		if x != nil || c.ColumnIndexOffset != nil {
			return damaged("a column index too many or too few")
		}
		return nil
	}
	have := &parquet.ColumnIndex{}
	b, err := v.tail.section(c.ColumnIndexOffset, c.ColumnIndexLength)
	if err == nil {
		_, err = parse(have, b)
	}
	if err == nil && !v.same(have, x) {
		err = damaged("column index is %v instead of %v", have, x)
	}
	return err
}

// same compares structures by what they are written as.
func (v *verifier) same(a, b thrift.TStruct) bool {
	x, errX := v.serializer.Write(context.Background(), a)
	y, errY := v.serializer.Write(context.Background(), b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
