package s3

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// Object is an object of a journal as it lies in a store.
type Object struct {
	Kind    string // "entry", "claim", "stone" or "floor"
	Slot    uint64 // of a floor: the floor
	Session uint64 // the number of the session that wrote it
	Behind  uint32 // how many entries before it were not known to be stored when it was begun
	First   bool   // it is the first entry of its session
	Entry   []byte // borrowed; only of an entry
}

var kindNames = map[kind]string{kindEntry: "entry", kindClaim: "claim", kindStone: "stone", kindFloor: "floor"}

// IsObject says whether bytes begin as an object of a journal does.
func IsObject(head []byte) bool {
	return len(head) >= 4 && binary.LittleEndian.Uint32(head) == magic
}

// ReadObject reads an object. With an error of the entry's checksum the rest is as the header says.
func ReadObject(b []byte) (Object, error) {
	h, err := decodeHeader(b)
	if err != nil {
		return Object{}, err
	}
	o := Object{Kind: kindNames[h.kind], Slot: h.slot, Session: h.session.number, Behind: h.behind, First: h.flags&flagFirst != 0, Entry: b[headerBytes:]}
	switch {
	case o.Kind == "":
		return o, fmt.Errorf("kind %d is not known", h.kind)
	case int64(h.length) != int64(len(o.Entry)):
		return o, fmt.Errorf("it has %d bytes, of an entry of %d", len(b), h.length)
	case h.checksum != crc32.Checksum(o.Entry, castagnoli):
		return o, errChecksum
	}
	return o, nil
}
