package file

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

const windowBytes = 1 << 20

// What a place holds that is not the entry it should hold.
var (
	errNoEntry   = errors.New("there is no entry of this use of the file")
	errWrongSlot = errors.New("the entry there is of another slot")
	errCutShort  = errors.New("the entry there does not fit into the file")
)

// isInvalid tells what was read and is not what it should be from what cannot be read, or not by this program.
func isInvalid(err error) bool {
	return slices.ContainsFunc([]error{errNoEntry, errWrongSlot, errCutShort, errChecksum, errMagic, errMissing, io.EOF},
		func(invalid error) bool { return errors.Is(err, invalid) })
}

// A scanner reads a volume from front to back, through a window.
type scanner struct {
	r   *reader
	buf []byte
	at  int64 // where in the volume buf begins
}

func newScanner(r *reader) *scanner { return &scanner{r: r, buf: make([]byte, 0, windowBytes)} }

// view returns n bytes at pos, which must lie inside the volume; they last until the next view.
func (s *scanner) view(pos, n int64) ([]byte, error) {
	if pos < s.at || pos+n > s.at+int64(len(s.buf)) {
		if err := s.load(pos, n); err != nil {
			return nil, err
		}
	}
	return s.buf[pos-s.at:][:n], nil
}

// load moves the window to pos and makes it hold n bytes, or more.
func (s *scanner) load(pos, n int64) error {
	if n > int64(cap(s.buf)) {
		s.buf = make([]byte, 0, n)
	}
	s.at = pos
	s.buf = s.buf[:min(int64(cap(s.buf)), s.r.limit-pos)]
	if _, err := s.r.handle.ReadAt(s.buf, pos); err != nil {
		s.buf = s.buf[:0]
		return err
	}
	return nil
}

// header returns the entry header at pos when there is one of this use of the volume.
func (s *scanner) header(pos int64) (entryHeader, error) {
	if pos >= s.r.limit {
		return entryHeader{}, errNoEntry
	}
	b, err := s.view(pos, entryHeaderBytes)
	if err != nil {
		return entryHeader{}, err
	}
	h, ok := decodeEntryHeader(b)
	if !ok || h.epoch != s.r.epoch {
		return entryHeader{}, errNoEntry
	}
	return h, nil
}

// entry returns the bytes of the entry of slot, which should begin at pos; they last until the next call.
func (s *scanner) entry(pos int64, slot uint64) ([]byte, error) {
	h, err := s.header(pos)
	switch {
	case err != nil:
		return nil, err
	case h.slot != slot:
		return nil, fmt.Errorf("%w: %d", errWrongSlot, h.slot)
	case int64(h.length) > s.r.limit-pos-entryHeaderBytes:
		return nil, errCutShort
	}
	b, err := s.view(pos, entryHeaderBytes+int64(h.length))
	if err != nil {
		return nil, err
	}
	if entryChecksum(b[:entryHeaderBytes], b[entryHeaderBytes:]) != h.crc {
		return nil, errChecksum
	}
	return b[entryHeaderBytes:], nil
}

// entries returns the table of the valid entries from the first slot on, at most max of them, and what ended it.
func (s *scanner) entries(max uint64) (t table, err error) {
	for uint64(len(t)) < max {
		pos := t.end()
		entry, err := s.entry(pos, s.r.first+uint64(len(t)))
		if err != nil {
			return t, err
		}
		t = append(t, uint32(pos+entryHeaderBytes+int64(len(entry))))
	}
	return t, nil
}

// readFileHeader returns how long a volume is, in whole blocks, and the epoch of its use.
func readFileHeader(h handle) (size int64, epoch uint64, err error) {
	if size, err = h.size(); err != nil {
		return 0, 0, err
	}
	size &^= blockBytes - 1
	if size < blockBytes {
		return 0, 0, errMissing
	}
	b := make([]byte, fileHeaderBytes)
	if _, err := h.ReadAt(b, 0); err != nil {
		return 0, 0, err
	}
	epoch, err = decodeFileHeader(b)
	return min(size, fileBytesMax), epoch, err
}
