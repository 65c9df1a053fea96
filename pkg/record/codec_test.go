package record

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// Shown here: every codec brings back what it was given, at every level; the forms that other clients write are read; and
// nothing decompresses to more than its limit, nor takes much more memory than that on the way.

func TestCodecs(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	src := make([]byte, 100<<10)
	for i := range src {
		src[i] = byte(r.IntN(1 + i%20))
	}
	w := new(workspace)
	for c := Gzip; c <= Zstd; c++ {
		for _, level := range []Level{-7, 0, 1, 5, 99} {
			for _, n := range []int{0, 1, 100, snappyBlockBytes, snappyBlockBytes + 1, len(src)} {
				packed, err := w.compress([]byte("head"), c, level, src[:n])
				if err != nil || string(packed[:4]) != "head" {
					t.Fatalf("compress %d bytes by %v level %d: %v", n, c, level, err)
				}
				got, err := w.decompress(c, packed[4:], n)
				if err != nil || !bytes.Equal(got, src[:n]) {
					t.Fatalf("decompress %d bytes by %v level %d: %v", n, c, level, err)
				}
				if _, err = w.decompress(c, packed[4:], max(0, n-1)); n > 0 && kerr.Of(err) != kerr.MessageTooLarge {
					t.Fatalf("decompress %d bytes by %v into one less: %v", n, c, err)
				}
			}
		}
	}
}

func TestCodecString(t *testing.T) {
	if s := None.String() + Gzip.String() + Snappy.String() + LZ4.String() + Zstd.String(); s != "nonegzipsnappylz4zstd" {
		t.Error(s)
	}
	if s := Codec(6).String(); s != "codec 6" {
		t.Error(s)
	}
}

