package segment

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/apache/thrift/lib/go/thrift"
	"github.com/xitongsys/parquet-go/parquet"
)

// The library's page index is wrong in every part (sizes without the page header, values in place of rows, no null counts),
// so it is made here: while a row group grows, what its pages hold; then the structures themselves, serialised at once,
// which lie in memory until the footer is written.

const (
	magic        = "PAR1"
	createdBy    = "heraclitus version 1"
	trailerBytes = 4 + len(magic) // length of the footer, magic

	// tailBytesMax bounds index and footer together; at some 600 bytes for a block it is reached at 25 GiB.
	tailBytesMax  = 64 << 20
	chunkBytesMax = 400 // of what the footer says of a column chunk
)

// index is what has been written, as the end of the file is to tell it.
type index struct {
	pages [leafCount][]indexedPage // of the row group that is growing

	columnIndexes []byte
	offsetIndexes []byte
	chunks        []chunkIndex // of all row groups
	serializer    *thrift.TSerializer
}

type indexedPage struct {
	bounds
	bytes int32 // with its header
}

// chunkIndex is how long the indexes of a column chunk are; there may be no column index.
type chunkIndex struct{ column, offset int32 }

// add adds a page of so many bytes, with its header, to the row group.
func (x *index) add(l leaf, b bounds, bytes int32) {
	x.pages[l] = append(x.pages[l], indexedPage{b, bytes})
}

// endGroup sets right what the library says of the row group at position at, and makes its indexes.
func (x *index) endGroup(g *parquet.RowGroup, ordinal int, at int64) error {
	g.FileOffset = &at
	g.SortingColumns = []*parquet.SortingColumn{{ColumnIdx: int32(leafOffset)}}
	if ordinal <= math.MaxInt16 {
		g.Ordinal = ptr(int16(ordinal))
	}
	g.TotalCompressedSize = new(int64)
	for l, chunk := range g.Columns {
		x.repair(leaf(l), chunk.MetaData)
		*g.TotalCompressedSize += chunk.MetaData.TotalCompressedSize
		if err := x.endChunk(leaf(l), chunk.FileOffset); err != nil {
			return err
		}
		x.pages[l] = x.pages[l][:0]
	}
	if len(x.columnIndexes)+len(x.offsetIndexes)+len(x.chunks)*chunkBytesMax > tailBytesMax {
		return fmt.Errorf("segment of %d row groups: %w", ordinal+1, ErrTooLarge)
	}
	return nil
}

// repair sets the metadata of a column chunk right.
func (x *index) repair(l leaf, m *parquet.ColumnMetaData) {
	c := &columns[l]
	m.PathInSchema = c.pathInSchema()
	m.Encodings = []parquet.Encoding{c.encoding}
	if c.defMax > 0 {
		m.Encodings = append(m.Encodings, parquet.Encoding_RLE)
	}
	m.Statistics = statistics(c, x.pages[l])
}

// endChunk makes the indexes of the column chunk at position at.
func (x *index) endChunk(l leaf, at int64) (err error) {
	n := chunkIndex{column: int32(len(x.columnIndexes)), offset: int32(len(x.offsetIndexes))}
	if ci := columnIndex(&columns[l], x.pages[l]); ci != nil {
		if x.columnIndexes, err = x.append(x.columnIndexes, ci); err != nil {
			return err
		}
	}
	if x.offsetIndexes, err = x.append(x.offsetIndexes, offsetIndex(x.pages[l], at)); err != nil {
		return err
	}
	n.column, n.offset = int32(len(x.columnIndexes))-n.column, int32(len(x.offsetIndexes))-n.offset
	x.chunks = append(x.chunks, n)
	return nil
}

func (x *index) append(b []byte, s thrift.TStruct) ([]byte, error) {
	if x.serializer == nil {
		x.serializer = compactSerializer()
	}
	more, err := x.serializer.Write(context.Background(), s)
	if err != nil {
		return b, fmt.Errorf("serialise %T: %w", s, err)
	}
	return append(b, more...), nil
}

