package segment

import (
	"fmt"
	"strings"

	"github.com/heraclitus/heraclitus/pkg/record"
)

// blockBuilder gathers the rows of a block, column by column.
type blockBuilder struct {
	columns [leafCount]columnBuilder
	rows    int
	bytes   int // before compression
	keys    []byte
}

// full says whether a row of so many bytes belongs in the next block.
func (b *blockBuilder) full(n, bytesMax int) bool {
	return b.rows > 0 && b.bytes+n > bytesMax || b.rows == blockRowsMax
}

// reset empties the block.
func (b *blockBuilder) reset() {
	for l := range b.columns {
		b.columns[l].reset()
	}
	b.rows, b.bytes = 0, 0
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
func (b *blockBuilder) add(r *Row, n int) {
	b.rows++
	b.bytes += n
	c := &b.columns
	ms := r.Timestamp
	c[leafOffset].int(r.Offset)
	c[leafTimestamp].maybe(ms, shown(ms))
	c[leafKey].bounded(r.Key)
	c[leafValue].bytes(r.Value)
	b.addHeaders(r.Headers)
	c[leafTimestampType].int(int64(r.TimestampType))
	c[leafProducerID].maybe(r.ProducerID, r.ProducerID != record.NoProducerID)
	c[leafProducerEpoch].maybe(int64(r.ProducerEpoch), r.ProducerEpoch != record.NoProducerEpoch)
	c[leafSequence].maybe(int64(r.Sequence), r.Sequence != record.NoSequence)
	c[leafRawTimestamp].maybe(ms, !shown(ms) && ms != record.NoTimestamp)
}

// addHeaders puts the headers of a row into their columns. A row without any still takes a place in the list.
func (b *blockBuilder) addHeaders(h record.Headers) {
	keys, values := &b.columns[leafHeaderKey], &b.columns[leafHeaderValue]
	raw := &b.columns[leafRawHeaderKeys]
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
	b.keys = appendKeys(b.keys[:0], h)
	raw.bytes(b.keys)
}
