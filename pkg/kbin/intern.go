package kbin

// What an Interner holds at most. A connection says few different strings, over and over: topics, groups, members. One
// that says many has its table cleared now and then, and pays with copies.
const (
	internStringsMax = 2048
	internBytesMax   = 128 << 10
	internLengthMax  = 255 // a longer string is not kept; topic names end at 249
)

// Interner gives equal strings the same memory, so that a name read a second time is not copied again. The zero value is
// ready. It is bounded, and not safe for two goroutines: each connection has its own.
type Interner struct {
	strings map[string]*string
	bytes   int
}

// Get points to a string equal to b. It is shared with everyone who asked for the same, and not to be written to.
func (t *Interner) Get(b []byte) *string {
	if s := t.strings[string(b)]; s != nil {
		return s
	}
	s := new(string(b))
	if len(b) <= internLengthMax {
		t.keep(s)
	}
	return s
}

func (t *Interner) keep(s *string) {
	if t.strings == nil || len(t.strings) >= internStringsMax || t.bytes+len(*s) > internBytesMax {
		t.strings, t.bytes = make(map[string]*string), 0
	}
	t.strings[*s] = s
	t.bytes += len(*s)
}
