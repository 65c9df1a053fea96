package segment

import (
	"fmt"
	"slices"
	"sync"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/xitongsys/parquet-go/parquet"
)

// Codec is what the pages of a segment are compressed by; all readers of Parquet know these.
type Codec int8

// The numbers are Parquet's.
const (
	Uncompressed Codec = Codec(parquet.CompressionCodec_UNCOMPRESSED)
	Snappy       Codec = Codec(parquet.CompressionCodec_SNAPPY)
	Zstd         Codec = Codec(parquet.CompressionCodec_ZSTD)
)

// String is the codec's name in lower case.
func (c Codec) String() string {
	switch c {
	case Uncompressed:
		return "uncompressed"
	case Snappy:
		return "snappy"
	case Zstd:
		return "zstd"
	}
	return fmt.Sprintf("codec %d", int8(c))
}

// Pages are some 256 KiB, so a small window does; the encoder of each level is shared by all writers.
const zstdWindowBytes = 1 << 20

var zstdEncoders = func() (all [zstd.SpeedBestCompression + 1]func() (*zstd.Encoder, error)) {
	for level := zstd.SpeedFastest; level <= zstd.SpeedBestCompression; level++ {
		all[level] = sync.OnceValues(func() (*zstd.Encoder, error) {
			return zstd.NewWriter(nil, zstd.WithEncoderLevel(level), zstd.WithWindowSize(zstdWindowBytes),
				zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false))
		})
	}
	return all
}()

// zstdEncoder returns the encoder nearest to a level of zstd's own counting; 0 and less is the fastest.
func zstdEncoder(level int) (*zstd.Encoder, error) {
	if level <= 0 {
		return zstdEncoders[zstd.SpeedFastest]()
	}
	return zstdEncoders[zstd.EncoderLevelFromZstd(level)]()
}

var zstdDecoder = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderConcurrency(0),
		zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(pageBytesMax))
})

// compressor compresses the pages of one writer.
type compressor struct {
	codec Codec
	zstd  *zstd.Encoder
}

func newCompressor(c Codec, level int) (compressor, error) {
	switch c {
	case Uncompressed, Snappy:
		return compressor{codec: c}, nil
	case Zstd:
		e, err := zstdEncoder(level)
		return compressor{c, e}, err
	}
	return compressor{}, fmt.Errorf("%v: should be uncompressed, snappy or zstd", c)
}

// compress appends src, compressed, to dst.
func (c *compressor) compress(dst, src []byte) []byte {
	switch c.codec {
	case Snappy:
		at := len(dst)
		dst = slices.Grow(dst, snappy.MaxEncodedLen(len(src)))
		return dst[:at+len(snappy.Encode(dst[at:cap(dst)], src))]
	case Zstd:
		return c.zstd.EncodeAll(src, dst)
	}
	return append(dst, src...)
}

// The most that a byte can stand for: a page that claims more is not believed.
const (
	snappyRatioMax = 22      // a copy of 64 bytes takes three
	zstdRatioMax   = 1 << 15 // a block of 128 KiB takes four
)

// decompress returns what src holds, which has to be size bytes, in dst's memory if that is large enough.
func decompress(c Codec, dst, src []byte, size int) ([]byte, error) {
	switch c {
	case Uncompressed:
		if len(src) != size {
			return nil, damaged("page of %d bytes instead of %d", len(src), size)
		}
		return append(dst[:0], src...), nil
	case Snappy:
		return unsnappy(dst, src, size)
	}
	return unzstd(dst, src, size)
}

func unsnappy(dst, src []byte, size int) ([]byte, error) {
	if n, err := snappy.DecodedLen(src); err != nil || n != size || n > snappyRatioMax*len(src) {
		return nil, damaged("snappy: %d bytes hold %d instead of %d", len(src), n, size)
	}
	plain, err := snappy.Decode(slices.Grow(dst[:0], size)[:size], src)
	if err != nil {
		return nil, damaged("snappy: %v", err)
	}
	return plain, nil
}

func unzstd(dst, src []byte, size int) ([]byte, error) {
	d, err := zstdDecoder()
	if err != nil {
		return nil, err
	}
	if size > zstdRatioMax*len(src) {
		return nil, damaged("zstd: %d bytes hold %d", len(src), size)
	}
	plain, err := d.DecodeAll(src, slices.Grow(dst[:0], size)[:0:size])
	if err != nil || len(plain) != size {
		return nil, damaged("zstd: %d bytes instead of %d: %v", len(plain), size, err)
	}
	return plain, nil
}
