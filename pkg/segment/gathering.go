package segment

import (
	"bytes"
	"encoding/binary"
)

// gathering collects the values of one column until they become a page.
type gathering struct {
	def, rep []byte  // levels; def where defMax is 1 or more, rep where repMax is
	ints     []int64 // of an integer column
	plain    []byte  // of a binary column: every value behind its length
	present  int     // values
	nulls    int     // levels without a value
	low      span    // of an indexed binary column: the least value, in plain
	high     span
}

type span struct{ at, end int }

func (g *gathering) reset() {
	if cap(g.plain) > bufferKept {
		g.plain = nil
	}
	*g = gathering{def: g.def[:0], rep: g.rep[:0], ints: g.ints[:0], plain: g.plain[:0]}
}

// int adds a value to a required column.
func (g *gathering) int(v int64) {
	g.ints = append(g.ints, v)
	g.present++
}

// maybe adds a value, or none, to an optional column.
func (g *gathering) maybe(v int64, has bool) {
	if !has {
		g.null()
		return
	}
	g.def = append(g.def, 1)
	g.int(v)
}

func (g *gathering) null() {
	g.def = append(g.def, 0)
	g.nulls++
}

// bytes adds a value, or none if it is nil, to an optional column.
func (g *gathering) bytes(v []byte) {
	if v == nil {
		g.null()
		return
	}
	g.def = append(g.def, 1)
	g.put(v)
}

func (g *gathering) put(v []byte) {
	g.plain = binary.LittleEndian.AppendUint32(g.plain, uint32(len(v)))
	g.plain = append(g.plain, v...)
	g.present++
}

// bounded is bytes for a column with statistics.
func (g *gathering) bounded(v []byte) {
	g.bytes(v)
	if v == nil {
		return
	}
	s := span{len(g.plain) - len(v), len(g.plain)}
	if g.present == 1 {
		g.low, g.high = s, s
		return
	}
	if bytes.Compare(v, g.at(g.low)) < 0 {
		g.low = s
	} else if bytes.Compare(v, g.at(g.high)) > 0 {
		g.high = s
	}
}

func (g *gathering) at(s span) []byte { return g.plain[s.at:s.end] }

// levels returns how many levels there are, in a column that has any.
func (g *gathering) levels() int { return g.present + g.nulls }

// appendRaw appends the page as it is before compression.
func (g *gathering) appendRaw(b []byte, c *column) []byte {
	if c.repMax > 0 {
		b = appendLevels(b, g.rep, c.repMax)
	}
	if c.defMax > 0 {
		b = appendLevels(b, g.def, c.defMax)
	}
	if c.integer() {
		return appendDelta(b, g.ints, c.bits())
	}
	return append(b, g.plain...)
}
