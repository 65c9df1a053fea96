package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/golang/snappy"
)

// Java writes snappy in the framing of xerial's library: a header, and then blocks, each after its length. Other clients
// write one bare block. Both are read; the framing is written.

// xerialHeader is magic, version and lowest compatible version.
const xerialHeader = "\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01"

const (
	xerialMagicBytes = 8
	snappyBlockBytes = 32 << 10 // of Java
	snappyRatioMax   = 22       // a copy of 64 bytes takes three
)

var errSnappyFrame = errors.New("snappy: corrupt framing")

func (w *workspace) unsnappy(src []byte, limit int) error {
	w.plain = w.plain[:0]
	if len(src) < len(xerialHeader) || !bytes.HasPrefix(src, []byte(xerialHeader[:xerialMagicBytes])) {
		return w.unsnappyBlock(src, limit)
	}
	for src = src[len(xerialHeader):]; len(src) > 0; {
		if len(src) < 4 {
			return errSnappyFrame
		}
		n := int(int32(binary.BigEndian.Uint32(src)))
		if n < 0 || n > len(src)-4 {
			return errSnappyFrame
		}
		if err := w.unsnappyBlock(src[4:4+n], limit); err != nil {
			return err
		}
		src = src[4+n:]
	}
	return nil
}

// unsnappyBlock appends what a block holds to w.plain. The size it claims is checked before there is memory for it.
func (w *workspace) unsnappyBlock(src []byte, limit int) error {
	n, err := snappy.DecodedLen(src)
	switch {
	case err != nil:
		return err
	case n > snappyRatioMax*len(src):
		return snappy.ErrCorrupt
	case n > limit-len(w.plain):
		return errTooLarge
	}
	w.growPlain(n, limit)
	from := len(w.plain)
	if _, err := snappy.Decode(w.plain[from:from+n], src); err != nil {
		return err
	}
	w.plain = w.plain[:from+n]
	return nil
}

// snappyFrames appends src to dst in xerial's framing.
func snappyFrames(dst, src []byte) []byte {
	dst = append(dst, xerialHeader...)
	for len(src) > 0 {
		n := min(len(src), snappyBlockBytes)
		at := len(dst)
		dst = slices.Grow(dst, 4+snappy.MaxEncodedLen(n))
		block := snappy.Encode(dst[at+4:cap(dst)], src[:n])
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(block)))
		dst = dst[:len(dst)+len(block)]
		src = src[n:]
	}
	return dst
}
