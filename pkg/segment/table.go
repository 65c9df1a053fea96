package segment

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/apache/thrift/lib/go/thrift"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/xitongsys/parquet-go/parquet"
)

// table holds the rows of one block, decoded, column by column. Its memory is used again for the next one.
type table struct {
	n    int
	ints [leafCount][]int64 // of a row without a value: absent
	blob [leafCount][][]byte
	list []int // where the headers of each row begin, and the end of the last one's; empty when no row has any

	plain    [leafCount][]byte // pages, decompressed
	values   []int64
	def, rep []byte
	row      Row
	headers  record.Headers

	serializer *thrift.TSerializer
}

// absent is what record.NoTimestamp, NoProducerID, NoProducerEpoch and NoSequence are.
const absent = -1

var allLeaves = []leaf{leafOffset, leafTimestamp, leafKey, leafValue, leafHeaderKey, leafHeaderValue, leafTimestampType,
	leafProducerID, leafProducerEpoch, leafSequence, leafRawTimestamp, leafRawHeaderKeys}

// load decodes some columns of a block; the offsets have to be one of them.
func (t *table) load(f *Footer, p pages, block int, leaves []leaf) error {
	t.n = int(f.blocks[block].rows)
	for _, l := range leaves {
		if err := t.column(l, p.page(f, block, l), f, block); err != nil {
			return fmt.Errorf("column %s from offset %d: %w", columns[l].path, f.blocks[block].first, err)
		}
	}
	return t.check(&f.blocks[block])
}

// column decodes one page.
func (t *table) column(l leaf, page []byte, f *Footer, block int) error {
	values, err := t.unpack(l, page, f, block)
	if err != nil {
		return err
	}
	c := &columns[l]
	b := t.plain[l]
	if c.repMax > 0 {
		if b, err = t.listLevels(l, b, values); err != nil {
			return err
		}
	}
	t.def = t.def[:0]
	if c.defMax > 0 {
		if t.def, b, err = readLevels(t.def, b, values, c.defMax); err != nil {
			return err
		}
	}
	switch {
	case c.integer():
		return t.integers(l, b, values)
	case l == leafHeaderKey:
		return t.headerKeys(b)
	case l == leafHeaderValue:
		return t.headerValues(b)
	}
	return t.blobs(l, b)
}

// unpack checks a page and decompresses it; it returns how many levels the page has.
func (t *table) unpack(l leaf, page []byte, f *Footer, block int) (int, error) {
	h := &parquet.PageHeader{}
	used, err := parse(h, page)
	if err != nil {
		return 0, err
	}
	if !t.canonical(h, page[:used]) {
		return 0, damaged("page header of %d bytes, written otherwise", used)
	}
	packed := page[used:]
	c, d := &columns[l], h.DataPageHeader
	switch {
	case h.Type != parquet.PageType_DATA_PAGE || d == nil || h.Crc == nil || d.Statistics != nil ||
		h.DataPageHeaderV2 != nil || h.DictionaryPageHeader != nil || h.IndexPageHeader != nil:
		return 0, damaged("not a page of ours")
	case d.Encoding != c.encoding || d.DefinitionLevelEncoding != parquet.Encoding_RLE || d.RepetitionLevelEncoding != parquet.Encoding_RLE:
		return 0, damaged("page encoded by %v", d.Encoding)
	case int(h.CompressedPageSize) != len(packed):
		return 0, damaged("page of %d bytes instead of %d", h.CompressedPageSize, len(packed))
	case uint32(*h.Crc) != crc32.ChecksumIEEE(packed):
		return 0, damaged("checksum of a page is %08x instead of %08x", crc32.ChecksumIEEE(packed), uint32(*h.Crc))
	}
	size := int64(h.UncompressedPageSize)
	if size < 0 || size > pageBytesMax || size > f.groups[f.blocks[block].group].plainMax[l] {
		return 0, damaged("page of %d bytes, decompressed", size)
	}
	if t.plain[l], err = decompress(f.codec, t.plain[l], packed, int(size)); err != nil {
		return 0, err
	}
	return t.levels(l, int(d.NumValues))
}

