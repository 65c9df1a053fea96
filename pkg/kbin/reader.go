package kbin

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// What a Reader reports, with what it was reading and where, through errors.Is.
var (
	ErrTruncated = errors.New("message ends early")        // fewer bytes are left than the next value, or its length, asks for
	ErrMalformed = errors.New("message is malformed")      // null where the protocol has no null, or a varint that never ends
	ErrBudget    = errors.New("message decodes too large") // the decoded form would take more memory than the budget
)

// Reader decodes one message. The zero value reads nothing; [Reader.Reset] gives it bytes. It is not safe for two
// goroutines.
type Reader struct {
	Intern *Interner // where strings come from; nil means that each is a copy of its own

	b      []byte // what may be read: all of the message, or one tagged field of it
	at     int    // next byte of b
	budget int    // bytes of decoded form still allowed
	spent  int    // bytes of decoded form charged so far
	err    error  // first error; at is then len(b)
}

// Reset makes r read b, and allows the decoded form to take budget bytes of memory, not counting the bytes it borrows.
func (r *Reader) Reset(b []byte, budget int) {
	r.b, r.at, r.budget, r.spent, r.err = b, 0, budget, 0, nil
}

// Err is the first error since Reset. It wraps ErrTruncated, ErrMalformed or ErrBudget.
func (r *Reader) Err() error { return r.err }

// Len is the number of bytes left.
func (r *Reader) Len() int { return len(r.b) - r.at }

// Spent is the memory, in bytes, that what was decoded since Reset takes. A server uses it to let go of a reused message
// that one large request has grown.
func (r *Reader) Spent() int { return r.spent }

// fail keeps the first error, and leaves nothing to read.
func (r *Reader) fail(err error, doing string) {
	if r.err == nil {
		r.err = fmt.Errorf("read %s at byte %d of %d: %w", doing, r.at, len(r.b), err)
	}
	r.at = len(r.b)
}

// charge takes n bytes of decoded form off the budget, and says whether they were there.
func (r *Reader) charge(n int, doing string) bool {
	if n > r.budget {
		r.fail(ErrBudget, doing)
		return false
	}
	r.budget -= n
	r.spent += n
	return true
}

// take is a view of the next n bytes, which cannot be appended to beyond them, or nil after an error.
func (r *Reader) take(n int, doing string) []byte {
	if n > r.Len() {
		r.fail(ErrTruncated, doing)
		return nil
	}
	i, j := r.at, r.at+n
	r.at = j
	return r.b[i:j:j]
}

// Bool reads one byte; all but zero is true.
func (r *Reader) Bool() bool { return r.Int8() != 0 }

// Int8 reads one byte.
func (r *Reader) Int8() int8 {
	if r.at >= len(r.b) {
		r.fail(ErrTruncated, "int8")
		return 0
	}
	r.at++
	return int8(r.b[r.at-1])
}

// Int16 reads two bytes.
func (r *Reader) Int16() int16 { return int16(r.Uint16()) }

// Uint16 reads two bytes.
func (r *Reader) Uint16() uint16 {
	b := r.b[r.at:]
	if len(b) < 2 {
		r.fail(ErrTruncated, "int16")
		return 0
	}
	r.at += 2
	return binary.BigEndian.Uint16(b)
}

// Int32 reads four bytes.
func (r *Reader) Int32() int32 { return int32(r.Uint32()) }

// Uint32 reads four bytes.
func (r *Reader) Uint32() uint32 {
	b := r.b[r.at:]
	if len(b) < 4 {
		r.fail(ErrTruncated, "int32")
		return 0
	}
	r.at += 4
	return binary.BigEndian.Uint32(b)
}

// Int64 reads eight bytes.
func (r *Reader) Int64() int64 {
	b := r.b[r.at:]
	if len(b) < 8 {
		r.fail(ErrTruncated, "int64")
		return 0
	}
	r.at += 8
	return int64(binary.BigEndian.Uint64(b))
}

// Float64 reads eight bytes, an IEEE 754 number.
func (r *Reader) Float64() float64 { return math.Float64frombits(uint64(r.Int64())) }

// UUID reads sixteen bytes.
func (r *Reader) UUID() (u UUID) {
	copy(u[:], r.take(len(u), "uuid"))
	return u
}

// Uvarint reads an unsigned number of up to 32 bits, seven bits a byte, lowest first. Five bytes are the most it can take.
func (r *Reader) Uvarint() uint32 {
	var v uint32
	for i, c := range r.b[r.at:] {
		if i == 4 && c > 0x0f {
			r.fail(ErrMalformed, "varint")
			return 0
		}
		v |= uint32(c&0x7f) << (7 * i)
		if c < 0x80 {
			r.at += i + 1
			return v
		}
	}
	r.fail(ErrTruncated, "varint")
	return 0
}

// compactLen reads the length of a flexible message: one too many, so that zero is null, here -1. A length beyond an int's
// range cannot come out: on every platform 2³²-2 is cut to 2³¹-1, which no message has bytes for.
func (r *Reader) compactLen() int {
	return int(min(int64(r.Uvarint())-1, math.MaxInt32))
}
