package s3

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/heraclitus/heraclitus/pkg/journal"
)

// Keys and sizes in the store. FORMAT.md has the layouts; a test pins both. All integers are little-endian.
const (
	slotPrefix  = "journal/"
	floorPrefix = "journal/floor/"

	headerBytes = 64
	magic       = 0x31536a48 // "HjS1"
)

// A kind is what an object is.
type kind uint32

const (
	kindEntry kind = 1 // an entry
	kindClaim kind = 2 // the right to write from this slot on
	kindStone kind = 3 // what is left of the first entry of a session below the floor
	kindFloor kind = 4 // the first slot that can be read
)

func slotKey(slot uint64) string   { return fmt.Sprintf("%s%020d", slotPrefix, slot) }
func floorKey(floor uint64) string { return fmt.Sprintf("%s%020d", floorPrefix, floor) }

// slotOf returns the slot of a key below a prefix; false when it is not one that we write.
func slotOf(key, prefix string) (uint64, bool) {
	digits, ok := strings.CutPrefix(key, prefix)
	slot, err := strconv.ParseUint(digits, 10, 64)
	return slot, ok && err == nil && len(digits) == 20
}

// A header is what every object begins with.
type header struct {
	kind     kind
	slot     uint64
	session  session
	length   uint32 // of the entry
	checksum uint32 // of the entry
	behind   uint32 // how many entries directly before this one were not known to be stored when it was begun
	flags    uint32
}

// flagFirst marks the first entry of its session.
const flagFirst = 1

// same tells that two headers are of the same entry, whenever it was begun.
func (h header) same(as header) bool {
	h.behind = as.behind
	return h == as
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var (
	errNotOurs  = errors.New("it is no object of a journal, or of a format that is not known to this program")
	errChecksum = errors.New("checksum does not match")
)

// appendObject appends an object to b.
func appendObject(b []byte, h header, entry []byte) []byte {
	from := len(b)
	b = append(b, make([]byte, headerBytes)...)
	o := b[from:]
	binary.LittleEndian.PutUint32(o, magic)
	binary.LittleEndian.PutUint32(o[8:], uint32(h.kind))
	binary.LittleEndian.PutUint32(o[12:], uint32(len(entry)))
	binary.LittleEndian.PutUint64(o[16:], h.slot)
	binary.LittleEndian.PutUint64(o[24:], h.session.number)
	copy(o[32:48], h.session.name[:])
	binary.LittleEndian.PutUint32(o[48:], crc32.Checksum(entry, castagnoli))
	binary.LittleEndian.PutUint32(o[52:], h.behind)
	binary.LittleEndian.PutUint32(o[56:], h.flags)
	binary.LittleEndian.PutUint32(o[4:], crc32.Checksum(o[8:], castagnoli))
	return append(b, entry...)
}

// decodeHeader reads the header of an object.
func decodeHeader(b []byte) (h header, err error) {
	switch {
	case len(b) < headerBytes || binary.LittleEndian.Uint32(b) != magic:
		return h, errNotOurs
	case binary.LittleEndian.Uint32(b[4:]) != crc32.Checksum(b[8:headerBytes], castagnoli):
		return h, errChecksum
	}
	h.kind = kind(binary.LittleEndian.Uint32(b[8:]))
	h.length = binary.LittleEndian.Uint32(b[12:])
	h.slot = binary.LittleEndian.Uint64(b[16:])
	h.session.number = binary.LittleEndian.Uint64(b[24:])
	copy(h.session.name[:], b[32:48])
	h.checksum = binary.LittleEndian.Uint32(b[48:])
	h.behind = binary.LittleEndian.Uint32(b[52:])
	h.flags = binary.LittleEndian.Uint32(b[56:])
	return h, nil
}

// decodeEntry returns the entry of a slot from its object, checked. The object is of another length than it says only if it
// was damaged, or replaced by something else.
func decodeEntry(object []byte, slot uint64) ([]byte, error) {
	h, err := decodeHeader(object)
	switch {
	case err != nil:
		return nil, damaged(slot, err)
	case h.kind != kindEntry || h.slot != slot:
		return nil, damaged(slot, fmt.Errorf("it holds kind %d of slot %d", h.kind, h.slot))
	case int64(h.length) != int64(len(object)-headerBytes):
		return nil, damaged(slot, fmt.Errorf("it has %d bytes, of an entry of %d", len(object), h.length))
	case h.checksum != crc32.Checksum(object[headerBytes:], castagnoli):
		return nil, damaged(slot, errChecksum)
	}
	return object[headerBytes:], nil
}

// damaged tells of an object that is not as it was written.
func damaged(slot uint64, err error) error {
	return fmt.Errorf("%s: %w: %w; restore everything below the prefix from a copy of one time", slotKey(slot), journal.ErrDamaged, err)
}
