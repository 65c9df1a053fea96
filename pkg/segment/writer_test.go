package segment

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/record"
)

// Shown here: what a writer refuses, that it holds one row group and no more, and that no failed write goes unnoticed.

// testWriter writes to memory.
type testWriter struct {
	*Writer
	b *bytes.Buffer
}

func newTestWriter(t testing.TB, o Options) testWriter {
	t.Helper()
	b := new(bytes.Buffer)
	w, err := NewWriter(b, o)
	if err != nil {
		t.Fatal(err)
	}
	return testWriter{w, b}
}

func (w testWriter) Bytes() []byte { return w.b.Bytes() }

func TestAppendsBatches(t *testing.T) {
	w := newTestWriter(t, someOptions)
	add := func(o record.Options, values ...string) {
		t.Helper()
		var rs []record.Record
		for i, v := range values {
			rs = append(rs, record.Record{Offset: o.BaseOffset + int64(2*i), Timestamp: 7, Value: []byte(v)})
		}
		b, err := record.Build(o, rs...)
		if err == nil {
			err = w.Append(b)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	add(record.Options{BaseOffset: 3}, "a", "b")
	add(record.Options{BaseOffset: 10, Codec: record.Zstd, Producer: &record.Producer{ID: 5, Epoch: 2, Sequence: math.MaxInt32, Transactional: true}}, "c", "d")
	add(record.Options{BaseOffset: 20, Codec: record.LZ4, TimestampType: record.LogAppendTime, AppendMs: 99}, "e")
	if w.Rows() != 5 || w.Writer.Bytes() <= 0 {
		t.Errorf("%d rows, %d bytes", w.Rows(), w.Writer.Bytes())
	}
	if _, err := w.Close(25); err != nil {
		t.Fatal(err)
	}
	have, err := readAll(t, w.Bytes())
	want := `orders AQIDAAAAAAAAAAAAAAAAAA/7 offsets 0-25 records=5 max_timestamp=99 plain_bytes=85
3 7 key=null value="a" type=0 producer=-1/-1/-1
5 7 key=null value="b" type=0 producer=-1/-1/-1
10 7 key=null value="c" type=0 producer=5/2/2147483647
12 7 key=null value="d" type=0 producer=5/2/1
20 99 key=null value="e" type=1 producer=-1/-1/-1
`
	if err != nil || have != want {
		t.Errorf("%v\n%s", err, have)
	}
}

func TestRefuses(t *testing.T) {
	row := func(offset int64) Row { return Row{Record: record.Record{Offset: offset}} }
	f := func(want error, act func(w *Writer) error) {
		t.Helper()
		w := newTestWriter(t, Options{First: 10}).Writer
		err := act(w)
		if !errors.Is(err, want) {
			t.Errorf("%v instead of %v", err, want)
		}
		if again := w.AppendRow(row(1000)); again != err {
			t.Errorf("after %v: %v", err, again)
		}
		if _, again := w.Close(1000); again != err {
			t.Errorf("closed after %v: %v", err, again)
		}
	}
	f(ErrOrder, func(w *Writer) error { return w.AppendRow(row(9)) })
	f(ErrOrder, func(w *Writer) error { return w.AppendRow(row(math.MaxInt64)) })
	f(ErrOrder, func(w *Writer) error {
		return errors.Join(w.AppendRow(row(12)), w.AppendRow(row(12))).(interface{ Unwrap() []error }).Unwrap()[0]
	})
	f(ErrOrder, func(w *Writer) error {
		if err := w.AppendRow(row(12)); err != nil {
			return err
		}
		_, err := w.Close(11)
		return err
	})
	f(ErrNoRecords, func(w *Writer) error { _, err := w.Close(20); return err })
	f(ErrControl, func(w *Writer) error {
		b, err := record.Build(record.Options{BaseOffset: 10, Control: true}, record.Record{Offset: 10})
		return errors.Join(err, w.Append(b)).(interface{ Unwrap() []error }).Unwrap()[0]
	})
	g := func(o Options) {
		t.Helper()
		if _, err := NewWriter(io.Discard, o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
	g(Options{Codec: 3})
	g(Options{First: -1})
	g(Options{Partition: -1})
	g(Options{BlockBytes: -1})
	g(Options{BlockBytes: blockBytesMax + 1})
	g(Options{RowGroupBytes: rowGroupBytesMax + 1})
	g(Options{Topic: "\xff"})
	g(Options{Topic: strings.Repeat("x", topicBytesMax+1)})
}

// failing fails once so many bytes were written.
type failing struct{ left int }

var errFull = errors.New("disk full")

func (f *failing) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestFailedWrites(t *testing.T) {
	rows := benchRows(1<<10, 1000)
	o := someOptions
	o.BlockBytes, o.RowGroupBytes = 8<<10, 128<<10
	size := len(written(t, o, rows))
	for left := 0; left < size; left += size / 20 {
		w, err := NewWriter(&failing{left}, o)
		if err != nil {
			t.Fatal(err)
		}
		for i := range rows {
			if err = w.AppendRow(rows[i]); err != nil {
				break
			}
		}
		if err == nil {
			_, err = w.Close(rows[len(rows)-1].Offset)
		}
		if !errors.Is(err, errFull) {
			t.Errorf("room for %d of %d bytes: %v", left, size, err)
		}
	}
}

// A writer's pages lie in its arena: however long a segment gets, that does not grow beyond a row group.
func TestHoldsOneRowGroup(t *testing.T) {
	o := Options{Codec: Uncompressed, RowGroupBytes: 2 << 20}
	w, err := NewWriter(io.Discard, o)
	if err != nil {
		t.Fatal(err)
	}
	rows := benchRows(1<<10, 16<<10)
	for i := range rows {
		if err := w.AppendRow(rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	held := 0
	for _, b := range append(append(w.pages.arena.full, w.pages.arena.free...), w.pages.arena.last) {
		held += cap(b)
	}
	if most := o.RowGroupBytes + 2*arenaBytes + BlockBytes; held > most || len(w.parquet.Footer.RowGroups) < 7 {
		t.Errorf("%d bytes held, more than %d, after %d row groups", held, most, len(w.parquet.Footer.RowGroups))
	}
}
