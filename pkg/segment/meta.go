package segment

import (
	"fmt"
	"math"
	"strconv"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/xitongsys/parquet-go/parquet"
)

// Meta is what a segment says of itself, in the key/value pairs of its footer.
type Meta struct {
	Topic     string
	TopicID   kbin.UUID
	Partition int32

	// First and Last are the offsets that the segment stands for: every record there is between them is in it. There
	// may be none at First, at Last, and anywhere between.
	First, Last int64

	Records      int64 // 1 and more
	MaxTimestamp int64 // the largest of the records', milliseconds; record.NoTimestamp when none has one
	PlainBytes   int64 // of keys, values and headers, and some for each record: what reading it all takes
	Bytes        int64 // of the whole object
}

const topicBytesMax = 1 << 10

// add counts a row of so many bytes.
func (m *Meta) add(r *Row, n int) {
	m.Last = r.Offset
	m.Records++
	m.MaxTimestamp = max(m.MaxTimestamp, r.Timestamp)
	m.PlainBytes += int64(n)
}

// Keys of the metadata.
const (
	keyPrefix       = "heraclitus."
	keyFormat       = keyPrefix + "format"
	keyTopic        = keyPrefix + "topic"
	keyTopicID      = keyPrefix + "topic_id"
	keyPartition    = keyPrefix + "partition"
	keyFirst        = keyPrefix + "first_offset"
	keyLast         = keyPrefix + "last_offset"
	keyRecords      = keyPrefix + "records"
	keyMaxTimestamp = keyPrefix + "max_timestamp"
	keyPlainBytes   = keyPrefix + "plain_bytes"
	keyChecksum     = keyPrefix + "checksum"
)

// noChecksum stands in the place of the checksum while it is computed.
const noChecksum = "00000000"

// pairs returns the metadata as it is written; the checksum, still to be filled in, is the last pair.
func (m *Meta) pairs() []*parquet.KeyValue {
	text := func(key, value string) *parquet.KeyValue { return &parquet.KeyValue{Key: key, Value: &value} }
	number := func(key string, v int64) *parquet.KeyValue { return text(key, strconv.FormatInt(v, 10)) }
	return []*parquet.KeyValue{
		number(keyFormat, FormatVersion),
		text(keyTopic, m.Topic),
		text(keyTopicID, m.TopicID.String()),
		number(keyPartition, int64(m.Partition)),
		number(keyFirst, m.First),
		number(keyLast, m.Last),
		number(keyRecords, m.Records),
		number(keyMaxTimestamp, m.MaxTimestamp),
		number(keyPlainBytes, m.PlainBytes),
		text(keyChecksum, noChecksum),
	}
}

// readMeta reads what pairs wrote. Pairs it does not know are left alone.
func readMeta(pairs []*parquet.KeyValue) (m Meta, err error) {
	values := make(map[string]string, len(pairs))
	for _, p := range pairs {
		values[p.Key] = p.GetValue()
	}
	if v := values[keyFormat]; v != strconv.Itoa(FormatVersion) {
		return m, fmt.Errorf("format %.20q: this release reads %d: %w", v, FormatVersion, ErrVersion)
	}
	number := func(key string, least int64, bits int) int64 {
		v, bad := strconv.ParseInt(values[key], 10, bits)
		if (bad != nil || v < least) && err == nil {
			err = damaged("metadata %s is %.30q", key, values[key])
		}
		return v
	}
	m.Topic = values[keyTopic]
	m.Partition = int32(number(keyPartition, 0, 32))
	m.First, m.Last = number(keyFirst, 0, 64), number(keyLast, 0, 64)
	m.Records = number(keyRecords, 1, 64)
	m.MaxTimestamp = number(keyMaxTimestamp, -1<<63, 64)
	m.PlainBytes = number(keyPlainBytes, 0, 64)
	id, bad := kbin.ParseUUID(values[keyTopicID])
	if m.TopicID = id; bad != nil && err == nil {
		err = damaged("metadata %s: %v", keyTopicID, bad)
	}
	if err == nil && (m.First > m.Last || m.Last == math.MaxInt64) {
		err = damaged("segment of offsets %d to %d", m.First, m.Last)
	}
	return m, err
}
