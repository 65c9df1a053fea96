package record

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// Shown here, by record sets that Kafka's Java classes have built (testdata/README.md): every format and codec of theirs is
// read; what is built and converted here is what they build, byte for byte where nothing is compressed.

const javaAppendMs = 1700000009000

// javaRecords are what each of the files holds.
func javaRecords(magic int8, appendTime bool) []Record {
	r := threeRecords()
	r = append(r, Record{Timestamp: nowMs + 3, Key: []byte("long"), Value: []byte(strings.Repeat("panta rhei ", 200))})
	for i := range r {
		r[i].Offset = 100 + int64(i)
		if magic < 2 {
			r[i].Headers = Headers{}
		}
		if magic == 0 {
			r[i].Timestamp = NoTimestamp
		}
		if appendTime {
			r[i].Timestamp = javaAppendMs
		}
	}
	return r
}

func golden(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".bin")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReadsJava(t *testing.T) {
	f := func(name string, c Codec, appendTime bool) {
		t.Helper()
		b := Batch(golden(t, name))
		if !b.Intact() || b.Codec() != c || b.BaseOffset() != 100 || b.LastOffset() != 103 || b.Count() != 4 || b.LeaderEpoch() != -1 {
			t.Errorf("%s: intact %v, codec %v, offsets %d-%d", name, b.Intact(), b.Codec(), b.BaseOffset(), b.LastOffset())
		}
		wantRecords(t, collect(t, b), javaRecords(2, appendTime))
		b.SetBaseOffset(0) // as from a producer
		want := kerr.None
		if appendTime {
			want = kerr.InvalidTimestamp
		}
		if _, err := Check(b, anyRules()); kerr.Of(err) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, c := range codecs {
		f("magic2-"+c.String(), c, false)
		f("magic2-"+c.String()+"-append", c, true)
	}
	f("magic2-zstd-22", Zstd, false)
}

func TestUpgradesJava(t *testing.T) {
	for magic, prefix := range []string{"magic0-", "magic1-"} {
		for c := None; c <= LZ4; c++ {
			b, err := Upgrade(golden(t, prefix+c.String()), anyRules())
			if err != nil || b.Codec() != c {
				t.Errorf("%s%v: codec %v, %v", prefix, c, b.Codec(), err)
				continue
			}
			b.SetBaseOffset(100)
			wantRecords(t, collect(t, b), javaRecords(int8(magic), false))
		}
	}
	for c := None; c <= LZ4; c++ {
		if _, err := Upgrade(golden(t, "magic1-"+c.String()+"-append"), anyRules()); kerr.Of(err) != kerr.InvalidTimestamp {
			t.Errorf("%v with append time: %v", c, err)
		}
	}
}

func TestBuildsWhatJavaBuilds(t *testing.T) {
	o := Options{BaseOffset: 100, LeaderEpoch: NoLeaderEpoch}
	if b := mustBuild(t, o, javaRecords(2, false)...); !bytes.Equal(b, golden(t, "magic2-none")) {
		t.Errorf("differs: %x", b[:HeaderBytes])
	}
	o.TimestampType, o.AppendMs = LogAppendTime, javaAppendMs
	if b := mustBuild(t, o, javaRecords(2, false)...); !bytes.Equal(b, golden(t, "magic2-none-append")) {
		t.Errorf("with append time differs: %x", b[:HeaderBytes])
	}
	o = Options{BaseOffset: 100, LeaderEpoch: NoLeaderEpoch, Codec: Snappy} // the one codec both sides do alike
	if b := mustBuild(t, o, javaRecords(2, false)...); !bytes.Equal(b[HeaderBytes:HeaderBytes+16], golden(t, "magic2-snappy")[HeaderBytes:HeaderBytes+16]) {
		t.Errorf("framing of snappy differs: %x", b[HeaderBytes:])
	}
}

func TestDowngradesLikeJava(t *testing.T) {
	f := func(name string, magic int8, suffix string) {
		t.Helper()
		got, next, err := Downgrade(nil, golden(t, "magic2-"+name+suffix), magic, 100, 1<<20)
		if err != nil || next != 104 {
			t.Fatalf("%s: next %d, %v", name, next, err)
		}
		want := golden(t, "magic"+string(rune('0'+magic))+"-"+name+map[bool]string{true: suffix}[magic > 0])
		wantSameSet(t, got, want)
	}
	for c := None; c <= LZ4; c++ {
		for magic := range int8(2) {
			f(c.String(), magic, "")
			f(c.String(), magic, "-append")
		}
	}
}

// wantSameSet compares message sets byte by byte; of wrappers the headers and, decompressed, the values.
func wantSameSet(t *testing.T, got, want []byte) {
	t.Helper()
	var g, w message
	if _, err := g.parse(got); err != nil {
		t.Fatal(err)
	}
	if _, err := w.parse(want); err != nil {
		t.Fatal(err)
	}
	if g.codec != None {
		if g.magic != w.magic || g.codec != w.codec || g.timestamp != w.timestamp || g.timestampType != w.timestampType || g.key != nil {
			t.Errorf("wrapper %+v, want %+v", g, w)
		}
		if a, b := binary.BigEndian.Uint64(got), binary.BigEndian.Uint64(want); a != b {
			t.Errorf("wrapper at offset %d, want %d", a, b)
		}
		if g.codec == LZ4 && !bytes.Equal(g.value[:lz4HeaderBytes], w.value[:lz4HeaderBytes]) {
			t.Errorf("lz4 header %x, want %x", g.value[:lz4HeaderBytes], w.value[:lz4HeaderBytes])
		}
		got, want = unwrapped(t, &g), unwrapped(t, &w)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("set\n got %x\nwant %x", got, want)
	}
}

func unwrapped(t *testing.T, m *message) []byte {
	t.Helper()
	u := upgrade{w: new(workspace), plainLimit: 1 << 20}
	set, err := u.unpack(m)
	if err != nil {
		t.Fatal(err)
	}
	return set
}
