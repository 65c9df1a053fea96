package record

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// HeaderBytes is what a batch holds before its records.
const HeaderBytes = 61

// Magic is the version of the batch format that is stored and served; 0 and 1 are only converted.
const Magic int8 = 2

// Where the fields of the header are: see the table above the package.
const (
	baseOffsetAt      = 0
	lengthAt          = 8
	leaderEpochAt     = 12
	magicAt           = 16
	crcAt             = 17
	attributesAt      = 21
	lastOffsetDeltaAt = 23
	baseTimestampAt   = 27
	maxTimestampAt    = 35
	producerIDAt      = 43
	producerEpochAt   = 51
	baseSequenceAt    = 53
	countAt           = 57

	prefixBytes = leaderEpochAt // what the length field does not count, in every magic
)

// Bits of the attributes.
const (
	codecMask        = 0x07
	timestampTypeBit = 0x08
	transactionalBit = 0x10
	controlBit       = 0x20
)

// TimestampType says who gave a record its timestamp; Kafka's message.timestamp.type (KIP-32).
type TimestampType int8

const (
	CreateTime    TimestampType = 0 // the producer
	LogAppendTime TimestampType = 1 // the server, when the batch was appended
)

// Batch is one record batch of magic 2, as it is on the wire. It is a view: reading a field reads the bytes.
//
// The methods that read and set fields of the header want at least HeaderBytes bytes and panic below that, as slices do;
// whoever holds bytes that nobody has checked asks [Batch.Intact] first.
type Batch []byte

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// BaseOffset is the offset of the first record.
func (b Batch) BaseOffset() int64 { return b.int64(baseOffsetAt) }

// Length is the header's length field: the bytes that follow it, 12 less than [Batch.Size].
func (b Batch) Length() int32 { return b.int32(lengthAt) }

// Size is how many bytes the batch has by its length field, int(Length()) + 12: a claim, which may be negative or beyond the
// bytes that are there.
func (b Batch) Size() int { return prefixBytes + int(b.Length()) }

// LeaderEpoch is the epoch of the leader that appended the batch.
func (b Batch) LeaderEpoch() int32 { return b.int32(leaderEpochAt) }

// Magic is the version of the format.
func (b Batch) Magic() int8 { return int8(b[magicAt]) }

// CRC is the checksum as the header has it.
func (b Batch) CRC() uint32 { return binary.BigEndian.Uint32(b[crcAt:]) }

// Attributes are the flags, of which the low seven bits are in use.
func (b Batch) Attributes() int16 { return int16(binary.BigEndian.Uint16(b[attributesAt:])) }

// Codec is what the records are compressed by.
func (b Batch) Codec() Codec { return Codec(b.Attributes() & codecMask) }

// TimestampType says whether the records have timestamps of their own or all the batch's MaxTimestamp.
func (b Batch) TimestampType() TimestampType {
	if b.Attributes()&timestampTypeBit != 0 {
		return LogAppendTime
	}
	return CreateTime
}

// IsTransactional says whether the batch belongs to a transaction (KIP-98).
func (b Batch) IsTransactional() bool { return b.Attributes()&transactionalBit != 0 }

// IsControl says whether the batch holds markers of the server in place of records (KIP-98).
func (b Batch) IsControl() bool { return b.Attributes()&controlBit != 0 }

// LastOffsetDelta is LastOffset less BaseOffset; in a compacted topic it may exceed what Count suggests.
func (b Batch) LastOffsetDelta() int32 { return b.int32(lastOffsetDeltaAt) }

// LastOffset is the offset of the last record.
func (b Batch) LastOffset() int64 { return b.BaseOffset() + int64(b.LastOffsetDelta()) }

// BaseTimestamp is what the records' timestamps are relative to, in milliseconds.
func (b Batch) BaseTimestamp() int64 { return b.int64(baseTimestampAt) }

// MaxTimestamp is the largest timestamp of the records, in milliseconds; -1 when they have none.
func (b Batch) MaxTimestamp() int64 { return b.int64(maxTimestampAt) }

// ProducerID is the id of the idempotent producer, else NoProducerID.
func (b Batch) ProducerID() int64 { return b.int64(producerIDAt) }

// ProducerEpoch is the epoch of the idempotent producer, else NoProducerEpoch.
func (b Batch) ProducerEpoch() int16 { return int16(binary.BigEndian.Uint16(b[producerEpochAt:])) }

// BaseSequence is the sequence number of the first record, else NoSequence.
func (b Batch) BaseSequence() int32 { return b.int32(baseSequenceAt) }

// Count is the number of records.
func (b Batch) Count() int32 { return b.int32(countAt) }

// SetBaseOffset renumbers the records. The checksum does not cover it.
func (b Batch) SetBaseOffset(offset int64) { b.putInt64(baseOffsetAt, offset) }

// SetLeaderEpoch sets the epoch of the leader. The checksum does not cover it.
func (b Batch) SetLeaderEpoch(epoch int32) { b.putInt32(leaderEpochAt, epoch) }

// StampAppendTime gives all records the time of the append, in milliseconds, and recomputes the checksum: what a topic
// with message.timestamp.type=LogAppendTime does.
func (b Batch) StampAppendTime(ms int64) {
	b[attributesAt+1] |= timestampTypeBit
	b.setMaxTimestamp(ms)
}

func (b Batch) setMaxTimestamp(ms int64) {
	b.putInt64(maxTimestampAt, ms)
	b.seal()
}

// Intact says whether b is exactly one whole batch of magic 2 whose checksum is right.
func (b Batch) Intact() bool {
	return len(b) >= HeaderBytes && b.Size() == len(b) && b.Magic() == Magic && b.CRC() == b.checksum()
}

func (b Batch) seal() { b.putInt32(crcAt, int32(b.checksum())) }

func (b Batch) checksum() uint32 { return crc32.Checksum(b[attributesAt:], castagnoli) }

// plain returns the encoded records, decompressed with w where need be; they are valid until w is used again.
func (b Batch) plain(w *workspace, limit int) ([]byte, error) {
	if b.Codec() == None {
		return b[HeaderBytes:], nil
	}
	plain, err := w.decompress(b.Codec(), b[HeaderBytes:], limit)
	if err != nil {
		return nil, fmt.Errorf("decompress batch of %d bytes: %w", len(b), err)
	}
	return plain, nil
}

func (b Batch) int32(at int) int32 { return int32(binary.BigEndian.Uint32(b[at:])) }
func (b Batch) int64(at int) int64 { return int64(binary.BigEndian.Uint64(b[at:])) }

func (b Batch) putInt32(at int, v int32) { binary.BigEndian.PutUint32(b[at:], uint32(v)) }
func (b Batch) putInt64(at int, v int64) { binary.BigEndian.PutUint64(b[at:], uint64(v)) }

// refuse is an error with a code for the client.
func refuse(code kerr.Code, format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, code)...)
}
