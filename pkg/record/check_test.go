package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// Shown here: a right batch passes whatever its codec and is set right where Kafka sets it right; every wrong one is
// refused with Kafka's code, and so is the same batch cut at any byte.

// wrong is a record set that is refused.
type wrong struct {
	name  string
	rules func(*Rules)
	set   []byte
	want  kerr.Code
}

// wrongSets are batches that differ from a right one in one thing each. Unless a name says otherwise, the checksum is right.
func wrongSets(t testing.TB) []wrong {
	plain := mustBuild(t, Options{}, threeRecords()...)
	zipped := mustBuild(t, Options{Codec: Gzip}, threeRecords()...)
	idempotent := func(id int64, epoch int16, sequence int32) []byte {
		return mustBuild(t, Options{Producer: &Producer{id, epoch, sequence, false}}, threeRecords()...)
	}
	patch := func(b Batch, at int, v ...byte) []byte { return patched(b, at, v...) }
	none := func(*Rules) {}
	return []wrong{
		{"nothing", none, nil, kerr.InvalidRecord},
		{"less than a length", none, plain[:11], kerr.InvalidRecord},
		{"less than a magic", none, plain[:16], kerr.InvalidRecord},
		{"half a header", none, plain[:40], kerr.InvalidRecord},
		{"last byte missing", none, plain[:len(plain)-1], kerr.InvalidRecord},
		{"two batches", none, slices.Concat(plain, plain), kerr.InvalidRecord},
		{"two compressed batches", none, slices.Concat(zipped, zipped), kerr.InvalidRecord},
		{"a byte behind", none, slices.Concat(plain, []byte{0}), kerr.InvalidRecord},
		{"negative length", none, unsealed(plain, lengthAt, 0xff, 0xff, 0xff, 0xff), kerr.CorruptMessage},
		{"length 0", none, unsealed(plain, lengthAt, 0, 0, 0, 0), kerr.CorruptMessage},
		{"length 13", none, unsealed(plain, lengthAt, 0, 0, 0, 13), kerr.CorruptMessage},
		{"length within the header", none, unsealed(plain, lengthAt, 0, 0, 0, 48)[:60], kerr.CorruptMessage},
		{"length beyond memory", none, unsealed(plain, lengthAt, 0x7f, 0xff, 0xff, 0xff), kerr.InvalidRecord},
		{"magic 3", none, unsealed(plain, magicAt, 3), kerr.CorruptMessage},
		{"magic -1", none, unsealed(plain, magicAt, 0xff), kerr.CorruptMessage},
		{"magic 1", none, appendMessage(nil, &message{magic: 1, timestamp: nowMs, value: []byte("v")}, 0), kerr.InvalidRecord},
		{"magic 0", none, appendMessage(nil, &message{magic: 0, value: []byte("v")}, 0), kerr.InvalidRecord},
		{"wrong crc", none, unsealed(plain, crcAt, 1, 2, 3, 4), kerr.CorruptMessage},
		{"flipped bit", none, unsealed(plain, len(plain)-1, plain[len(plain)-1]^4), kerr.CorruptMessage},
		{"base offset 5", none, unsealed(plain, baseOffsetAt+7, 5), kerr.InvalidRecord},
		{"codec 5", none, patch(plain, attributesAt+1, 5), kerr.UnsupportedCompressionType},
		{"codec 7", none, patch(plain, attributesAt+1, 7), kerr.UnsupportedCompressionType},
		{"zstd where it is not allowed", func(r *Rules) { r.AllowZstd = false }, mustBuild(t, Options{Codec: Zstd}, threeRecords()...), kerr.UnsupportedCompressionType},
		{"larger than allowed", func(r *Rules) { r.BatchBytesMax = len(plain) - 1 }, plain, kerr.MessageTooLarge},
		{"larger than allowed, and wrong crc", func(r *Rules) { r.BatchBytesMax = len(plain) - 1 }, unsealed(plain, crcAt, 1, 2, 3, 4), kerr.MessageTooLarge},
		{"count 0", none, patch(plain, countAt, 0, 0, 0, 0), kerr.InvalidRecord},
		{"count -1", none, patch(plain, countAt, 0xff, 0xff, 0xff, 0xff), kerr.InvalidRecord},
		{"count too small", none, counted(plain, 2), kerr.InvalidRecord},
		{"count too large", none, counted(plain, 4), kerr.InvalidRecord},
		{"count of billions", none, counted(plain, math.MaxInt32), kerr.InvalidRecord},
		{"count too small, compressed", none, counted(zipped, 2), kerr.InvalidRecord},
		{"count too large, compressed", none, counted(zipped, 4), kerr.InvalidRecord},
		{"last offset delta too large", none, patch(plain, lastOffsetDeltaAt, 0, 0, 0, 3), kerr.InvalidRecord},
		{"last offset delta negative", none, patch(plain, lastOffsetDeltaAt, 0xff, 0xff, 0xff, 0xfe), kerr.InvalidRecord},
		{"control batch", none, patch(plain, attributesAt+1, controlBit), kerr.InvalidRecord},
		{"append time from a producer", func(r *Rules) { r.TimestampType = LogAppendTime }, patch(plain, attributesAt+1, timestampTypeBit), kerr.InvalidTimestamp},
		{"append time from a producer, to a topic without", none, patch(plain, attributesAt+1, timestampTypeBit), kerr.InvalidTimestamp},
		{"producer without sequence", none, idempotent(7, 0, -1), kerr.InvalidRecord},
		{"producer without epoch", none, idempotent(7, -1, 0), kerr.InvalidRecord},
		{"transaction without producer", none, patch(plain, attributesAt+1, transactionalBit), kerr.InvalidRecord},
		{"offset deltas with a gap", none, gapped(t, None), kerr.InvalidRecord},
		{"offset deltas with a gap, compressed", none, gapped(t, Gzip), kerr.InvalidRecord},
		{"record length 0", none, withRecords(plain, 1, 0), kerr.InvalidRecord},
		{"record length -1", none, withRecords(plain, 1, 1), kerr.InvalidRecord},
		{"record longer than the batch", none, withRecords(plain, 1, 40, 0, 0, 0, 1, 1, 0), kerr.InvalidRecord},
		{"record longer than its fields", none, withRecords(plain, 1, 14, 0, 0, 0, 1, 1, 0, 0), kerr.InvalidRecord},
		{"record shorter than its fields", none, withRecords(plain, 1, 12, 0, 0, 0, 4, 'k', 1, 0), kerr.InvalidRecord},
		{"key beyond the record", none, withRecords(plain, 1, 12, 0, 0, 0, 60, 1, 0), kerr.InvalidRecord},
		{"value of gigabytes", none, withRecords(plain, 1, 20, 0, 0, 0, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0), kerr.InvalidRecord},
		{"varint without an end", none, withRecords(plain, 1, 20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0), kerr.InvalidRecord},
		{"headers of billions", none, withRecords(plain, 1, 20, 0, 0, 0, 1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f), kerr.InvalidRecord},
		{"headers -1", none, withRecords(plain, 1, 12, 0, 0, 0, 1, 1, 1), kerr.InvalidRecord},
		{"header without a key", none, withRecords(plain, 1, 16, 0, 0, 0, 1, 1, 2, 1, 1), kerr.InvalidRecord},
		{"header missing", none, withRecords(plain, 1, 12, 0, 0, 0, 1, 1, 2), kerr.InvalidRecord},
		{"bytes behind the records", none, withRecords(plain, 1, 12, 0, 0, 0, 1, 1, 0, 9, 9), kerr.InvalidRecord},
		{"gzip of nothing", none, recordsReplaced(zipped), kerr.InvalidRecord},
		{"gzip of garbage", none, recordsReplaced(zipped, 1, 2, 3, 4), kerr.InvalidRecord},
		{"gzip cut short", none, recordsReplaced(zipped, zipped[HeaderBytes:len(zipped)-9]...), kerr.InvalidRecord},
		{"snappy of garbage", none, patch(recordsReplaced(plain, 200, 1, 2, 3), attributesAt+1, byte(Snappy)), kerr.InvalidRecord},
		{"lz4 of garbage", none, patch(recordsReplaced(plain, 200, 1, 2, 3), attributesAt+1, byte(LZ4)), kerr.InvalidRecord},
		{"zstd of garbage", none, patch(recordsReplaced(plain, 200, 1, 2, 3), attributesAt+1, byte(Zstd)), kerr.InvalidRecord},
		{"no key where one is required", func(r *Rules) { r.RequireKeys = true }, plain, kerr.InvalidRecord},
		{"no key where one is required, compressed", func(r *Rules) { r.RequireKeys = true }, zipped, kerr.InvalidRecord},
		{"timestamp too old", func(r *Rules) { r.BeforeMsMax, r.NowMs = 3600000, nowMs+3600001 }, plain, kerr.InvalidTimestamp},
		{"timestamp too new", func(r *Rules) { r.AfterMsMax, r.NowMs = 3600000, nowMs-3600001 }, plain, kerr.InvalidTimestamp},
		{"timestamp too old, compressed", func(r *Rules) { r.BeforeMsMax, r.NowMs = 3600000, nowMs+3600001 }, zipped, kerr.InvalidTimestamp},
		{"timestamp too new and no key", func(r *Rules) { r.AfterMsMax, r.NowMs, r.RequireKeys = 3600000, nowMs-3600001, true }, plain, kerr.InvalidTimestamp},
	}
}

