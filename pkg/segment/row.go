package segment

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/heraclitus/heraclitus/pkg/record"
)

// Row is one record with what its batch says of it. A Row that a [Reader] yields is valid until the next one is asked for.
type Row struct {
	record.Record
	TimestampType record.TimestampType
	ProducerID    int64 // or record.NoProducerID
	ProducerEpoch int16 // or record.NoProducerEpoch
	Sequence      int32 // of this record, not of its batch; or record.NoSequence
}

// sequenceAfter is the sequence number that follows first by n: they go from 0 to math.MaxInt32 and begin again.
func sequenceAfter(first int32, n int64) int32 {
	if first < 0 {
		return record.NoSequence
	}
	return int32((int64(first) + n) & math.MaxInt32)
}

// Timestamps that the years 0001 to 9999 have, in milliseconds. Others, which producers can send, make readers of the
// timestamp column fail, for all rows: they stand in a column of their own.
const (
	timestampMin = -62135596800000
	timestampMax = 253402300799999
)

// shown says whether a timestamp stands in the timestamp column.
func shown(ms int64) bool {
	return ms >= timestampMin && ms <= timestampMax && ms != record.NoTimestamp
}

// replacement stands in the column of header keys for bytes that are not UTF-8, which would make readers fail, too. The
// keys as they came are kept in a column of their own.
const replacement = "\uFFFD"

// validKeys says whether all header keys are UTF-8.
func validKeys(h record.Headers) bool {
	for header := range h.All() {
		if !utf8.Valid(header.Key) {
			return false
		}
	}
	return true
}

// appendKeys appends every header key behind its length.
func appendKeys(b []byte, h record.Headers) []byte {
	for header := range h.All() {
		b = binary.AppendUvarint(b, uint64(len(header.Key)))
		b = append(b, header.Key...)
	}
	return b
}

// readKey cuts one key off what appendKeys wrote; ok is false when there is none.
func readKey(b []byte) (key, rest []byte, ok bool) {
	n, k := binary.Uvarint(b)
	if k <= 0 || n > uint64(len(b)-k) {
		return nil, nil, false
	}
	end := k + int(n)
	return b[k:end:end], b[end:], true
}
