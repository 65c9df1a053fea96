package segment

import "iter"

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
