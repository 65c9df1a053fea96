package record

import (
	"errors"

	"github.com/klauspost/compress/zstd"
)

const (
	zstdBlockBytesMax = 128 << 10
	zstdBytesFirst    = 2 * zstdBlockBytesMax
)

// unzstd decompresses into a buffer that the library may not outgrow. A frame may say how much it holds; those of most
// producers do not, and when they hold more than the buffer, it starts again with a larger one.
func (w *workspace) unzstd(src []byte, limit int) error {
	if err := w.prepareUnzstd(); err != nil {
		return err
	}
	size, err := zstdBytes(src, limit)
	if err != nil {
		return err
	}
	for size = max(size, cap(w.plain), zstdBytesFirst, 4*len(src)); ; size *= 4 {
		size = min(size, limit)
		if w.plain = w.plain[:0]; cap(w.plain) < size {
			w.plain = make([]byte, 0, size)
		}
		plain, err := w.zstdReader.DecodeAll(src, w.plain[:0:size])
		switch {
		case err == nil:
			w.plain = plain
			return nil
		case !outgrown(err, size-len(plain)):
			return err
		case size == limit:
			return errTooLarge
		}
	}
}

// outgrown says whether a larger buffer than the one that had so many bytes left may help against err. The library has no
// error of its own for a block that did not fit.
func outgrown(err error, left int) bool {
	return errors.Is(err, zstd.ErrDecoderSizeExceeded) || left < zstdBlockBytesMax
}

// zstdBytes returns what the first frame claims to hold, or 0 when it does not say. A claim beyond limit is not believed.
func zstdBytes(src []byte, limit int) (int, error) {
	var h zstd.Header
	if err := h.Decode(src); err != nil {
		return 0, err
	}
	if h.FrameContentSize > uint64(limit) {
		return 0, errTooLarge
	}
	return int(h.FrameContentSize), nil
}

func (w *workspace) prepareUnzstd() (err error) {
	if w.zstdReader == nil {
		w.zstdReader, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxMemory(PlainBytesMax))
	}
	return err
}

func (w *workspace) zstd(dst, src []byte, l Level) ([]byte, error) {
	if err := w.prepareZstd(l); err != nil {
		return nil, err
	}
	return w.zstdWriter.EncodeAll(src, dst), nil
}

// prepareZstd makes a writer of the library's level nearest to l, unless there is one.
func (w *workspace) prepareZstd(l Level) (err error) {
	level := zstd.SpeedDefault
	if l != 0 {
		level = zstd.EncoderLevelFromZstd(int(l))
	}
	if w.zstdWriter != nil && w.zstdLevel == level {
		return nil
	}
	w.zstdLevel = level
	w.zstdWriter, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(1),
		zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false))
	return err
}
