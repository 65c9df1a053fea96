package segment

import (
	"math"

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
