package kbin

import (
	"encoding/binary"
	"math"
)

// AppendBool appends one byte, 0 or 1.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// AppendInt8 appends one byte.
func AppendInt8(b []byte, v int8) []byte { return append(b, byte(v)) }

// AppendInt16 appends two bytes.
func AppendInt16(b []byte, v int16) []byte { return binary.BigEndian.AppendUint16(b, uint16(v)) }

// AppendUint16 appends two bytes.
func AppendUint16(b []byte, v uint16) []byte { return binary.BigEndian.AppendUint16(b, v) }

// AppendInt32 appends four bytes.
func AppendInt32(b []byte, v int32) []byte { return binary.BigEndian.AppendUint32(b, uint32(v)) }

// AppendUint32 appends four bytes.
func AppendUint32(b []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(b, v) }

// AppendInt64 appends eight bytes.
func AppendInt64(b []byte, v int64) []byte { return binary.BigEndian.AppendUint64(b, uint64(v)) }

// AppendFloat64 appends eight bytes, an IEEE 754 number.
func AppendFloat64(b []byte, v float64) []byte {
	return binary.BigEndian.AppendUint64(b, math.Float64bits(v))
}

// AppendUUID appends sixteen bytes.
func AppendUUID(b []byte, v UUID) []byte { return append(b, v[:]...) }

// AppendUvarint appends seven bits a byte, lowest first.
func AppendUvarint(b []byte, v uint32) []byte {
	if v < 0x80 {
		return append(b, byte(v))
	}
	return binary.AppendUvarint(b, uint64(v))
}

// AppendString appends a string. One of over 32767 bytes, which the protocol cannot carry, is cut there.
func AppendString(b []byte, s string, flexible bool) []byte {
	s = s[:min(len(s), stringBytesMax)]
	if flexible {
		b = AppendUvarint(b, uint32(len(s)+1))
	} else {
		b = AppendInt16(b, int16(len(s)))
	}
	return append(b, s...)
}

// AppendNullableString appends a string; nil is null.
func AppendNullableString(b []byte, s *string, flexible bool) []byte {
	return AppendNullableStringIf(b, s, true, flexible)
}

// AppendNullableStringIf is for a field that is nullable only in some versions. In the others nil is written as "".
func AppendNullableStringIf(b []byte, s *string, nullable, flexible bool) []byte {
	switch {
	case s != nil:
		return AppendString(b, *s, flexible)
	case !nullable:
		return AppendString(b, "", flexible)
	case flexible:
		return append(b, 0)
	}
	return AppendInt16(b, -1)
}

// AppendBytes appends bytes.
func AppendBytes(b, v []byte, flexible bool) []byte {
	return append(AppendArrayLen(b, len(v), flexible), v...)
}

// AppendNullableBytes appends bytes; nil is null.
func AppendNullableBytes(b, v []byte, flexible bool) []byte {
	return AppendNullableBytesIf(b, v, true, flexible)
}

// AppendNullableBytesIf is for a field that is nullable only in some versions. In the others nil is written as no bytes.
func AppendNullableBytesIf(b, v []byte, nullable, flexible bool) []byte {
	if v == nil && nullable {
		return appendNullLen(b, flexible)
	}
	return AppendBytes(b, v, flexible)
}

// AppendArrayLen appends the length of an array, whose elements are to follow.
func AppendArrayLen(b []byte, n int, flexible bool) []byte {
	if flexible {
		return AppendUvarint(b, uint32(n)+1)
	}
	return AppendInt32(b, int32(n))
}

// AppendNullableArrayLen appends the length of s; nil is null.
func AppendNullableArrayLen[T any](b []byte, s []T, flexible bool) []byte {
	return AppendNullableArrayLenIf(b, s, true, flexible)
}

// AppendNullableArrayLenIf is for a field that is nullable only in some versions. In the others nil is written as empty.
func AppendNullableArrayLenIf[T any](b []byte, s []T, nullable, flexible bool) []byte {
	if s == nil && nullable {
		return appendNullLen(b, flexible)
	}
	return AppendArrayLen(b, len(s), flexible)
}

// appendNullLen appends the length that stands for null, of bytes, records and arrays.
func appendNullLen(b []byte, flexible bool) []byte {
	if flexible {
		return append(b, 0)
	}
	return AppendInt32(b, -1)
}

// AppendNullableStruct appends a struct, in the given version; nil is null.
func AppendNullableStruct[T any, P interface {
	*T
	Append(b []byte, version int16) []byte
}](b []byte, v P, version int16) []byte {
	if v == nil {
		return AppendInt8(b, -1)
	}
	return v.Append(AppendInt8(b, 1), version)
}

// AppendStructs appends the elements of an array of structs, in the given version.
func AppendStructs[T any, P interface {
	*T
	Append(b []byte, version int16) []byte
}](b []byte, s []T, version int16) []byte {
	for i := range s {
		b = P(&s[i]).Append(b, version)
	}
	return b
}

// AppendInt8s appends the elements of an array.
func AppendInt8s(b []byte, s []int8) []byte {
	for _, v := range s {
		b = append(b, byte(v))
	}
	return b
}

// AppendInt16s appends the elements of an array.
func AppendInt16s(b []byte, s []int16) []byte {
	for _, v := range s {
		b = AppendInt16(b, v)
	}
	return b
}

// AppendInt32s appends the elements of an array.
func AppendInt32s(b []byte, s []int32) []byte {
	for _, v := range s {
		b = AppendInt32(b, v)
	}
	return b
}

// AppendInt64s appends the elements of an array.
func AppendInt64s(b []byte, s []int64) []byte {
	for _, v := range s {
		b = AppendInt64(b, v)
	}
	return b
}

// AppendUUIDs appends the elements of an array.
func AppendUUIDs(b []byte, s []UUID) []byte {
	for i := range s {
		b = append(b, s[i][:]...)
	}
	return b
}

// AppendStrings appends the elements of an array.
func AppendStrings(b []byte, s []string, flexible bool) []byte {
	for _, v := range s {
		b = AppendString(b, v, flexible)
	}
	return b
}
