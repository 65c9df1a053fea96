package segment

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/record"
)

// Shown here, by the files in testdata/segments: what every released version has written is read as it was meant, record by
// record, and any one bit of it that changes is noticed or makes no difference.

const fixtures = "../../testdata/segments"

var newFixtures = flag.Bool("new-fixtures", false, "write the fixtures that are not there")

// fixture is how a file in testdata/segments was made: once.
type fixture struct {
	name    string
	options Options
	last    int64
	rows    []Row
}

func allFixtures() []fixture {
	oddities := oddRows()
	last := oddities[len(oddities)-1].Offset + 5
	o := func(c Codec, block, group int) Options {
		return Options{Topic: "orders", TopicID: kbin.UUID{0: 1, 15: 0xff}, Partition: 3, First: 40, Codec: c, BlockBytes: block,
			RowGroupBytes: group}
	}
	return []fixture{
		{"v1-uncompressed", o(Uncompressed, 0, 0), last, oddities},
		{"v1-snappy-blocks", o(Snappy, 200, 0), last, oddities},
		{"v1-zstd-groups", o(Zstd, 400, 800), last, oddities},
		{"v1-zstd-log", o(Zstd, 16<<10, 64<<10), 1999, benchRowsFrom(40, 300, 500)},
	}
}

// oddRows are few, and have all that is special.
func oddRows() []Row {
	plain := Row{ProducerID: record.NoProducerID, ProducerEpoch: record.NoProducerEpoch, Sequence: record.NoSequence}
	at := func(offset, ms int64, key, value string) Row {
		r := plain
		r.Offset, r.Timestamp, r.Key, r.Value = offset, ms, []byte(key), []byte(value)
		return r
	}
	null := at(44, 1700000000003, "", "")
	null.Key, null.Value = nil, nil
	headers := at(45, 1700000000002, "headers", strings.Repeat("panta rhei ", 20))
	headers.Headers = headers.Headers.Add([]byte("a"), []byte("1")).Add([]byte("a"), []byte("2")).Add([]byte(""), nil).Add([]byte("ü"), []byte{})
	raw := at(46, 1700000000004, "\x00\xff", "header keys that are not UTF-8")
	raw.Headers = raw.Headers.Add([]byte("ok"), []byte("1")).Add([]byte("\xff\xfe-\xff"), []byte("\xff"))
	none, past, future := at(47, record.NoTimestamp, "no time", "-"), at(48, math.MinInt64, "the past", "-"), at(49, math.MaxInt64, "the future", "-")
	rows := []Row{at(42, 1700000000000, "first", `{"n":1}`), at(43, 1700000000001, "", ""), null, headers, raw, none, past, future}
	for i := range int64(4) {
		r := at(50+i, 1700000000010+i, "idempotent", fmt.Sprintf(`{"n":%d}`, i))
		r.ProducerID, r.ProducerEpoch, r.Sequence = 1<<40, 3, sequenceAfter(math.MaxInt32-1, i)
		rows = append(rows, r)
	}
	for i := range int64(3) {
		r := at(1<<31+60+i*(1<<32), 1700000000100, "append time, and a wide gap", strings.Repeat("x", int(i)))
		r.TimestampType = record.LogAppendTime
		rows = append(rows, r)
	}
	return append(rows, at(1<<52, 1700000000200, strings.Repeat("\xff", 70), "a key without a short bound"))
}

// benchRowsFrom are rows of a log, of some size.
func benchRowsFrom(first int64, size, count int) []Row {
	rows := benchRows(size, count)
	for i := range rows {
		rows[i].Offset += first
	}
	return rows
}

// readable is all that a segment says, a line for its metadata and one for each record.
func readable(m Meta, rows []string) string {
	return fmt.Sprintf("%s %s/%d offsets %d-%d records=%d max_timestamp=%d plain_bytes=%d\n%s\n", m.Topic, m.TopicID, m.Partition, m.First,
		m.Last, m.Records, m.MaxTimestamp, m.PlainBytes, strings.Join(rows, "\n"))
}

// readAll returns a segment in readable form.
func readAll(t testing.TB, b []byte) (string, error) {
	r, err := Open(t.Context(), bytesOf(b), int64(len(b)))
	if err != nil {
		return "", err
	}
	var rows []string
	for row, err := range r.Rows(t.Context(), 0) {
		if err != nil {
			return "", err
		}
		rows = append(rows, text(row))
	}
	return readable(r.Footer().Meta, rows), nil
}

// make writes a fixture that is not there.
func (f *fixture) make(t *testing.T) {
	var b bytes.Buffer
	w, err := NewWriter(&b, f.options)
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for i := range f.rows {
		if err := w.AppendRow(f.rows[i]); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, text(&f.rows[i]))
	}
	m, err := w.Close(f.last)
	if err != nil {
		t.Fatal(err)
	}
	for ext, content := range map[string][]byte{".parquet": b.Bytes(), ".txt": []byte(readable(m, rows))} {
		file, err := os.OpenFile(filepath.Join(fixtures, f.name+ext), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.Write(content); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func (f *fixture) read(t testing.TB, ext string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(fixtures, f.name+ext))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReadsFixtures(t *testing.T) {
	names := map[string]bool{"README.md": true}
	for _, f := range allFixtures() {
		if *newFixtures {
			f.make(t)
		}
		names[f.name+".parquet"], names[f.name+".txt"] = true, true
		b := f.read(t, ".parquet")
		have, err := readAll(t, b)
		if err != nil || have != string(f.read(t, ".txt")) {
			t.Errorf("%s: %v\n%s", f.name, err, have)
		}
		if _, err := Verify(t.Context(), bytesOf(b), int64(len(b))); err != nil {
			t.Errorf("%s: %v", f.name, err)
		}
	}
	files, err := os.ReadDir(fixtures)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !names[file.Name()] {
			t.Errorf("%s: nobody reads it", file.Name())
		}
	}
}

// What is written today is laid out as what was written then. The bytes may differ, as compressors change.
func TestWritesFixtures(t *testing.T) {
	for _, f := range allFixtures() {
		want := string(f.read(t, ".txt"))
		have, err := readAll(t, writtenTo(t, f.options, f.rows, f.last))
		if err != nil || have != want {
			t.Errorf("%s: %v\n%s", f.name, err, have)
		}
	}
}

func TestFlippedBits(t *testing.T) {
	for i, f := range allFixtures() {
		b, want := f.read(t, ".parquet"), string(f.read(t, ".txt"))
		step := []int{1, 7, 5, 1999}[i]
		if raceEnabled {
			step *= 29
		}
		for bit := 0; bit < 8*len(b); bit += step {
			flipped := slices.Clone(b)
			flipped[bit/8] ^= 1 << (bit % 8)
			have, err := readAll(t, flipped)
			switch {
			case err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrVersion):
				t.Fatalf("%s, bit %d of byte %d: an error of another kind: %v", f.name, bit%8, bit/8, err)
			case err == nil && have != want:
				t.Fatalf("%s, bit %d of byte %d: not noticed\n%s", f.name, bit%8, bit/8, have)
			case err == nil && bit/8 >= len(magic):
				t.Errorf("%s, bit %d of byte %d makes no difference", f.name, bit%8, bit/8)
			case err == nil: // only whoever knows nothing of the name looks at the beginning
				if _, err := Verify(t.Context(), bytesOf(flipped), int64(len(flipped))); !errors.Is(err, ErrDamaged) {
					t.Errorf("%s, bit %d of byte %d: verified: %v", f.name, bit%8, bit/8, err)
				}
			}
		}
	}
}
