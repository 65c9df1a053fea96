package segment

import (
	"errors"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/record"
)

// Shown here: a segment that says of itself what is not so is found by Verify, though all its checksums are right.

// lying makes a segment of which the index or the metadata was changed before it was written.
func lying(t *testing.T, lie func(w *Writer)) []byte {
	t.Helper()
	o := someOptions
	o.BlockBytes = 400
	w := newTestWriter(t, o)
	rows := oddRows()
	for _, r := range rows[:len(rows)-1] { // the last one's key leaves the column without bounds
		if err := w.AppendRow(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.endBlock(); err != nil {
		t.Fatal(err)
	}
	lie(w.Writer)
	if err := w.endGroup(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(1 << 60); err != nil {
		t.Fatal(err)
	}
	return w.Bytes()
}

func TestVerifyFindsLies(t *testing.T) {
	f := func(what string, found bool, lie func(w *Writer)) {
		t.Helper()
		b := lying(t, lie)
		_, err := Verify(t.Context(), bytesOf(b), int64(len(b)))
		if errors.Is(err, ErrDamaged) != found || err != nil && !found {
			t.Errorf("%s: %v", what, err)
		}
	}
	page := func(w *Writer, l leaf) *indexedPage { // the first one that has values
		for i := range w.index.pages[l] {
			if p := &w.index.pages[l][i]; p.low != nil {
				return p
			}
		}
		return &w.index.pages[l][0]
	}
	f("nothing", false, func(*Writer) {})
	f("null count", true, func(w *Writer) { page(w, leafValue).nulls++ })
	f("null count of the index", true, func(w *Writer) { page(w, leafProducerID).nulls-- })
	f("least timestamp", true, func(w *Writer) { page(w, leafTimestamp).low[0]++ })
	f("largest timestamp", true, func(w *Writer) { page(w, leafTimestamp).high[0]-- })
	f("first offset", true, func(w *Writer) { page(w, leafOffset).low[0]++ })
	f("last offset", true, func(w *Writer) { page(w, leafOffset).high[0]++ })
	f("least key", true, func(w *Writer) { page(w, leafKey).low = []byte("a") })
	f("bounds of nothing", true, func(w *Writer) { page(w, leafProducerID).low, page(w, leafProducerID).high = nil, nil })
	f("largest timestamp of all", true, func(w *Writer) { w.meta.MaxTimestamp-- })
	f("records", true, func(w *Writer) { w.meta.Records++ })
	f("bytes", true, func(w *Writer) { w.meta.PlainBytes++ })
	f("rows of a block", true, func(w *Writer) { page(w, leafKey).rows-- })
	f("length of a page", true, func(w *Writer) { page(w, leafKey).bytes++ })
}

func TestVerifyFindsDisorder(t *testing.T) {
	w := newTestWriter(t, someOptions)
	for _, offset := range []int64{3, 9, 7, 12} {
		w.meta.Last = offset - 1 // so that the writer takes it
		if err := w.AppendRow(Row{Record: record.Record{Offset: offset}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(12); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(t.Context(), bytesOf(w.Bytes()), int64(len(w.Bytes()))); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
}

func TestVersions(t *testing.T) {
	b := written(t, someOptions, oddRows())
	for i := range b {
		if string(b[i:min(len(b), i+len(keyFormat))]) == keyFormat {
			b[i+len(keyFormat)+2]++ // "2", behind type and length
		}
	}
	if _, err := Open(t.Context(), bytesOf(b), int64(len(b))); !errors.Is(err, ErrVersion) {
		t.Error(err)
	}
}
