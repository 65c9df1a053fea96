package segment

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/record"
)

// Shown here, with records of all kinds in segments of all layouts: what comes back, as rows and as batches, is what went
// in, from every offset; batches leave no offset out; few bytes are read, in few gets.

// randomSegment returns rows and a segment of them that stands for some offsets more.
func randomSegment(t testing.TB, seed uint64) ([]Row, []byte) {
	r := rand.New(rand.NewPCG(seed, 1))
	o := someOptions
	o.Codec = []Codec{Uncompressed, Snappy, Zstd}[seed%3]
	o.Level = int(seed % 5)
	o.BlockBytes, o.RowGroupBytes = 1<<(4+r.IntN(12)), 1<<(10+r.IntN(8))
	rows := randomRows(r, 1+r.IntN(1500))
	return rows, writtenTo(t, o, rows, rows[len(rows)-1].Offset+r.Int64N(4))
}

// wantRows compares rows that are read with those that were written.
func wantRows(t *testing.T, seed uint64, have []string, want []Row) {
	t.Helper()
	if len(have) != len(want) {
		t.Fatalf("seed %d: %d rows instead of %d", seed, len(have), len(want))
	}
	for i := range want {
		if w := text(&want[i]); have[i] != w {
			t.Fatalf("seed %d, row %d:\nhave %s\nwant %s", seed, i, have[i], w)
		}
	}
}

// behind returns the rows from an offset on.
func behind(rows []Row, offset int64) []Row {
	i, _ := slices.BinarySearchFunc(rows, offset, func(r Row, o int64) int { return int(min(max(r.Offset-o, -1), 1)) })
	return rows[i:]
}

func TestRowsComeBack(t *testing.T) {
	for seed := range uint64(30) {
		rows, b := randomSegment(t, seed)
		if _, err := Verify(t.Context(), bytesOf(b), int64(len(b))); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		reader := opened(t, b)
		for _, from := range []int64{0, rows[len(rows)/2].Offset, rows[len(rows)/3].Offset + 1, math.MaxInt64} {
			var have []string
			for row, err := range reader.Rows(t.Context(), from) {
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				have = append(have, text(row))
			}
			wantRows(t, seed, have, behind(rows, from))
		}
	}
}

// consumed reads as a consumer does, who goes on behind the last offset of a batch, until it is behind the segment.
func consumed(t *testing.T, r *Reader, from int64, bytesMax int, o Rebuild) (rows []string) {
	t.Helper()
	for from <= r.Footer().Last {
		set, next, err := r.Read(t.Context(), nil, from, bytesMax, o)
		if err != nil {
			t.Fatal(err)
		}
		if len(set) == 0 {
			if next != r.Footer().Last+1 {
				t.Fatalf("nothing at %d, and then %d", from, next)
			}
			return rows
		}
		for len(set) > 0 {
			b := record.Batch(set)
			b = b[:b.Size()]
			set = set[len(b):]
			if !b.Intact() || b.LastOffset() < from || b.LeaderEpoch() != o.LeaderEpoch || b.IsTransactional() {
				t.Fatalf("batch of offsets %d-%d, expected %d", b.BaseOffset(), b.LastOffset(), from)
			}
			rows = append(rows, rowsOf(t, b)...)
			from = b.LastOffset() + 1
		}
		if from > next {
			t.Fatalf("batches end before %d, not %d", from, next)
		}
	}
	return rows
}

func rowsOf(t *testing.T, b record.Batch) (rows []string) {
	t.Helper()
	largest := int64(math.MinInt64)
	for r, err := range b.Records() {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, text(&Row{r, b.TimestampType(), b.ProducerID(), b.ProducerEpoch(),
			sequenceAfter(b.BaseSequence(), r.Offset-b.BaseOffset())}))
		largest = max(largest, r.Timestamp)
	}
	if b.TimestampType() == record.CreateTime {
		largest = max(largest, record.NoTimestamp) // as Kafka's own builder has it
	}
	if b.MaxTimestamp() != largest {
		t.Fatalf("largest timestamp %d instead of %d", b.MaxTimestamp(), largest)
	}
	return rows
}

