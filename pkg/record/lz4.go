package record

import (
	"encoding/binary"
	"math/bits"

	"github.com/pierrec/lz4/v4"
)

// unlz4 reads frames, with blocks of any size, linked or not.
func (w *workspace) unlz4(src []byte, limit int) error {
	w.plain = w.plain[:0]
	w.source.Reset(src)
	defer w.source.Reset(nil)
	if w.lz4Reader == nil {
		w.lz4Reader = lz4.NewReader(nil)
	}
	w.lz4Reader.Reset(&w.source)
	return w.drain(w.lz4Reader, limit)
}

// lz4 writes a frame as Java does: independent blocks of 64 KiB without checksums.
func (w *workspace) lz4(dst, src []byte, l Level) ([]byte, error) {
	if w.lz4Writer == nil {
		w.lz4Writer = lz4.NewWriter(nil)
	}
	w.sink.b = dst
	w.lz4Writer.Reset(&w.sink)
	err := w.lz4Writer.Apply(lz4.BlockSizeOption(lz4.Block64Kb), lz4.ChecksumOption(false),
		lz4.ConcurrencyOption(1), lz4.CompressionLevelOption(lz4Level(l)))
	if err != nil {
		return nil, err
	}
	if _, err := w.lz4Writer.Write(src); err != nil {
		return nil, err
	}
	if err := w.lz4Writer.Close(); err != nil {
		return nil, err
	}
	return w.sink.take(), nil
}

// lz4Level maps levels of liblz4, which Kafka counts in, to those of the library, of which there are nine and a fast one.
func lz4Level(l Level) lz4.CompressionLevel {
	if l <= 0 {
		return lz4.Fast
	}
	return lz4.Level1 << (min(l, 9) - 1)
}

// The header of a frame: magic, flags, block descriptor, then content size and dictionary id if the flags say so, and the
// second byte of a hash of all that but the magic. Kafka hashed the magic too, by mistake, and kept that in messages of
// magic 0 (KAFKA-3160): readers of those ignore the byte, and writers write it wrong.
const (
	lz4MagicBytes      = 4
	lz4HeaderBytes     = 7 // the shortest, which is the one written here
	lz4ContentSizeFlag = 0x08
	lz4DictionaryFlag  = 0x01
)

// mendLZ4 sets the hash of the frame's header right.
func mendLZ4(frame []byte) {
	if at := lz4HashAt(frame); at < len(frame) {
		frame[at] = lz4Hash(frame[lz4MagicBytes:at])
	}
}

// breakLZ4 sets it as Kafka did in magic 0.
func breakLZ4(frame []byte) {
	at := lz4HeaderBytes - 1
	frame[at] = lz4Hash(frame[:at])
}

func lz4HashAt(frame []byte) int {
	at := lz4HeaderBytes - 1
	if len(frame) < lz4HeaderBytes {
		return at
	}
	if frame[lz4MagicBytes]&lz4ContentSizeFlag != 0 {
		at += 8
	}
	if frame[lz4MagicBytes]&lz4DictionaryFlag != 0 {
		at += 4
	}
	return at
}

// lz4Hash is the second byte of the xxHash32 of b, which has less than 16 bytes: the main loop of the function is for more.
func lz4Hash(b []byte) byte {
	const p1, p2, p3, p4, p5 = 2654435761, 2246822519, 3266489917, 668265263, 374761393
	h := p5 + uint32(len(b))
	for ; len(b) >= 4; b = b[4:] {
		h = bits.RotateLeft32(h+binary.LittleEndian.Uint32(b)*p3, 17) * p4
	}
	for _, c := range b {
		h = bits.RotateLeft32(h+uint32(c)*p5, 11) * p1
	}
	h = (h ^ h>>15) * p2
	h = (h ^ h>>13) * p3
	return byte((h ^ h>>16) >> 8)
}
