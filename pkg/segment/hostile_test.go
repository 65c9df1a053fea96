package segment

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/xitongsys/parquet-go/parquet"
)

// Shown here: bytes that somebody made, with the right checksums, are refused with ErrDamaged at the worst; nothing of what
// they claim makes this package panic, or take memory that they do not have.

// mended sets the checksum of index and footer right, as far as b is a segment at all.
func mended(b []byte) []byte {
	t := tail{get: bytesOf(b), size: int64(len(b)), b: b}
	if len(b) < int(sizeMin) {
		return b
	}
	m, err := t.footer(context.Background())
	if err != nil || checkShape(m) != nil {
		return b
	}
	from := m.RowGroups[0].Columns[leafOffset].ColumnIndexOffset
	if from == nil || *from < 0 || *from > t.size {
		return b
	}
	if place := checksumAt(b[*from:]); place != nil {
		copy(place, fmt.Sprintf("%08x", checksum(b[*from:], place)))
	}
	return b
}

// readHostile does all that can be done with a segment.
func readHostile(t testing.TB, b []byte) {
	r, err := Open(t.Context(), bytesOf(b), int64(len(b)))
	if err != nil {
		refused(t, err)
		return
	}
	if _, err := Verify(t.Context(), bytesOf(b), int64(len(b))); err != nil {
		refused(t, err)
	}
	for _, err := range r.Rows(t.Context(), 0) {
		if err != nil {
			refused(t, err)
		}
	}
	if _, _, err := r.Read(t.Context(), nil, r.Footer().First, 1<<20, Rebuild{}); err != nil {
		refused(t, err)
	}
	if _, _, _, err := r.OffsetForTime(t.Context(), 1700000000001); err != nil {
		refused(t, err)
	}
}

func refused(t testing.TB, err error) {
	t.Helper()
	if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrVersion) {
		t.Fatalf("an error of another kind: %v", err)
	}
}

// FuzzSegment changes segments anywhere, and sets the checksum of the footer right.
func FuzzSegment(f *testing.F) {
	for _, fixture := range allFixtures()[:3] {
		f.Add(fixture.read(f, ".parquet"))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 64<<10 {
			readHostile(t, mended(b))
		}
	})
}

// FuzzPage reads anything as the page of a column, under a right header and checksum.
func FuzzPage(f *testing.F) {
	w := newTestWriter(f, someOptions)
	for i, r := range oddRows() {
		n, err := rowSize(&r)
		if err != nil {
			f.Fatal(i, err)
		}
		w.block.add(&r, n)
	}
	rows := w.block.rows
	for l := range leafCount {
		g := &w.block.columns[l]
		f.Add(int(l), g.levels(), g.appendRaw(nil, &columns[l]))
	}
	f.Fuzz(func(t *testing.T, l, levels int, raw []byte) {
		if l < 0 || l >= int(leafCount) || int(int32(levels)) != levels || len(raw) == 0 {
			return
		}
		c := &columns[l]
		head, err := compactSerializer().Write(t.Context(), dataPage(c, levels, len(raw), raw))
		if err != nil {
			t.Fatal(err)
		}
		page := append(head, raw...)
		footer := &Footer{groups: []rowGroup{{blocks: 1}}, blocks: []block{{rows: int32(rows)}}}
		footer.groups[0].plainMax[l] = int64(len(raw))
		var table table
		table.n = rows
		if leaf(l) == leafHeaderValue {
			table.rep = []byte{0, 0, 1}
			table.blob[leafHeaderKey] = [][]byte{nil, {}, {}}
			table.list = []int{0, 1, 3}
		}
		if err := table.column(leaf(l), page, footer, 0); err != nil {
			refused(t, err)
		}
	})
}

