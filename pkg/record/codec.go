package record

import (
	"fmt"
	"io"
	"slices"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// Codec is what the records of a batch are compressed by, as the attributes say it.
type Codec int8

// The codecs of Kafka.
const (
	None   Codec = 0
	Gzip   Codec = 1
	Snappy Codec = 2
	LZ4    Codec = 3 // frames
	Zstd   Codec = 4 // KIP-110
)

// String is the codec's name in Kafka's configuration, "gzip", or "codec 6" for one that does not exist.
func (c Codec) String() string {
	if c < None || c > Zstd {
		return fmt.Sprintf("codec %d", int8(c))
	}
	return [...]string{"none", "gzip", "snappy", "lz4", "zstd"}[c]
}

// Level is how hard to compress, in the codec's own counting as in KIP-390: gzip 1 to 9, lz4 1 to 17, zstd up to 22. 0 is
// the codec's default; what is out of range means its nearest bound, and snappy has no levels.
type Level int

// PlainBytesMax is the most that the records of a batch may decompress to. A zstd frame may ask for a window of that size,
// which is what Java's highest level does.
const PlainBytesMax = 128 << 20

// decompress returns what src decompresses to; it is valid until w is used again. More than limit is MessageTooLarge: a
// Java producer splits the batch then, and sends it again. What cannot be decompressed is InvalidRecord, since its
// checksum was right and sending it again would not help.
func (w *workspace) decompress(c Codec, src []byte, limit int) ([]byte, error) {
	var err error
	switch c {
	case Gzip:
		err = w.gunzip(src, limit)
	case Snappy:
		err = w.unsnappy(src, limit)
	case LZ4:
		err = w.unlz4(src, limit)
	case Zstd:
		err = w.unzstd(src, limit)
	default:
		return nil, refuse(kerr.UnsupportedCompressionType, "%v", c)
	}
	if err == errTooLarge {
		return nil, refuse(kerr.MessageTooLarge, "%v: %d bytes hold more than %d", c, len(src), limit)
	}
	if err != nil {
		return nil, refuse(kerr.InvalidRecord, "%v: %w", c, err)
	}
	return w.plain, nil
}

// compress appends src, compressed, to dst, as a Java producer would.
func (w *workspace) compress(dst []byte, c Codec, l Level, src []byte) ([]byte, error) {
	switch c {
	case Gzip:
		return w.gzip(dst, src, l)
	case Snappy:
		return snappyFrames(dst, src), nil
	case LZ4:
		return w.lz4(dst, src, l)
	case Zstd:
		return w.zstd(dst, src, l)
	}
	return nil, refuse(kerr.UnsupportedCompressionType, "compress by %v", c)
}

// drain reads r to its end into w.plain, of which there may be limit bytes.
func (w *workspace) drain(r io.Reader, limit int) error {
	for {
		if len(w.plain) > limit {
			return errTooLarge
		}
		w.growPlain(1, limit)
		n, err := r.Read(w.plain[len(w.plain):cap(w.plain)])
		w.plain = w.plain[:len(w.plain)+n]
		if err == io.EOF && len(w.plain) <= limit {
			return nil
		}
		if err != nil && err != io.EOF {
			return err
		}
	}
}

// growPlain makes room for n bytes behind w.plain, and for the bytes to come, but hardly more than limit.
func (w *workspace) growPlain(n, limit int) {
	if cap(w.plain)-len(w.plain) < n {
		room := min(max(n, len(w.plain), plainBytesFirst), limit+1-len(w.plain))
		w.plain = slices.Grow(w.plain, max(n, room))
	}
}

// appender is an io.Writer that appends.
type appender struct{ b []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}

// take returns what was written.
func (a *appender) take() []byte {
	b := a.b
	a.b = nil
	return b
}
