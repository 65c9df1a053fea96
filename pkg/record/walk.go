package record

import (
	"iter"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// raw is a record as it is encoded, its timestamp and offset relative to the batch.
type raw struct {
	timestampDelta int64
	offsetDelta    int32
	key, value     []byte
	headers        Headers
}

// recordBytesMin is the least a record takes: its length, attributes, two deltas, null key, null value, no headers.
const recordBytesMin = 7

// parse reads the record at position at of b, wholly checked, and returns the position behind it; -1 when there is none.
func (r *raw) parse(b []byte, at int) int {
	n, at := varint(b, at)
	if at < 0 || n < recordBytesMin-1 || int(n) > len(b)-at {
		return -1
	}
	end := at + int(n)
	b = b[:end]
	r.timestampDelta, at = varlong(b, at+1) // the attributes of a record are unused
	r.offsetDelta, at = varint(b, at)
	r.key, at = field(b, at)
	r.value, at = field(b, at)
	if r.headers, at = parseHeaders(b, at); at != end {
		return -1
	}
	return end
}

// parseHeaders checks the headers at position at of b and returns the position behind them.
func parseHeaders(b []byte, at int) (Headers, int) {
	n, at := varint(b, at)
	if n == 0 {
		return Headers{}, at
	}
	if n < 0 || int(n) > len(b)-at { // a header takes two bytes at least
		return Headers{}, -1
	}
	from := at
	for range n {
		key, next := field(b, at)
		if key == nil {
			return Headers{}, -1
		}
		_, at = field(b, next)
	}
	if at < 0 {
		return Headers{}, -1
	}
	return Headers{raw: b[from:at:at], count: n}, at
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
		b.records(plain)(yield)
	}
}

// records yields the records that are encoded in plain.
func (b Batch) records(plain []byte) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		var r raw
		at, base, baseMs, appendTime := 0, b.BaseOffset(), b.BaseTimestamp(), b.TimestampType() == LogAppendTime
		for i := range b.Count() {
			if at = r.parse(plain, at); at < 0 {
				yield(Record{}, refuse(kerr.InvalidRecord, "walk record %d of batch at offset %d", i, base))
				return
			}
			x := Record{base + int64(r.offsetDelta), baseMs + r.timestampDelta, r.key, r.value, r.headers}
			if appendTime {
				x.Timestamp = b.MaxTimestamp()
			}
			if !yield(x, nil) {
				return
			}
		}
		if at != len(plain) {
			yield(Record{}, refuse(kerr.InvalidRecord, "walk batch at offset %d: %d bytes behind its last record", base, len(plain)-at))
		}
	}
}
