package record

import (
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// Shown here: what old consumers get of a batch begins where they ask, ends where their limit is, and goes on from there
// without a gap; what they cannot read is skipped or refused. That the bytes are right is shown in golden_test.go.

// offsetsOf reads the absolute offsets of a set, as a consumer does.
func offsetsOf(t *testing.T, set []byte, magic int8) (offsets []int64) {
	t.Helper()
	w := Batch(set) // offset and length are in the same place
	var m message
	rest, err := m.parse(set)
	if err != nil {
		t.Fatal(err)
	}
	if m.codec == None {
		for offsets = append(offsets, w.BaseOffset()); len(rest) > 0; {
			offsets = append(offsets, Batch(rest).BaseOffset())
			if rest, err = m.parse(rest); err != nil {
				t.Fatal(err)
			}
		}
		return offsets
	}
	offsets = offsetsOf(t, unwrapped(t, &m), magic)
	if magic > 0 {
		base := w.BaseOffset() - offsets[len(offsets)-1]
		for i := range offsets {
			offsets[i] += base
		}
	}
	if last := offsets[len(offsets)-1]; last != w.BaseOffset() || len(rest) > 0 {
		t.Errorf("wrapper at offset %d, last within %d, %d bytes behind", w.BaseOffset(), last, len(rest))
	}
	return offsets
}

func TestDowngradeInParts(t *testing.T) {
	records := benchRecords(50, 100)
	for i := range records {
		records[i].Offset = 1000 + 2*int64(i) // with gaps, as after compaction
	}
	for c := None; c <= LZ4; c++ {
		for magic := range int8(2) {
			b := mustBuild(t, Options{Codec: c, BaseOffset: 1000}, records...)
			var got []int64
			parts := 0
			for next := int64(1003); next <= b.LastOffset(); parts++ {
				set, n, err := Downgrade([]byte("head"), b, magic, next, 1000)
				if err != nil || string(set[:4]) != "head" || n <= next {
					t.Fatalf("%v to magic %d at offset %d: %v", c, magic, next, err)
				}
				got, next = append(got, offsetsOf(t, set[4:], magic)...), n
			}
			if len(got) != 48 || got[0] != 1004 || got[47] != 1098 || parts < 6 || parts > 10 {
				t.Errorf("%v to magic %d: %d records in %d parts: %v", c, magic, len(got), parts, got)
			}
		}
	}
}

func TestDowngradeOneRecordAtLeast(t *testing.T) {
	for c := None; c <= LZ4; c++ {
		set, next, err := Downgrade(nil, mustBuild(t, Options{Codec: c}, threeRecords()...), 1, 1, 0)
		if err != nil || next != 2 || len(offsetsOf(t, set, 1)) != 1 {
			t.Errorf("%v: next %d, %v", c, next, err)
		}
	}
}

func TestDowngradeLeavesOut(t *testing.T) {
	f := func(name string, b Batch, from int64, wantNext int64, want kerr.Code) {
		t.Helper()
		for magic := range int8(2) {
			set, next, err := Downgrade([]byte("head"), b, magic, from, 1000)
			if string(set) != "head" || next != wantNext || kerr.Of(err) != want {
				t.Errorf("%s to magic %d: %d bytes, next %d, %v", name, magic, len(set)-4, next, err)
			}
		}
	}
	r := threeRecords()
	f("control batch", mustBuild(t, Options{Control: true}, r...), 1, 3, kerr.None)
	f("batch before", mustBuild(t, Options{}, r...), 5, 5, kerr.None)
	f("compressed batch before", mustBuild(t, Options{Codec: Gzip}, r...), 5, 5, kerr.None)
	f("zstd", mustBuild(t, Options{Codec: Zstd}, r...), 1, 1, kerr.UnsupportedCompressionType)
	f("nothing", nil, 1, 1, kerr.CorruptMessage)
	b := mustBuild(t, Options{}, r...)
	f("garbage", recordsReplaced(b, 1, 2, 3), 1, 1, kerr.InvalidRecord)
	f("compressed garbage", patched(b, attributesAt+1, byte(Snappy)), 1, 1, kerr.InvalidRecord)
}
