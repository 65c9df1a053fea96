package record

import (
	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// Upgrade decides whether a record set of Produce 0 to 2 may be appended, and returns it as one batch of magic 2. A message
// set of magic 0 or 1 becomes a new batch, compressed by the codec of its first wrapper; several wrappers become one
// batch. A batch of magic 2, which Kafka takes at these versions too, is what [Check] makes of it.
//
// Codes beyond those of [Check]: a truncated message and a wrong CRC-32, also within a wrapper, are CorruptMessage;
// messages of different magic, a wrapper without messages, in a wrapper, or compressed by zstd are InvalidRecord.
// BatchBytesMax holds for each message as it was sent, and for the batch it becomes part of.
//
// Offsets are not looked at: appending numbers the records in their order, and some old clients give wrong ones.
//
// A broker of Kafka 3.9.2, given the same bytes, differs in this: it silently drops a truncated last message, takes no
// more than one wrapper and nothing beside it, and takes batches of zstd.
func Upgrade(set []byte, rules Rules) (Batch, error) {
	if len(set) > magicAt && int8(set[magicAt]) == Magic {
		return Check(set, rules)
	}
	w := checking.get()
	defer checking.put(w)
	u := upgrade{rules: &rules, in: rules.inspect(), w: w, plainLimit: rules.plainLimit(len(set))}
	b, err := u.convert(set)
	if err != nil {
		return nil, err
	}
	if len(b) > rules.BatchBytesMax {
		return nil, refuse(kerr.MessageTooLarge, "batch of %d bytes, made of %d, %d are allowed", len(b), len(set), rules.BatchBytesMax)
	}
	rules.stamp(b, u.in.maxMs)
	return b, nil
}

// upgrade is the conversion of one message set.
type upgrade struct {
	rules      *Rules
	in         inspection
	w          *workspace
	builder    Builder
	magic      int8 // of all messages
	plainLimit int  // what further wrappers may decompress to
}

func (u *upgrade) convert(set []byte) (Batch, error) {
	if len(set) == 0 {
		return nil, refuse(kerr.InvalidRecord, "message set holds no message")
	}
	u.builder.Reset(Options{LeaderEpoch: NoLeaderEpoch})
	first := true
	for m := (message{}); len(set) > 0; first = false {
		before := len(set)
		rest, err := m.parse(set)
		if err != nil {
			return nil, err
		}
		if first {
			u.magic = m.magic
		}
		if err := u.outer(&m, before-len(rest)); err != nil {
			return nil, err
		}
		set = rest
	}
	if err := u.in.verdict(); err != nil {
		return nil, err
	}
	return u.builder.build(u.w, nil)
}

// outer takes a message of size bytes, or those it wraps.
func (u *upgrade) outer(m *message, size int) error {
	if size > u.rules.BatchBytesMax {
		return refuse(kerr.MessageTooLarge, "message of %d bytes, %d are allowed", size, u.rules.BatchBytesMax)
	}
	if m.timestampType == LogAppendTime {
		return refuse(kerr.InvalidTimestamp, "append time set by a producer")
	}
	if m.codec == None {
		return u.take(m)
	}
	if o := &u.builder.options; o.Codec == None {
		o.Codec = m.codec
	}
	return u.unwrap(m)
}

// unwrap takes the messages of a wrapper.
func (u *upgrade) unwrap(wrapper *message) error {
	set, err := u.unpack(wrapper)
	if err != nil {
		return err
	}
	if u.plainLimit -= len(set); len(set) == 0 {
		return refuse(kerr.InvalidRecord, "wrapper holds no message")
	}
	for m := (message{}); len(set) > 0; {
		if set, err = m.parse(set); err != nil {
			return err
		}
		if m.codec != None {
			return refuse(kerr.InvalidRecord, "wrapper in a wrapper")
		}
		if err := u.take(&m); err != nil {
			return err
		}
	}
	return nil
}

// unpack decompresses the value of a wrapper.
func (u *upgrade) unpack(wrapper *message) ([]byte, error) {
	packed := wrapper.value
	switch {
	case packed == nil:
		return nil, refuse(kerr.InvalidRecord, "wrapper has no value")
	case wrapper.codec == Zstd:
		return nil, refuse(kerr.InvalidRecord, "zstd in a message of magic %d", wrapper.magic)
	case wrapper.codec == LZ4 && wrapper.magic == 0:
		u.w.messages = append(u.w.messages[:0], packed...)
		mendLZ4(u.w.messages)
		packed = u.w.messages
	}
	return u.w.decompress(wrapper.codec, packed, u.plainLimit)
}

// take inspects a message and appends it to the batch.
func (u *upgrade) take(m *message) error {
	if m.magic != u.magic {
		return refuse(kerr.InvalidRecord, "magic %d behind magic %d", m.magic, u.magic)
	}
	i := u.builder.count
	u.in.record(i, m.key != nil, m.timestamp)
	return u.builder.Append(Record{Offset: int64(i), Timestamp: m.timestamp, Key: m.key, Value: m.value})
}
