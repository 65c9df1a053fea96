package state

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
)

var errShort = errors.New("ends in the middle of a field")

func appendInt32(b []byte, v int32) []byte { return binary.BigEndian.AppendUint32(b, uint32(v)) }
func appendInt64(b []byte, v int64) []byte { return binary.BigEndian.AppendUint64(b, uint64(v)) }

func appendUvarint(b []byte, v int) []byte { return binary.AppendUvarint(b, uint64(v)) }

func appendString(b []byte, s string) []byte { return append(appendUvarint(b, len(s)), s...) }

func appendConfig(b []byte, config []ConfigEntry) []byte {
	b = appendUvarint(b, len(config))
	for _, c := range config {
		b = appendString(appendString(b, c.Name), c.Value)
	}
	return b
}

// decoder reads fields off a command or a snapshot; its error sticks.
type decoder struct {
	b   []byte
	err error
}

// take returns the next n bytes, or zeroes once the input has ended.
func (d *decoder) take(n int) []byte {
	if d.err != nil || n > len(d.b) {
		d.err = cmp.Or(d.err, errShort)
		return make([]byte, min(n, 16))
	}
	head := d.b[:n:n]
	d.b = d.b[n:]
	return head
}

func (d *decoder) int8() int8   { return int8(d.take(1)[0]) }
func (d *decoder) int16() int16 { return int16(binary.BigEndian.Uint16(d.take(2))) }
func (d *decoder) int32() int32 { return int32(binary.BigEndian.Uint32(d.take(4))) }
func (d *decoder) int64() int64 { return int64(binary.BigEndian.Uint64(d.take(8))) }
func (d *decoder) id() ID       { return ID(d.take(16)) }

// count reads a number of items that take at least minBytes each, and refuses more than there can be.
func (d *decoder) count(minBytes int) int {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || v > uint64(len(d.b)-n)/uint64(minBytes) {
		d.err = cmp.Or(d.err, errShort)
		return 0
	}
	d.b = d.b[n:]
	return int(v)
}

func (d *decoder) string() string {
	n := d.count(1)
	if d.err != nil {
		return ""
	}
	return string(d.take(n))
}

func (d *decoder) config() []ConfigEntry {
	var config []ConfigEntry
	for range d.count(2) {
		config = append(config, ConfigEntry{d.string(), d.string()})
	}
	return slices.Clip(config)
}

// end says whether the input was read to its end, no less and no more.
func (d *decoder) end() error {
	if d.err == nil && len(d.b) > 0 {
		return fmt.Errorf("%d bytes too many", len(d.b))
	}
	return d.err
}

func appendBytes(b, v []byte) []byte { return append(appendUvarint(b, len(v)), v...) }

// bytes reads a string of bytes into memory of its own.
func (d *decoder) bytes() []byte { return bytes.Clone(d.take(d.count(1))) }

func sortedIDs[V any](m map[ID]V) []ID {
	return slices.SortedFunc(maps.Keys(m), func(a, b ID) int { return bytes.Compare(a[:], b[:]) })
}
