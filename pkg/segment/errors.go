package segment

import (
	"errors"
	"fmt"
)

// The errors of this package, to be tested by errors.Is.
var (
	// ErrDamaged: the bytes are not those of a segment, or changed since they were written.
	ErrDamaged = errors.New("segment is damaged")
	// ErrVersion: the segment is of a format that this release does not know.
	ErrVersion = errors.New("segment is of another format version")
	// ErrNoRecords: a segment has at least one record.
	ErrNoRecords = errors.New("segment without records")
	// ErrOrder: offsets did not rise, or lie outside the segment.
	ErrOrder = errors.New("offsets out of order")
	// ErrTooLarge: a record of more than RecordBytesMax, or more blocks than a footer can list.
	ErrTooLarge = errors.New("too large for a segment")
	// ErrControl: a control batch, which holds no records.
	ErrControl = errors.New("control batch")
)

// damaged is the error for bytes that this package did not write, or that changed since.
func damaged(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, ErrDamaged)...)
}
