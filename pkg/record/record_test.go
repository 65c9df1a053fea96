package record

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// What the tests of this package share: rules, records to build batches from, and how records are compared.

const nowMs = 1700000000000

var codecs = []Codec{None, Gzip, Snappy, LZ4, Zstd}

// anyRules allow whatever is well-formed.
func anyRules() Rules {
	return Rules{NowMs: nowMs, BeforeMsMax: math.MaxInt64, AfterMsMax: math.MaxInt64, BatchBytesMax: math.MaxInt32, AllowZstd: true}
}

// threeRecords differ in what is null and what is empty, and one has headers.
func threeRecords() []Record {
	headers := Headers{}.Add([]byte("h"), []byte("one")).Add([]byte("h"), []byte("two")).Add([]byte("null"), nil).Add(nil, []byte{})
	return []Record{
		{Offset: 0, Timestamp: nowMs, Key: []byte("key"), Value: []byte("value")},
		{Offset: 1, Timestamp: nowMs + 2, Key: nil, Value: []byte{}, Headers: headers},
		{Offset: 2, Timestamp: nowMs + 1, Key: []byte{}, Value: nil},
	}
}

func mustBuild(t testing.TB, o Options, records ...Record) Batch {
	t.Helper()
	b, err := Build(o, records...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// collect copies the records of a batch.
func collect(t testing.TB, b Batch) []Record {
	t.Helper()
	var out []Record
	for r, err := range b.Records() {
		if err != nil {
			t.Fatalf("walk: %v", err)
		}
		r.Key, r.Value, r.Headers.raw = bytes.Clone(r.Key), bytes.Clone(r.Value), bytes.Clone(r.Headers.raw)
		out = append(out, r)
	}
	return out
}

// text shows all of a record; nil and empty look different.
func text(r Record) string {
	var headers []string
	for h := range r.Headers.All() {
		headers = append(headers, show(h.Key)+"="+show(h.Value))
	}
	return fmt.Sprintf("%d @%d %s=%s %s", r.Offset, r.Timestamp, show(r.Key), show(r.Value), headers)
}

func show(b []byte) string {
	switch {
	case b == nil:
		return "null"
	case len(b) > 40:
		return fmt.Sprintf("%q... (%d)", b[:40], len(b))
	}
	return fmt.Sprintf("%q", b)
}

func wantRecords(t testing.TB, got, want []Record) {
	t.Helper()
	a, b := texts(got), texts(want)
	if !slices.Equal(a, b) {
		t.Fatalf("records\n got %q\nwant %q", a, b)
	}
	for i := range got {
		if !bytes.Equal(got[i].Key, want[i].Key) || !bytes.Equal(got[i].Value, want[i].Value) {
			t.Fatalf("record %d: bytes differ", i)
		}
	}
}

func texts(records []Record) []string {
	out := make([]string, len(records))
	for i, r := range records {
		out[i] = text(r)
	}
	return out
}

// randomRecords are up to 200 records with everything that may vary, sizes around the limits of varints included.
func randomRecords(r *rand.Rand) []Record {
	out := make([]Record, 1+r.IntN(200))
	offset := int64(0)
	for i := range out {
		out[i] = Record{Offset: offset, Timestamp: nowMs + r.Int64N(1<<r.IntN(40)) - 1<<20, Key: randomBytes(r), Value: randomBytes(r)}
		for range r.IntN(4) {
			out[i].Headers = out[i].Headers.Add(fmt.Append(nil, r.IntN(1<<r.IntN(30))), randomBytes(r))
		}
		offset++
	}
	return out
}

// randomBytes are null, empty, short or long, and compress a little.
func randomBytes(r *rand.Rand) []byte {
	if r.IntN(5) == 0 {
		return nil
	}
	b := make([]byte, r.IntN(1<<r.IntN(10)))
	for i := range b {
		b[i] = byte(r.IntN(1 + i%7*40))
	}
	return b
}
