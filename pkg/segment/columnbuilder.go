package segment

import (
	"bytes"
	"encoding/binary"
)

// columnBuilder gathers the values of one column until they become a page.
type columnBuilder struct {
	def, rep []byte  // levels; def where defMax is 1 or more, rep where repMax is
	ints     []int64 // of an integer column
	plain    []byte  // of a binary column: every value after its length
	present  int     // values
	nulls    int     // levels without a value
	low      span    // of an indexed binary column: the least value, in plain
	high     span
}

type span struct{ at, end int }

func (cb *columnBuilder) reset() {
	if cap(cb.plain) > bufferKept {
		cb.plain = nil
	}
	*cb = columnBuilder{def: cb.def[:0], rep: cb.rep[:0], ints: cb.ints[:0], plain: cb.plain[:0]}
}

// int adds a value to a required column.
func (cb *columnBuilder) int(v int64) {
	cb.ints = append(cb.ints, v)
	cb.present++
}

// maybe adds a value, or none, to an optional column.
func (cb *columnBuilder) maybe(v int64, has bool) {
	if !has {
		cb.null()
		return
	}
	cb.def = append(cb.def, 1)
	cb.int(v)
}

func (cb *columnBuilder) null() {
	cb.def = append(cb.def, 0)
	cb.nulls++
}

// bytes adds a value, or none if it is nil, to an optional column.
func (cb *columnBuilder) bytes(v []byte) {
	if v == nil {
		cb.null()
		return
	}
	cb.def = append(cb.def, 1)
	cb.put(v)
}

func (cb *columnBuilder) put(v []byte) {
	cb.plain = binary.LittleEndian.AppendUint32(cb.plain, uint32(len(v)))
	cb.plain = append(cb.plain, v...)
	cb.present++
}

// listed adds the value, or null, of a header that is there.
func (cb *columnBuilder) listed(v []byte) {
	if v == nil {
		cb.def = append(cb.def, 1)
		cb.nulls++
		return
	}
	cb.def = append(cb.def, 2)
	cb.put(v)
}

// bounded is bytes for a column with statistics.
func (cb *columnBuilder) bounded(v []byte) {
	cb.bytes(v)
	if v == nil {
		return
	}
	s := span{len(cb.plain) - len(v), len(cb.plain)}
	if cb.present == 1 {
		cb.low, cb.high = s, s
		return
	}
	if bytes.Compare(v, cb.at(cb.low)) < 0 {
		cb.low = s
	} else if bytes.Compare(v, cb.at(cb.high)) > 0 {
		cb.high = s
	}
}

func (cb *columnBuilder) at(s span) []byte { return cb.plain[s.at:s.end] }

// levels returns how many levels there are, in a column that has any.
func (cb *columnBuilder) levels() int { return cb.present + cb.nulls }

// appendRaw appends the page as it is before compression.
func (cb *columnBuilder) appendRaw(b []byte, c *column) []byte {
	if c.repMax > 0 {
		b = appendLevels(b, cb.rep, c.repMax)
	}
	if c.defMax > 0 {
		b = appendLevels(b, cb.def, c.defMax)
	}
	if c.integer() {
		return appendDelta(b, cb.ints, c.bits())
	}
	return append(b, cb.plain...)
}
