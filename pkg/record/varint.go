package record

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// The readers here take a position and return the next one, or -1 once anything did not fit; -1 as a position fails
// again. So a parser reads all its fields and looks at the position once, at the end.

const (
	varintBytesMax  = 5
	varlongBytesMax = 10
)

// varint reads a zigzag-encoded int32.
func varint(b []byte, at int) (int32, int) {
	if uint(at) >= uint(len(b)) {
		return 0, -1
	}
	x, at := short(b, at)
	return zigzag(x), at
}

// short reads an unsigned varint of which b[at], at least, is there. It has to stay small enough to be inlined.
func short(b []byte, at int) (x uint32, next int) {
	if x, next = uint32(b[at]), at+1; x >= 0x80 {
		x, next = varintLong(b, next)
	}
	return
}

func zigzag(x uint32) int32 { return int32(x>>1) ^ -int32(x&1) }

// varintLong reads a varint of more than one byte, the first of which is before at.
//
//go:noinline
func varintLong(b []byte, at int) (uint32, int) {
	if at < len(b) && b[at] < 0x80 {
		return uint32(b[at-1]&0x7f) | uint32(b[at])<<7, at + 1
	}
	x, at := uvarint(b, at-1, varintBytesMax)
	if x > math.MaxUint32 {
		return 0, -1
	}
	return uint32(x), at
}

// varlong reads a zigzag-encoded int64.
func varlong(b []byte, at int) (int64, int) {
	if uint(at) < uint(len(b)) && b[at] < 0x80 {
		return int64(b[at]>>1) ^ -int64(b[at]&1), at + 1
	}
	x, next := uvarint(b, at, varlongBytesMax)
	return int64(x>>1) ^ -int64(x&1), next
}

func uvarint(b []byte, at, bytesMax int) (x uint64, next int) {
	if uint(at) >= uint(len(b)) {
		return 0, -1
	}
	for i, c := range b[at:min(len(b), at+bytesMax)] {
		x |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			return x, at + i + 1
		}
	}
	return 0, -1
}

// extent is where bytes are within other bytes; null has a negative size.
type extent struct{ at, bytes int }

func (x extent) of(b []byte) []byte {
	if x.bytes < 0 {
		return nil
	}
	return b[x.at : x.at+x.bytes : x.at+x.bytes]
}

// field reads bytes after their length; a negative length is null, as in Kafka.
func field(b []byte, at int) (extent, int) {
	if uint(at) >= uint(len(b)) {
		return extent{}, -1
	}
	x, at := short(b, at)
	n := int(zigzag(x))
	if at < 0 || n > len(b)-at {
		return extent{}, -1
	}
	return extent{at, n}, at + max(0, n)
}

func appendField(b, v []byte, null bool) []byte {
	if null {
		return append(b, 1) // -1
	}
	return append(binary.AppendVarint(b, int64(len(v))), v...)
}

// varintBytes is the size of v as a varint.
func varintBytes(v int64) int {
	return (bits.Len64(uint64(v<<1)^uint64(v>>63)|1) + 6) / 7
}

func fieldBytes(v []byte) int {
	if v == nil {
		return 1
	}
	return varintBytes(int64(len(v))) + len(v)
}
