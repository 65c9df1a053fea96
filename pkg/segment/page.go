package segment

import (
	"context"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/apache/thrift/lib/go/thrift"
	"github.com/xitongsys/parquet-go/common"
	"github.com/xitongsys/parquet-go/layout"
	"github.com/xitongsys/parquet-go/parquet"
	"github.com/xitongsys/parquet-go/schema"
)

// A page is what one column has of a block: a run of rows of which all columns end a page together. So the page of any
// column that holds a row has the same number as that of any other.

const (
	bufferKept   = 4 << 20 // capacity a buffer keeps from one block to the next
	pageBytesMax = 3 << 29 // of a page before compression; compressed, it may be larger, and has to fit into an int32
)

// pageBuilder makes finished pages: header and compressed values. The pages of a row group lie in its arena until the
// group is written.
type pageBuilder struct {
	compressor
	raw        []byte
	packed     []byte
	arena      arena
	serializer *thrift.TSerializer
	handler    *schema.SchemaHandler
	elements   [leafCount]*parquet.SchemaElement
	info       *common.Tag
}

func newPageBuilder(c compressor, h *schema.SchemaHandler) *pageBuilder {
	p := &pageBuilder{compressor: c, serializer: compactSerializer(), handler: h}
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

// page makes the page of what cb has gathered.
func (p *pageBuilder) page(cb *columnBuilder, l leaf) (*layout.Page, error) {
	c := &columns[l]
	if cap(p.raw) > bufferKept {
		p.raw, p.packed = nil, nil
	}
	p.raw = cb.appendRaw(p.raw[:0], c)
	if len(p.raw) > pageBytesMax {
		return nil, fmt.Errorf("page of %d bytes of column %s: %w", len(p.raw), c.path, ErrTooLarge)
	}
	p.packed = p.compress(p.packed[:0], p.raw)
	header := dataPage(c, cb.levels(), len(p.raw), p.packed)
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
