package file

import (
	"encoding/binary"
	"errors"
	"io"
	"iter"
)

// Contents says what a file is by its first bytes.
type Contents int

// What a file of a journal holds. A volume that was not used yet is one without entries.
const (
	NoContents Contents = iota // not a file of a journal
	VolumeContents
	FloorContents
	SlotsContents
)

// ContentsOf tells the files of a journal apart by their first 8 bytes.
func ContentsOf(head []byte) Contents {
	switch string(head) {
	case fileMagic:
		return VolumeContents
	case floorMagic:
		return FloorContents
	case slotsMagic:
		return SlotsContents
	}
	return NoContents
}

// Written is an entry as it lies in a volume.
type Written struct {
	At       int64 // its header, in the file
	Slot     uint64
	Unsynced uint32 // how many entries before it may not have been durable when it was written
	Length   uint32
	Entry    []byte // borrowed until the next one; nil when Err says why it cannot be read
	Err      error
}

// fileBytes is a file of which only the bytes are of interest.
type fileBytes struct {
	handle
	r io.ReaderAt
	n int64
}

func (f fileBytes) ReadAt(p []byte, off int64) (int, error) { return f.r.ReadAt(p, off) }
func (f fileBytes) size() (int64, error)                    { return f.n, nil }

// ReadVolume reads a volume of so many bytes: the epoch of its present use, and every entry of it that has a header,
// damaged and torn ones too.
func ReadVolume(r io.ReaderAt, bytes int64) (epoch uint64, entries iter.Seq[Written], err error) {
	f := fileBytes{r: r, n: bytes}
	limit, epoch, err := readFileHeader(f)
	if err != nil {
		return 0, nil, err
	}
	s := newScanner(newReader(newVolume(0, bytes), f, epoch, limit))
	return epoch, func(yield func(Written) bool) {
		for pos := int64(blockBytes); pos < limit; {
			w := s.written(pos)
			if w.Err != nil && errors.Is(w.Err, errNoEntry) {
				pos += blockBytes
				continue
			}
			if !yield(w) {
				return
			}
			if pos += blockBytes; w.Err == nil {
				pos = alignUp(w.At + entryHeaderBytes + int64(w.Length))
			}
		}
	}, nil
}

// written reads what stands at pos.
func (s *scanner) written(pos int64) Written {
	h, err := s.header(pos)
	if err != nil {
		return Written{At: pos, Err: err}
	}
	w := Written{At: pos, Slot: h.slot, Unsynced: h.unsynced, Length: h.length}
	w.Entry, w.Err = s.entry(pos, h.slot)
	return w
}

// ReadFloors reads both copies of the floor; errs say which of them are not whole.
func ReadFloors(r io.ReaderAt, bytes int64) (floors [2]uint64, errs [2]error) {
	for i, at := range floorCopies {
		floors[i], errs[i] = readFloorCopy(fileBytes{r: r, n: bytes}, at)
	}
	return floors, errs
}

// ReadSlots reads the table of the positions in a volume: the epoch it is of, its first slot, and where each entry ends.
func ReadSlots(b []byte) (epoch, first uint64, ends []uint32, err error) {
	if len(b) < slotsHeaderBytes+4 {
		return 0, 0, nil, io.ErrUnexpectedEOF
	}
	epoch, first = binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:])
	count := uint64(binary.LittleEndian.Uint32(b[12:]))
	if uint64(len(b)) != slotsHeaderBytes+4*count+4 {
		return epoch, first, nil, errCutShort
	}
	ends, err = decodeSlots(b, epoch, first, count)
	return epoch, first, ends, err
}
