package kbin

// Strings are at most an int16's length, flexible or not. (Kafka's MessageDataGenerator checks the same.)
const stringBytesMax = 1<<15 - 1

// stringHeader is what a *string takes besides its bytes.
const stringHeader = 16

// empty is what all non-null empty strings point to. Nobody writes through a *string of a message.
var empty = new(string)

// EmptyString points to "". Like all strings behind pointers in messages it is shared, and not written to.
func EmptyString() *string { return empty }

// String reads a string that cannot be null.
func (r *Reader) String(flexible bool) string {
	n := r.stringLen(flexible)
	if n < 0 {
		r.fail(unexpectedNull)
		return ""
	}
	return r.text(n)
}

// NullableString reads a string; nil is null. What it points to may be shared with other messages of the connection.
func (r *Reader) NullableString(flexible bool) *string {
	n := r.stringLen(flexible)
	if n < 0 {
		return nil
	}
	return r.textPointer(n)
}

// NullableStringIf is for a field that is nullable only in some versions.
func (r *Reader) NullableStringIf(nullable, flexible bool) *string {
	n := r.stringLen(flexible)
	if n < 0 && !nullable {
		r.fail(unexpectedNull)
	}
	if n < 0 {
		return nil
	}
	return r.textPointer(n)
}

// stringLen is the length of the string that follows; below zero is null, as it is in Kafka.
func (r *Reader) stringLen(flexible bool) int {
	if !flexible {
		return int(r.Int16())
	}
	n := r.compactLen()
	if r.fault != none {
		return 0
	}
	if n > stringBytesMax {
		r.fail(longString)
		return 0
	}
	return n
}

func (r *Reader) text(n int) string {
	b := r.take(n)
	if len(b) == 0 || !r.charge(int64(n)) {
		return ""
	}
	if r.Intern != nil {
		return *r.Intern.Get(b)
	}
	return string(b)
}

func (r *Reader) textPointer(n int) *string {
	b := r.take(n)
	if len(b) == 0 || !r.charge(int64(n)+stringHeader) {
		return empty
	}
	if r.Intern != nil {
		return r.Intern.Get(b)
	}
	return new(string(b))
}

// Bytes reads bytes that cannot be null: a view.
func (r *Reader) Bytes(flexible bool) []byte {
	n := r.bytesLen(flexible)
	if n < 0 {
		r.fail(unexpectedNull)
		return nil
	}
	return r.take(n)
}

// NullableBytes reads bytes: a view. Null is nil, and nothing else is.
func (r *Reader) NullableBytes(flexible bool) []byte {
	n := r.bytesLen(flexible)
	if n < 0 {
		return nil
	}
	return r.take(n)
}

// NullableBytesIf is for a field that is nullable only in some versions.
func (r *Reader) NullableBytesIf(nullable, flexible bool) []byte {
	if nullable {
		return r.NullableBytes(flexible)
	}
	return r.Bytes(flexible)
}

func (r *Reader) bytesLen(flexible bool) int {
	if flexible {
		return r.compactLen()
	}
	return int(r.Int32())
}
