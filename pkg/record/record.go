// Package record is about records as bytes: it checks, walks, builds, converts and compresses record batches, and knows
// nothing of requests, topics or storage.
//
// A batch travels through the server as the producer sent it. Produce calls [Check] (or [Upgrade] for clients older than
// Kafka 0.11), the journal keeps the bytes, fetch numbers them by [Batch.SetBaseOffset] and [Batch.SetLeaderEpoch] and
// sends them (or what [Downgrade] makes of them). Where somebody wants the records themselves, [Batch.Records] walks them.
//
// # The layout of a batch (magic 2, KIP-98)
//
// Integers are big-endian. The checksum covers everything after it, so that a server can set the first three fields.
//
//	at  bytes  field              meaning
//	 0      8  base offset        offset of the first record; 0 from a producer
//	 8      4  length             bytes that follow this field
//	12      4  leader epoch       of the leader that appended the batch; -1 from a producer
//	16      1  magic              2
//	17      4  crc                CRC-32C of the bytes from 21 on
//	21      2  attributes         bits 0-2 codec, 3 timestamp type, 4 transactional, 5 control, 6 delete horizon
//	23      4  last offset delta  offset of the last record, less the base offset
//	27      8  base timestamp     of the first record; milliseconds since 1970, -1 is none
//	35      8  max timestamp      the largest of the records; with LogAppendTime that of all records
//	43      8  producer id        of an idempotent producer, else -1
//	51      2  producer epoch     likewise
//	53      4  base sequence      sequence number of the first record, else -1
//	57      4  count              records that follow
//	61         records            compressed as a whole, unless the codec is None
//
// A record is its length and then, within it: attributes (one byte, unused), timestamp delta (a varlong), offset delta,
// key length, key, value length, value, number of headers, and per header key length, key, value length, value. Lengths
// and numbers are varints, zigzag-encoded; a length of -1 is null. The formats before it, magic 0 and 1, are in legacy.go.
//
// # What must always hold
//
//  1. Nothing a client sends makes this package panic, and no length is believed before it is checked against the bytes
//     that are there.
//  2. What a batch may decompress to is bounded ([PlainBytesMax]), and so is the number of batches being decompressed at
//     a time: the memory of this package is bounded, whatever the number of connections.
//  3. A batch that passed [Check] never fails to be walked later.
//  4. Bytes are borrowed: keys, values and headers of a walk are views of the batch or of a buffer that is used again once
//     the walk has ended. In builds with -race they are overwritten by then, so that a kept view fails a test.
package record

import "iter"

// What stands in the header of a batch where there is nothing to say.
const (
	NoTimestamp     int64 = -1
	NoProducerID    int64 = -1
	NoProducerEpoch int16 = -1
	NoSequence      int32 = -1
	NoLeaderEpoch   int32 = -1
)

// Record is one record. Its bytes are borrowed from the batch it was read from.
type Record struct {
	Offset    int64
	Timestamp int64  // milliseconds since 1970; -1 is none
	Key       []byte // nil is Kafka's null, which is not the same as empty
	Value     []byte // likewise; a null value is a tombstone in a compacted topic
	Headers   Headers
}

// Header is one header of a record. Keys may repeat.
type Header struct {
	Key   []byte // never null; UTF-8 by convention
	Value []byte // nil is null
}

// Headers are the headers of a record in the order the producer gave them, encoded as they are in a batch: copying
// headers from one batch to another keeps their bytes. The zero value holds none.
type Headers struct {
	raw   []byte // without the count; every header in it has been checked
	count int32
}

// Len returns the number of headers.
func (h Headers) Len() int { return int(h.count) }

// All yields the headers in order.
func (h Headers) All() iter.Seq[Header] {
	return func(yield func(Header) bool) {
		var key, value extent
		for i, at := int32(0), 0; i < h.count; i++ {
			key, at = field(h.raw, at)
			value, at = field(h.raw, at)
			if !yield(Header{key.of(h.raw), value.of(h.raw)}) {
				return
			}
		}
	}
}

// Reset returns no headers, for Add to make new ones in the memory of h.
func (h Headers) Reset() Headers { return Headers{raw: h.raw[:0]} }

// Add returns h with one header more; a nil value is null. The bytes are copied. Like append, it may write behind h:
// build headers in one place.
func (h Headers) Add(key, value []byte) Headers {
	h.raw = appendField(h.raw, key, false)
	h.raw = appendField(h.raw, value, value == nil)
	h.count++
	return h
}
