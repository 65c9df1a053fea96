package differ

import (
	"bytes"
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/wire"
)

// fetchVersions are versions of Fetch that give records in each format: magic 0, 1 and 2.
var fetchVersions = []struct {
	version int16
	name    string
}{{0, "magic 0"}, {2, "magic 1"}, {4, "magic 2"}}

// messageSetScripts produce in the formats before batches (KIP-31, KIP-32), which only old requests may carry.
var messageSetScripts = []Script{
	{Name: "message sets", Key: wire.KeyProduce, Until: 3, Hold: func(c *Conversation) {
		for magic := range int8(2) {
			name := []string{"magic-0", "magic-1"}[magic]
			c.Create(name, 1)
			c.Ask(name+", one", c.produce(-1, name, 0, messageSet(magic, c.Base(), "a")))
			c.Ask(name+", three", c.produce(-1, name, 0, messageSet(magic, c.Base(), "b", "c", "d")))
			for _, f := range fetchVersions {
				c.AskAt(name+" fetched as "+f.name, f.version, c.fetch(name, 0, 0))
			}
		}
		c.Create("both", 1)
		c.Ask("magic 0, then 1", c.produce(-1, "both", 0, append(messageSet(0, c.Base(), "a"), messageSet(1, c.Base(), "b")...)))
		c.Ask("magic 1, then 0", c.produce(-1, "both", 0, append(messageSet(1, c.Base(), "c"), messageSet(0, c.Base(), "d")...)))
	}},
	{Name: "message sets, compressed", Key: wire.KeyProduce, Until: 3, Hold: func(c *Conversation) {
		for codec := int8(gzip); codec <= lz4; codec++ {
			for magic := range int8(2) {
				name := codecNames[codec] + []string{"-0", "-1"}[magic]
				set := wrapped(magic, codec, c.Base(), 3, messageSet(magic, c.Base(), "a", "b", "c"))
				if codec == lz4 && magic == 0 {
					set = oldLZ4(set)
				}
				c.Create(name, 1)
				c.Ask(name, c.produce(-1, name, 0, set))
				c.Ask(name+", again", c.produce(-1, name, 0, set))
				for _, f := range fetchVersions {
					c.AskAt(name+" fetched as "+f.name, f.version, c.fetch(name, 0, 0))
				}
				c.AskAt(name+" fetched from the middle", 2, c.fetch(name, 0, 4))
			}
		}
	}},
	{Name: "message sets that are not usual", Key: wire.KeyProduce, Until: 3, Hold: func(c *Conversation) {
		sets := c.unusualSets()
		c.Create("t", int32(len(sets)))
		for i, set := range sets {
			c.Ask(set.what, c.produce(-1, "t", int32(i), set.bytes))
			for _, f := range fetchVersions {
				c.AskAt(set.what+", fetched as "+f.name, f.version, c.fetch("t", int32(i), 0))
			}
		}
	}},
	{Name: "message sets that are damaged", Key: wire.KeyProduce, Until: 3, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.Create("u", int32(len(messageDamages)))
		good := func() []byte { return messageSet(1, c.Base(), "a", "b") }
		for i, d := range messageDamages {
			c.Ask(d.what, c.produce(-1, "u", int32(i), d.done(good())))
			c.fetchAll(d.what+", read", "u", int32(i))
		}
		c.Ask("garbage as gzip", c.produce(-1, "t", 0, message{magic: 1, attributes: gzip, value: []byte("garbage")}.bytes()))
		c.Ask("damaged inside of gzip", c.produce(-1, "t", 0, wrapped(1, gzip, c.Base(), 2, spoilt(good()))))
		c.Ask("cut inside of gzip", c.produce(-1, "t", 0, wrapped(1, gzip, c.Base(), 2, good()[:50])))
		c.fetchAll("what is there", "t", 0)
	}},
	{Name: "batches before their time", Key: wire.KeyProduce, Until: 3, Hold: func(c *Conversation) {
		c.Create("t", 6)
		c.Ask("one", c.produce(-1, "t", 0, newBatch(c.Base(), "a", "b").bytes()))
		c.Ask("two", c.produce(-1, "t", 1, append(newBatch(c.Base(), "c").bytes(), newBatch(c.Base(), "d").bytes()...)))
		c.Ask("a message and a batch", c.produce(-1, "t", 2, append(messageSet(1, c.Base(), "e"), newBatch(c.Base(), "f").bytes()...)))
		c.Ask("a batch and a message", c.produce(-1, "t", 3, append(newBatch(c.Base(), "g").bytes(), messageSet(1, c.Base(), "h")...)))
		c.Ask("zstd", c.produce(-1, "t", 4, newBatch(c.Base(), "i").in(zstd).bytes()))
		id := c.NewProducer()
		c.Ask("idempotent", c.produce(-1, "t", 5, newBatch(c.Base(), "j").by(id, 0, 0).bytes()))
		c.Ask("idempotent, a gap", c.produce(-1, "t", 5, newBatch(c.Base(), "k").by(id, 0, 7).bytes()))
		for partition := range int32(6) {
			c.fetchAll(fmt.Sprintf("what is in partition %d", partition), "t", partition)
		}
	}},
	{Name: "zstd before its time", Key: wire.KeyProduce, From: 3, Until: 8, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.Ask("zstd", c.produce(-1, "t", 0, newBatch(c.Base(), "a").in(zstd).bytes()))
		c.Ask("gzip", c.produce(-1, "t", 0, newBatch(c.Base(), "a").in(gzip).bytes()))
	}},
}

