package segment

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/xitongsys/parquet-go/encoding"
	"github.com/xitongsys/parquet-go/parquet"
)

// Shown here: integers and levels come back from their encodings, the library's decoder reads them too, and no bytes make
// the decoders here do anything but refuse.

func TestDelta(t *testing.T) {
	f := func(size int, values ...int64) {
		t.Helper()
		b := appendDelta([]byte("x"), values, size)[1:]
		have, err := readDelta(nil, b, len(values), size)
		if err != nil || !slices.Equal(have, values) {
			t.Errorf("%d values of %d bits: %v, %v", len(values), size, have, err)
		}
		if _, err := readDelta(nil, b, len(values)+1, size); err == nil {
			t.Errorf("%d values are read as one more", len(values))
		}
		if len(values) > 1 {
			if _, err := readDelta(nil, b[:len(b)-1], len(values), size); err == nil {
				t.Errorf("%d values are read though cut short", len(values))
			}
		}
		theirs(t, b, size, values)
	}
	f(64)
	f(64, 7)
	f(64, math.MinInt64, math.MaxInt64, math.MinInt64, 0)
	f(32, math.MinInt32, math.MaxInt32, -1, math.MaxInt32, 0)
	r := rand.New(rand.NewPCG(1, 1))
	for width := range 64 {
		values := make([]int64, 1+r.IntN(400))
		for i := range values {
			values[i] = int64(r.Uint64()>>(63-width)) - 1<<width/2
		}
		f(64, values...)
		for i := range values {
			values[i] = int64(int32(values[i]))
		}
		f(32, values...)
	}
}

// theirs reads integers by the library's decoder, which takes two and more that do not lie too far from each other.
func theirs(t *testing.T, b []byte, size int, want []int64) {
	t.Helper()
	if len(want) < 2 {
		return
	}
	for i, v := range want[1:] {
		if d := v - want[i]; size == 64 && (d > 1<<40 || d < -1<<40) {
			return
		}
	}
	if size == 32 {
		have, err := encoding.ReadDeltaBinaryPackedINT32(bytes.NewReader(b))
		for i, v := range want {
			if err != nil || have[i].(int32) != int32(v) {
				t.Errorf("the library reads %v of %v: %v", have, want, err)
				return
			}
		}
		return
	}
	have, err := encoding.ReadDeltaBinaryPackedINT64(bytes.NewReader(b))
	for i, v := range want {
		if err != nil || have[i].(int64) != v {
			t.Errorf("the library reads %v of %v: %v", have, want, err)
			return
		}
	}
}

func TestLevels(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for seed := range 300 {
		most := byte(1 + seed%2)
		levels := make([]byte, r.IntN(3000)) // also none
		change := 1 + r.IntN(20)
		for i := range levels {
			if i > 0 && r.IntN(change) > 0 {
				levels[i] = levels[i-1]
			} else {
				levels[i] = byte(r.IntN(int(most) + 1))
			}
		}
		b := append(appendLevels(nil, levels, most), "rest"...)
		have, rest, err := readLevels(nil, b, len(levels), most)
		if err != nil || !bytes.Equal(have, levels) || string(rest) != "rest" {
			t.Fatalf("%d levels up to %d: %v, %q", len(levels), most, err, rest)
		}
		if _, _, err := readLevels(nil, b, len(levels)+1+levelGroup, most); err == nil {
			t.Fatal("more levels than there are")
		}
		if len(levels) == 0 {
			continue
		}
		theirs, err := encoding.ReadRLEBitPackedHybrid(bytes.NewReader(b), uint64(levelBits(most)), 0)
		for i, v := range levels {
			if err != nil || theirs[i].(int64) != int64(v) {
				t.Fatalf("the library reads level %d of %d as %v: %v", i, len(levels), theirs[i], err)
			}
		}
	}
	if _, _, err := readLevels(nil, []byte{2, 0, 0, 0, 8 << 1, 2}, 8, 1); err == nil {
		t.Error("a level of 2 where 1 is the most")
	}
}

func TestUpperBound(t *testing.T) {
	f := func(in, want string, unbounded bool) {
		t.Helper()
		have, u := upperBound([]byte(in))
		if string(have) != want || u != unbounded {
			t.Errorf("bound of %q is %q, %v", in, have, u)
		}
	}
	x := string(bytes.Repeat([]byte("x"), boundBytesMax-1))
	all := string(bytes.Repeat([]byte("\xff"), boundBytesMax))
	f("", "", false)
	f(x+"a", x+"a", false)
	f(x+"ab", x+"b", false)
	f(x+"\xffb", x[1:]+"y", false)
	f(all, all, false)
	f(all+"\x00", "", true)
}

func TestSequenceAfter(t *testing.T) {
	f := func(first int32, n int64, want int32) {
		t.Helper()
		if have := sequenceAfter(first, n); have != want {
			t.Errorf("%d after %d is %d", n, first, have)
		}
	}
	f(0, 5, 5)
	f(math.MaxInt32, 1, 0)
	f(math.MaxInt32-1, 4, 2)
	f(record.NoSequence, 9, record.NoSequence)
}

func FuzzDelta(f *testing.F) {
	f.Add(appendDelta(nil, []int64{1, 2, 9, -5}, 64), 4, true)
	f.Add(appendDelta(nil, make([]int64, 300), 32), 300, false)
	f.Fuzz(func(t *testing.T, b []byte, n int, long bool) {
		size := 32
		if long {
			size = 64
		}
		if n < 0 || n > blockRowsMax {
			return
		}
		if have, err := readDelta(nil, b, n, size); err == nil && len(have) != n {
			t.Fatalf("%d values instead of %d", len(have), n)
		}
	})
}

func FuzzLevels(f *testing.F) {
	f.Add(appendLevels(nil, []byte{0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 2), 13, true)
	f.Fuzz(func(t *testing.T, b []byte, n int, two bool) {
		most := byte(1)
		if two {
			most = 2
		}
		if n < 0 || n > blockRowsMax {
			return
		}
		have, _, err := readLevels(nil, b, n, most)
		if err == nil && (len(have) != n || n > 0 && slices.Max(have) > most) {
			t.Fatalf("%d levels instead of %d: %v", len(have), n, have)
		}
	})
}

func FuzzDecompress(f *testing.F) {
	for _, c := range []Codec{Snappy, Zstd} {
		p, err := newCompressor(c, 0)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p.compress(nil, bytes.Repeat([]byte("panta rhei"), 1000)), 10_000, c == Zstd)
	}
	f.Fuzz(func(t *testing.T, b []byte, size int, zstd bool) {
		c := Snappy
		if zstd {
			c = Zstd
		}
		if size < 0 || size > 1<<20 {
			return
		}
		if have, err := decompress(c, nil, b, size); err == nil && len(have) != size {
			t.Fatalf("%d bytes instead of %d", len(have), size)
		}
	})
}

// What is written says of itself that it is of Parquet's codecs, by their numbers.
func TestCodecNumbers(t *testing.T) {
	f := func(c Codec, want parquet.CompressionCodec, name string) {
		t.Helper()
		if parquet.CompressionCodec(c) != want || c.String() != name {
			t.Errorf("%v is %d", c, c)
		}
	}
	f(Uncompressed, 0, "uncompressed")
	f(Snappy, 1, "snappy")
	f(Zstd, 6, "zstd")
	f(5, 5, "codec 5")
}
