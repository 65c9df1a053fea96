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
	if uint(at) < uint(len(b)) && b[at] < 0x80 {
		return int32(b[at]>>1) ^ -int32(b[at]&1), at + 1
	}
	return varintLong(b, at)
}

func varintLong(b []byte, at int) (int32, int) {
	x, next := uvarint(b, at, varintBytesMax)
	if x > math.MaxUint32 {
		return 0, -1
	}
	return int32(uint32(x)>>1) ^ -int32(x&1), next
}

// varlong reads a zigzag-encoded int64.
func varlong(b []byte, at int) (int64, int) {
	x, next := uvarint(b, at, varlongBytesMax)
	return int64(x>>1) ^ -int64(x&1), next
}

func uvarint(b []byte, at, bytesMax int) (x uint64, next int) {
	if at < 0 {
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

// field reads bytes behind their length; a negative length is null, as in Kafka.
func field(b []byte, at int) ([]byte, int) {
	n, at := varint(b, at)
	if at < 0 || int(n) > len(b)-at {
		return nil, -1
	}
	if n < 0 {
		return nil, at
	}
	end := at + int(n)
	return b[at:end:end], end
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
