package record

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// Shown here: message sets of Produce 0-2 become one batch with the same records and codec, whether wrapped or not;
// wrong ones are refused with Kafka's code.

// plainMessages are the three records as messages, at offsets from base on.
func plainMessages(magic int8, base int64) []byte {
	var set []byte
	for i, r := range threeRecords() {
		set = appendMessage(set, messageOf(magic, r), base+int64(i))
	}
	return set
}

func messageOf(magic int8, r Record) *message {
	m := &message{magic: magic, timestamp: NoTimestamp, key: r.Key, value: r.Value}
	if magic > 0 {
		m.timestamp = r.Timestamp
	}
	return m
}

// wrap makes a wrapper around a message set.
func wrap(t testing.TB, magic int8, c Codec, set []byte) []byte {
	packed, err := new(workspace).compress([]byte{}, c, 0, set)
	if err != nil {
		t.Fatal(err)
	}
	if c == LZ4 && magic == 0 {
		breakLZ4(packed)
	}
	return appendMessage(nil, &message{magic: magic, codec: c, timestamp: nowMs + 2, value: packed}, 2)
}

// upgraded are the three records as they come out: headers are not in the old formats, nor timestamps in magic 0.
func upgraded(magic int8, n int) []Record {
	var out []Record
	for range n {
		for _, r := range threeRecords() {
			r.Headers, r.Offset = Headers{}, int64(len(out))
			if magic == 0 {
				r.Timestamp = NoTimestamp
			}
			out = append(out, r)
		}
	}
	return out
}