// columnIndex returns nil for a column that has none, or a page of which has no short upper bound.
func columnIndex(c *column, pages []indexedPage) *parquet.ColumnIndex {
	if !c.indexed {
		return nil
	}
	x := &parquet.ColumnIndex{BoundaryOrder: boundaryOrder(c, pages)}
	for i := range pages {
		p := &pages[i]
		if p.unbounded {
			return nil
		}
		x.NullPages = append(x.NullPages, p.low == nil)
		x.MinValues = append(x.MinValues, p.low)
		x.MaxValues = append(x.MaxValues, p.high)
		x.NullCounts = append(x.NullCounts, p.nulls)
	}
	return x
}

func offsetIndex(pages []indexedPage, at int64) *parquet.OffsetIndex {
	x := &parquet.OffsetIndex{}
	row := int64(0)
	for i := range pages {
		p := &pages[i]
		x.PageLocations = append(x.PageLocations,
			&parquet.PageLocation{Offset: at, CompressedPageSize: p.bytes, FirstRowIndex: row})
		at += int64(p.bytes)
		row += p.rows
	}
	return x
}

// tail returns what ends a file whose row groups end at position at: all column indexes, all offset indexes, the footer.
func (x *index) tail(f *parquet.FileMetaData, m *Meta, at int64) ([]byte, error) {
	x.place(f, at)
	f.Version = 2
	f.CreatedBy = ptr(createdBy)
	f.KeyValueMetadata = m.pairs()
	for range leafCount {
		f.ColumnOrders = append(f.ColumnOrders, &parquet.ColumnOrder{TYPE_ORDER: &parquet.TypeDefinedOrder{}})
	}
	tail := append(x.columnIndexes, x.offsetIndexes...)
	from := len(tail)
	tail, err := x.append(tail, f)
	if err != nil {
		return nil, err
	}
	tail = binary.LittleEndian.AppendUint32(tail, uint32(len(tail)-from))
	tail = append(tail, magic...)
	if len(tail) > tailBytesMax {
		return nil, fmt.Errorf("index and footer of %d bytes: %w", len(tail), ErrTooLarge)
	}
	place := checksumAt(tail)
	copy(place, fmt.Sprintf("%08x", checksum(tail, place)))
	return tail, nil
}

// place tells every column chunk where its indexes are going to be.
func (x *index) place(f *parquet.FileMetaData, column int64) {
	offset := column + int64(len(x.columnIndexes))
	for i := range x.chunks {
		n := &x.chunks[i]
		chunk := f.RowGroups[i/int(leafCount)].Columns[i%int(leafCount)]
		if n.column > 0 {
			chunk.ColumnIndexOffset, chunk.ColumnIndexLength = ptr(column), &n.column
		}
		chunk.OffsetIndexOffset, chunk.OffsetIndexLength = ptr(offset), &n.offset
		column += int64(n.column)
		offset += int64(n.offset)
	}
}

// checksumAt returns the part of the tail that is its checksum in hexadecimal; nil when there is none. It is the last pair of
// the metadata, after everything that others have a say in.
func checksumAt(tail []byte) []byte {
	const between = 2 // of the pair: type of the value, length of the value
	i := bytes.LastIndex(tail, []byte(keyChecksum))
	from := i + len(keyChecksum) + between
	if i < 0 || from+len(noChecksum) > len(tail) {
		return nil
	}
	return tail[from : from+len(noChecksum) : from+len(noChecksum)]
}

// checksum is the CRC-32C of the tail, with noChecksum in its place.
func checksum(tail, place []byte) uint32 {
	kept := [len(noChecksum)]byte(place)
	copy(place, noChecksum)
	sum := crc32.Checksum(tail, castagnoli)
	copy(place, kept[:])
	return sum
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)
