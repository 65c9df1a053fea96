package record

import (
	"bytes"
	"os"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// Shown here: no bytes make this package panic, and what it accepts it can walk, build again, and convert both ways.
// Lengths and checksums are set right before each try, else the fuzzer would never get behind them.

func fuzzRules() Rules {
	r := anyRules()
	r.PlainBytesMax = 4 << 20
	return r
}

func addFixtures(f *testing.F, prefix string) {
	files, err := os.ReadDir("testdata")
	if err != nil {
		f.Fatal(err)
	}
	for _, x := range files {
		if b, err := os.ReadFile("testdata/" + x.Name()); err == nil && bytes.HasPrefix([]byte(x.Name()), []byte(prefix)) {
			f.Add(b)
		}
	}
}

func FuzzCheck(f *testing.F) {
	addFixtures(f, "magic2")
	for _, x := range wrongSets(f) {
		f.Add(x.set)
	}
	f.Fuzz(func(t *testing.T, set []byte) {
		_, _ = Check(bytes.Clone(set), fuzzRules())
		if len(set) < HeaderBytes {
			return
		}
		b := Batch(bytes.Clone(set))
		b.SetBaseOffset(0)
		b.putInt32(lengthAt, int32(len(b)-prefixBytes))
		b.seal()
		if b, err := Check(b, fuzzRules()); err == nil {
			exercise(t, b)
		}
	})
}

// exercise walks an accepted batch, builds it again, and takes it to the old formats and back.
func exercise(t *testing.T, b Batch) {
	records := collect(t, b)
	if len(records) != int(b.Count()) || records[len(records)-1].Offset != b.LastOffset() {
		t.Fatalf("%d records of %d, the last at offset %d of %d", len(records), b.Count(), records[len(records)-1].Offset, b.LastOffset())
	}
	wantRecords(t, collect(t, mustBuild(t, Options{Codec: b.Codec()}, records...)), records)
	if b.Codec() == Zstd {
		return
	}
	for magic := range int8(2) {
		set, _, err := Downgrade(nil, b, magic, 0, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Upgrade(set, anyRules())
		if kerr.Of(err) == kerr.MessageTooLarge { // the old formats are longer
			continue
		}
		if err != nil || again.Count() != b.Count() {
			t.Fatalf("magic %d: %d records of %d, %v", magic, again.Count(), b.Count(), err)
		}
	}
}

func FuzzUpgrade(f *testing.F) {
	addFixtures(f, "magic0")
	addFixtures(f, "magic1")
	for _, x := range wrongMessages(f) {
		f.Add(x.set)
	}
	f.Fuzz(func(t *testing.T, set []byte) {
		_, _ = Upgrade(bytes.Clone(set), fuzzRules())
		set = bytes.Clone(set)
		for at := 0; at < len(set); {
			n, err := messageSize(set[at:])
			if err != nil {
				break
			}
			sealMessage(set[at : at+n])
			at += n
		}
		if b, err := Upgrade(set, fuzzRules()); err == nil {
			exercise(t, b)
		}
	})
}
