package dump

import (
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/segment"
)

// segment writes what a segment says of itself, its blocks, and its records if they are wanted.
func (d *dumper) segment() error {
	r, err := segment.Open(d.ctx, d.src.Get, d.src.Bytes)
	if err != nil {
		return err
	}
	f := r.Footer()
	d.line(0, "segment of %q/%d, topic id %s, offsets %d to %d: %d records, %d bytes, %s (%d plain), largest timestamp %s, index and footer ok",
		f.Topic, f.Partition, f.TopicID, f.First, f.Last, f.Records, f.Bytes, f.Codec(), f.PlainBytes, clock(f.MaxTimestamp))
	group := -1
	for b := range f.Blocks() {
		if b.Group != group {
			group = b.Group
			d.line(0, "row group %d", group)
		}
		d.line(1, "block of offsets %d to %d: %d records, %d bytes, largest timestamp %s", b.First, b.Last, b.Rows, b.Bytes, clock(b.MaxTimestamp))
	}
	if !d.Records {
		return d.failed()
	}
	d.line(0, "records")
	for row, err := range r.Rows(d.ctx, f.First) {
		if err != nil {
			return err
		}
		d.row(row)
		if err := d.failed(); err != nil {
			return err
		}
	}
	return nil
}

// row writes a record, and after it what its batch said of it.
func (d *dumper) row(row *segment.Row) {
	kind := ""
	if row.TimestampType == record.LogAppendTime {
		kind = " append time"
	}
	if row.ProducerID != record.NoProducerID {
		kind += fmt.Sprintf(" producer %d/%d, sequence %d", row.ProducerID, row.ProducerEpoch, row.Sequence)
	}
	d.record(1, &row.Record)
	if kind != "" {
		d.line(2, "%s", kind[1:])
	}
}
