// Shown here: tagged fields of any size are written with their size, read back, skipped when unknown, and cannot
// reach beyond their size.

package kbin

import (
	"errors"
	"strings"
	"testing"
)

// appendTagged writes two tagged fields, the second one a struct with a tagged field of its own.
func appendTagged(text string) []byte {
	var outer, inner Tags
	b := outer.Begin([]byte("before"))
	b = outer.Open(b, 3)
	b = AppendString(b, text, true)
	b = outer.Close(b)
	b = outer.Open(b, 200)
	b = AppendInt8(b, 5)
	b = inner.Begin(b)
	b = inner.Open(b, 0)
	b = AppendString(b, text, true)
	b = inner.Close(b)
	return append(outer.Close(b), "after"...)[len("before"):]
}

func TestTags(t *testing.T) {
	for _, length := range []int{0, 1, 125, 126, 127, 128, 129, 16381, 16382, 16383, 16384, 32767} {
		text := strings.Repeat("x", length)
		r := newReader(appendTagged(text))
		found := 0
		for n := r.Tags(); n > 0; n-- {
			tag, end := r.OpenTag()
			switch tag {
			case 3:
				if r.String(true) == text {
					found++
				}
			case 200:
				if r.Int8() == 5 && r.Tags() == 1 {
					found++
				}
				innerTag, innerEnd := r.OpenTag()
				if innerTag == 0 && r.String(true) == text {
					found++
				}
				r.CloseTag(innerEnd)
			}
			r.CloseTag(end)
		}
		if found != 3 || r.Err() != nil || r.Len() != len("after") {
			t.Errorf("length %d: %d of 3 right, error %v, %d bytes left", length, found, r.Err(), r.Len())
		}
	}
}

func TestSkipTags(t *testing.T) {
	r := newReader(appendTagged(strings.Repeat("x", 1000)))
	if r.SkipTags(); r.Err() != nil || r.Len() != len("after") {
		t.Errorf("error %v, %d bytes left", r.Err(), r.Len())
	}
	r = newReader(append(AppendNoTags(nil), "after"...))
	if r.SkipTags(); r.Err() != nil || r.Len() != len("after") {
		t.Errorf("no tags: error %v, %d bytes left", r.Err(), r.Len())
	}
}

func TestTagsAreBounded(t *testing.T) {
	f := func(name string, b ...byte) {
		t.Helper()
		r := newReader(b)
		if r.SkipTags(); !errors.Is(r.Err(), ErrTruncated) || r.Len() != 0 {
			t.Errorf("%s: error %v, %d bytes left", name, r.Err(), r.Len())
		}
	}
	f("nothing")
	f("more tags than bytes", 3, 0, 0)
	f("a size beyond the end", 1, 0, 2, 0)
	f("a huge size", 1, 0, 255, 255, 255, 255, 15, 0)
	f("no size", 1, 128, 1)

	r := newReader([]byte{1, 0, 2, 9, 9, 1, 2, 3, 4})
	r.Tags()
	_, end := r.OpenTag()
	if r.Int32(); !errors.Is(r.Err(), ErrTruncated) {
		t.Error("a tagged field reads beyond its size")
	}
	if r.CloseTag(end); r.Len() != 0 {
		t.Error("after an error something is left to read")
	}
}
