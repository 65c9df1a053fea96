package record

import (
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// recordErrorsMax bounds how many records of a batch a refusal lists.
const recordErrorsMax = 1000

// Refusal is the error for a batch that is refused because of some of its records (KIP-467). It wraps its Code.
type Refusal struct {
	Code    kerr.Code // InvalidTimestamp when any timestamp is at fault, else InvalidRecord
	Message string    // what the response says of the whole batch
	Records []RecordError
}

// RecordError says what is wrong with one record of a batch.
type RecordError struct {
	Index   int32 // of the record in its batch, from 0
	Message string
}

// Error is the message with the name of the code.
func (r *Refusal) Error() string { return r.Message + ": " + r.Code.Name() }

// Unwrap returns the code.
func (r *Refusal) Unwrap() error { return r.Code }

func (r *Refusal) addKeyless(i int32) {
	if r.Code == kerr.None {
		r.Code, r.Message = kerr.InvalidRecord, "records of a compacted topic need a key"
	}
	r.add(i, "no key")
}

func (r *Refusal) addTimestamp(i int32, ms, lowMs, highMs int64) {
	r.Code, r.Message = kerr.InvalidTimestamp, "records have timestamps out of bounds"
	if len(r.Records) < recordErrorsMax {
		r.add(i, fmt.Sprintf("timestamp %d is not within [%d, %d]", ms, lowMs, highMs))
	}
}

func (r *Refusal) add(i int32, message string) {
	if len(r.Records) < recordErrorsMax {
		r.Records = append(r.Records, RecordError{i, message})
	}
}