// unsealed returns a copy of b with bytes changed and the checksum as it was.
func unsealed(b Batch, at int, v ...byte) []byte {
	b = bytes.Clone(b)
	copy(b[at:], v)
	return b
}

// patched returns a copy of b with bytes changed and the checksum right.
func patched(b Batch, at int, v ...byte) []byte {
	b = unsealed(b, at, v...)
	b.seal()
	return b
}

// counted returns a copy that claims to have n records.
func counted(b Batch, n int32) []byte {
	b = bytes.Clone(b)
	b.putInt32(countAt, n)
	b.putInt32(lastOffsetDeltaAt, n-1)
	b.seal()
	return b
}

// recordsReplaced returns a copy with other bytes in place of the records.
func recordsReplaced(b Batch, records ...byte) []byte {
	b = slices.Concat(b[:HeaderBytes], records)
	b.putInt32(lengthAt, int32(len(b)-prefixBytes))
	b.seal()
	return b
}

// withRecords is recordsReplaced with n records.
func withRecords(b Batch, n int32, records ...byte) []byte {
	return counted(recordsReplaced(b, records...), n)
}

// gapped is a batch of offset deltas 0 and 2 that claims two records.
func gapped(t testing.TB, c Codec) []byte {
	b := mustBuild(t, Options{Codec: c}, Record{Offset: 0, Timestamp: nowMs}, Record{Offset: 2, Timestamp: nowMs})
	return patched(b, lastOffsetDeltaAt, 0, 0, 0, 1)
}

