// Shown here: equal strings share memory, and an Interner holds no more than it says.

package kbin

import (
	"strconv"
	"strings"
	"testing"
)

func TestIntern(t *testing.T) {
	var in Interner
	a, b := in.Get([]byte("topic")), in.Get([]byte("topic"))
	if a != b || *a != "topic" {
		t.Errorf("%q and %q do not share memory", *a, *b)
	}
	key := []byte("topic")
	if allocs := testing.AllocsPerRun(10, func() { in.Get(key) }); allocs != 0 {
		t.Errorf("%v allocations for a string known", allocs)
	}
}

func TestInternIsBounded(t *testing.T) {
	f := func(length int) {
		t.Helper()
		var in Interner
		for i := range internStringsMax + 10 { // so many that the table is cleared once or more
			text := strconv.Itoa(i)
			text += strings.Repeat("x", length-len(text))
			if got := in.Get([]byte(text)); *got != text {
				t.Fatalf("%q became %q", text, *got)
			}
			held := 0
			for s := range in.strings {
				held += len(s)
			}
			if len(in.strings) > internStringsMax || held > internBytesMax || held != in.bytes {
				t.Fatalf("%d strings of %d bytes are held, counted as %d", len(in.strings), held, in.bytes)
			}
		}
	}
	f(6)
	f(internLengthMax)
	f(internLengthMax + 1)
}
