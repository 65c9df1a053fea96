package file

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// Sizes on disk. FORMAT.md has the layouts; a test pins both. All integers are little-endian.
const (
	formatVersion = 1

	// blockBytes is what every entry begins at a multiple of. No block holds bytes of two entries, so that writing one
	// entry never touches the disk's copy of another, and a recycled file is never read before it is overwritten.
	blockBytes = 4096

	fileHeaderBytes  = 32 // at the start of a file's first block, which holds nothing else
	entryHeaderBytes = 32
	floorCopyBytes   = 32 // at the start of each of the two blocks of FLOOR
	slotsHeaderBytes = 32 // followed by the positions and a checksum, 4 bytes each

	fileMagic  = "HERAJRNL"
	floorMagic = "HERAFLOR"
	slotsMagic = "HERASLOT"
	entryMagic = 0x31456a48 // "HjE1"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var (
	errChecksum = errors.New("checksum does not match")
	errMagic    = errors.New("it is not a file of a journal")
	errMissing  = errors.New("it is missing")
	errVersion  = errors.New("the format is not known to this program, perhaps to a newer one")
)

// alignUp is the next multiple of the block size.
func alignUp(n int64) int64 { return (n + blockBytes - 1) &^ (blockBytes - 1) }

// An entryHeader is what stands before an entry's bytes.
type entryHeader struct {
	epoch    uint64 // of the file's present use
	slot     uint64
	length   uint32 // of the entry's bytes
	unsynced uint32 // how many entries directly before this one may not have been durable when it was written
	crc      uint32 // over the header's other fields and the entry's bytes
}

// encodeEntryHeader writes the header of an entry, its checksum included, into b.
func encodeEntryHeader(b *[entryHeaderBytes]byte, epoch, slot uint64, unsynced uint32, entry []byte) {
	binary.LittleEndian.PutUint32(b[0:], entryMagic)
	binary.LittleEndian.PutUint64(b[8:], epoch)
	binary.LittleEndian.PutUint64(b[16:], slot)
	binary.LittleEndian.PutUint32(b[24:], uint32(len(entry)))
	binary.LittleEndian.PutUint32(b[28:], unsynced)
	binary.LittleEndian.PutUint32(b[4:], entryChecksum(b[:], entry))
}

// decodeEntryHeader reads a header; ok is false when there is none. Its checksum is the caller's to test.
func decodeEntryHeader(b []byte) (h entryHeader, ok bool) {
	if binary.LittleEndian.Uint32(b) != entryMagic {
		return h, false
	}
	h.crc = binary.LittleEndian.Uint32(b[4:])
	h.epoch = binary.LittleEndian.Uint64(b[8:])
	h.slot = binary.LittleEndian.Uint64(b[16:])
	h.length = binary.LittleEndian.Uint32(b[24:])
	h.unsynced = binary.LittleEndian.Uint32(b[28:])
	return h, true
}

// doubts tells whether the entry of a slot may not have been durable when the one with this header was written.
func (h entryHeader) doubts(slot uint64) bool {
	return h.slot > slot && h.slot-slot <= uint64(h.unsynced)
}

func entryChecksum(header, entry []byte) uint32 {
	return crc32.Update(crc32.Checksum(header[8:entryHeaderBytes], castagnoli), castagnoli, entry)
}

// encodeFileHeader returns the first block of a file, for a use under epoch.
func encodeFileHeader(epoch uint64) []byte {
	b := make([]byte, blockBytes)
	copy(b, fileMagic)
	binary.LittleEndian.PutUint32(b[8:], formatVersion)
	binary.LittleEndian.PutUint32(b[12:], blockBytes)
	binary.LittleEndian.PutUint64(b[16:], epoch)
	seal(b[:fileHeaderBytes])
	return b
}

func decodeFileHeader(b []byte) (epoch uint64, err error) {
	if err := unseal(b[:fileHeaderBytes], fileMagic); err != nil {
		return 0, err
	}
	if n := binary.LittleEndian.Uint32(b[12:]); n != blockBytes {
		return 0, fmt.Errorf("blocks of %d bytes: %w", n, errVersion)
	}
	return binary.LittleEndian.Uint64(b[16:]), nil
}

// encodeFloor returns one of the two blocks of FLOOR.
func encodeFloor(floor uint64) []byte {
	b := make([]byte, blockBytes)
	copy(b, floorMagic)
	binary.LittleEndian.PutUint32(b[8:], formatVersion)
	binary.LittleEndian.PutUint64(b[16:], floor)
	seal(b[:floorCopyBytes])
	return b
}

func decodeFloor(b []byte) (floor uint64, err error) {
	if err := unseal(b[:floorCopyBytes], floorMagic); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b[16:]), nil
}

// encodeSlots returns the table of a file's positions.
func encodeSlots(epoch, first uint64, ends []uint32) []byte {
	b := make([]byte, slotsHeaderBytes, slotsHeaderBytes+4*len(ends)+4)
	copy(b, slotsMagic)
	binary.LittleEndian.PutUint32(b[8:], formatVersion)
	binary.LittleEndian.PutUint32(b[12:], uint32(len(ends)))
	binary.LittleEndian.PutUint64(b[16:], epoch)
	binary.LittleEndian.PutUint64(b[24:], first)
	for _, end := range ends {
		b = binary.LittleEndian.AppendUint32(b, end)
	}
	b = append(b, 0, 0, 0, 0)
	seal(b)
	return b
}

// decodeSlots reads the table of the file that holds count slots from first on, in its use under epoch.
func decodeSlots(b []byte, epoch, first, count uint64) ([]uint32, error) {
	if err := unseal(b, slotsMagic); err != nil {
		return nil, err
	}
	n := uint64(binary.LittleEndian.Uint32(b[12:]))
	if n != count || binary.LittleEndian.Uint64(b[16:]) != epoch || binary.LittleEndian.Uint64(b[24:]) != first {
		return nil, errors.New("belongs to other entries")
	}
	ends := make([]uint32, count)
	for i := range ends {
		ends[i] = binary.LittleEndian.Uint32(b[slotsHeaderBytes+4*i:])
	}
	return ends, nil
}

// seal ends b with the checksum of all that stands before.
func seal(b []byte) {
	n := len(b) - 4
	binary.LittleEndian.PutUint32(b[n:], crc32.Checksum(b[:n], castagnoli))
}

// unseal checks what every structure of ours but an entry begins and ends with: magic, version, checksum.
func unseal(b []byte, magic string) error {
	n := len(b) - 4
	switch {
	case string(b[:len(magic)]) != magic:
		return errMagic
	case binary.LittleEndian.Uint32(b[n:]) != crc32.Checksum(b[:n], castagnoli):
		return errChecksum
	case binary.LittleEndian.Uint32(b[8:]) != formatVersion:
		return fmt.Errorf("version %d: %w", binary.LittleEndian.Uint32(b[8:]), errVersion)
	}
	return nil
}