// canonical says whether a header is written in the one way that writers do: bits that the reader passes over are as they
// should be.
func (t *table) canonical(h *parquet.PageHeader, b []byte) bool {
	if t.serializer == nil {
		t.serializer = compactSerializer()
	}
	want, err := t.serializer.Write(context.Background(), h)
	return err == nil && bytes.Equal(b, want)
}

// levels checks how many levels a page says it has: one a row, and one more for every further header, whose key takes four
// bytes at least.
func (t *table) levels(l leaf, n int) (int, error) {
	least, most := t.n, t.n
	switch l {
	case leafHeaderKey:
		most += len(t.plain[l]) / 4
	case leafHeaderValue: // as the keys have, which come before
		least, most = len(t.rep), len(t.rep)
	}
	if n < least || n > most {
		return 0, damaged("page of %d values instead of %d", n, t.n)
	}
	return n, nil
}

// integers reads the values of a page and puts them where their rows are.
func (t *table) integers(l leaf, b []byte, n int) (err error) {
	c := &columns[l]
	into := t.ints[l][:0]
	if c.defMax == 0 {
		t.ints[l], err = readDelta(into, b, n, c.bits())
		return err
	}
	present := n - count(t.def, 0)
	if present == n {
		t.ints[l], err = readDelta(into, b, n, c.bits())
		return err
	}
	if t.values, err = readDelta(t.values[:0], b, present, c.bits()); err != nil {
		return err
	}
	next := 0
	for _, d := range t.def {
		v := int64(absent)
		if d > 0 {
			v = t.values[next]
			next++
		}
		into = append(into, v)
	}
	t.ints[l] = into
	return nil
}

func count(levels []byte, level byte) (n int) {
	for _, v := range levels {
		if v == level {
			n++
		}
	}
	return n
}

// blobs reads the binary values of a page, nil where there is none. They are views of the page.
func (t *table) blobs(l leaf, b []byte) error {
	most := columns[l].defMax
	blob := t.blob[l][:0]
	for _, d := range t.def {
		if d < most {
			blob = append(blob, nil)
			continue
		}
		if len(b) < 4 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-4) {
			return damaged("value %d of %d in %d bytes", len(blob), len(t.def), len(b))
		}
		end := 4 + int(binary.LittleEndian.Uint32(b))
		blob = append(blob, b[4:end:end])
		b = b[end:]
	}
	t.blob[l] = blob
	return trailing(b)
}

func trailing(b []byte) error {
	if len(b) > 0 {
		return damaged("%d bytes behind the last value", len(b))
	}
	return nil
}

// check checks the offsets. Other columns may not have been loaded, and hold those of another block.
func (t *table) check(b *block) error {
	offsets := t.ints[leafOffset]
	if offsets[0] != b.first || offsets[len(offsets)-1] != b.last {
		return damaged("offsets %d to %d instead of %d to %d", offsets[0], offsets[len(offsets)-1], b.first, b.last)
	}
	for i, v := range offsets[1:] {
		if v <= offsets[i] {
			return damaged("offset %d behind %d", v, offsets[i])
		}
	}
	return nil
}

// timestamp is that of row i.
func (t *table) timestamp(i int) int64 {
	if ms := t.ints[leafTimestamp][i]; ms != absent {
		return ms
	}
	return t.ints[leafRawTimestamp][i]
}

// at returns row i; it is valid until the next call.
func (t *table) at(i int) (*Row, error) {
	kind, epoch := t.ints[leafTimestampType][i], t.ints[leafProducerEpoch][i]
	if kind != 0 && kind != 1 || epoch < math.MinInt16 || epoch > math.MaxInt16 {
		return nil, damaged("record at offset %d: timestamp type %d, producer epoch %d", t.ints[leafOffset][i], kind, epoch)
	}
	r := &t.row
	r.Offset = t.ints[leafOffset][i]
	r.Timestamp = t.timestamp(i)
	r.Key, r.Value = t.blob[leafKey][i], t.blob[leafValue][i]
	r.TimestampType = record.TimestampType(kind)
	r.ProducerID = t.ints[leafProducerID][i]
	r.ProducerEpoch = int16(epoch)
	r.Sequence = int32(t.ints[leafSequence][i])
	r.Headers = record.Headers{}
	if len(t.list) > 0 {
		return r, t.addHeaders(r, i)
	}
	return r, nil
}