func TestCheckRefuses(t *testing.T) {
	for _, x := range wrongSets(t) {
		rules := anyRules()
		x.rules(&rules)
		b, err := Check(bytes.Clone(x.set), rules)
		if got := kerr.Of(err); got != x.want || b != nil {
			t.Errorf("%s: %v (%v), want %v", x.name, got, err, x.want)
		}
	}
}

func TestCheckPasses(t *testing.T) {
	for _, c := range codecs {
		b := mustBuild(t, Options{Codec: c, Producer: &Producer{0, 0, 0, true}}, threeRecords()...)
		got, err := Check(bytes.Clone(b), anyRules())
		if err != nil || !bytes.Equal(got, b) {
			t.Errorf("%v: %v", c, err)
		}
		wantRecords(t, collect(t, got), threeRecords())
	}
}

func TestCheckCutAnywhere(t *testing.T) {
	for _, c := range codecs {
		b := mustBuild(t, Options{Codec: c}, threeRecords()...)
		for n := range b {
			if got := kerr.Of(errOf(Check(bytes.Clone(b[:n]), anyRules()))); got != kerr.InvalidRecord {
				t.Errorf("%v cut to %d of %d bytes: %v", c, n, len(b), got)
			}
			if n >= HeaderBytes { // the same with a length that knows of the cut, and a checksum that is right
				cut := recordsReplaced(b, b[HeaderBytes:n]...)
				if got := kerr.Of(errOf(Check(cut, anyRules()))); got != kerr.InvalidRecord {
					t.Errorf("%v cut to %d of %d bytes and sealed: %v", c, n, len(b), got)
				}
			}
		}
	}
}

func errOf(_ Batch, err error) error { return err }

