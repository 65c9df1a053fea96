package record

import (
	"bytes"
	"slices"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// Shown here: batches behind each other are told apart, numbered, searched and cut, and any byte that is not part of a
// batch is noticed.

// threeBatches hold 3, 1 and 2 records, from offset 10 on.
func threeBatches(t *testing.T) (Run, []Batch) {
	t.Helper()
	r := threeRecords()
	b := []Batch{mustBuild(t, Options{}, r...), mustBuild(t, Options{Codec: Zstd}, r[0]), mustBuild(t, Options{Codec: Gzip}, r[:2]...)}
	run := Run(slices.Concat(b[0], b[1], b[2]))
	if next, err := run.Number(10, 5); err != nil || next != 16 {
		t.Fatalf("next offset %d, %v", next, err)
	}
	return run, b
}

func TestRunBatches(t *testing.T) {
	run, want := threeBatches(t)
	offsets := []int64{10, 13, 14}
	i := 0
	for b, err := range run.Batches() {
		if err != nil || b.BaseOffset() != offsets[i] || b.LeaderEpoch() != 5 || !b.Intact() || !bytes.Equal(b[crcAt:], want[i][crcAt:]) {
			t.Errorf("batch %d at offset %d: %v", i, b.BaseOffset(), err)
		}
		i++
	}
	if i != 3 {
		t.Errorf("%d batches", i)
	}
	for range run.Batches() {
		break // and nothing else happens
	}
}

func TestRunFrom(t *testing.T) {
	run, b := threeBatches(t)
	f := func(offset int64, want int) {
		t.Helper()
		if got, err := run.From(offset); err != nil || len(got) != want {
			t.Errorf("from offset %d: %d bytes, want %d: %v", offset, len(got), want, err)
		}
	}
	all := len(run)
	f(0, all)
	f(10, all)
	f(12, all)
	f(13, all-len(b[0]))
	f(14, len(b[2]))
	f(15, len(b[2]))
	f(16, 0)
}

func TestRunLimit(t *testing.T) {
	run, b := threeBatches(t)
	f := func(bytes, want int) {
		t.Helper()
		if got, err := run.Limit(bytes); err != nil || len(got) != want {
			t.Errorf("limit %d: %d bytes, want %d: %v", bytes, len(got), want, err)
		}
	}
	two := len(b[0]) + len(b[1])
	f(0, len(b[0]))
	f(two-1, len(b[0]))
	f(two, two)
	f(len(run), len(run))
	f(1<<30, len(run))
	if got, err := Run(nil).Limit(5); err != nil || len(got) != 0 {
		t.Errorf("empty run: %d bytes, %v", len(got), err)
	}
}

func TestRunToleratesNothing(t *testing.T) {
	run, b := threeBatches(t)
	ends := []int{0, len(b[0]), len(b[0]) + len(b[1]), len(run)}
	for n := range run {
		whole := slices.Contains(ends, n)
		if _, err := run[:n].Number(0, 0); (err == nil) != whole || (!whole && kerr.Of(err) != kerr.CorruptMessage) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
	for _, at := range []int{magicAt, lengthAt, lastOffsetDeltaAt} {
		bad := bytes.Clone(run)
		bad[at] = 0xff
		if _, err := Run(bad).From(100); kerr.Of(err) != kerr.CorruptMessage {
			t.Errorf("byte %d wrong: %v", at, err)
		}
		if _, err := Run(bad).Limit(100); kerr.Of(err) != kerr.CorruptMessage {
			t.Errorf("byte %d wrong: %v", at, err)
		}
	}
}
