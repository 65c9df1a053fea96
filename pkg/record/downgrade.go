package record

import (
	"encoding/binary"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// Downgrade appends to dst what clients of Fetch 0-1 (magic 0) or Fetch 2-3 (magic 1) can read of a batch: its records from
// offset from on, as messages or, if it is compressed, as one wrapper of the same codec. Headers and, in magic 0,
// timestamps are lost; control batches become nothing. It returns the offset to go on from.
//
// Once the messages take limit bytes, before compression, the rest is left out; but one message is always converted.
// Whoever converts a run of batches stops where next does not lie after the batch.
//
// Errors: UnsupportedCompressionType for zstd, which these formats do not know; CorruptMessage and InvalidRecord for what
// did not pass [Check]. dst is unchanged then.
//
// It is Kafka's RecordsUtil.downConvert, which keeps whole wrappers, while here they too begin at from.
func Downgrade(dst []byte, b Batch, magic int8, from int64, limit int) (converted []byte, next int64, err error) {
	if len(b) < HeaderBytes || b.Size() != len(b) || b.Magic() != Magic {
		return dst, from, refuse(kerr.CorruptMessage, "convert batch of %d bytes", len(b))
	}
	if b.IsControl() || b.LastOffset() < from {
		return dst, max(from, b.LastOffset()+1), nil
	}
	if b.Codec() == Zstd {
		return dst, from, refuse(kerr.UnsupportedCompressionType, "convert batch at offset %d: zstd in magic %d", b.BaseOffset(), magic)
	}
	var w *workspace
	if b.Codec() != None {
		w = checking.get()
		defer checking.put(w)
	}
	plain, err := b.plain(w, PlainBytesMax)
	if err != nil {
		return dst, from, err
	}
	d := downgrade{magic: magic, from: from, limit: limit, next: b.LastOffset() + 1}
	if b.Codec() == None {
		converted, err = d.messages(dst, b, plain, false)
	} else {
		converted, err = d.wrapped(dst, b, plain, w)
	}
	if err != nil {
		return dst, from, err
	}
	return converted, d.next, nil
}

// downgrade is the conversion of one batch.
type downgrade struct {
	magic int8
	from  int64
	limit int
	next  int64 // offset to go on from
	last  int64 // offset of the last message
	maxMs int64 // largest timestamp of the messages
}

// messages appends records as messages, at absolute offsets or at offsets relative to the first of them.
func (d *downgrade) messages(dst []byte, b Batch, plain []byte, relative bool) ([]byte, error) {
	start, base := len(dst), int64(0)
	m := message{magic: d.magic, timestampType: d.timestampType(b)}
	d.maxMs = NoTimestamp
	for r, err := range b.records(plain) {
		if err != nil {
			return dst, err
		}
		if r.Offset < d.from {
			continue
		}
		if used := len(dst) - start; used == 0 {
			if relative {
				base = r.Offset
			}
		} else if used+messageBytes(d.magic, r.Key, r.Value) > d.limit {
			d.next = r.Offset
			break
		}
		m.timestamp, m.key, m.value = r.Timestamp, r.Key, r.Value
		dst = appendMessage(dst, &m, r.Offset-base)
		d.last, d.maxMs = r.Offset, max(d.maxMs, r.Timestamp)
	}
	return dst, nil
}

// wrapped appends one wrapper.
func (d *downgrade) wrapped(dst []byte, b Batch, plain []byte, w *workspace) (_ []byte, err error) {
	if w.messages, err = d.messages(w.messages[:0], b, plain, d.magic > 0); err != nil || len(w.messages) == 0 {
		return dst, err
	}
	from := len(dst)
	m := message{magic: d.magic, codec: b.Codec(), timestampType: d.timestampType(b), timestamp: d.maxMs}
	dst = appendMessage(dst, &m, d.last)
	value := len(dst)
	if dst, err = w.compress(dst, b.Codec(), 0, w.messages); err != nil {
		return dst, err
	}
	if b.Codec() == LZ4 && d.magic == 0 {
		breakLZ4(dst[value:])
	}
	binary.BigEndian.PutUint32(dst[value-4:], uint32(len(dst)-value))
	sealMessage(dst[from:])
	return dst, nil
}

func (d *downgrade) timestampType(b Batch) TimestampType {
	if d.magic == 0 {
		return CreateTime
	}
	return b.TimestampType()
}
