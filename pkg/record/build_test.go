package record

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// Shown here: what is built is walked as the same records, whatever they are and whatever compresses them, and passes
// Check; headers survive in order; options end up in the header; offsets must rise and sizes have bounds.

func TestBuildAndWalk(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 150 {
		records, o := randomRecords(r), Options{Codec: codecs[i%len(codecs)], Level: Level(i / 50 * 3)}
		b, err := Check(mustBuild(t, o, records...), anyRules())
		if err != nil {
			t.Fatalf("%v level %d: %v", o.Codec, o.Level, err)
		}
		wantRecords(t, collect(t, b), records)
	}
}

func TestBuildAgainFromWalk(t *testing.T) {
	b := mustBuild(t, Options{}, randomRecords(rand.New(rand.NewPCG(7, 8)))...)
	if again := mustBuild(t, Options{}, collect(t, b)...); !bytes.Equal(again, b) {
		t.Error("a batch built from the records of another one differs")
	}
}

func TestBuildOptions(t *testing.T) {
	p := &Producer{ID: 1 << 40, Epoch: 5, Sequence: 6, Transactional: true}
	b := mustBuild(t, Options{BaseOffset: 50, LeaderEpoch: 3, Codec: Gzip, TimestampType: LogAppendTime, AppendMs: 99, Producer: p, Control: true},
		Record{Offset: 52, Timestamp: 10}, Record{Offset: 60, Timestamp: 4})
	if b.BaseOffset() != 50 || b.LastOffset() != 60 || b.LeaderEpoch() != 3 || b.Codec() != Gzip || b.Count() != 2 ||
		b.TimestampType() != LogAppendTime || b.MaxTimestamp() != 99 || b.BaseTimestamp() != 10 ||
		b.ProducerID() != 1<<40 || b.ProducerEpoch() != 5 || b.BaseSequence() != 6 || !b.IsTransactional() || !b.IsControl() || !b.Intact() {
		t.Errorf("header %x", b[:HeaderBytes])
	}
	wantRecords(t, collect(t, b), []Record{{Offset: 52, Timestamp: 99}, {Offset: 60, Timestamp: 99}})
	b = mustBuild(t, Options{}, Record{Timestamp: 10}, Record{Offset: 1, Timestamp: 4})
	if b.MaxTimestamp() != 10 || b.ProducerID() != NoProducerID || b.ProducerEpoch() != NoProducerEpoch || b.BaseSequence() != NoSequence || b.Attributes() != 0 {
		t.Errorf("header %x", b[:HeaderBytes])
	}
}

func TestBuildAppends(t *testing.T) {
	var b Builder
	b.Reset(Options{})
	if err := b.Append(Record{Value: []byte("v")}); err != nil {
		t.Fatal(err)
	}
	dst := make([]byte, 3, 500)
	batch, err := b.Build(dst)
	if err != nil || &batch[0] != &dst[:4][3] || b.Count() != 1 || b.Bytes() != len(batch) {
		t.Errorf("not built behind dst: %v", err)
	}
	b.Reset(Options{})
	if _, err := b.Build(nil); !errors.Is(err, errNoRecords) {
		t.Errorf("no records: %v", err)
	}
}

// A batch may stand for offsets without records, behind its own or between them, as far as a delta goes.
func TestBuildExtends(t *testing.T) {
	var b Builder
	f := func(last, want int64) {
		t.Helper()
		b.Reset(Options{BaseOffset: 10})
		if err := b.Append(Record{Offset: 12}); err != nil {
			t.Fatal(err)
		}
		b.Extend(last)
		batch, err := b.Build(nil)
		if err != nil || batch.LastOffset() != want || !batch.Intact() || len(collect(t, batch)) != 1 {
			t.Errorf("extended to %d: last offset %d, %v", last, batch.LastOffset(), err)
		}
		if err := b.Append(Record{Offset: want}); !errors.Is(err, errOffsets) {
			t.Errorf("a record at %d, to which the batch was extended: %v", want, err)
		}
	}
	f(20, 20)
	f(12, 12)
	f(11, 12)
	f(1<<40, 10+math.MaxInt32)
}

func TestHeadersReset(t *testing.T) {
	h := Headers{}.Add([]byte("a"), []byte("1"))
	raw := &h.raw[0]
	if h = h.Reset(); h.Len() != 0 || len(h.raw) != 0 {
		t.Errorf("%d headers left", h.Len())
	}
	if h = h.Add([]byte("b"), nil); &h.raw[0] != raw || h.Len() != 1 {
		t.Error("headers are in other memory")
	}
}

func TestBuildRefuses(t *testing.T) {
	f := func(want error, o Options, records ...Record) {
		t.Helper()
		if _, err := Build(o, records...); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	f(errOffsets, Options{BaseOffset: 5}, Record{Offset: 4})
	f(errOffsets, Options{}, Record{Offset: 1}, Record{Offset: 1})
	f(errOffsets, Options{}, Record{Offset: math.MaxInt32 + 1})
	f(kerr.UnsupportedCompressionType, Options{Codec: 5}, Record{})
	f(kerr.MessageTooLarge, Options{Codec: Zstd}, Record{Value: make([]byte, PlainBytesMax)})
}

func TestHeaders(t *testing.T) {
	h := Headers{}.Add([]byte("k"), []byte("v")).Add(nil, nil).Add([]byte("k"), []byte{})
	b := mustBuild(t, Options{}, Record{Headers: h})
	got := collect(t, b)[0].Headers
	if h.Len() != 3 || got.Len() != 3 {
		t.Fatalf("%d headers, want 3", got.Len())
	}
	for x := range got.All() {
		if string(x.Key) != "k" || string(x.Value) != "v" {
			t.Errorf("first header %q=%q", x.Key, x.Value)
		}
		break
	}
	if got := text(Record{Headers: got}); got != `0 @0 null=null ["k"="v" ""=null "k"=""]` {
		t.Error(got)
	}
}

// TestWalkRefuses: Records yields an error for what is no batch, and for every batch that Check refuses for its records.
func TestWalkRefuses(t *testing.T) {
	f := func(name string, b Batch, want kerr.Code) {
		t.Helper()
		var last error
		for _, err := range b.Records() {
			if last != nil {
				t.Errorf("%s: goes on behind an error", name)
			}
			last = err
		}
		if kerr.Of(last) != want {
			t.Errorf("%s: %v, want %v", name, last, want)
		}
	}
	b := mustBuild(t, Options{}, threeRecords()...)
	f("nothing", nil, kerr.CorruptMessage)
	f("cut", b[:len(b)-1], kerr.CorruptMessage)
	f("magic 1", unsealed(b, magicAt, 1), kerr.CorruptMessage)
	f("records missing", recordsReplaced(b), kerr.InvalidRecord)
	f("records behind", counted(b, 2), kerr.InvalidRecord)
	f("codec 5", patched(b, attributesAt+1, 5), kerr.UnsupportedCompressionType)
	f("garbage", patched(b, attributesAt+1, byte(LZ4)), kerr.InvalidRecord)
}
