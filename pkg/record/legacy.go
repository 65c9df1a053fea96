package record

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// The formats before batches, which Produce 0-2 and Fetch 0-3 speak: message sets of magic 0 (Kafka 0.8) and magic 1
// (Kafka 0.10, KIP-31 and KIP-32). Messages follow each other without a header around them:
//
//	at  bytes  field
//	 0      8  offset
//	 8      4  size       bytes that follow this field
//	12      4  crc        CRC-32 (IEEE) of the bytes from 16 on
//	16      1  magic      0 or 1
//	17      1  attributes bits 0-2 codec, 3 timestamp type (magic 1)
//	18      8  timestamp  magic 1 only
//	 .      4  key size   -1 is null
//	 .         key
//	 .      4  value size -1 is null
//	 .         value
//
// A compressed message, a wrapper, has no key, and its value is a message set, compressed; one level of that, not
// more. The wrapper's offset is that of the last message within. The offsets within are absolute in magic 0, and in
// magic 1 relative to the first message within. The wrapper's timestamp is the largest within or, with LogAppendTime,
// that of all.
const (
	messageCRCAt        = 12
	messageAttributesAt = 17
	messageTimestampAt  = 18
)

// messageBytesMin is the least a message holds after its size.
func messageBytesMin(magic int8) int {
	if magic == 0 {
		return 14
	}
	return 22
}

// message is one message of magic 0 or 1. Its bytes are borrowed.
type message struct {
	magic         int8
	codec         Codec
	timestampType TimestampType
	timestamp     int64 // milliseconds; NoTimestamp in magic 0
	key, value    []byte
}

// parse reads the message at the start of set, checks all of it, and returns what follows it.
func (m *message) parse(set []byte) (rest []byte, err error) {
	size, err := messageSize(set)
	if err != nil {
		return nil, err
	}
	set, rest = set[:size:size], set[size:]
	if crc, sum := binary.BigEndian.Uint32(set[messageCRCAt:]), crc32.ChecksumIEEE(set[magicAt:]); crc != sum {
		return nil, refuse(kerr.CorruptMessage, "crc %08x, the bytes have %08x", crc, sum)
	}
	attributes := set[messageAttributesAt]
	*m = message{magic: int8(set[magicAt]), codec: Codec(attributes & codecMask), timestamp: NoTimestamp}
	at := messageTimestampAt
	if m.magic > 0 {
		m.timestampType = TimestampType(attributes & timestampTypeBit / timestampTypeBit)
		m.timestamp = int64(binary.BigEndian.Uint64(set[at:]))
		at += 8
	}
	m.key, at = sized(set, at)
	m.value, at = sized(set, at)
	if at != size {
		return nil, refuse(kerr.InvalidRecord, "key and value do not fill their message of %d bytes", size)
	}
	return rest, nil
}

// messageSize returns the size of the message at the start of set, all of which is there.
func messageSize(set []byte) (int, error) {
	if len(set) <= magicAt {
		return 0, refuse(kerr.CorruptMessage, "message truncated to %d bytes", len(set))
	}
	n, magic := int(int32(binary.BigEndian.Uint32(set[lengthAt:]))), int8(set[magicAt])
	switch {
	case magic == Magic:
		return 0, refuse(kerr.InvalidRecord, "batch of magic %d behind older messages", magic)
	case magic != 0 && magic != 1:
		return 0, refuse(kerr.CorruptMessage, "magic %d in a message set", magic)
	case n < messageBytesMin(magic):
		return 0, refuse(kerr.CorruptMessage, "message size %d", n)
	case n > len(set)-prefixBytes:
		return 0, refuse(kerr.CorruptMessage, "message of %d bytes is truncated to %d", n, len(set)-prefixBytes)
	}
	return prefixBytes + n, nil
}

// sized reads bytes after their size in four bytes, and returns the position after them, or -1.
func sized(b []byte, at int) ([]byte, int) {
	if at < 0 || len(b)-at < 4 {
		return nil, -1
	}
	n := int(int32(binary.BigEndian.Uint32(b[at:])))
	at += 4
	if n < 0 {
		return nil, at
	}
	if n > len(b)-at {
		return nil, -1
	}
	return b[at : at+n : at+n], at + n
}

// messageBytes is the size of a message, all included.
func messageBytes(magic int8, key, value []byte) int {
	return prefixBytes + messageBytesMin(magic) + len(key) + len(value)
}

// appendMessage appends m to dst, at an offset.
func appendMessage(dst []byte, m *message, offset int64) []byte {
	from := len(dst)
	dst = binary.BigEndian.AppendUint64(dst, uint64(offset))
	dst = append(dst, 0, 0, 0, 0) // the size, see below
	dst = append(dst, 0, 0, 0, 0, byte(m.magic), byte(m.codec)|byte(m.timestampType)*timestampTypeBit)
	if m.magic > 0 {
		dst = binary.BigEndian.AppendUint64(dst, uint64(m.timestamp))
	}
	dst = appendSized(dst, m.key)
	dst = appendSized(dst, m.value)
	sealMessage(dst[from:])
	return dst
}

// sealMessage sets the size and the checksum of a message that is otherwise complete.
func sealMessage(b []byte) {
	binary.BigEndian.PutUint32(b[lengthAt:], uint32(len(b)-prefixBytes))
	binary.BigEndian.PutUint32(b[messageCRCAt:], crc32.ChecksumIEEE(b[magicAt:]))
}

func appendSized(dst, v []byte) []byte {
	if v == nil {
		return binary.BigEndian.AppendUint32(dst, ^uint32(0)) // -1
	}
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(v))), v...)
}
