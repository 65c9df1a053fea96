package segment

import (
	"fmt"
	"strings"

	"github.com/heraclitus/heraclitus/pkg/record"
)

// draft is a block that is being gathered, column by column.
type draft struct {
	columns [leafCount]gathering
	rows    int
	bytes   int // before compression
	keys    []byte
}

// full says whether a row of so many bytes belongs into the next block.
func (d *draft) full(n, bytesMax int) bool {
	return d.rows > 0 && d.bytes+n > bytesMax || d.rows == blockRowsMax
}

// reset empties the block.
func (d *draft) reset() {
	for l := range d.columns {
		d.columns[l].reset()
	}
	d.rows, d.bytes = 0, 0
}

// rowSize is what a row counts for in the size of a block.
func rowSize(r *Row) (int, error) {
	n := len(r.Key) + len(r.Value)
	for h := range r.Headers.All() {
		n += headerBytes + len(h.Key) + len(h.Value)
	}
	if n > RecordBytesMax {
		return 0, fmt.Errorf("record of %d bytes at offset %d: %w", n, r.Offset, ErrTooLarge)
	}
	return rowBytes + n, nil
}

// add puts a row, which counts for n bytes, into the columns.
func (d *draft) add(r *Row, n int) {
	d.rows++
	d.bytes += n
	c := &d.columns
	ms := r.Timestamp
	c[leafOffset].int(r.Offset)
	c[leafTimestamp].maybe(ms, shown(ms))
	c[leafKey].bounded(r.Key)
	c[leafValue].bytes(r.Value)
	d.addHeaders(r.Headers)
	c[leafTimestampType].int(int64(r.TimestampType))
	c[leafProducerID].maybe(r.ProducerID, r.ProducerID != record.NoProducerID)
	c[leafProducerEpoch].maybe(int64(r.ProducerEpoch), r.ProducerEpoch != record.NoProducerEpoch)
	c[leafSequence].maybe(int64(r.Sequence), r.Sequence != record.NoSequence)
	c[leafRawTimestamp].maybe(ms, !shown(ms) && ms != record.NoTimestamp)
}

// addHeaders puts the headers of a row into their columns. A row without any still takes a place in the list.
func (d *draft) addHeaders(h record.Headers) {
	keys, values := &d.columns[leafHeaderKey], &d.columns[leafHeaderValue]
	raw := &d.columns[leafRawHeaderKeys]
	if h.Len() == 0 {
		keys.rep, values.rep = append(keys.rep, 0), append(values.rep, 0)
		keys.null()
		values.null()
		raw.null()
		return
	}
	valid := validKeys(h)
	level := byte(0) // begins the row
	for header := range h.All() {
		keys.rep, values.rep = append(keys.rep, level), append(values.rep, level)
		level = 1
		keys.def = append(keys.def, 1)
		if valid {
			keys.put(header.Key)
		} else {
			keys.put([]byte(strings.ToValidUTF8(string(header.Key), replacement)))
		}
		values.listed(header.Value)
	}
	if valid {
		raw.null()
		return
	}
	d.keys = appendKeys(d.keys[:0], h)
	raw.bytes(d.keys)
}

// listed adds the value, or null, of a header that is there.
func (g *gathering) listed(v []byte) {
	if v == nil {
		g.def = append(g.def, 1)
		g.nulls++
		return
	}
	g.def = append(g.def, 2)
	g.put(v)
}
