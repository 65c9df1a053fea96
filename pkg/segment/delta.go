package segment

import (
	"encoding/binary"
	"math/bits"
)

// The encoding DELTA_BINARY_PACKED, of INT32 and INT64: a header (values of a block, miniblocks of a block, number of
// values, the first value), then blocks of the differences between neighbours. A block is the least of its differences,
// the width of each of its miniblocks in bits, and the miniblocks: what the differences are above the least one, packed
// from the low bit on. Differences wrap around at the size of the type.
const (
	deltaBlock      = 128 // values
	deltaMini       = 32
	deltaMinis      = deltaBlock / deltaMini
	deltaBytesMini  = deltaMini * 8 // at the width of 64
	deltaWidthMax   = 64
	deltaWidthBytes = deltaMini / 8 // of a miniblock, for each bit of its width
)

// appendDelta appends values, of so many bits each, to b.
func appendDelta(b []byte, values []int64, size int) []byte {
	b = append(b, deltaBlock&0x7f|0x80, deltaBlock>>7, deltaMinis)
	b = binary.AppendUvarint(b, uint64(len(values)))
	if len(values) == 0 {
		return append(b, 0)
	}
	last := values[0]
	b = binary.AppendVarint(b, last)
	for values = values[1:]; len(values) > 0; {
		n := min(len(values), deltaBlock)
		b, last = appendBlock(b, values[:n], last, size)
		values = values[n:]
	}
	return b
}

// appendBlock appends the block of up to deltaBlock values that follow last, and returns the last of them.
func appendBlock(b []byte, values []int64, last int64, size int) ([]byte, int64) {
	var above [deltaBlock]uint64
	low := int64(1<<63 - 1)
	for i, v := range values {
		d := v - last
		if size == 32 {
			d = int64(int32(d))
		}
		above[i], low, last = uint64(d), min(low, d), v
	}
	for i := range values {
		above[i] -= uint64(low)
		if size == 32 {
			above[i] &= 1<<32 - 1
		}
	}
	b = binary.AppendVarint(b, low)
	widths := len(b)
	b = append(b, make([]byte, deltaMinis)...)
	for m := 0; m*deltaMini < len(values); m++ {
		mini := (*[deltaMini]uint64)(above[m*deltaMini:])
		all := uint64(0)
		for _, v := range mini {
			all |= v
		}
		width := bits.Len64(all)
		b[widths+m] = byte(width)
		b = appendPacked(b, mini, width)
	}
	return b, last
}

// appendPacked appends 32 values of width bits each.
func appendPacked(b []byte, values *[deltaMini]uint64, width int) []byte {
	if width == 0 {
		return b
	}
	var word uint64
	used := 0
	for _, v := range values {
		word |= v << used
		used += width
		if used >= 64 {
			b = binary.LittleEndian.AppendUint64(b, word)
			used -= 64
			word = v >> (width - used)
		}
	}
	if used > 0 { // half a word: 32 values are a multiple of 32 bits
		b = binary.LittleEndian.AppendUint32(b, uint32(word))
	}
	return b
}

// readDelta reads exactly n values, which have to be all that b holds, into dst.
func readDelta(dst []int64, b []byte, n, size int) ([]int64, error) {
	r := deltaReader{b: b, size: size}
	block, minis, total := r.uvarint(), r.uvarint(), r.uvarint()
	v := r.varint()
	if r.bad || block != deltaBlock || minis != deltaMinis || total != uint64(n) {
		return nil, damaged("%d integers: header of blocks of %d, %d miniblocks, %d values", n, block, minis, total)
	}
	if n > 0 {
		dst = append(dst, v)
	}
	for n--; n > 0 && !r.bad; n -= deltaBlock {
		dst = r.block(dst, min(n, deltaBlock))
	}
	if r.bad || len(r.b) != 0 {
		return nil, damaged("%d integers: %d bytes left, cut short %v", total, len(r.b), r.bad)
	}
	return dst, nil
}

// deltaReader reads b to its end, after which it is bad.
type deltaReader struct {
	b    []byte
	size int
	bad  bool
	mini [deltaBytesMini + 8]byte // a miniblock, with room after it to load words from
}

// block appends the n values of a block, which follow the last of dst.
func (r *deltaReader) block(dst []int64, n int) []int64 {
	low := r.varint()
	if len(r.b) < deltaMinis {
		r.bad = true
		return dst
	}
	widths := r.b[:deltaMinis]
	r.b = r.b[deltaMinis:]
	v := dst[len(dst)-1]
	for _, w := range widths {
		if n <= 0 {
			return dst
		}
		dst, v = r.miniblock(dst, min(n, deltaMini), int(w), low, v)
		n -= deltaMini
	}
	return dst
}

func (r *deltaReader) miniblock(dst []int64, n, width int, low, v int64) ([]int64, int64) {
	size := width * deltaWidthBytes
	if width > deltaWidthMax || size > len(r.b) {
		r.bad = true
		return dst, v
	}
	copy(r.mini[:], r.b[:size])
	r.b = r.b[size:]
	mask := uint64(1)<<width - 1
	for i := range n {
		at, shift := i*width>>3, i*width&7
		word := binary.LittleEndian.Uint64(r.mini[at:])>>shift | uint64(r.mini[at+8])<<(64-shift)
		if v += low + int64(word&mask); r.size == 32 {
			v = int64(int32(v))
		}
		dst = append(dst, v)
	}
	return dst, v
}

func (r *deltaReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *deltaReader) varint() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}
