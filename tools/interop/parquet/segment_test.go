package parquet

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/segment"
)

// The segments that every reader reads, and what it should find there.

// file is a segment on the disk, with the line of each of its rows.
type file struct {
	path    string
	lines   []string
	offsets []int64
}

// files writes segments of some thousand rows in many pages and row groups, by each codec.
func files(t *testing.T) (all []file) {
	t.Helper()
	for i, codec := range []segment.Codec{segment.Uncompressed, segment.Snappy, segment.Zstd} {
		f := file{path: filepath.Join(t.TempDir(), codec.String()+".parquet")}
		var b bytes.Buffer
		w, err := segment.NewWriter(&b, segment.Options{Topic: "orders", Codec: codec, BlockBytes: 8 << 10, RowGroupBytes: 100 << 10})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows(rand.New(rand.NewPCG(1, uint64(i))), 5000) {
			if err := w.AppendRow(row); err != nil {
				t.Fatal(err)
			}
			f.lines, f.offsets = append(f.lines, line(&row)), append(f.offsets, row.Offset)
		}
		if _, err := w.Close(f.offsets[len(f.offsets)-1]); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	return all
}

// rows have all that rows can have, and long stretches of one kind, as topics do.
func rows(r *rand.Rand, n int) []segment.Row {
	rows := make([]segment.Row, n)
	offset, kind := int64(7), 0
	for i := range rows {
		row := &rows[i]
		row.ProducerID, row.ProducerEpoch, row.Sequence = record.NoProducerID, record.NoProducerEpoch, record.NoSequence
		row.Offset, row.Timestamp = offset, 1700000000000+r.Int64N(1e6)
		row.Key, row.Value = fmt.Appendf(nil, "key-%d", r.IntN(50)), fmt.Appendf(nil, `{"n":%d,"pad":%q}`, i, strings.Repeat("x", r.IntN(150)))
		if r.IntN(400) == 0 {
			kind = r.IntN(5)
			offset += r.Int64N(3) << 32
		}
		switch {
		case kind == 1:
			row.ProducerID, row.ProducerEpoch, row.Sequence = 1<<40, 7, int32(i)
		case kind == 2 && r.IntN(2) == 0:
			row.Key, row.TimestampType = nil, record.LogAppendTime
		case kind == 3:
			row.Headers = row.Headers.Add([]byte("trace"), fmt.Appendf(nil, "%x", r.Uint64())).Add([]byte("trace"), nil).Add([]byte("ü"), []byte{})
		case kind == 4:
			odd(r, row)
		}
		offset += 1 + r.Int64N(2)
	}
	return rows
}

// odd makes a row of what is seldom.
func odd(r *rand.Rand, row *segment.Row) {
	switch r.IntN(6) {
	case 0:
		row.Value = nil
	case 1:
		row.Key, row.Value = []byte{}, []byte{}
	case 2:
		row.Timestamp = record.NoTimestamp
	case 3:
		row.Timestamp = r.Int64() - math.MaxInt64/2
	case 4:
		row.Headers = row.Headers.Add([]byte("\xff"), []byte("not UTF-8")).Add([]byte(""), nil)
	case 5:
		row.Value = make([]byte, 30<<10)
	}
}

// line is what readers should make of a row, by FORMAT.md.
func line(r *segment.Row) string {
	number := func(v int64, has bool) string {
		if !has {
			return "-"
		}
		return fmt.Sprint(v)
	}
	// The years 0001 to 9999, in milliseconds.
	shown := r.Timestamp >= -62135596800000 && r.Timestamp <= 253402300799999 && r.Timestamp != record.NoTimestamp
	var headers []string
	raw := "-"
	for h := range r.Headers.All() {
		if string(h.Key) == "\xff" {
			h.Key, raw = []byte("\uFFFD"), "x01ff00"
		}
		headers = append(headers, binary(h.Key)+"="+binary(h.Value))
	}
	if headers == nil {
		headers = []string{"."}
	}
	return strings.Join([]string{number(r.Offset, true), number(r.Timestamp, shown), binary(r.Key), binary(r.Value), strings.Join(headers, ","),
		number(int64(r.TimestampType), true), number(r.ProducerID, r.ProducerID >= 0), number(int64(r.ProducerEpoch), r.ProducerEpoch >= 0),
		number(int64(r.Sequence), r.Sequence >= 0), number(r.Timestamp, !shown && r.Timestamp != record.NoTimestamp), raw}, " ")
}

func binary(b []byte) string {
	if b == nil {
		return "-"
	}
	return fmt.Sprintf("x%x", b)
}

// ranges are rows from and to, to be read for themselves.
func (f *file) ranges() [][2]int {
	n := len(f.lines)
	return [][2]int{{0, n}, {0, 1}, {n / 3, n/3 + 100}, {n / 2, n/2 + 1}, {n - 7, n}}
}

// want compares what a reader has made of some rows.
func (f *file) want(t *testing.T, what string, have []string, from, to int) {
	t.Helper()
	want := f.lines[from:to]
	if len(have) != len(want) {
		t.Errorf("%s, %s, rows %d to %d: %d of them", filepath.Base(f.path), what, from, to, len(have))
		return
	}
	for i := range want {
		if have[i] != want[i] {
			t.Errorf("%s, %s, row %d:\nhave %.500s\nwant %.500s", filepath.Base(f.path), what, from+i, have[i], want[i])
			return
		}
	}
}
