package kbin

import "encoding/binary"

// Tagged fields (KIP-482) stand at the end of every struct of a flexible message: how many, and for each its tag, its size
// in bytes, and the field. A reader skips tags it does not know.
//
//	for n := r.Tags(); n > 0; n-- {
//		tag, end := r.OpenTag()
//		switch {
//		case tag == 0:
//			m.ClusterID = r.NullableString(flexible)
//		}
//		r.CloseTag(end)
//	}

// Tags reads how many tagged fields follow.
func (r *Reader) Tags() uint32 {
	n := r.Uvarint()
	if int64(n) > int64(r.Len()/2) {
		r.fail(truncated)
		return 0
	}
	return n
}

// OpenTag reads the tag and the size of a tagged field, and narrows r to its bytes. The second result is for
// [Reader.CloseTag].
func (r *Reader) OpenTag() (tag uint32, end int) {
	tag = r.Uvarint()
	size := r.Uvarint()
	if int64(size) > int64(r.Len()) {
		r.fail(truncated)
		return tag, len(r.b)
	}
	end = len(r.b)
	r.b = r.b[:r.at+int(size)]
	return tag, end
}

// CloseTag skips what is left of a tagged field and widens r to what it was.
func (r *Reader) CloseTag(end int) {
	r.at = len(r.b)
	r.b = r.b[:end]
	if r.fault != none {
		r.at = end
	}
}

// SkipTags skips the tagged fields of a struct that has none we know. Mostly there are none at all.
func (r *Reader) SkipTags() {
	if b := r.b[r.at:]; len(b) > 0 && b[0] == 0 {
		r.at++
		return
	}
	for n := r.Tags(); n > 0; n-- {
		_, end := r.OpenTag()
		r.CloseTag(end)
	}
}

// AppendNoTags appends the count of tagged fields of a struct that has none.
func AppendNoTags(b []byte) []byte { return append(b, 0) }

// Tags writes tagged fields. The caller opens them in the order of their tags, 127 at most.
//
//	var tags kbin.Tags
//	b = tags.Begin(b)
//	if m.ClusterID != nil {
//		b = tags.Open(b, 0)
//		b = kbin.AppendNullableString(b, m.ClusterID, flexible)
//		b = tags.Close(b)
//	}
type Tags struct {
	count int // where the number of fields stands
	size  int // where the size of the open field stands
}

// Begin appends a count of zero, which Open raises.
func (t *Tags) Begin(b []byte) []byte {
	t.count = len(b)
	return append(b, 0)
}

// Open starts the field with the given tag.
func (t *Tags) Open(b []byte, tag uint32) []byte {
	b[t.count]++
	b = AppendUvarint(b, tag)
	t.size = len(b)
	return append(b, 0)
}

// Close writes the size of the open field. One byte was left for it; a field of 128 bytes and more moves up.
func (t *Tags) Close(b []byte) []byte {
	from := t.size + 1
	size := len(b) - from
	if size < 0x80 {
		b[t.size] = byte(size)
		return b
	}
	var varint [binary.MaxVarintLen32]byte
	n := binary.PutUvarint(varint[:], uint64(size))
	b = append(b, varint[:n-1]...)
	copy(b[from+n-1:], b[from:from+size])
	copy(b[t.size:], varint[:n])
	return b
}
