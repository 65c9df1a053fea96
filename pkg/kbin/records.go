package kbin

// Records are the record batches inside a message. They can be large, and a server has them in other places already, so
// there are two ways to send them: as Bytes, copied into the message, or as Parts, which are not.
type Records struct {
	// Bytes is what was read, a view; nil is null. When written it is copied into the message.
	Bytes []byte
	// Parts, when not nil, are written instead of Bytes, but not copied: only their length is appended, and a hole is left
	// where the bytes belong. The sender fills the holes with writev.
	Parts [][]byte
	// At is where the hole is: how long the slice appended to was when Parts should have followed.
	At int
}

// Len is the number of bytes the records take on the wire, without the length before them.
func (v *Records) Len() int {
	if v.Parts == nil {
		return len(v.Bytes)
	}
	n := 0
	for _, p := range v.Parts {
		n += len(p)
	}
	return n
}

// Records reads records that cannot be null: a view.
func (r *Reader) Records(flexible bool) Records { return Records{Bytes: r.Bytes(flexible)} }

// NullableRecords reads records: a view. Null, and nothing else, gives nil Bytes.
func (r *Reader) NullableRecords(flexible bool) Records {
	return Records{Bytes: r.NullableBytes(flexible)}
}

// AppendRecords appends Bytes, or the length of Parts; in that case it sets v.At.
func AppendRecords(b []byte, v *Records, flexible bool) []byte {
	if v.Parts == nil {
		return AppendBytes(b, v.Bytes, flexible)
	}
	b = AppendArrayLen(b, v.Len(), flexible)
	v.At = len(b)
	return b
}

// AppendNullableRecords is AppendRecords, but nil Bytes without Parts are null.
func AppendNullableRecords(b []byte, v *Records, flexible bool) []byte {
	if v.Parts == nil && v.Bytes == nil {
		return appendNullLen(b, flexible)
	}
	return AppendRecords(b, v, flexible)
}
