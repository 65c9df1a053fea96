package segment

import (
	"context"
	"encoding/binary"
	"reflect"
	"slices"

	"github.com/xitongsys/parquet-go/parquet"
)

// What is read of a segment's end at first: enough for the whole tail of nearly all.
const (
	tailGuessMin   = 64 << 10
	tailGuessRatio = 128 // of the size: it is a 180th to a 600th
	tailGuessMax   = 4 << 20
	headBytes      = int64(len(magic))
	sizeMin        = headBytes + int64(trailerBytes)
)

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

// checkShape checks that the columns are ours, and that nothing is missing that later steps rely on.
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