func TestBatchesComeBack(t *testing.T) {
	for seed := range uint64(30) {
		rows, b := randomSegment(t, seed)
		reader := opened(t, b)
		r := rand.New(rand.NewPCG(seed, 2))
		from := rows[r.IntN(len(rows))].Offset - r.Int64N(2)
		o := Rebuild{Codec: []record.Codec{record.None, record.LZ4, record.Snappy}[seed%3], LeaderEpoch: int32(seed)}
		wantRows(t, seed, consumed(t, reader, from, 1<<(6+r.IntN(14)), o), behind(rows, from))
	}
}

// Batches cover the offsets between records and behind the last one, so that a consumer gets on; a gap that no batch can
// cover is left to the next read.
func TestBatchesCoverGaps(t *testing.T) {
	row := func(offset int64) Row {
		return Row{Record: record.Record{Offset: offset, Value: []byte("v")}, Sequence: record.NoSequence}
	}
	rows := []Row{row(5), row(6), row(9), row(10 + 1<<31), row(10 + 1<<40)}
	r := opened(t, writtenTo(t, someOptions, rows, 20+1<<40))
	set, next, err := r.Read(t.Context(), nil, 0, 1<<20, Rebuild{})
	if err != nil || next != 21+1<<40 {
		t.Fatal(next, err)
	}
	var have [][2]int64
	for len(set) > 0 {
		b := record.Batch(set)
		b = b[:b.Size()]
		have = append(have, [2]int64{b.BaseOffset(), b.LastOffset()})
		set = set[len(b):]
	}
	want := [][2]int64{{5, 5 + math.MaxInt32}, {10 + 1<<31, 10 + 1<<31 + math.MaxInt32}, {10 + 1<<40, 20 + 1<<40}}
	if !slices.Equal(have, want) {
		t.Errorf("batches %v instead of %v", have, want)
	}
}

func TestOffsetForTime(t *testing.T) {
	for seed := range uint64(30) {
		rows, b := randomSegment(t, seed)
		r := opened(t, b)
		f := func(ms int64) {
			t.Helper()
			offset, at, ok, err := r.OffsetForTime(t.Context(), ms)
			i := slices.IndexFunc(rows, func(r Row) bool { return r.Timestamp >= ms && r.Timestamp != record.NoTimestamp })
			if err != nil || ok != (i >= 0) || ok && (offset != rows[i].Offset || at != rows[i].Timestamp) {
				t.Errorf("seed %d, time %d: offset %d, %d, %v, %v; row %d", seed, ms, offset, at, ok, err, i)
			}
		}
		f(0)
		f(1700000000000)
		f(1700000004999)
		f(1700000005000)
		f(math.MaxInt64)
		f(rows[len(rows)/2].Timestamp)
	}
}

// A segment of 32 MiB is opened by one get, and a read in the midst of it takes little of it.
func TestReadsLittle(t *testing.T) {
	rows := benchRows(1<<10, 32<<10)
	o := &object{b: written(t, someOptions, rows)}
	r, err := Open(t.Context(), o.get, int64(len(o.b)))
	if err != nil || o.gets.Load() != 1 {
		t.Fatal(o.gets.Load(), err)
	}
	o.gets.Store(0)
	o.bytes.Store(0)
	set, _, err := r.Read(t.Context(), nil, 17_000, 1<<20, Rebuild{})
	if err != nil || len(set) < 512<<10 || len(set) > 3<<19 {
		t.Fatal(len(set), err)
	}
	if o.gets.Load() > 3 || o.bytes.Load() > 5<<18 {
		t.Errorf("%d gets of %d bytes, of %d", o.gets.Load(), o.bytes.Load(), len(o.b))
	}
	if n := r.Footer().MemoryBytes(); n < 5000 || n > 50_000 {
		t.Errorf("the footer takes %d bytes", n)
	}
}

