package bare

import "encoding/binary"

var be = binary.BigEndian

// reader takes fields off a request. Once a field does not fit it is broken, and everything it returns is zero.
type reader struct {
	b      []byte
	broken bool
}

func (r *reader) take(n int) []byte {
	if r.broken || n < 0 || n > len(r.b) {
		r.broken = true
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) int8() int8 {
	if b := r.take(1); b != nil {
		return int8(b[0])
	}
	return 0
}

func (r *reader) int16() int16 {
	if b := r.take(2); b != nil {
		return int16(be.Uint16(b))
	}
	return 0
}

func (r *reader) int32() int32 {
	if b := r.take(4); b != nil {
		return int32(be.Uint32(b))
	}
	return 0
}

func (r *reader) int64() int64 {
	if b := r.take(8); b != nil {
		return int64(be.Uint64(b))
	}
	return 0
}

// str returns a string's bytes, nil for a null one.
func (r *reader) str() []byte {
	if n := int(r.int16()); n >= 0 {
		return r.take(n)
	}
	return nil
}

// bytes returns a byte array, nil for a null one.
func (r *reader) bytes() []byte {
	if n := int(r.int32()); n >= 0 {
		return r.take(n)
	}
	return nil
}

// each reads an array: f is called once for each element and reads it. A null array has none.
func (r *reader) each(f func()) {
	for n := r.int32(); n > 0 && !r.broken; n-- {
		f()
	}
}

func appendInt16(b []byte, v int16) []byte { return be.AppendUint16(b, uint16(v)) }
func appendInt32(b []byte, v int32) []byte { return be.AppendUint32(b, uint32(v)) }
func appendInt64(b []byte, v int64) []byte { return be.AppendUint64(b, uint64(v)) }

func appendString(b []byte, s string) []byte {
	return append(appendInt16(b, int16(len(s))), s...)
}
