package raw

import (
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
)

const (
	keyProduce, produceVersion = 0, 8  // the last with plain lengths; every server here has it
	keyFetch, fetchVersion     = 1, 11 // likewise
	correlationAt              = 8     // in a request, after length, key and version
)

var (
	be         = binary.BigEndian
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// Batch returns a record batch, version 2 and uncompressed, of count records without keys, each with valueBytes bytes
// that do not compress.
func Batch(count, valueBytes int) []byte {
	b := make([]byte, 61, 61+count*(valueBytes+16))
	be.PutUint32(b[12:], ^uint32(0)) // leader epoch
	b[16] = 2                        // magic
	be.PutUint32(b[23:], uint32(count-1))
	be.PutUint64(b[43:], ^uint64(0)) // producer id
	be.PutUint16(b[51:], ^uint16(0)) // producer epoch
	be.PutUint32(b[53:], ^uint32(0)) // base sequence
	be.PutUint32(b[57:], uint32(count))
	random := rand.NewChaCha8([32]byte{'b', 'e', 'n', 'c', 'h'})
	value := make([]byte, valueBytes)
	for i := range count {
		random.Read(value)
		b = appendRecord(b, i, value)
	}
	be.PutUint32(b[8:], uint32(len(b)-12))
	be.PutUint32(b[17:], crc32.Checksum(b[21:], castagnoli))
	return b
}

// appendRecord appends a record without key and headers, at the batch's first timestamp.
func appendRecord(b []byte, offsetDelta int, value []byte) []byte {
	body := []byte{0, 0} // attributes, timestamp delta
	body = binary.AppendVarint(body, int64(offsetDelta))
	body = binary.AppendVarint(body, -1) // null key
	body = binary.AppendVarint(body, int64(len(value)))
	b = binary.AppendVarint(b, int64(len(body)+len(value)+1))
	b = append(append(b, body...), value...)
	return append(b, 0) // no headers
}

// header starts a request; its length is set by finish, its correlation id when it is sent.
func header(key, version int16) []byte {
	b := make([]byte, correlationAt+4)
	be.PutUint16(b[4:], uint16(key))
	be.PutUint16(b[6:], uint16(version))
	return appendString(b, "bench")
}

func finish(b []byte) []byte {
	be.PutUint32(b, uint32(len(b)-4))
	return b
}

// produceFrame is a request that adds batch to a partition, acknowledged by all.
func produceFrame(topic string, partition int32, batch []byte) []byte {
	b := be.AppendUint16(header(keyProduce, produceVersion), ^uint16(0)) // no transaction
	b = be.AppendUint16(b, ^uint16(0))                                   // acks: all
	b = be.AppendUint32(b, 30_000)                                       // timeout in ms
	b = appendPartition(b, topic, partition)
	b = be.AppendUint32(b, uint32(len(batch)))
	return finish(append(b, batch...))
}

// produced is what the answer to a produceFrame holds after the correlation id if nothing is wrong, up to the offset.
func produced(topic string, partition int32) []byte {
	return be.AppendUint16(appendPartition(nil, topic, partition), 0)
}

// fetchFrame is a request for up to bytesMax bytes of a partition. Its offset is set at offsetAt when it is sent.
func fetchFrame(topic string, partition int32, bytesMax int) (b []byte, offsetAt int) {
	b = be.AppendUint32(header(keyFetch, fetchVersion), ^uint32(0)) // not a replica
	b = be.AppendUint32(b, 500)                                     // longest wait in ms
	b = be.AppendUint32(b, 1)                                       // fewest bytes
	b = be.AppendUint32(b, uint32(bytesMax))
	b = append(b, 0)                   // read uncommitted
	b = be.AppendUint32(b, 0)          // no session
	b = be.AppendUint32(b, ^uint32(0)) // nor a new one
	b = appendPartition(b, topic, partition)
	b = be.AppendUint32(b, ^uint32(0)) // leader epoch unknown
	offsetAt = len(b)
	b = be.AppendUint64(b, 0)
	b = be.AppendUint64(b, ^uint64(0)) // log start, of followers
	b = be.AppendUint32(b, uint32(bytesMax))
	b = be.AppendUint32(b, 0)                    // nothing forgotten
	return finish(appendString(b, "")), offsetAt // no rack
}

// fetched is what the answer to a fetchFrame holds after the correlation id if nothing is wrong, up to the high
// watermark.
func fetched(topic string, partition int32) []byte {
	b := make([]byte, 4+2+4) // throttle time, error, session
	return be.AppendUint16(appendPartition(b, topic, partition), 0)
}

// appendPartition appends an array of one topic with an array of one partition, as far as the partition's index.
func appendPartition(b []byte, topic string, partition int32) []byte {
	b = appendString(be.AppendUint32(b, 1), topic)
	return be.AppendUint32(be.AppendUint32(b, 1), uint32(partition))
}

func appendString(b []byte, s string) []byte {
	return append(be.AppendUint16(b, uint16(len(s))), s...)
}