// TestRunsAreTheSameForAll reads a segment from the start of a run to the next, and finds that every offset in between has the
// same start.
func TestRunsAreTheSameForAll(t *testing.T) {
	r := opened(t, written(t, someOptions, benchRows(1<<10, 32<<10)))
	const bytesMax = 1 << 20
	runs := 0
	for at := int64(0); at <= r.Footer().Last; runs++ {
		set, next, err := r.Read(t.Context(), nil, at, bytesMax, Rebuild{})
		if err != nil || len(set) > bytesMax*3/2 {
			t.Fatalf("%d bytes, %v", len(set), err)
		}
		for _, from := range []int64{at, at + 1, (at + next) / 2, next - 1} {
			if start := r.Footer().Start(from, bytesMax); start != at {
				t.Errorf("the run of offset %d begins at %d, not at %d", from, start, at)
			}
		}
		at = next
	}
	if end := r.Footer().Last + 1; runs < 20 || r.Footer().Start(end, bytesMax) != end {
		t.Errorf("%d runs", runs)
	}
}

// Where the end of a segment is longer than guessed, it takes two gets, or three; and a broken get is what comes of it.
func TestOpensLongTails(t *testing.T) {
	o := someOptions
	o.BlockBytes, o.RowGroupBytes = 64, 128
	b := written(t, o, benchRows(64, 2000))
	object := &object{b: b}
	r, err := Open(t.Context(), object.get, int64(len(b)))
	if err != nil || object.gets.Load() > 3 || len(r.f.groups) < 500 {
		t.Fatal(object.gets.Load(), err)
	}
	for fail := range object.gets.Load() {
		broken := errors.New("broken")
		n := int64(0)
		_, err := Open(t.Context(), func(ctx context.Context, p []byte, off int64) error {
			if n++; n > fail {
				return broken
			}
			return object.get(ctx, p, off)
		}, int64(len(b)))
		if !errors.Is(err, broken) || errors.Is(err, ErrDamaged) {
			t.Errorf("get %d: %v", fail, err)
		}
	}
	broken := errors.New("broken")
	r = NewReader(r.f, func(context.Context, []byte, int64) error { return broken })
	if _, _, err := r.Read(t.Context(), nil, 0, 1<<20, Rebuild{}); !errors.Is(err, broken) {
		t.Error(err)
	}
}

func TestReadsConcurrently(t *testing.T) {
	rows, b := randomSegment(t, 4)
	r := opened(t, b)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			from := rows[i*len(rows)/8].Offset
			want := behind(rows, from)
			i := 0
			for row, err := range r.Rows(t.Context(), from) {
				if err != nil || text(row) != text(&want[i]) {
					t.Errorf("row %d: %v", i, err)
					return
				}
				i++
			}
		})
	}
	wait.Wait()
}

// A record beyond what may be in a compressed batch comes in one that is not, beside others that are.
func TestLargeRecords(t *testing.T) {
	large := make([]byte, record.PlainBytesMax+1)
	for i := range large {
		large[i] = byte(i >> 12)
	}
	rows := []Row{{Record: record.Record{Offset: 1, Value: []byte("before")}}, {Record: record.Record{Offset: 2, Value: large}},
		{Record: record.Record{Offset: 3, Key: []byte("behind")}}}
	for i := range rows {
		rows[i].ProducerID, rows[i].ProducerEpoch, rows[i].Sequence = record.NoProducerID, record.NoProducerEpoch, record.NoSequence
	}
	b := written(t, someOptions, rows)
	r := opened(t, b)
	if len(r.f.blocks) != 3 {
		t.Fatalf("%d blocks", len(r.f.blocks))
	}
	var set []byte
	for from := int64(0); from <= r.f.Last; { // the large one is a row group by itself
		var err error
		if set, from, err = r.Read(t.Context(), set, from, math.MaxInt32, Rebuild{Codec: record.Snappy}); err != nil {
			t.Fatal(err)
		}
	}
	var codecs []record.Codec
	for len(set) > 0 {
		b := record.Batch(set)
		b = b[:b.Size()]
		for rec, err := range b.Records() {
			if err != nil || rec.Offset == 2 && !slices.Equal(rec.Value, large) {
				t.Fatal(rec.Offset, err)
			}
		}
		codecs = append(codecs, b.Codec())
		set = set[len(b):]
	}
	if !slices.Equal(codecs, []record.Codec{record.Snappy, record.None, record.Snappy}) {
		t.Errorf("batches by %v", codecs)
	}
}
