package record

import (
	"encoding/binary"
	"math"
	"testing"
)

// Shown here: varints are read at every length they may have, and at no other.

func TestVarint(t *testing.T) {
	f := func(v int64) {
		t.Helper()
		b := binary.AppendVarint([]byte{0xff}, v)
		if n := varintBytes(v); n != len(b)-1 {
			t.Errorf("%d takes %d bytes, not %d", v, len(b)-1, n)
		}
		if got, at := varlong(b, 1); got != v || at != len(b) {
			t.Errorf("varlong %d: %d up to %d", v, got, at)
		}
		fits := v >= math.MinInt32 && v <= math.MaxInt32
		if got, at := varint(b, 1); fits && (int64(got) != v || at != len(b)) || !fits && at != -1 {
			t.Errorf("varint %d: %d up to %d", v, got, at)
		}
		for n := range len(b) - 1 {
			_, at := varint(b[:n+1], 1)
			_, long := varlong(b[:n+1], 1)
			if at != -1 || long != -1 {
				t.Errorf("%d cut to %d bytes is read", v, n)
			}
		}
	}
	f(0)
	f(math.MinInt64)
	f(math.MaxInt64)
	for i := range 63 {
		f(1<<i - 1)
		f(1 << i)
		f(-1 << i)
	}
}

func TestVarintFails(t *testing.T) {
	f := func(at int, b ...byte) {
		t.Helper()
		_, short := varint(b, at)
		_, long := varlong(b, at)
		_, x := field(b, at)
		if short != -1 || long != -1 || x != -1 {
			t.Errorf("%x at %d is read", b, at)
		}
	}
	f(-1, 0, 0)
	f(2, 0, 0)
	f(3, 0, 0)
	f(0)
	f(0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0)
}
