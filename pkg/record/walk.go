package record

import (
	"iter"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// span is a record as it is encoded: its timestamp and offset relative to the batch, and where its parts are.
type span struct {
	timestampDelta int64
	offsetDelta    int32
	headerCount    int32
	key, value     extent
	headers        extent
}

// recordBytesMin is the least a record takes: its length, attributes, two deltas, null key, null value, no headers.
const recordBytesMin = 7

// parse reads the record at position at of b, wholly checked, and returns the position after it; -1 when there is none.
func (s *span) parse(b []byte, at int) int {
	n, at := varint(b, at)
	if at < 0 || n < recordBytesMin-1 || int(n) > len(b)-at {
		return -1
	}
	end := at + int(n)
	b = b[:end]
	s.timestampDelta, at = varlong(b, at+1) // the attributes of a record are unused
	if uint(at) < uint(end) {               // varint, inlined; past the end, the next field fails
		x, next := short(b, at)
		s.offsetDelta, at = zigzag(x), next
	}
	s.key, at = field(b, at)
	s.value, at = field(b, at)
	if at == end-1 && b[at] == 0 { // as in most records
		s.headerCount, s.headers = 0, extent{}
		return end
	}
	s.headerCount, at = varint(b, at)
	s.headers = extent{at, end - at}
	if s.headerCount != 0 {
		at = skipHeaders(b, at, s.headerCount)
	}
	if at != end {
		return -1
	}
	return end
}

// skipHeaders checks n headers at position at of b and returns the position after them.
func skipHeaders(b []byte, at int, n int32) int {
	if n < 0 || int(n) > len(b)-at { // a header takes two bytes at least
		return -1
	}
	var key extent
	for range n {
		if key, at = field(b, at); key.bytes < 0 {
			return -1
		}
		_, at = field(b, at)
	}
	return at
}

// Records yields the records of the batch in order, each with its own offset and, in a batch of LogAppendTime, the
// batch's timestamp. An error is the last thing yielded; a batch that passed [Check] yields none.
//
// Records are valid until the next one is asked for. A compressed batch is decompressed into one of a few shared buffers,
// held until the loop ends: the body of the loop must neither walk another compressed batch nor wait for a client.
func (b Batch) Records() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		if len(b) < HeaderBytes || b.Size() != len(b) || b.Magic() != Magic {
			yield(Record{}, refuse(kerr.CorruptMessage, "walk batch of %d bytes", len(b)))
			return
		}
		var w *workspace
		if b.Codec() != None {
			w = walking.get()
			defer walking.put(w)
		}
		plain, err := b.plain(w, PlainBytesMax)
		if err != nil {
			yield(Record{}, err)
			return
		}
		b.walk(plain, yield)
	}
}

// records yields the records that are encoded in plain.
func (b Batch) records(plain []byte) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) { b.walk(plain, yield) }
}

func (b Batch) walk(plain []byte, yield func(Record, error) bool) {
	var s span
	at, base, baseMs, appendTime := 0, b.BaseOffset(), b.BaseTimestamp(), b.TimestampType() == LogAppendTime
	for i := range b.Count() {
		if at = s.parse(plain, at); at < 0 {
			yield(Record{}, refuse(kerr.InvalidRecord, "walk record %d of batch at offset %d", i, base))
			return
		}
		r := Record{base + int64(s.offsetDelta), baseMs + s.timestampDelta, s.key.of(plain), s.value.of(plain),
			Headers{s.headers.of(plain), s.headerCount}}
		if appendTime {
			r.Timestamp = b.MaxTimestamp()
		}
		if !yield(r, nil) {
			return
		}
	}
	if at != len(plain) {
		yield(Record{}, refuse(kerr.InvalidRecord, "walk batch at offset %d: %d bytes behind its last record", base, len(plain)-at))
	}
}
