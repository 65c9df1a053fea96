package kbin

import (
	"encoding/binary"
	"unsafe"
)

// Arrays are read in two steps, their length and then their elements:
//
//	m.Partitions = r.Int32s(r.ArrayLen(flexible), m.Partitions)
//
// Each of the second steps takes the slice the field had before and uses its memory. A length of -1 is null, and gives
// nil; a length of zero never gives nil.

// ArrayLen reads the length of an array that cannot be null.
func (r *Reader) ArrayLen(flexible bool) int { return r.NullableArrayLenIf(false, flexible) }

// NullableArrayLen reads the length of an array; -1 is null.
func (r *Reader) NullableArrayLen(flexible bool) int { return r.NullableArrayLenIf(true, flexible) }

// NullableArrayLenIf is for a field that is nullable only in some versions.
func (r *Reader) NullableArrayLenIf(nullable, flexible bool) int {
	var n int
	if flexible {
		n = r.compactLen()
	} else {
		n = int(r.Int32())
	}
	switch {
	case r.fault != none:
		return 0
	case n >= 0:
		return n
	case !nullable:
		r.fail(unexpectedNull)
		return 0
	}
	return -1
}

// elements is s made n long, for elements that take at least wireBytesMin bytes each on the wire. Elements that s had
// before, up to its capacity, keep what they refer to, so that arrays within arrays are reused as well.
func elements[T any](r *Reader, n, wireBytesMin int, s []T) []T {
	if n < 0 {
		return nil
	}
	if n > r.Len()/wireBytesMin {
		r.fail(truncated)
		n = 0
	}
	if !r.charge(int64(n) * int64(unsafe.Sizeof(*new(T)))) {
		n = 0
	}
	if n <= cap(s) && s != nil {
		return s[:n]
	}
	grown := make([]T, n)
	copy(grown, s[:cap(s)])
	return grown
}

// Structs reads n structs, in the given version.
func Structs[T any, P interface {
	*T
	Decode(r *Reader, version int16)
}](r *Reader, n int, s []T, version int16) []T {
	s = elements(r, n, 1, s)
	for i := 0; i < len(s) && r.fault == none; i++ {
		P(&s[i]).Decode(r, version)
	}
	return s
}

// NullableStruct reads a struct, which is allocated, or null, which is nil.
func NullableStruct[T any, P interface {
	*T
	Decode(r *Reader, version int16)
}](r *Reader, version int16) *T {
	if r.Int8() < 0 || r.fault != none || !r.charge(int64(unsafe.Sizeof(*new(T)))) {
		return nil
	}
	v := new(T)
	P(v).Decode(r, version)
	return v
}

// Int8s reads n numbers of one byte.
func (r *Reader) Int8s(n int, s []int8) []int8 {
	s = elements(r, n, 1, s)
	for i := range s {
		s[i] = r.Int8()
	}
	return s
}

// Int16s reads n numbers of two bytes.
func (r *Reader) Int16s(n int, s []int16) []int16 {
	s = elements(r, n, 2, s)
	b := r.take(2 * len(s))
	for i := range s {
		s[i] = int16(binary.BigEndian.Uint16(b[2*i:]))
	}
	return s
}

// Int32s reads n numbers of four bytes.
func (r *Reader) Int32s(n int, s []int32) []int32 {
	s = elements(r, n, 4, s)
	b := r.take(4 * len(s))
	for i := range s {
		s[i] = int32(binary.BigEndian.Uint32(b[4*i:]))
	}
	return s
}

// Int64s reads n numbers of eight bytes.
func (r *Reader) Int64s(n int, s []int64) []int64 {
	s = elements(r, n, 8, s)
	b := r.take(8 * len(s))
	for i := range s {
		s[i] = int64(binary.BigEndian.Uint64(b[8*i:]))
	}
	return s
}

// UUIDs reads n UUIDs.
func (r *Reader) UUIDs(n int, s []UUID) []UUID {
	s = elements(r, n, len(UUID{}), s)
	for i := range s {
		s[i] = r.UUID()
	}
	return s
}

// Strings reads n strings, none of which can be null.
func (r *Reader) Strings(n int, s []string, flexible bool) []string {
	s = elements(r, n, 1, s)
	for i := range s {
		s[i] = r.String(flexible)
	}
	return s
}

// Add makes *s one element longer and returns that element, with its defaults set. The element's own slices keep their
// memory.
func Add[T any, P interface {
	*T
	Reset()
}](s *[]T) P {
	n := len(*s)
	if n < cap(*s) {
		*s = (*s)[:n+1]
	} else {
		*s = append(*s, *new(T))
	}
	p := P(&(*s)[n])
	p.Reset()
	return p
}

// Empty is s without its elements, and never nil: the default of a nullable array that is not null.
func Empty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s[:0]
}