// unusualSets are message sets of which one may doubt whether they are good.
func (c *Conversation) unusualSets() []struct {
	what  string
	bytes []byte
} {
	at := c.Base()
	zipped := func(magic int8, values ...string) []byte {
		return wrapped(magic, gzip, at, len(values), messageSet(magic, at, values...))
	}
	one := func(m message) []byte {
		m.magic, m.value = 1, []byte("x")
		return m.bytes()
	}
	return []struct {
		what  string
		bytes []byte
	}{
		{"compressed and plain", append(messageSet(1, at, "a"), zipped(1, "b", "c")...)},
		{"two compressed", append(zipped(1, "d", "e"), zipped(1, "f")...)},
		{"magic 0 in magic 1", wrapped(1, gzip, at, 1, messageSet(0, at, "g"))},
		{"magic 1 in magic 0", wrapped(0, gzip, at, 1, messageSet(1, at, "g"))},
		{"compressed in compressed", wrapped(1, gzip, at, 1, zipped(1, "g"))},
		{"compressed nothing", wrapped(1, gzip, at, 0, nil)},
		{"zstd", wrapped(1, zstd, at, 1, messageSet(1, at, "g"))},
		{"a codec that is none", one(message{attributes: 6, at: at})},
		{"absolute offsets", append(one(message{offset: 17, at: at}), one(message{offset: 99, at: at + 1})...)},
		{"null key and value", message{magic: 1, at: at}.bytes()},
		{"stamped by the producer", one(message{attributes: 8, at: at})},
		{"attributes that nobody knows", one(message{attributes: 0x50, at: at})},
		{"no timestamp", one(message{at: -1})},
		{"a timestamp below zero", one(message{at: -7})},
	}
}

// messageDamages are things done to a good set of two messages.
var messageDamages = []struct {
	what string
	done func([]byte) []byte
}{
	{"a wrong checksum", spoilt},
	{"a wrong checksum in the first", func(b []byte) []byte { b[30] ^= 1; return b }},
	{"magic -1", func(b []byte) []byte { b[batchMagicAt] = 255; return b }},
	{"magic 3", func(b []byte) []byte { b[batchMagicAt] = 3; return b }},
	{"an end too early", func(b []byte) []byte { return b[:len(b)-1] }},
	{"an end within the first", func(b []byte) []byte { return b[:20] }},
	{"a length of zero", func(b []byte) []byte { put32(8, 0)(b); return b }},
	{"a length below zero", func(b []byte) []byte { put32(8, -1)(b); return b }},
	{"a length beyond the end", func(b []byte) []byte { put32(8, 100_000)(b); return b }},
}

// oldLZ4 makes the lz4 frame of a message of magic 0 one as clients of that time wrote it: its header's checksum is
// taken over the magic number as well, which the format does not say (KAFKA-3160).
func oldLZ4(set []byte) []byte {
	frame := bytes.Index(set, []byte{0x04, 0x22, 0x4d, 0x18})
	end := frame + 6
	set[end] = byte(xxh32(set[frame:end]) >> 8)
	return message{magic: 0, attributes: lz4, offset: 2, value: set[frame:]}.bytes()
}

// xxh32 is the 32-bit xxHash, with seed 0, of less than 16 bytes.
func xxh32(b []byte) uint32 {
	const p1, p2, p3, p4, p5 = 2654435761, 2246822519, 3266489917, 668265263, 374761393
	h := uint32(p5) + uint32(len(b))
	for ; len(b) >= 4; b = b[4:] {
		h += (uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24) * p3
		h = (h<<17 | h>>15) * p4
	}
	for _, x := range b {
		h += uint32(x) * p5
		h = (h<<11 | h>>21) * p1
	}
	h = (h ^ h>>15) * p2
	h = (h ^ h>>13) * p3
	return h ^ h>>16
}
