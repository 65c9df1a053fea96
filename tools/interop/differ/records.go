package differ

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Records are made and read by other people's code, so that a mistake of our own package record cannot hide itself.

// What a batch is compressed by: the low bits of its attributes.
const (
	uncompressed = iota
	gzip
	snappy
	lz4
	zstd
)

var codecNames = []string{"none", "gzip", "snappy", "lz4", "zstd"}

// Where fields of a batch lie.
const (
	batchLengthAt = 8
	batchMagicAt  = 16
	batchCRCAt    = 17
	batchHeadEnd  = 61
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// batch is a record batch in the making. Scripts set the fields of its header as they like; bytes fills in what is derived
// and still zero.
type batch struct {
	kmsg.RecordBatch
	recs []kmsg.Record
}

// newBatch is a batch of records, a millisecond apart from at on, with the given values, and keys made of them.
func newBatch(at int64, values ...string) *batch {
	b := &batch{RecordBatch: kmsg.RecordBatch{
		PartitionLeaderEpoch: -1, Magic: 2, FirstTimestamp: at, MaxTimestamp: at + int64(len(values)) - 1,
		LastOffsetDelta: int32(len(values)) - 1, NumRecords: int32(len(values)),
		ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1,
	}}
	for i, v := range values {
		b.recs = append(b.recs, kmsg.Record{OffsetDelta: int32(i), TimestampDelta64: int64(i), Key: []byte("key of " + v), Value: []byte(v)})
	}
	return b
}

// by makes the batch one of an idempotent producer.
func (b *batch) by(producer int64, epoch int16, sequence int32) *batch {
	b.ProducerID, b.ProducerEpoch, b.FirstSequence = producer, epoch, sequence
	return b
}

// in compresses the batch.
func (b *batch) in(codec int16) *batch {
	b.Attributes |= codec
	return b
}

// bytes is the batch with its length and checksum right.
func (b *batch) bytes() []byte {
	var plain []byte
	for i := range b.recs {
		plain = appendRecord(plain, b.recs[i])
	}
	b.Records = compress(b.Attributes&7, plain)
	return seal(b.AppendTo(nil))
}

// seal sets a batch's length and checksum.
func seal(b []byte) []byte {
	binary.BigEndian.PutUint32(b[batchLengthAt:], uint32(len(b)-batchLengthAt-4))
	binary.BigEndian.PutUint32(b[batchCRCAt:], crc32.Checksum(b[batchCRCAt+4:], castagnoli))
	return b
}

// appendRecord appends a record with its length, which does not count itself.
func appendRecord(b []byte, r kmsg.Record) []byte {
	r.Length = 0
	r.Length = int32(len(r.AppendTo(nil)) - 1)
	return r.AppendTo(b)
}

// message is one of a message set, as there were before batches: magic 0, or 1, which has timestamps.
type message struct {
	magic      int8
	attributes int8
	offset     int64
	at         int64
	key, value []byte
}

// bytes is the message with its length and checksum right.
func (m message) bytes() []byte {
	const head = 16 // offset, length and checksum
	var b []byte
	if m.magic == 0 {
		b = (&kmsg.MessageV0{Offset: m.offset, Attributes: m.attributes, Key: m.key, Value: m.value}).AppendTo(nil)
	} else {
		b = (&kmsg.MessageV1{Offset: m.offset, Magic: m.magic, Attributes: m.attributes, Timestamp: m.at, Key: m.key, Value: m.value}).AppendTo(nil)
	}
	binary.BigEndian.PutUint32(b[8:], uint32(len(b)-12))
	binary.BigEndian.PutUint32(b[12:], crc32.ChecksumIEEE(b[head:]))
	return b
}

// messageSet is what newBatch is in an older format, with offsets from 0 on.
func messageSet(magic int8, at int64, values ...string) []byte {
	var set []byte
	for i, v := range values {
		m := message{magic: magic, offset: int64(i), at: at + int64(i), key: []byte("key of " + v), value: []byte(v)}
		set = append(set, m.bytes()...)
	}
	return set
}

// wrapped is a message set as the value of a compressed message, whose offset is that of its last.
func wrapped(magic, codec int8, at int64, count int, set []byte) []byte {
	offset := int64(count - 1)
	return message{magic: magic, attributes: codec, offset: offset, at: at + offset, value: compress(int16(codec), set)}.bytes()
}

// compress compresses plain. Codecs that do not exist leave it as it is.
func compress(codec int16, plain []byte) []byte {
	codecs := []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()}
	if codec == uncompressed || int(codec) >= len(codecs) {
		return plain
	}
	c, err := kgo.DefaultCompressor(codecs[codec])
	if err != nil {
		panic(fmt.Sprintf("BUG: compress by %s: %v", codecNames[codec], err))
	}
	b, _ := c.Compress(new(bytes.Buffer), plain)
	return bytes.Clone(b)
}

// xerial is snappy as Java's library frames it: a header, and blocks with their lengths.
func xerial(plain []byte) []byte {
	b := []byte{0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1}
	block := compress(snappy, plain)
	return append(binary.BigEndian.AppendUint32(b, uint32(len(block))), block...)
}

// records are records in the format that belongs to a version of Produce.
func (c *Conversation) records(values ...string) []byte {
	if magic := formatOf(c.Version); magic < 2 {
		return messageSet(magic, c.Base(), values...)
	}
	return newBatch(c.Base(), values...).bytes()
}

// formatOf is the format that clients of a version of Produce write.
func formatOf(produceVersion int16) int8 {
	switch {
	case produceVersion >= 3:
		return 2
	case produceVersion == 2:
		return 1
	}
	return 0
}

func headerOf(key, value string) kmsg.Header { return kmsg.Header{Key: key, Value: []byte(value)} }
