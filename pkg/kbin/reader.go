package kbin

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// What a Reader reports, with the place, through errors.Is.
var (
	ErrTruncated = errors.New("message ends early")        // fewer bytes are left than the next value, or its length, asks for
	ErrMalformed = errors.New("message is malformed")      // null where the protocol has no null, or a number or length out of range
	ErrBudget    = errors.New("message decodes too large") // the decoded form would take more memory than the budget
)

// fault is what went wrong. The error is made of it when somebody asks: reading a value that is there must not pay for
// describing one that is not.
type fault uint8

const (
	none fault = iota
	truncated
	overBudget
	unexpectedNull
	longVarint
	longString
)

var faults = [...]error{
	truncated:      ErrTruncated,
	overBudget:     ErrBudget,
	unexpectedNull: fmt.Errorf("%w: null where there can be none", ErrMalformed),
	longVarint:     fmt.Errorf("%w: a varint of over 32 bits", ErrMalformed),
	longString:     fmt.Errorf("%w: a string of over %d bytes", ErrMalformed, stringBytesMax),
}

// Reader decodes one message. The zero value reads nothing; [Reader.Reset] gives it bytes. It is not safe for two
// goroutines.
type Reader struct {
	Intern *Interner // where strings come from; nil means that each is a copy of its own

	b      []byte // what may be read: all of the message, or one tagged field of it
	at     int    // next byte of b
	budget int    // bytes of decoded form still allowed
	spent  int    // bytes of decoded form charged so far
	fault  fault  // the first; at is then len(b)
	failed int    // where it happened
}

// Reset makes r read b, and allows the decoded form to take budget bytes of memory, not counting the bytes it borrows.
func (r *Reader) Reset(b []byte, budget int) {
	r.b, r.at, r.budget, r.spent, r.fault, r.failed = b, 0, budget, 0, none, 0
}

// Err is the first error since Reset. It wraps ErrTruncated, ErrMalformed or ErrBudget.
func (r *Reader) Err() error {
	if r.fault == none {
		return nil
	}
	return fmt.Errorf("read at byte %d of %d: %w", r.failed, len(r.b), faults[r.fault])
}

// Len is the number of bytes left.
func (r *Reader) Len() int { return len(r.b) - r.at }

// Spent is the memory, in bytes, that what was decoded since Reset takes. A server uses it to let go of a reused message
// that one large request has grown.
func (r *Reader) Spent() int { return r.spent }

// fail keeps the first fault, and leaves nothing to read.
func (r *Reader) fail(f fault) {
	if r.fault == none {
		r.fault, r.failed = f, r.at
	}
	r.at = len(r.b)
}

// charge takes n bytes of decoded form off the budget, and says whether they were there.
func (r *Reader) charge(n int64) bool {
	if n > int64(r.budget) {
		r.fail(overBudget)
		return false
	}
	r.budget -= int(n)
	r.spent += int(n)
	return true
}

// take is a view of the next n bytes, which cannot be appended to beyond them, or nil after an error.
func (r *Reader) take(n int) []byte {
	if n > r.Len() {
		r.fail(truncated)
		return nil
	}
	i, j := r.at, r.at+n
	r.at = j
	return r.b[i:j:j]
}

// Bool reads one byte; all but zero is true.
func (r *Reader) Bool() bool { return r.Int8() != 0 }

// Int8 reads one byte. It and the numbers that follow are small enough to be inlined.
func (r *Reader) Int8() (v int8) {
	if i := r.at; i < len(r.b) {
		r.at = i + 1
		return int8(r.b[i])
	}
	r.fail(truncated)
	return
}

// Int16 reads two bytes.
func (r *Reader) Int16() int16 { return int16(r.Uint16()) }

// Uint16 reads two bytes.
func (r *Reader) Uint16() (v uint16) {
	if b := r.b[r.at:]; len(b) >= 2 {
		r.at += 2
		return binary.BigEndian.Uint16(b)
	}
	r.fail(truncated)
	return
}

// Int32 reads four bytes.
func (r *Reader) Int32() int32 { return int32(r.Uint32()) }

// Uint32 reads four bytes.
func (r *Reader) Uint32() (v uint32) {
	if b := r.b[r.at:]; len(b) >= 4 {
		r.at += 4
		return binary.BigEndian.Uint32(b)
	}
	r.fail(truncated)
	return
}

// Int64 reads eight bytes.
func (r *Reader) Int64() (v int64) {
	if b := r.b[r.at:]; len(b) >= 8 {
		r.at += 8
		return int64(binary.BigEndian.Uint64(b))
	}
	r.fail(truncated)
	return
}

// Float64 reads eight bytes, an IEEE 754 number.
func (r *Reader) Float64() float64 { return math.Float64frombits(uint64(r.Int64())) }

// UUID reads sixteen bytes.
func (r *Reader) UUID() (u UUID) {
	copy(u[:], r.take(len(u)))
	return u
}

// Uvarint reads an unsigned number of up to 32 bits, seven bits a byte, lowest first. Five bytes are the most it can take.
func (r *Reader) Uvarint() uint32 {
	b := r.b[r.at:]
	if len(b) > 0 && b[0] < 0x80 { // most are small
		r.at++
		return uint32(b[0])
	}
	var v uint32
	for i, c := range b {
		if i == 4 && c > 0x0f {
			r.fail(longVarint)
			return 0
		}
		v |= uint32(c&0x7f) << (7 * i)
		if c < 0x80 {
			r.at += i + 1
			return v
		}
	}
	r.fail(truncated)
	return 0
}

// compactLen reads the length of a flexible message: one too many, so that zero is null, here -1. A length beyond an int's
// range cannot come out: on every platform 2³²-2 is cut to 2³¹-1, which no message has bytes for.
func (r *Reader) compactLen() int {
	return int(min(int64(r.Uvarint())-1, math.MaxInt32))
}
