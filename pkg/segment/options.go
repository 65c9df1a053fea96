package segment

import (
	"fmt"
	"unicode/utf8"

	"github.com/heraclitus/heraclitus/pkg/kbin"
)

// What a writer does where Options say nothing, and the limits of them.
const (
	BlockBytes    = 256 << 10 // Options.BlockBytes
	RowGroupBytes = 16 << 20  // Options.RowGroupBytes

	// RecordBytesMax bounds key, value and headers of a record, together.
	RecordBytesMax = 1 << 30

	blockBytesMax    = 16 << 20
	rowGroupBytesMax = 512 << 20
	blockRowsMax     = 16 << 10
	rowBytes         = 16 // what a row counts for besides key, value and headers
	headerBytes      = 8  // likewise for a header
	writeBytes       = 64 << 10
)

// Options say whose segment it is and how it is laid out.
type Options struct {
	Topic     string
	TopicID   kbin.UUID
	Partition int32

	// First is the first offset that the segment stands for: at most that of its first record, and less where the
	// offsets before that one have no record any more.
	First int64

	Codec Codec // the zero value is Uncompressed; Snappy or Zstd is what one wants
	Level int   // of Zstd, on its own scale; 0 and below is the fastest

	// BlockBytes is how much the rows of a block hold before compression: the least that is read at a time. 0 is
	// the constant BlockBytes; at most 16 MiB.
	BlockBytes int
	// RowGroupBytes is likewise for a row group, which bounds what the writer holds in memory. 0 is the constant
	// RowGroupBytes; at most 512 MiB.
	RowGroupBytes int
}

func (o *Options) check() error {
	if o.BlockBytes == 0 {
		o.BlockBytes = BlockBytes
	}
	if o.RowGroupBytes == 0 {
		o.RowGroupBytes = RowGroupBytes
	}
	switch {
	case o.First < 0 || o.Partition < 0:
		return fmt.Errorf("first offset %d of partition %d: should not be negative", o.First, o.Partition)
	case o.BlockBytes < 0 || o.BlockBytes > blockBytesMax:
		return fmt.Errorf("blocks of %d bytes: should be at most %d", o.BlockBytes, blockBytesMax)
	case o.RowGroupBytes < 0 || o.RowGroupBytes > rowGroupBytesMax:
		return fmt.Errorf("row groups of %d bytes: should be at most %d", o.RowGroupBytes, rowGroupBytesMax)
	case len(o.Topic) > topicBytesMax || !utf8.ValidString(o.Topic):
		return fmt.Errorf("topic %.60q: should be at most %d bytes of UTF-8", o.Topic, topicBytesMax)
	}
	return nil
}
