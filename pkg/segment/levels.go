package segment

import (
	"encoding/binary"
	"slices"
)

// Levels say, value by value, whether there is one and whether it begins a row. They are encoded as RLE: runs of one value
// repeated, and runs of values packed in groups of eight, of one or two bits each.

const (
	levelGroup     = 8
	levelGroupsMax = 63 // of a packed run: its header stays one byte
)

// levelBits is the width of levels up to most.
func levelBits(most byte) int {
	if most > 1 {
		return 2
	}
	return 1
}

// appendLevels appends levels, each at most most, after their length in bytes.
func appendLevels(b, levels []byte, most byte) []byte {
	from := len(b)
	b = append(b, 0, 0, 0, 0)
	width := levelBits(most)
	for len(levels) > 0 {
		if n := repeats(levels); n >= levelGroup || n == len(levels) {
			b = binary.AppendUvarint(b, uint64(n)<<1)
			b = append(b, levels[0])
			levels = levels[n:]
			continue
		}
		b, levels = appendPackedLevels(b, levels, width)
	}
	binary.LittleEndian.PutUint32(b[from:], uint32(len(b)-from-4))
	return b
}

// repeats returns how often the first level comes in a row.
func repeats(levels []byte) int {
	n := 1
	for n < len(levels) && levels[n] == levels[0] {
		n++
	}
	return n
}

// appendPackedLevels appends groups until what follows is worth a run, and returns the levels left. The last group of all
// may be short.
func appendPackedLevels(b, levels []byte, width int) (_, rest []byte) {
	header := len(b)
	b = append(b, 0)
	groups := 0
	for len(levels) > 0 && groups < levelGroupsMax {
		if groups > 0 && len(levels) >= levelGroup && repeats(levels[:levelGroup]) == levelGroup {
			break
		}
		var word uint16
		n := min(levelGroup, len(levels))
		for i, v := range levels[:n] {
			word |= uint16(v) << (i * width)
		}
		for range width {
			b = append(b, byte(word))
			word >>= 8
		}
		groups++
		levels = levels[n:]
	}
	b[header] = byte(groups<<1 | 1)
	return b, levels
}

// readLevels reads n levels, each at most most, from the front of b, appends them to dst, and returns what follows them.
// What n claims has to be bounded by the caller: a few bytes may stand for as many levels.
func readLevels(dst, b []byte, n int, most byte) (levels, rest []byte, err error) {
	if len(b) < 4 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-4) {
		return nil, nil, damaged("levels of %d values in %d bytes", n, len(b))
	}
	size := int(binary.LittleEndian.Uint32(b))
	r := levelReader{dst: dst, b: b[4 : 4+size], left: n, most: most}
	for (r.left > 0 || len(r.b) > 0) && r.run() {
	}
	if r.left > 0 || len(r.b) > 0 {
		return nil, nil, damaged("levels: %d of %d values left, and %d bytes", r.left, n, len(r.b))
	}
	return r.dst, b[4+size:], nil
}

type levelReader struct {
	dst, b []byte
	left   int
	most   byte
}

// run reads one run; false when there is none that fits.
func (r *levelReader) run() bool {
	header, k := binary.Uvarint(r.b)
	if k <= 0 || header>>1 == 0 || header>>1 > uint64(r.left) {
		return false
	}
	r.b = r.b[k:]
	if header&1 == 0 {
		return r.repeated(int(header >> 1))
	}
	return r.packed(int(header >> 1))
}

func (r *levelReader) repeated(n int) bool {
	if len(r.b) == 0 || r.b[0] > r.most {
		return false
	}
	from := len(r.dst)
	r.dst = slices.Grow(r.dst, n)[:from+n]
	run := r.dst[from:]
	run[0] = r.b[0]
	for filled := 1; filled < n; filled *= 2 {
		copy(run[filled:], run[:filled])
	}
	r.b, r.left = r.b[1:], r.left-n
	return true
}

// packed reads groups, of which only the last one of a page may be short.
func (r *levelReader) packed(groups int) bool {
	width := levelBits(r.most)
	if groups > (r.left+levelGroup-1)/levelGroup || groups*width > len(r.b) {
		return false
	}
	n := min(groups*levelGroup, r.left)
	mask := byte(1)<<width - 1
	for i := range n {
		at := i * width
		v := r.b[at>>3] >> (at & 7) & mask
		if v > r.most {
			return false
		}
		r.dst = append(r.dst, v)
	}
	r.b, r.left = r.b[groups*width:], r.left-n
	return true
}
