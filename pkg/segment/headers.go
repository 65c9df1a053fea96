package segment

import (
	"encoding/binary"
	"slices"
	"unicode/utf8"

	"github.com/heraclitus/heraclitus/pkg/record"
)

// Headers are a list, in two columns whose levels say which header begins a row, and where there is none.

// replacement stands in the column of header keys for bytes that are not UTF-8, which would make readers fail, too. The
// keys as they came are kept in a column of their own.
const replacement = "\uFFFD"

// validKeys says whether all header keys are UTF-8.
func validKeys(h record.Headers) bool {
	for header := range h.All() {
		if !utf8.Valid(header.Key) {
			return false
		}
	}
	return true
}

// appendKeys appends every header key after its length.
func appendKeys(b []byte, h record.Headers) []byte {
	for header := range h.All() {
		b = binary.AppendUvarint(b, uint64(len(header.Key)))
		b = append(b, header.Key...)
	}
	return b
}

// readKey cuts one key off what appendKeys wrote; ok is false when there is none.
func readKey(b []byte) (key, rest []byte, ok bool) {
	n, k := binary.Uvarint(b)
	if k <= 0 || n > uint64(len(b)-k) {
		return nil, nil, false
	}
	end := k + int(n)
	return b[k:end:end], b[end:], true
}

// listLevels reads the levels that say which header begins a row; those of the values have to be those of the keys.
func (t *table) listLevels(l leaf, b []byte, n int) (rest []byte, err error) {
	if l == leafHeaderKey {
		t.rep, rest, err = readLevels(t.rep[:0], b, n, 1)
		return rest, err
	}
	rep, rest, err := readLevels(t.def[:0], b, n, 1)
	t.def = rep
	if err == nil && !slices.Equal(rep, t.rep) {
		err = damaged("keys and values of headers do not match")
	}
	return rest, err
}

// headerKeys reads the keys of headers, and of which rows they are.
func (t *table) headerKeys(b []byte) error {
	t.list = t.list[:0]
	if len(t.def) == t.n && count(t.def, 0) == t.n && count(t.rep, 0) == t.n {
		t.blob[leafHeaderKey] = t.blob[leafHeaderKey][:0]
		return trailing(b)
	}
	for i, r := range t.rep {
		switch {
		case r == 0:
			t.list = append(t.list, i)
		case i == 0 || t.def[i] == 0 || t.def[i-1] == 0:
			return damaged("header %d of no row", i)
		}
	}
	if len(t.list) != t.n {
		return damaged("headers of %d rows instead of %d", len(t.list), t.n)
	}
	t.list = append(t.list, len(t.rep))
	return t.blobs(leafHeaderKey, b)
}

// headerValues reads the values of headers, of which the keys have been read.
func (t *table) headerValues(b []byte) error {
	if len(t.list) == 0 {
		if count(t.def, 0) != len(t.def) {
			return damaged("values of headers without keys")
		}
		return trailing(b)
	}
	for i, d := range t.def {
		if (d == 0) != (t.blob[leafHeaderKey][i] == nil) {
			return damaged("header %d has no key, or is none", i)
		}
	}
	return t.blobs(leafHeaderValue, b)
}

// addHeaders gives row i its headers, with the keys as the producer sent them.
func (t *table) addHeaders(r *Row, i int) error {
	from, end := t.list[i], t.list[i+1]
	if t.blob[leafHeaderKey][from] == nil {
		return nil
	}
	raw := t.blob[leafRawHeaderKeys][i]
	has, ok := raw != nil, true
	h := t.headers.Reset()
	for j := from; j < end; j++ {
		key := t.blob[leafHeaderKey][j]
		if has {
			if key, raw, ok = readKey(raw); !ok {
				return damaged("header keys of offset %d are cut short", r.Offset)
			}
		}
		h = h.Add(key, t.blob[leafHeaderValue][j])
	}
	if len(raw) > 0 {
		return damaged("more header keys than headers at offset %d", r.Offset)
	}
	t.headers, r.Headers = h, h
	return nil
}
