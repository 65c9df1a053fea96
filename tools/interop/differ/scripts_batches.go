package differ

import (
	"encoding/binary"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/heraclitus/heraclitus/pkg/wire"
)

// batchScripts send every kind of batch, good and bad, of magic 2.
var batchScripts = []Script{
	{Name: "what a record can hold", Key: wire.KeyProduce, From: 3, Hold: func(c *Conversation) {
		c.Create("t", 1)
		b := newBatch(c.Base(), "null key", "empty key", "null value", "empty value", "headers")
		b.recs[0].Key, b.recs[1].Key = nil, []byte{}
		b.recs[2].Value, b.recs[3].Value = nil, []byte{}
		b.recs[4].Headers = []kmsg.Header{{Key: "b", Value: []byte("1")}, {Key: "a", Value: nil}, {Key: "b", Value: []byte{}}, {Key: ""}}
		c.Ask("produce", c.produce(-1, "t", 0, b.bytes()))
		c.fetchAll("fetch", "t", 0)
	}},
	{Name: "codecs", Key: wire.KeyProduce, From: 3, Hold: func(c *Conversation) {
		c.Create("t", 1)
		for codec, name := range codecNames {
			b := newBatch(c.Base(), "a", strings.Repeat("b", 1000), "c").in(int16(codec))
			c.Ask(name, c.produce(-1, "t", 0, b.bytes()))
		}
		framed := newBatch(c.Base(), "a", "b").in(snappy)
		head := framed.bytes()[:batchHeadEnd]
		c.Ask("snappy in Java's frames", c.produce(-1, "t", 0, seal(append(head, xerial(framed.plain())...))))
		for _, codec := range []int16{5, 6, 7} {
			c.Ask(attributes(codec)+", which is none", c.produce(-1, "t", 0, newBatch(c.Base(), "a").in(codec).bytes()))
		}
	}},
	{Name: "compressed records that are damaged", Key: wire.KeyProduce, From: 7, Hold: func(c *Conversation) {
		c.Create("t", 1)
		for codec := int16(gzip); codec <= zstd; codec++ {
			name := codecNames[codec]
			garbage := append(newBatch(c.Base(), "a").in(codec).bytes()[:batchHeadEnd], "this is not compressed"...)
			c.Ask(name+" that is garbage", c.produce(-1, "t", 0, seal(garbage)))
			whole := newBatch(c.Base(), "a", "b", "c").in(codec).bytes()
			c.Ask(name+" that ends early", c.produce(-1, "t", 0, seal(whole[:len(whole)-5])))
			c.Ask(name+" of nothing", c.produce(-1, "t", 0, seal(whole[:batchHeadEnd])))
		}
	}},
	{Name: "headers that lie", Key: wire.KeyProduce, From: 3, Hold: func(c *Conversation) {
		c.Create("t", int32(len(headerLies)))
		for codec, how := range []string{uncompressed: "", gzip: ", compressed"} {
			for i, lie := range headerLies {
				b := newBatch(c.Base(), "a", "b", "c").in(int16(codec)).bytes()
				lie.tell(b)
				c.Ask(lie.what+how, c.produce(-1, "t", int32(i), seal(b)))
				c.fetchAll(lie.what+how+", read", "t", int32(i))
			}
		}
	}},
	{Name: "batches that are damaged", Key: wire.KeyProduce, From: 3, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.Create("u", int32(len(damages)))
		good := func() []byte { return newBatch(c.Base(), "a", "b", "c").bytes() }
		for i, d := range damages {
			c.Ask(d.what, c.produce(-1, "u", int32(i), d.done(good())))
		}
		c.Ask("two batches", c.produce(-1, "t", 0, append(good(), good()...)))
		c.Ask("a batch and a message", c.produce(-1, "t", 0, append(good(), messageSet(1, c.Base(), "x")...)))
		c.Ask("damaged beside a good one", produceTo(-1,
			produceTopic{Name: c.Topic("t"), PartitionData: []producePartition{partOf(0, good()), partOf(1, good())}},
			produceTopic{Name: c.Topic("u"), PartitionData: []producePartition{partOf(0, spoilt(good()))}}))
		c.Ask("a good one afterwards", c.produce(-1, "t", 0, good()))
	}},
	{Name: "records that are damaged", Key: wire.KeyProduce, From: 3, Hold: func(c *Conversation) {
		c.Create("t", int32(len(recordDamages)))
		for codec, how := range []string{uncompressed: "", gzip: ", compressed"} {
			for i, d := range recordDamages {
				b := newBatch(c.Base(), "a", "b", "c").in(int16(codec))
				d.done(b)
				c.Ask(d.what+how, c.produce(-1, "t", int32(i), b.bytes()))
			}
		}
		plain := newBatch(c.Base(), "a", "b", "c").bytes()
		long := append([]byte{}, plain...)
		long[batchHeadEnd] += 2
		c.Ask("a length that is one too many", c.produce(-1, "t", 0, seal(long)))
		long = append([]byte{}, plain...)
		long[batchHeadEnd] = 1
		c.Ask("a length below zero", c.produce(-1, "t", 0, seal(long)))
		c.Ask("bytes after the last", c.produce(-1, "t", 0, seal(append(append([]byte{}, plain...), 0, 0))))
	}},
	{Name: "old formats", Key: wire.KeyProduce, From: 3, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.Ask("magic 0", c.produce(-1, "t", 0, messageSet(0, c.Base(), "a")))
		c.Ask("magic 1", c.produce(-1, "t", 0, messageSet(1, c.Base(), "a", "b")))
		c.Ask("magic 1, compressed", c.produce(-1, "t", 0, wrapped(1, gzip, c.Base(), 2, messageSet(1, c.Base(), "a", "b"))))
	}},
	{Name: "a topic with a codec of its own", Key: wire.KeyProduce, From: 3, Hold: func(c *Conversation) {
		for codec, name := range codecNames {
			setting := name
			if codec == uncompressed {
				setting = "uncompressed"
			}
			c.Create(name, 1, "compression.type", setting)
			c.Ask("plain into "+name, c.produce(-1, name, 0, newBatch(c.Base(), "a", "b").bytes()))
			c.Ask("gzip into "+name, c.produce(-1, name, 0, newBatch(c.Base(), "c", "d").in(gzip).bytes()))
			c.fetchAll("what is in "+name, name, 0)
		}
	}},
}