// Pages and footers may promise more than there is; reading them takes little more than their own size.
func TestClaimsAreNotBelieved(t *testing.T) {
	f := func(what string, read func() error) {
		t.Helper()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := read()
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; err == nil || took > 1<<20 {
			t.Errorf("%s: %v, %d bytes of memory", what, err, took)
		}
	}
	many := binary.AppendUvarint([]byte{0x19, 0xf8}, 1<<31-1) // field 1: a list of so many strings
	f("list", func() error {
		_, err := parse(&parquet.OffsetIndex{}, append([]byte{0x19, 0xfc}, many[2:]...))
		return err
	})
	f("list to skip", func() error {
		_, err := parse(&parquet.OffsetIndex{}, append([]byte{0xf9, 0xfc}, many[2:]...))
		return err
	})
	f("map to skip", func() error {
		_, err := parse(&parquet.OffsetIndex{}, []byte{0xfb, 0xff, 0xff, 0xff, 0x7f, 0xbb})
		return err
	})
	f("string", func() error { _, err := parse(&parquet.KeyValue{}, append([]byte{0x18}, many[2:]...)); return err })
	f("levels", func() error {
		run := append(binary.AppendUvarint(nil, 1<<31), 1)
		b := append(binary.LittleEndian.AppendUint32(nil, uint32(len(run))), run...)
		_, _, err := readLevels(nil, b, blockRowsMax, 1)
		return err
	})
	f("snappy", func() error { _, err := decompress(Snappy, nil, binary.AppendUvarint(nil, 1<<30), 1<<30); return err })
	f("zstd", func() error {
		_, err := decompress(Zstd, nil, []byte{0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0x40, 1, 0, 0}, 1<<30)
		return err
	})
	f("tail", func() error {
		b := make([]byte, 100)
		copy(b[92:], "\xff\xff\xff\x7fPAR1")
		_, err := Open(t.Context(), bytesOf(b), 100)
		return err
	})
	f("header levels", func() error {
		var table table
		table.n = 3
		raw := appendLevels(nil, []byte{0, 0, 0}, 1)
		head, _ := compactSerializer().Write(t.Context(), dataPage(&columns[leafHeaderKey], 1<<31-1, len(raw), raw))
		footer := &Footer{groups: []rowGroup{{blocks: 1}}, blocks: []block{{rows: 3}}}
		footer.groups[0].plainMax[leafHeaderKey] = 1 << 40
		return table.column(leafHeaderKey, append(head, raw...), footer, 0)
	})
}

// Two columns that contradict each other, in pages that are right by themselves.
func TestHeadersOfNoRow(t *testing.T) {
	read := func(keyDef, valueDef, rep []byte, keys, values []byte) error {
		var table table
		table.n = 2
		footer := &Footer{groups: []rowGroup{{blocks: 1}}, blocks: []block{{rows: 2}}}
		footer.groups[0].plainMax[leafHeaderKey], footer.groups[0].plainMax[leafHeaderValue] = 1<<10, 1<<10
		page := func(l leaf, def, plain []byte) error {
			raw := append(appendLevels(appendLevels(nil, rep, 1), def, columns[l].defMax), plain...)
			head, err := compactSerializer().Write(t.Context(), dataPage(&columns[l], len(rep), len(raw), raw))
			return errors.Join(err, table.column(l, append(head, raw...), footer, 0))
		}
		if err := page(leafHeaderKey, keyDef, keys); err != nil {
			return err
		}
		return page(leafHeaderValue, valueDef, values)
	}
	empty := []byte{0, 0, 0, 0}
	if err := read([]byte{1, 0}, []byte{1, 0}, []byte{0, 0}, empty, nil); err != nil {
		t.Fatal(err)
	}
	f := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	f("value without a key", read([]byte{1, 0}, []byte{1, 1}, []byte{0, 0}, empty, nil))
	f("key without a value", read([]byte{1, 0}, []byte{0, 0}, []byte{0, 0}, empty, nil))
	f("one row instead of two", read([]byte{1, 1}, []byte{1, 1}, []byte{0, 1}, append(empty, empty...), nil))
	f("a header before the first row", read([]byte{1, 1}, []byte{1, 1}, []byte{1, 0}, append(empty, empty...), nil))
	f("bytes left", read([]byte{1, 0}, []byte{1, 0}, []byte{0, 0}, append(empty, 9), nil))
	f("a value cut short", read([]byte{1, 0}, []byte{2, 0}, []byte{0, 0}, empty, []byte{9, 0, 0, 0}))
}