func TestUpgrade(t *testing.T) {
	f := func(name string, set []byte, c Codec, want []Record) {
		t.Helper()
		b, err := Upgrade(set, anyRules())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		if b.Codec() != c || !b.Intact() || b.BaseOffset() != 0 || b.ProducerID() != NoProducerID || b.LeaderEpoch() != NoLeaderEpoch {
			t.Errorf("%s: codec %v, intact %v", name, b.Codec(), b.Intact())
		}
		wantRecords(t, collect(t, b), want)
		if _, err := Check(b, anyRules()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for magic := range int8(2) {
		plain := plainMessages(magic, 0)
		f("plain", plain, None, upgraded(magic, 1))
		f("plain, offsets of no meaning", plainMessages(magic, 1234567), None, upgraded(magic, 1))
		for c := Gzip; c <= LZ4; c++ {
			wrapper := wrap(t, magic, c, plain)
			f(c.String(), wrapper, c, upgraded(magic, 1))
			f("two wrappers", slices.Concat(wrapper, wrapper), c, upgraded(magic, 2))
			f("wrapper behind messages", slices.Concat(plain, wrapper), c, upgraded(magic, 2))
			f("wrapper before messages", slices.Concat(wrapper, plain), c, upgraded(magic, 2))
		}
	}
	f("magic 2", mustBuild(t, Options{Codec: LZ4, LeaderEpoch: NoLeaderEpoch}, threeRecords()...), LZ4, threeRecords())
}

// TestLZ4HeaderOfMagic0 is KAFKA-3160: of magic 0 both header checksums are read, of magic 1 only the right one.
func TestLZ4HeaderOfMagic0(t *testing.T) {
	f := func(magic int8, mangle func([]byte), want kerr.Code) {
		t.Helper()
		packed, _ := new(workspace).compress(nil, LZ4, 0, plainMessages(magic, 0))
		mangle(packed)
		_, err := Upgrade(appendMessage(nil, &message{magic: magic, codec: LZ4, value: packed}, 2), anyRules())
		if kerr.Of(err) != want {
			t.Errorf("magic %d: %v, want %v", magic, err, want)
		}
	}
	f(0, mendLZ4, kerr.None)
	f(0, breakLZ4, kerr.None)
	f(1, mendLZ4, kerr.None)
	f(1, breakLZ4, kerr.InvalidRecord)
}

func TestLZ4HashCoversContentSize(t *testing.T) {
	frame := []byte{0x04, 0x22, 0x4d, 0x18, 0x68, 0x40, 3, 0, 0, 0, 0, 0, 0, 0, 0 /* hash */, 3, 0, 0, 0x80, 'a', 'b', 'c', 0, 0, 0, 0}
	var w workspace
	if err := w.unlz4(frame, 100); err == nil {
		t.Fatal("a wrong header checksum is read")
	}
	mendLZ4(frame)
	if err := w.unlz4(frame, 100); err != nil || string(w.plain) != "abc" {
		t.Fatalf("%q, %v", w.plain, err)
	}
}

// wrongMessages are message sets that are refused.
func wrongMessages(t testing.TB) []wrong {
	none := func(*Rules) {}
	v0, v1 := plainMessages(0, 0), plainMessages(1, 0)
	one := appendMessage(nil, &message{magic: 1, timestamp: nowMs, key: []byte("k"), value: []byte("v")}, 0)
	wrapper := wrap(t, 1, Gzip, v1)
	wrapping := func(c Codec, value []byte) []byte {
		return appendMessage(nil, &message{magic: 1, codec: c, timestamp: nowMs, value: value}, 0)
	}
	gzipped := func(set []byte) []byte { return wrap(t, 1, Gzip, set) }
	patch := func(set []byte, at int, v ...byte) []byte {
		set = bytes.Clone(set)
		copy(set[at:], v)
		sealMessage(set)
		return set
	}
	spoil := func(set []byte) []byte {
		set = bytes.Clone(set)
		set[messageCRCAt]++
		return set
	}
	return []wrong{
		{"nothing", none, nil, kerr.InvalidRecord},
		{"truncated at once", none, one[:9], kerr.CorruptMessage},
		{"truncated", none, one[:len(one)-1], kerr.CorruptMessage},
		{"second message truncated", none, slices.Concat(one, one[:len(one)-1]), kerr.CorruptMessage},
		{"a byte behind", none, slices.Concat(one, []byte{0}), kerr.CorruptMessage},
		{"magic 3", none, patch(one, magicAt, 3), kerr.CorruptMessage},
		{"negative size", none, slices.Concat(one[:8], []byte{0xff, 0xff, 0xff, 0xff}, one[12:]), kerr.CorruptMessage},
		{"size 13", none, slices.Concat(one[:8], []byte{0, 0, 0, 13}, one[12:]), kerr.CorruptMessage},
		{"wrong crc", none, spoil(one), kerr.CorruptMessage},
		{"wrong crc of a wrapper", none, spoil(wrapper), kerr.CorruptMessage},
		{"wrong crc within a wrapper", none, gzipped(spoil(one)), kerr.CorruptMessage},
		{"key beyond the message", none, patch(one, messageTimestampAt+8+3, 200), kerr.InvalidRecord},
		{"value beyond the message", none, patch(one, messageTimestampAt+8+8, 200), kerr.InvalidRecord},
		{"value shorter than the message", none, patch(one, messageTimestampAt+8+8, 0), kerr.InvalidRecord},
		{"magic 0 behind magic 1", none, slices.Concat(v1, v0), kerr.InvalidRecord},
		{"magic 1 behind magic 0", none, slices.Concat(v0, v1), kerr.InvalidRecord},
		{"magic 0 in a wrapper of magic 1", none, gzipped(v0), kerr.InvalidRecord},
		{"batch behind a message", none, slices.Concat(one, mustBuild(t, Options{}, threeRecords()...)), kerr.InvalidRecord},
		{"wrapper in a wrapper", none, gzipped(wrapper), kerr.InvalidRecord},
		{"wrapper without value", none, wrapping(Gzip, nil), kerr.InvalidRecord},
		{"wrapper with empty value", none, wrapping(Gzip, []byte{}), kerr.InvalidRecord},
		{"wrapper of garbage", none, wrapping(Gzip, []byte("garbage")), kerr.InvalidRecord},
		{"wrapper without messages", none, gzipped(nil), kerr.InvalidRecord},
		{"message truncated in a wrapper", none, gzipped(one[:len(one)-1]), kerr.CorruptMessage},
		{"wrapper of zstd", none, wrapping(Zstd, []byte("x")), kerr.InvalidRecord},
		{"wrapper of codec 6", none, wrapping(6, []byte("x")), kerr.UnsupportedCompressionType},
		{"append time from a producer", func(r *Rules) { r.TimestampType = LogAppendTime }, patch(one, messageAttributesAt, timestampTypeBit), kerr.InvalidTimestamp},
		{"append time of a wrapper from a producer", func(r *Rules) { r.TimestampType = LogAppendTime }, patch(wrapper, messageAttributesAt, timestampTypeBit|byte(Gzip)), kerr.InvalidTimestamp},
		{"no key where one is required", func(r *Rules) { r.RequireKeys = true }, v1, kerr.InvalidRecord},
		{"no key where one is required, wrapped", func(r *Rules) { r.RequireKeys = true }, wrapper, kerr.InvalidRecord},
		{"timestamp too old", func(r *Rules) { r.BeforeMsMax, r.NowMs = 3600000, nowMs+3600003 }, v1, kerr.InvalidTimestamp},
		{"timestamp too old, wrapped", func(r *Rules) { r.BeforeMsMax, r.NowMs = 3600000, nowMs+3600003 }, wrapper, kerr.InvalidTimestamp},
		{"message larger than allowed", func(r *Rules) { r.BatchBytesMax = len(one) - 1 }, one, kerr.MessageTooLarge},
		{"batch larger than allowed", func(r *Rules) { r.BatchBytesMax = len(one) + 5 }, slices.Concat(one, one, one, one, one), kerr.MessageTooLarge},
		{"zstd batch of magic 2", func(r *Rules) { r.AllowZstd = false }, mustBuild(t, Options{Codec: Zstd}, threeRecords()...), kerr.UnsupportedCompressionType},
	}
}

func TestUpgradeRefuses(t *testing.T) {
	for _, x := range wrongMessages(t) {
		rules := anyRules()
		x.rules(&rules)
		b, err := Upgrade(bytes.Clone(x.set), rules)
		if got := kerr.Of(err); got != x.want || b != nil {
			t.Errorf("%s: %v (%v), want %v", x.name, got, err, x.want)
		}
	}
}

func TestUpgradeCutAnywhere(t *testing.T) {
	for magic := range int8(2) {
		set := wrap(t, magic, Snappy, plainMessages(magic, 0))
		for n := 1; n < len(set); n++ {
			if _, err := Upgrade(set[:n], anyRules()); kerr.Of(err) != kerr.CorruptMessage {
				t.Errorf("magic %d cut to %d of %d bytes: %v", magic, n, len(set), err)
			}
		}
	}
}

func TestUpgradeStampsAppendTime(t *testing.T) {
	rules := anyRules()
	rules.TimestampType, rules.NowMs = LogAppendTime, nowMs+77
	for magic := range int8(2) {
		b, err := Upgrade(plainMessages(magic, 0), rules)
		if err != nil || b.TimestampType() != LogAppendTime || b.MaxTimestamp() != nowMs+77 || !b.Intact() {
			t.Errorf("magic %d: %v", magic, err)
		}
	}
}

// TestUpgradeBoundsAllWrappersTogether: many small wrappers may not hold together what one may not hold.
func TestUpgradeBoundsAllWrappersTogether(t *testing.T) {
	big := appendMessage(nil, &message{magic: 1, timestamp: nowMs, value: make([]byte, 100<<10)}, 0)
	wrapper := wrap(t, 1, Gzip, big)
	rules := anyRules()
	rules.PlainBytesMax = 350 << 10
	if _, err := Upgrade(bytes.Repeat(wrapper, 3), rules); err != nil {
		t.Error(err)
	}
	if _, err := Upgrade(bytes.Repeat(wrapper, 4), rules); kerr.Of(err) != kerr.MessageTooLarge {
		t.Errorf("four wrappers: %v", err)
	}
}

// TestDowngradeUpgrade takes random batches to each old format and back: what that format can hold is unchanged.
func TestDowngradeUpgrade(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 80 {
		records, c, magic := randomRecords(r), Codec(i%4), int8(i/4%2)
		set, next, err := Downgrade(nil, mustBuild(t, Options{Codec: c}, records...), magic, 0, 1<<30)
		if err != nil || next != int64(len(records)) {
			t.Fatalf("%v to magic %d: %v", c, magic, err)
		}
		b, err := Upgrade(set, anyRules())
		if err != nil || b.Codec() != c {
			t.Fatalf("%v from magic %d: %v", c, magic, err)
		}
		for i := range records {
			records[i].Headers = Headers{}
			if magic == 0 {
				records[i].Timestamp = NoTimestamp
			}
		}
		wantRecords(t, collect(t, b), records)
	}
}
