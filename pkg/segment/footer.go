package segment

import (
	"context"
	"iter"
	"sort"
	"unsafe"
)

// Get fills p with the bytes of an object from off on, as objstore.Store's GetRange does. It is called by several
// goroutines at a time.
type Get func(ctx context.Context, p []byte, off int64) error

// Footer says where everything in a segment is. It never changes, and may be shared and kept.
type Footer struct {
	Meta
	codec  Codec
	groups []rowGroup
	blocks []block // of all row groups, by offset
}

// rowGroup says where the pages of a row group are.
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

// ReadFooter reads the end of an object of so many bytes: with one ranged get as a rule, with a second when that was too short
// for the index, and a third when it was too short even for the footer. Errors: ErrDamaged, ErrVersion, those of get.
func ReadFooter(ctx context.Context, get Get, size int64) (*Footer, error) {
	t := tail{get: get, size: size}
	_, f, err := t.read(ctx)
	return f, err
}

// find returns the number of the first block that has an offset of at least from; len(f.blocks) when none has.
func (f *Footer) find(from int64) int {
	return sort.Search(len(f.blocks), func(i int) bool { return f.blocks[i].last >= from })
}

// firstOf is the first offset of a block; after the last block, the offset after the segment.
func (f *Footer) firstOf(block int) int64 {
	if block >= len(f.blocks) {
		return f.Last + 1
	}
	return f.blocks[block].first
}

// Block is a run of rows of which every column has one page: the least that is read.
type Block struct {
	Group        int   // the row group it is part of, from 0
	First, Last  int64 // offset of its first record and of its last
	Rows         int
	MaxTimestamp int64 // as in Meta
	Bytes        int64 // of its pages
}

// Blocks yields the blocks in order.
func (f *Footer) Blocks() iter.Seq[Block] {
	return func(yield func(Block) bool) {
		for i, b := range f.blocks {
			g := &f.groups[b.group]
			d := Block{Group: int(b.group), First: b.first, Last: b.last, Rows: int(b.rows), MaxTimestamp: b.maxTimestamp}
			for l := range leafCount {
				d.Bytes += int64(g.positions[l][i-g.block+1] - g.positions[l][i-g.block])
			}
			if !yield(d) {
				return
			}
		}
	}
}

// Codec is how the pages are compressed.
func (f *Footer) Codec() Codec { return f.codec }
