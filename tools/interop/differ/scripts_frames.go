package differ

import (
	"encoding/binary"

	"github.com/heraclitus/heraclitus/pkg/wire"
)

// Where fields of a request's header lie.
const (
	headerKeyAt     = 0
	headerVersionAt = 2
	headerClientAt  = 8
	headerEnd       = headerClientAt + 2 + len(clientID) // in flexible versions one tag count follows
)

func asIs(b []byte) []byte { return b }

// frameScripts send what is no request, or only just one. They have one version: that of ApiVersions they use.
var frameScripts = []Script{
	{Name: "sent together", Key: wire.KeyApiVersions, From: 3, Until: 4, Hold: func(c *Conversation) {
		versions := c.StartAt("versions", 0, &wire.ApiVersionsRequest{})
		brokers := c.StartAt("brokers", 1, metadataOf())
		again := c.StartAt("versions again", 3, &wire.ApiVersionsRequest{ClientSoftwareName: "differ", ClientSoftwareVersion: "1.0"})
		versions()
		brokers()
		again()
	}},
	{Name: "lengths", Key: wire.KeyApiVersions, From: 3, Until: 4, Hold: func(c *Conversation) {
		c.Bytes("zero", []byte{0, 0, 0, 0})
		c.Bytes("below zero", []byte{0xff, 0xff, 0xff, 0xff})
		c.Bytes("two thousand million", []byte{0x7f, 0xff, 0xff, 0xff, 1, 2, 3})
		c.Bytes("another protocol", []byte("GET / HTTP/1.1\r\n\r\n"))
	}},
	{Name: "requests from the future", Key: wire.KeyApiVersions, From: 3, Until: 4, Hold: func(c *Conversation) {
		q := &wire.ApiVersionsRequest{ClientSoftwareName: "differ", ClientSoftwareVersion: "1.0"}
		future := func(version int16) func([]byte) []byte {
			return func(b []byte) []byte { binary.BigEndian.PutUint16(b[headerVersionAt:], uint16(version)); return b }
		}
		c.Raw("version 99, as version 3", 3, q, 0, future(99))
		c.Raw("version 99, a body nobody knows", 3, q, 0, func(b []byte) []byte { return append(future(99)(b[:headerEnd+1]), "whatever this is"...) })
		c.Raw("version 99, no body", 3, q, 0, func(b []byte) []byte { return future(99)(b[:headerEnd+1]) })
		c.Raw("version 32767", 3, q, 0, future(32767))
		c.Raw("version -1", 3, q, 0, future(-1))
		c.Raw("version 3 afterwards", 3, q, 3, asIs)
		m := metadataOf()
		c.Raw("Metadata 99", 9, m, 9, future(99))
		c.Raw("Metadata -1", 9, m, 9, future(-1))
	}},
	{Name: "keys nobody knows", Key: wire.KeyApiVersions, From: 3, Until: 4, Hold: func(c *Conversation) {
		for _, key := range []struct {
			what string
			key  int16
		}{{"999", 999}, {"-1", -1}, {"-32768", -32768}} {
			c.Raw(key.what, 3, &wire.ApiVersionsRequest{ClientSoftwareName: "differ", ClientSoftwareVersion: "1.0"}, 3, func(b []byte) []byte {
				binary.BigEndian.PutUint16(b[headerKeyAt:], uint16(key.key))
				return b
			})
		}
	}},
	{Name: "headers", Key: wire.KeyApiVersions, From: 3, Until: 4, Hold: func(c *Conversation) {
		q := &wire.ApiVersionsRequest{ClientSoftwareName: "differ", ClientSoftwareVersion: "1.0"}
		for _, f := range headerForms {
			c.Raw(f.what, 3, q, 3, f.form)
		}
	}},
	{Name: "bodies", Key: wire.KeyMetadata, From: 9, Until: 10, Hold: func(c *Conversation) {
		c.Create("t", 1)
		q := metadataOf(c.Topic("t"))
		c.Raw("a byte too few", 9, q, 9, func(b []byte) []byte { return b[:len(b)-1] })
		c.Raw("no body", 9, q, 9, func(b []byte) []byte { return b[:headerEnd+1] })
		c.Raw("a byte too many", 9, q, 9, func(b []byte) []byte { return append(b, 0) })
		c.Raw("many bytes too many", 9, q, 9, func(b []byte) []byte { return append(b, make([]byte, 100)...) })
		c.Raw("a tag nobody knows", 9, q, 9, func(b []byte) []byte { return append(b[:len(b)-1], 1, 77, 2, 'x', 'y') })
		c.Raw("tags out of order", 9, q, 9, func(b []byte) []byte { return append(b[:len(b)-1], 2, 78, 1, 'x', 77, 1, 'y') })
		c.Raw("a tag twice", 9, q, 9, func(b []byte) []byte { return append(b[:len(b)-1], 2, 77, 1, 'x', 77, 1, 'y') })
		c.Raw("a tag longer than the frame", 9, q, 9, func(b []byte) []byte { return append(b[:len(b)-1], 1, 77, 100, 'x') })
		c.Raw("an array longer than the frame", 9, q, 9, func(b []byte) []byte { b[headerEnd+1] = 100; return b })
		c.Raw("an array longer than memory", 9, q, 9, func(b []byte) []byte { return append(b[:headerEnd+1], 0xff, 0xff, 0xff, 0xff, 0x0f) })
		c.Raw("a bool of 2", 9, q, 9, func(b []byte) []byte { b[len(b)-4] = 2; return b })
	}},
	{Name: "bodies of old versions", Key: wire.KeyMetadata, From: 1, Until: 2, Hold: func(c *Conversation) {
		c.Create("t", 1)
		q := metadataOf(c.Topic("t"))
		c.Raw("a byte too few", 1, q, 1, func(b []byte) []byte { return b[:len(b)-1] })
		c.Raw("a byte too many", 1, q, 1, func(b []byte) []byte { return append(b, 0) })
		c.Raw("an array of minus two", 1, q, 1, func(b []byte) []byte { put32(headerEnd, -2)(b); return b })
		c.Raw("an array longer than the frame", 1, q, 1, func(b []byte) []byte { put32(headerEnd, 1_000_000)(b); return b })
		c.Raw("a string that is null", 1, q, 1, func(b []byte) []byte { put16(headerEnd+4, -1)(b); return b[:headerEnd+6] })
		c.Raw("a string longer than the frame", 1, q, 1, func(b []byte) []byte { put16(headerEnd+4, 30_000)(b); return b })
	}},
}

// headerForms are headers that are not usual.
var headerForms = []struct {
	what string
	form func([]byte) []byte
}{
	{"a client id that is null", func(b []byte) []byte {
		put16(headerClientAt, -1)(b)
		return append(b[:headerClientAt+2], b[headerEnd:]...)
	}},
	{"an empty client id", func(b []byte) []byte {
		put16(headerClientAt, 0)(b)
		return append(b[:headerClientAt+2], b[headerEnd:]...)
	}},
	{"a client id longer than the frame", func(b []byte) []byte { put16(headerClientAt, 30_000)(b); return b }},
	{"a client id of minus two", func(b []byte) []byte { put16(headerClientAt, -2)(b); return b }},
	{"a client id that is not UTF-8", func(b []byte) []byte { b[headerClientAt+2] = 0xff; return b }},
	{"a tag nobody knows", func(b []byte) []byte {
		return append(append(append([]byte{}, b[:headerEnd]...), 1, 9, 3, 'a', 'b', 'c'), b[headerEnd+1:]...)
	}},
	{"nothing", func(b []byte) []byte { return nil }},
	{"a key and nothing more", func(b []byte) []byte { return b[:2] }},
	{"no client id", func(b []byte) []byte { return b[:headerClientAt] }},
}