// TestReadsOtherForms are forms that clients other than Java's send.
func TestReadsOtherForms(t *testing.T) {
	text := strings.Repeat("panta rhei ", 10000)
	f := func(name string, c Codec, packed []byte) {
		t.Helper()
		got, err := new(workspace).decompress(c, packed, len(text))
		if err != nil || string(got) != text {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	f("bare snappy block", Snappy, snappy.Encode(nil, []byte(text)))
	lz4Frame := func(options ...lz4.Option) []byte {
		var out bytes.Buffer
		w := lz4.NewWriter(&out)
		if err := w.Apply(options...); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	f("lz4 with blocks of 4 MiB", LZ4, lz4Frame(lz4.BlockSizeOption(lz4.Block4Mb)))
	f("lz4 with checksums and size", LZ4, lz4Frame(lz4.ChecksumOption(true), lz4.BlockChecksumOption(true), lz4.SizeOption(uint64(len(text)))))
	f("zstd without size", Zstd, zstdStream(t, []byte(text)))
	f("zstd in two frames", Zstd, append(zstdStream(t, []byte(text[:500])), zstdStream(t, []byte(text[500:]))...))
}

// zstdStream is a frame that does not say how much it holds, like those of Java.
func zstdStream(t testing.TB, src []byte) []byte {
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(src); n += 64 << 10 {
		if _, err := w.Write(src[n:min(len(src), n+64<<10)]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestXerialFraming: lengths of blocks that are not there are refused.
func TestXerialFraming(t *testing.T) {
	f := func(blocks ...byte) {
		t.Helper()
		if err := new(workspace).unsnappy(append([]byte(xerialHeader), blocks...), 100); err == nil {
			t.Errorf("blocks %v are read", blocks)
		}
	}
	f(0, 0, 0)
	f(0, 0, 0, 2, 1)
	f(0xff, 0xff, 0xff, 0xff)
	f(0x7f, 0xff, 0xff, 0xff, 1, 2, 3)
	f(0, 0, 0, 0)
	f(0, 0, 0, 1, 5)
}

const (
	bombBytes  = 24 << 20
	bombLimit  = 1 << 20
	bombMemory = 16 << 20 // what a refused bomb may allocate: the limit, doubled on the way, and the state of a codec
)

// bombs are batches of one record that decompress to bombBytes.
func bombs(t testing.TB) map[string]Batch {
	t.Helper()
	out := map[string]Batch{}
	value := make([]byte, bombBytes)
	for c := Gzip; c <= Zstd; c++ {
		out[c.String()] = mustBuild(t, Options{Codec: c}, Record{Value: value})
	}
	plain := mustBuild(t, Options{}, Record{Value: value})
	out["zstd without size"] = patched(recordsReplaced(plain, zstdStream(t, plain[HeaderBytes:])...), attributesAt+1, byte(Zstd))
	out["bare snappy block"] = patched(recordsReplaced(plain, snappy.Encode(nil, plain[HeaderBytes:])...), attributesAt+1, byte(Snappy))
	return out
}

// allocated is how much memory f allocates with fresh workspaces.
func allocated(f func()) uint64 {
	checking = newWorkspaces()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestBombs(t *testing.T) {
	rules := anyRules()
	for name, b := range bombs(t) {
		rules.PlainBytesMax = bombLimit
		n := allocated(func() {
			if _, err := Check(b, rules); kerr.Of(err) != kerr.MessageTooLarge {
				t.Errorf("%s: %v", name, err)
			}
		})
		if n > bombMemory {
			t.Errorf("%s: %d bytes of memory for a limit of %d", name, n, bombLimit)
		}
		// The twin: without the limit the same bomb takes the memory.
		if n := allocated(func() { _, _ = new(workspace).decompress(b.Codec(), b[HeaderBytes:], PlainBytesMax) }); n <= bombMemory {
			t.Errorf("%s: only %d bytes of memory without a limit", name, n)
		}
	}
}

func TestBombsInWrappers(t *testing.T) {
	rules := anyRules()
	rules.PlainBytesMax = bombLimit
	for c := Gzip; c <= LZ4; c++ {
		for magic := range int8(2) {
			set := wrap(t, magic, c, appendMessage(nil, &message{magic: magic, value: make([]byte, bombBytes)}, 0))
			n := allocated(func() {
				if _, err := Upgrade(set, rules); kerr.Of(err) != kerr.MessageTooLarge {
					t.Errorf("%v in magic %d: %v", c, magic, err)
				}
			})
			if n > bombMemory+uint64(len(set)) { // a set of lz4 in magic 0 is copied
				t.Errorf("%v in magic %d: %d bytes of memory", c, magic, n)
			}
		}
	}
}

// TestLimitByRatio: a small batch may hold 16 MiB, but not much more; a large one more.
func TestLimitByRatio(t *testing.T) {
	f := func(value int, c Codec, want kerr.Code) {
		t.Helper()
		b := mustBuild(t, Options{Codec: c}, Record{Value: make([]byte, value)})
		if _, err := Check(b, anyRules()); kerr.Of(err) != want {
			t.Errorf("%v of %d bytes in %d: %v", c, value, len(b), err)
		}
	}
	f(15<<20, Zstd, kerr.None)
	f(30<<20, Zstd, kerr.MessageTooLarge)
	f(30<<20, LZ4, kerr.None)
}

// TestClaimsCostNothing: memory is taken for what is there, not for what a header says.
func TestClaimsCostNothing(t *testing.T) {
	f := func(name string, c Codec, packed []byte) {
		t.Helper()
		w := new(workspace)
		if err := w.prepareUnzstd(); err != nil {
			t.Fatal(err)
		}
		n := allocated(func() {
			if _, err := w.decompress(c, packed, PlainBytesMax); err == nil {
				t.Errorf("%s is read", name)
			}
		})
		if n > 9<<20 { // lz4 takes a buffer of the block size, at most 8 MiB
			t.Errorf("%s: %d bytes of memory", name, n)
		}
	}
	f("snappy of 100 MB", Snappy, binary.AppendUvarint(nil, 100e6))
	f("snappy of 100 MB, framed", Snappy, append([]byte(xerialHeader), 0, 0, 0, 5, 0x80, 0xc2, 0xd7, 0x2f, 0))
	f("zstd of 4 GiB", Zstd, []byte{0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0xff, 0xff, 0xff, 0xff, 1, 0, 0})
	f("zstd window of 4 TiB", Zstd, []byte{0x28, 0xb5, 0x2f, 0xfd, 0, 0xff, 1, 0, 0})
	f("lz4 block of 4 MiB", LZ4, []byte{0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73, 0xff, 0xff, 0x3f, 0, 1})
}
