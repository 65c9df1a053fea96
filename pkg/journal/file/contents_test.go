package file

import (
	"os"
	"strings"
	"testing"
)

// TestReadVolume shows that every entry of a volume is read that has a header, in the order of their places, damaged or not.
func TestReadVolume(t *testing.T) {
	f, err := os.Open("testdata/v1/" + volumeName(6))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	epoch, entries, err := ReadVolume(f, 16<<10)
	if err != nil || epoch != 0x1122334455667788 {
		t.Fatalf("epoch %x, %v", epoch, err)
	}
	slot := uint64(6)
	for w := range entries {
		want := entryOf(slot, version1Sizes[slot])
		if w.Slot != slot || w.At != int64(slot-5)*blockBytes || w.Length != uint32(len(want)) || (w.Err == nil) != (slot < 8) || w.Err == nil && string(w.Entry) != string(want) {
			t.Errorf("slot %d at byte %d: %d bytes, %v", w.Slot, w.At, w.Length, w.Err)
		}
		slot++
	}
	if slot != 9 {
		t.Errorf("the last entry is of slot %d", slot-1)
	}
	if _, _, err := ReadVolume(strings.NewReader("x"), 1); err == nil {
		t.Error("a byte is read as a volume")
	}
}

func TestContentsOf(t *testing.T) {
	f := func(head string, want Contents) {
		t.Helper()
		if got := ContentsOf([]byte(head)); got != want {
			t.Errorf("%q is %d, want %d", head, got, want)
		}
	}
	f("HERAJRNL", VolumeContents)
	f("HERAFLOR", FloorContents)
	f("HERASLOT", SlotsContents)
	f("HERA", NoContents)
	f("", NoContents)
}
