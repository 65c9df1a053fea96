package record

import (
	"bytes"
	"testing"
)

// Shown here: every field of the header is where the table above the package has it; the setters leave the checksum
// right; Intact notices a flip of any bit that the checksum covers, and every wrong length.

func TestFields(t *testing.T) {
	b := Batch{
		0, 0, 0, 0, 0, 0, 1, 0, // base offset 256
		0, 0, 0, 50, // length
		0, 0, 0, 3, // leader epoch
		2,                      // magic
		0xaa, 0xbb, 0xcc, 0xdd, // crc
		0, 0x3c, // zstd, append time, transactional, control
		0, 0, 0, 4, // last offset delta
		0, 0, 0, 0, 0, 0, 0, 5, // base timestamp
		0, 0, 0, 0, 0, 0, 0, 6, // max timestamp
		0, 0, 0, 0, 0, 0, 0, 7, // producer id
		0, 8, // producer epoch
		0, 0, 0, 9, // base sequence
		0, 0, 0, 10, // count
		0,
	}
	f := func(name string, got, want int64) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	f("base offset", b.BaseOffset(), 256)
	f("length", int64(b.Length()), 50)
	f("size", int64(b.Size()), int64(len(b)))
	f("leader epoch", int64(b.LeaderEpoch()), 3)
	f("magic", int64(b.Magic()), 2)
	f("crc", int64(b.CRC()), 0xaabbccdd)
	f("attributes", int64(b.Attributes()), 0x3c)
	f("codec", int64(b.Codec()), int64(Zstd))
	f("timestamp type", int64(b.TimestampType()), int64(LogAppendTime))
	f("last offset delta", int64(b.LastOffsetDelta()), 4)
	f("last offset", b.LastOffset(), 260)
	f("base timestamp", b.BaseTimestamp(), 5)
	f("max timestamp", b.MaxTimestamp(), 6)
	f("producer id", b.ProducerID(), 7)
	f("producer epoch", int64(b.ProducerEpoch()), 8)
	f("base sequence", int64(b.BaseSequence()), 9)
	f("count", int64(b.Count()), 10)
	if !b.IsTransactional() || !b.IsControl() {
		t.Error("transactional and control bits not read")
	}
	b[attributesAt+1] = 0
	if b.IsTransactional() || b.IsControl() || b.TimestampType() != CreateTime || b.Codec() != None {
		t.Error("attributes read that are not set")
	}
}

func TestSetters(t *testing.T) {
	b := mustBuild(t, Options{}, threeRecords()...)
	b.SetBaseOffset(1 << 40)
	b.SetLeaderEpoch(77)
	if !b.Intact() || b.BaseOffset() != 1<<40 || b.LeaderEpoch() != 77 {
		t.Error("base offset and leader epoch")
	}
	b.StampAppendTime(12345)
	if !b.Intact() || b.TimestampType() != LogAppendTime || b.MaxTimestamp() != 12345 {
		t.Error("append time")
	}
}

func TestIntact(t *testing.T) {
	b := mustBuild(t, Options{}, threeRecords()...)
	for i := range b {
		for bit := range 8 {
			c := bytes.Clone(b)
			c[i] ^= 1 << bit
			outside := i < lengthAt || i >= leaderEpochAt && i < magicAt
			if Batch(c).Intact() != outside {
				t.Fatalf("flip of bit %d of byte %d: intact %v", bit, i, !outside)
			}
		}
	}
	for n := range b {
		if b[:n].Intact() {
			t.Fatalf("intact when cut to %d bytes", n)
		}
	}
	if !b.Intact() || append(b, 0).Intact() {
		t.Error("whole batch, or a byte behind it")
	}
}