// plain is a batch's records, not compressed.
func (b *batch) plain() (plain []byte) {
	for i := range b.recs {
		plain = appendRecord(plain, b.recs[i])
	}
	return plain
}

// put16, put32 and put64 write a number into a batch.
func put16(at int, v int16) func([]byte) {
	return func(b []byte) { binary.BigEndian.PutUint16(b[at:], uint16(v)) }
}
func put32(at int, v int32) func([]byte) {
	return func(b []byte) { binary.BigEndian.PutUint32(b[at:], uint32(v)) }
}
func put64(at int, v int64) func([]byte) {
	return func(b []byte) { binary.BigEndian.PutUint64(b[at:], uint64(v)) }
}

// headerLies are fields of a batch of three records that say what is not so, under a checksum that is right.
var headerLies = []struct {
	what string
	tell func([]byte)
}{
	{"a base offset of 5", put64(0, 5)},
	{"a base offset below zero", put64(0, -5)},
	{"a leader epoch of 3", put32(12, 3)},
	{"a count of 2", put32(57, 2)},
	{"a count of 4", put32(57, 4)},
	{"a count of 0", put32(57, 0)},
	{"a count below zero", put32(57, -1)},
	{"a count of two thousand million", put32(57, 2_000_000_000)},
	{"a last offset delta of 1", put32(23, 1)},
	{"a last offset delta of 3", put32(23, 3)},
	{"a last offset delta below zero", put32(23, -1)},
	{"a largest timestamp too small", put64(35, 1)},
	{"a largest timestamp of none", put64(35, -1)},
	{"control", put16(21, 32)},
	{"a delete horizon", put16(21, 64)},
	{"attributes that nobody knows", put16(21, 0x4000)},
	{"a sequence without a producer", put32(53, 5)},
	{"an epoch without a producer", put16(51, 5)},
	{"a producer without an epoch", put64(43, 99)},
}

// damages are things done to a good batch.
var damages = []struct {
	what string
	done func([]byte) []byte
}{
	{"a wrong checksum", spoilt},
	{"magic 3", func(b []byte) []byte { b[batchMagicAt] = 3; return b }},
	{"magic -1", func(b []byte) []byte { b[batchMagicAt] = 255; return b }},
	{"an end too early", func(b []byte) []byte { return b[:len(b)-1] }},
	{"an end within the header", func(b []byte) []byte { return b[:40] }},
	{"an end before the magic", func(b []byte) []byte { return b[:12] }},
	{"one byte", func(b []byte) []byte { return b[:1] }},
	{"a byte too many", func(b []byte) []byte { return append(b, 0) }},
	{"many bytes too many", func(b []byte) []byte { return append(b, make([]byte, 100)...) }},
	{"a length that is too short", func(b []byte) []byte { put32(8, 40)(b); return b }},
	{"a length of zero", func(b []byte) []byte { put32(8, 0)(b); return b }},
	{"a length below zero", func(b []byte) []byte { put32(8, -1)(b); return b }},
	{"a length beyond the end", func(b []byte) []byte { put32(8, 100_000)(b); return b }},
	{"nothing but zeros", func(b []byte) []byte { return make([]byte, 100) }},
	{"text", func(b []byte) []byte { return []byte(strings.Repeat("text ", 30)) }},
}

// recordDamages are things done to the records of a batch, under a checksum that is right.
var recordDamages = []struct {
	what string
	done func(*batch)
}{
	{"offset deltas that do not begin at 0", func(b *batch) { b.recs[0].OffsetDelta = 1 }},
	{"offset deltas with a gap", func(b *batch) { b.recs[2].OffsetDelta = 5 }},
	{"offset deltas out of order", func(b *batch) { b.recs[0].OffsetDelta, b.recs[1].OffsetDelta = 1, 0 }},
	{"timestamps out of order", func(b *batch) { b.recs[0].TimestampDelta64, b.recs[1].TimestampDelta64 = 2, -5 }},
	{"attributes that nobody knows", func(b *batch) { b.recs[1].Attributes = 7 }},
}
