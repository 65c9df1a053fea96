package parquet

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// TestParquetGo reads by parquet-go/parquet-go: all rows, and from rows that it finds by the offset index.
func TestParquetGo(t *testing.T) {
	for _, f := range files(t) {
		file := openFile(t, f.path)
		if n := len(file.RowGroups()); n < 4 || file.NumRows() != int64(len(f.lines)) {
			t.Fatalf("%d row groups, %d rows", n, file.NumRows())
		}
		for _, r := range f.ranges() {
			rows := parquet.MultiRowGroup(file.RowGroups()...).Rows()
			if err := rows.SeekToRow(int64(r[0])); err != nil {
				t.Fatal(err)
			}
			f.want(t, "parquet-go", readLines(t, rows, r[1]-r[0]), r[0], r[1])
			if err := rows.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestPageIndex asks parquet-go what it makes of the page index: pages of all columns begin at the same rows, and the
// bounds of the offsets are those of the rows.
func TestPageIndex(t *testing.T) {
	for _, f := range files(t) {
		row := int64(0)
		for _, g := range openFile(t, f.path).RowGroups() {
			first, err := g.ColumnChunks()[0].OffsetIndex()
			if err != nil || first.NumPages() < 2 {
				t.Fatal(first, err)
			}
			bounds, err := g.ColumnChunks()[0].ColumnIndex()
			if err != nil || !bounds.IsAscending() {
				t.Fatal(err)
			}
			for i := range first.NumPages() {
				if have, want := bounds.MinValue(i).Int64(), f.offsets[row+first.FirstRowIndex(i)]; have != want {
					t.Errorf("page %d begins with offset %d instead of %d", i, have, want)
				}
			}
			for _, c := range g.ColumnChunks() {
				x, err := c.OffsetIndex()
				if err != nil || x.NumPages() != first.NumPages() {
					t.Fatal(err)
				}
				for i := range x.NumPages() {
					if x.FirstRowIndex(i) != first.FirstRowIndex(i) {
						t.Errorf("column %d, page %d: row %d instead of %d", c.Column(), i, x.FirstRowIndex(i), first.FirstRowIndex(i))
					}
				}
			}
			row += g.NumRows()
		}
	}
}

func openFile(t *testing.T, path string) *parquet.File {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	file, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// readLines reads up to n rows.
func readLines(t *testing.T, rows parquet.Rows, n int) (lines []string) {
	t.Helper()
	buf := make([]parquet.Row, 64)
	for len(lines) < n {
		k, err := rows.ReadRows(buf[:min(len(buf), n-len(lines))])
		for _, row := range buf[:k] {
			lines = append(lines, lineOf(row))
		}
		if err == io.EOF && k == 0 {
			break
		}
		if err != nil && err != io.EOF {
			t.Fatal(err)
		}
	}
	return lines
}

// Columns by their numbers: those of headers are 4 and 5, of bytes 2, 3 and 11.
func lineOf(row parquet.Row) string {
	fields := make([]string, 0, 11)
	var keys, values []string
	for _, v := range row {
		switch c := v.Column(); {
		case c == 4 && v.DefinitionLevel() == 1:
			keys = append(keys, valueOf(v, true))
		case c == 5 && v.DefinitionLevel() >= 1:
			values = append(values, valueOf(v, true))
		case c != 4 && c != 5:
			if c == 6 {
				fields = append(fields, joined(keys, values))
			}
			fields = append(fields, valueOf(v, c == 2 || c == 3 || c == 11))
		}
	}
	return strings.Join(fields, " ")
}

func joined(keys, values []string) string {
	if len(keys) == 0 {
		return "."
	}
	for i := range keys {
		keys[i] += "=" + values[i]
	}
	return strings.Join(keys, ",")
}

func valueOf(v parquet.Value, bytes bool) string {
	switch {
	case v.IsNull():
		return "-"
	case bytes:
		return fmt.Sprintf("x%x", v.ByteArray())
	case v.Kind() == parquet.Int32:
		return fmt.Sprint(v.Int32())
	}
	return fmt.Sprint(v.Int64())
}
