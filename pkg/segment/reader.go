package segment

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
)

// Reader reads one segment. It is safe for any number of goroutines, and holds nothing that would have to be closed.
type Reader struct {
	f   *Footer
	get Get
}

// Open reads the footer of a segment of so many bytes, as [ReadFooter] does.
func Open(ctx context.Context, get Get, size int64) (*Reader, error) {
	f, err := ReadFooter(ctx, get, size)
	if err != nil {
		return nil, fmt.Errorf("open segment: %w", err)
	}
	return NewReader(f, get), nil
}

// NewReader reads a segment by a footer that was read before, from the same bytes.
func NewReader(f *Footer, get Get) *Reader { return &Reader{f, get} }

// Footer says where everything is: to be kept for the next NewReader.
func (r *Reader) Footer() *Footer { return r.f }

// wrap says which segment an error is about.
func (r *Reader) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("read segment of %s/%d, offsets %d to %d: %w", r.f.Topic, r.f.Partition, r.f.First, r.f.Last, err)
}

// until returns the block to stop before, so that the blocks from the given one on are of one row group and hold about bytesMax
// before compression, or are a single one.
func (f *Footer) until(from, bytesMax int) int {
	if from == len(f.blocks) {
		return from
	}
	g := &f.groups[f.blocks[from].group]
	end := from
	left := float64(bytesMax)
	for ; end < g.block+g.blocks; end++ {
		if left -= f.plainBytes(end); left < 0 && end > from {
			break
		}
	}
	return end
}

// Start returns where to begin to read so that what is read can be cached: the first offset of the run that holds the first
// record at or after from. Runs are what Read takes at a time with this bytesMax, counted from the first block of each row
// group. It is Last + 1 when there is no such record.
func (f *Footer) Start(from int64, bytesMax int) int64 {
	wanted := f.find(from)
	if wanted == len(f.blocks) {
		return f.firstOf(wanted)
	}
	block := f.groups[f.blocks[wanted].group].block
	for {
		end := f.until(block, bytesMax)
		if wanted < end {
			return f.firstOf(block)
		}
		block = end
	}
}

// plainBytes is about what a block holds before compression.
func (f *Footer) plainBytes(block int) float64 {
	g := &f.groups[f.blocks[block].group]
	i := block - g.block
	var packed, plain, all float64
	for l := range leafCount {
		p := g.positions[l]
		packed += float64(p[i+1] - p[i])
		all += float64(p[g.blocks] - p[0])
		plain += float64(g.plainMax[l])
	}
	return packed * plain / all
}

// scratch is what a read decodes blocks into.
var scratch = sync.Pool{New: func() any { return new(table) }}

// release gives a table back, unless it has grown too large to be kept.
func release(t *table) {
	for _, b := range t.plain {
		if cap(b) > bufferKept {
			return
		}
	}
	scratch.Put(t)
}

// tables yields blocks from to end-1, decoded, which are read at once. Each is valid until the next one.
func (r *Reader) tables(ctx context.Context, from, end int, leaves []leaf) iter.Seq2[*table, error] {
	return func(yield func(*table, error) bool) {
		if from >= end {
			return
		}
		p := r.f.plan(from, end, leaves)
		if err := p.fetch(ctx, r.get); err != nil {
			yield(nil, err)
			return
		}
		t := scratch.Get().(*table)
		defer release(t)
		for block := from; block < end; block++ {
			err := t.load(r.f, p, block, leaves)
			if !yield(t, err) || err != nil {
				return
			}
		}
	}
}

const rowsBytes = 4 << 20 // read at a time by Rows

// Rows yields the records from an offset on, in order. An error is the last thing yielded. A row is valid until the next one
// is asked for.
func (r *Reader) Rows(ctx context.Context, from int64) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		end := 0
		for block := r.f.find(from); block < len(r.f.blocks); block = end {
			end = r.f.until(block, rowsBytes)
			for t, err := range r.tables(ctx, block, end, allLeaves) {
				if err != nil {
					yield(nil, r.wrap(err))
					return
				}
				for row, err := range t.from(from) {
					if !yield(row, r.wrap(err)) || err != nil {
						return
					}
				}
			}
		}
	}
}

// from yields the rows from an offset on.
func (t *table) from(offset int64) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		first, _ := slices.BinarySearch(t.ints[leafOffset], offset)
		for i := first; i < t.n; i++ {
			row, err := t.at(i)
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// OffsetForTime returns the first record whose timestamp is ms or later; ok is false when there is none. It reads the
// timestamps of one block, if any. Records without a timestamp are passed over.
func (r *Reader) OffsetForTime(ctx context.Context, ms int64) (offset, timestamp int64, ok bool, err error) {
	for block := range r.f.blocks {
		if r.f.blocks[block].maxTimestamp < ms {
			continue
		}
		for t, err := range r.tables(ctx, block, block+1, []leaf{leafOffset, leafTimestamp, leafRawTimestamp}) {
			if err != nil {
				return 0, 0, false, r.wrap(err)
			}
			for i := range t.n {
				if at := t.timestamp(i); at >= ms && at != absent {
					return t.ints[leafOffset][i], at, true, nil
				}
			}
		}
	}
	return 0, 0, false, nil
}
