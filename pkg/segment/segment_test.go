package segment

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/record"
)

// What the tests share: segments in memory, and rows that can be compared.

// object is a segment in memory, which counts what is read of it.
type object struct {
	b     []byte
	gets  atomic.Int64
	bytes atomic.Int64
}

func (o *object) get(ctx context.Context, p []byte, off int64) error {
	o.gets.Add(1)
	o.bytes.Add(int64(len(p)))
	return bytesOf(o.b)(ctx, p, off)
}

func bytesOf(b []byte) Get {
	return func(_ context.Context, p []byte, off int64) error {
		if off < 0 || off > int64(len(b)-len(p)) {
			return fmt.Errorf("get %d bytes at %d of %d", len(p), off, len(b))
		}
		copy(p, b[off:])
		return nil
	}
}

var someOptions = Options{Topic: "orders", TopicID: kbin.UUID{1, 2, 3}, Partition: 7, Codec: Snappy}

// written makes a segment of rows.
func written(t testing.TB, o Options, rows []Row) []byte {
	t.Helper()
	return writtenTo(t, o, rows, rows[len(rows)-1].Offset)
}

// writtenTo makes a segment of rows that stands for the offsets up to last.
func writtenTo(t testing.TB, o Options, rows []Row, last int64) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if err := w.AppendRow(r); err != nil {
			t.Fatal(err)
		}
	}
	m, err := w.Close(last)
	if err != nil {
		t.Fatal(err)
	}
	if m.Bytes != int64(b.Len()) {
		t.Fatalf("segment of %d bytes says %d", b.Len(), m.Bytes)
	}
	return b.Bytes()
}

func opened(t testing.TB, b []byte) *Reader {
	t.Helper()
	r, err := Open(t.Context(), bytesOf(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// text is a row in readable form, in which null and empty differ.
func text(r *Row) string {
	s := fmt.Sprintf("%d %d key=%s value=%s type=%d producer=%d/%d/%d", r.Offset, r.Timestamp, quoted(r.Key), quoted(r.Value),
		r.TimestampType, r.ProducerID, r.ProducerEpoch, r.Sequence)
	for h := range r.Headers.All() {
		s += fmt.Sprintf(" %s=%s", quoted(h.Key), quoted(h.Value))
	}
	return s
}

func quoted(b []byte) string {
	if b == nil {
		return "null"
	}
	return fmt.Sprintf("%q", b)
}

// randomRows has all that a row can have, in all mixtures.
func randomRows(r *rand.Rand, n int) []Row {
	rows := make([]Row, 0, n)
	offset := r.Int64N(3)
	some := func(most int) []byte {
		if r.IntN(5) == 0 {
			return nil
		}
		b := make([]byte, r.IntN(most))
		for i := range b {
			b[i] = byte(r.IntN(4)) * 85
		}
		return b
	}
	producer := Row{ProducerID: record.NoProducerID, ProducerEpoch: record.NoProducerEpoch, Sequence: record.NoSequence}
	for len(rows) < n {
		row := producer
		row.Offset = offset
		row.Timestamp = 1700000000000 + r.Int64N(5000)
		switch r.IntN(20) {
		case 0:
			row.Timestamp = record.NoTimestamp
		case 1:
			row.Timestamp = r.Int64() - r.Int64()
		case 2:
			offset += r.Int64N(10)
		case 3:
			offset += r.Int64N(1 << 34)
		case 4:
			producer.ProducerID, producer.ProducerEpoch = r.Int64N(1<<40), int16(r.IntN(1<<15))
			producer.Sequence = int32(r.IntN(math.MaxInt32))
		case 5:
			producer = Row{TimestampType: record.TimestampType(r.IntN(2)), ProducerID: record.NoProducerID,
				ProducerEpoch: record.NoProducerEpoch, Sequence: record.NoSequence}
		}
		row.Key, row.Value = some(20), some(300)
		if r.IntN(3) == 0 {
			for range r.IntN(4) {
				key := some(9)
				row.Headers = row.Headers.Add(append([]byte("k"), key...), some(9))
			}
		}
		if producer.Sequence >= 0 && r.IntN(9) > 0 {
			producer.Sequence = sequenceAfter(producer.Sequence, 1)
		}
		rows = append(rows, row)
		offset++
	}
	return rows
}
