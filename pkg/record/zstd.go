package record

import (
	"errors"

	"github.com/klauspost/compress/zstd"
)

// unzstd decompresses into a buffer that the library may not outgrow. Most producers do not say how much a frame holds: when it was
// more than the buffer, it starts again with a larger one.
func (w *workspace) unzstd(src []byte, limit int) error {
	if err := w.prepareUnzstd(); err != nil {
		return err
	}
	for size := max(cap(w.plain), plainBytesFirst, 4*len(src)); ; size *= 4 {
		size = min(size, limit)
		if w.plain = w.plain[:0]; cap(w.plain) < size {
			w.plain = make([]byte, 0, size)
		}
		plain, err := w.zstdReader.DecodeAll(src, w.plain[:0:size])
		if err == nil {
			w.plain = plain
			return nil
		}
		if !errors.Is(err, zstd.ErrDecoderSizeExceeded) {
			return err
		}
		if size == limit {
			return errTooLarge
		}
	}
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
	w.zstdWriter, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true),
		zstd.WithEncoderCRC(false))
	return err
}