func TestCheckSetsTimestampsRight(t *testing.T) {
	for _, c := range codecs {
		b := mustBuild(t, Options{Codec: c}, threeRecords()...)
		lying := patched(b, maxTimestampAt, binary.BigEndian.AppendUint64(nil, 5)...)
		got, err := Check(lying, anyRules())
		if err != nil || !bytes.Equal(got, b) {
			t.Errorf("%v: max timestamp not set right: %v", c, err)
		}
		rules := anyRules()
		rules.TimestampType, rules.NowMs, rules.BeforeMsMax, rules.AfterMsMax = LogAppendTime, nowMs+77, 0, 0
		got, err = Check(bytes.Clone(b), rules)
		if err != nil || got.TimestampType() != LogAppendTime || got.MaxTimestamp() != nowMs+77 || !got.Intact() {
			t.Fatalf("%v: not stamped: %v", c, err)
		}
		for _, r := range collect(t, got) {
			if r.Timestamp != nowMs+77 {
				t.Errorf("%v: record %d has timestamp %d", c, r.Offset, r.Timestamp)
			}
		}
	}
}

func TestTimestampBounds(t *testing.T) {
	f := func(ms int64, rules func(*Rules), want kerr.Code) {
		t.Helper()
		r := anyRules()
		rules(&r)
		if _, err := Check(mustBuild(t, Options{}, Record{Timestamp: ms}), r); kerr.Of(err) != want {
			t.Errorf("timestamp %d: %v, want %v", ms, err, want)
		}
	}
	hour := func(r *Rules) { r.BeforeMsMax, r.AfterMsMax = 3600000, 3600000 }
	f(nowMs-3600000, hour, kerr.None)
	f(nowMs-3600001, hour, kerr.InvalidTimestamp)
	f(nowMs+3600000, hour, kerr.None)
	f(nowMs+3600001, hour, kerr.InvalidTimestamp)
	f(NoTimestamp, hour, kerr.None) // Kafka lets "none" pass
	f(-2, hour, kerr.InvalidTimestamp)
	f(math.MinInt64, hour, kerr.InvalidTimestamp)
	f(math.MaxInt64, hour, kerr.InvalidTimestamp)
	f(math.MinInt64/2, func(*Rules) {}, kerr.None)
	f(math.MaxInt64, func(*Rules) {}, kerr.None)
	f(math.MaxInt64, func(r *Rules) { r.BeforeMsMax, r.AfterMsMax = 0, math.MaxInt64 }, kerr.None) // the bound would overflow
}

func TestRefusalNamesRecords(t *testing.T) {
	rules := anyRules()
	rules.RequireKeys = true
	_, err := Check(mustBuild(t, Options{}, threeRecords()...), rules)
	r, ok := errors.AsType[*Refusal](err)
	if !ok || len(r.Records) != 1 || r.Records[0].Index != 1 || r.Records[0].Message != "no key" ||
		err.Error() != "records of a compacted topic need a key: INVALID_RECORD" {
		t.Fatalf("%#v", err)
	}
	rules.RequireKeys, rules.NowMs, rules.BeforeMsMax = false, nowMs+1001, 1000
	_, err = Check(mustBuild(t, Options{}, threeRecords()...), rules)
	if r, ok = errors.AsType[*Refusal](err); !ok || r.Code != kerr.InvalidTimestamp || len(r.Records) != 1 || r.Records[0].Index != 0 {
		t.Fatalf("%#v", err)
	}
}

func TestRefusalIsBounded(t *testing.T) {
	var b Builder
	b.Reset(Options{})
	for i := range int64(recordErrorsMax + 5) {
		if err := b.Append(Record{Offset: i}); err != nil {
			t.Fatal(err)
		}
	}
	batch, _ := b.Build(nil)
	for _, set := range []func(*Rules){func(r *Rules) { r.RequireKeys = true }, func(r *Rules) { r.BeforeMsMax = 0 }} {
		rules := anyRules()
		set(&rules)
		r, _ := errors.AsType[*Refusal](errOf(Check(batch, rules)))
		if r == nil || len(r.Records) != recordErrorsMax {
			t.Errorf("%v", r)
		}
	}
}

// What a batch may decompress to grows with its size, up to the bound of all batches, on machines of 32 bits, too.
func TestPlainLimitGrowsWithTheBatch(t *testing.T) {
	f := func(packedBytes, want int) {
		t.Helper()
		if got := new(Rules).plainLimit(packedBytes); got != want {
			t.Errorf("a batch of %d bytes may decompress to %d, want %d", packedBytes, got, want)
		}
	}
	f(0, plainBytesFree)
	f(1000, plainBytesFree+256_000)
	f(1<<20, PlainBytesMax)
	f(1<<24, PlainBytesMax)
	f(1<<30, PlainBytesMax)
}
