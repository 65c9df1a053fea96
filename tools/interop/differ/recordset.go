package differ

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// records writes what a fetch gave: the batches or messages, and the records in them. How they are compressed to the byte
// is their maker's business; what they hold and in which order is not.
func (r *renderer) records(at string, b []byte) {
	for i := 0; len(b) > 0; i++ {
		size := entryBytes(b)
		if size < 0 || size > len(b) {
			return
		}
		r.entry(fmt.Sprintf("%s[%d]", at, i), b[:size])
		b = b[size:]
	}
}

// countOf says how many batches or messages there are, and whether part of another one follows.
func countOf(b []byte) string {
	if b == nil {
		return "null"
	}
	for n := 0; ; n++ {
		size := entryBytes(b)
		switch {
		case len(b) == 0:
			return fmt.Sprint(n)
		case size < 0 || size > len(b):
			return fmt.Sprintf("%d+part", n)
		}
		b = b[size:]
	}
}

// entryBytes is the size of the batch or message that b begins with, -1 if that much is not there.
func entryBytes(b []byte) int {
	if len(b) < batchMagicAt+1 {
		return -1
	}
	return batchLengthAt + 4 + int(int32(binary.BigEndian.Uint32(b[batchLengthAt:])))
}

func (r *renderer) entry(at string, b []byte) {
	if len(b) <= batchMagicAt {
		r.put(at, there, "damaged")
		return
	}
	var err error
	switch b[batchMagicAt] {
	case 2:
		err = r.batch(at, b)
	case 1:
		err = r.message1(at, b)
	default:
		err = r.message0(at, b)
	}
	if err != nil {
		r.put(at, "damage", quote(err.Error()))
	}
}

func (r *renderer) batch(at string, b []byte) error {
	var h kmsg.RecordBatch
	if err := h.ReadFrom(b); err != nil {
		return err
	}
	sum := crc32.Checksum(b[batchCRCAt+4:], castagnoli)
	r.put(at, "Magic", "2")
	r.put(at, "CRC", goodBad(uint32(h.CRC) == sum))
	r.put(at, "Attributes", attributes(h.Attributes))
	for _, f := range []struct {
		name  string
		value int64
	}{
		{"BaseOffset", h.FirstOffset}, {"LeaderEpoch", int64(h.PartitionLeaderEpoch)}, {"LastOffsetDelta", int64(h.LastOffsetDelta)},
		{"ProducerID", h.ProducerID}, {"ProducerEpoch", int64(h.ProducerEpoch)}, {"BaseSequence", int64(h.FirstSequence)}, {"Count", int64(h.NumRecords)},
	} {
		r.put(at, f.name, r.number(f.name, f.value))
	}
	r.put(at, "BaseTimestamp", r.time(h.FirstTimestamp))
	r.put(at, "MaxTimestamp", r.time(h.MaxTimestamp))
	plain, err := decompress(h.Attributes&7, h.Records)
	if err != nil {
		return err
	}
	return r.recordsIn(at, h, plain)
}

// recordsIn writes the records of a batch, decompressed.
func (r *renderer) recordsIn(at string, h kmsg.RecordBatch, plain []byte) error {
	for range h.NumRecords {
		length, n := binary.Varint(plain)
		if n <= 0 || length < 0 || length > int64(len(plain)-n) {
			return fmt.Errorf("a record of %d bytes in %d", length, len(plain)-n)
		}
		var rec kmsg.Record
		if err := rec.ReadFrom(plain[:n+int(length)]); err != nil {
			return err
		}
		plain = plain[n+int(length):]
		in := fmt.Sprintf("%s.Record[%d]", at, h.FirstOffset+int64(rec.OffsetDelta))
		r.put(in, "Timestamp", r.time(h.FirstTimestamp+rec.TimestampDelta64))
		r.keyValue(in, rec.Key, rec.Value)
		if len(rec.Headers) > 0 {
			r.put(in, "Headers", headers(rec.Headers))
		}
	}
	if len(plain) > 0 {
		return fmt.Errorf("%d bytes after the last record", len(plain))
	}
	return nil
}

func (r *renderer) keyValue(at string, key, value []byte) {
	r.put(at, "Key", bytesText(key))
	r.put(at, "Value", bytesText(value))
}

func (r *renderer) message0(at string, b []byte) error {
	var m kmsg.MessageV0
	if err := m.ReadFrom(b); err != nil {
		return err
	}
	r.messageHead(at, b, m.Magic, m.Offset, m.Attributes, uint32(m.CRC))
	return r.messageBody(at, m.Attributes, m.Key, m.Value)
}

func (r *renderer) message1(at string, b []byte) error {
	var m kmsg.MessageV1
	if err := m.ReadFrom(b); err != nil {
		return err
	}
	r.messageHead(at, b, m.Magic, m.Offset, m.Attributes, uint32(m.CRC))
	r.put(at, "Timestamp", r.time(m.Timestamp))
	return r.messageBody(at, m.Attributes, m.Key, m.Value)
}

func (r *renderer) messageHead(at string, b []byte, magic int8, offset int64, attrs int8, crc uint32) {
	r.put(at, "Magic", fmt.Sprint(magic))
	r.put(at, "CRC", goodBad(crc == crc32.ChecksumIEEE(b[16:])))
	r.put(at, "Attributes", attributes(int16(attrs)))
	r.put(at, "Offset", fmt.Sprint(offset))
}

// messageBody writes key and value, or the messages that the value is the compressed form of.
func (r *renderer) messageBody(at string, attrs int8, key, value []byte) error {
	if attrs&7 == uncompressed {
		r.keyValue(at, key, value)
		return nil
	}
	inner, err := decompress(int16(attrs&7), value)
	if err != nil {
		return err
	}
	r.put(at, "Key", bytesText(key))
	r.put(at, "Inner", countOf(inner))
	r.records(at+".Inner", inner)
	return nil
}

// decompress undoes what kgo's decompressor knows.
func decompress(codec int16, b []byte) ([]byte, error) {
	if codec == uncompressed {
		return b, nil
	}
	return kgo.DefaultDecompressor().Decompress(b, kgo.CompressionCodecType(codec))
}

// attributes names the flags of a batch or message.
func attributes(a int16) string {
	names := []string{fmt.Sprint(a & 7)}
	if int(a&7) < len(codecNames) {
		names[0] = codecNames[a&7]
	}
	for _, f := range []struct {
		bit  int16
		name string
	}{{8, "append-time"}, {16, "transactional"}, {32, "control"}, {64, "delete-horizon"}} {
		if a&f.bit != 0 {
			names = append(names, f.name)
		}
	}
	if rest := a &^ 127; rest != 0 {
		names = append(names, fmt.Sprint(rest))
	}
	return strings.Join(names, "+")
}

func headers(all []kmsg.Header) string {
	var texts []string
	for _, h := range all {
		texts = append(texts, fmt.Sprintf("%s:%s", quote(h.Key), bytesText(h.Value)))
	}
	return "[" + strings.Join(texts, ",") + "]"
}

func bytesText(b []byte) string {
	if b == nil {
		return "null"
	}
	return quote(string(b))
}

func goodBad(good bool) string {
	if good {
		return "good"
	}
	return "bad"
}
