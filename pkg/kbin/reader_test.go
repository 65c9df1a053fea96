// Shown here: what is appended is read back; whatever is wrong with the bytes is an error, the first one stays, and nothing
// is read after it; lengths are believed only as far as the bytes and the budget go; views cannot reach beyond themselves.

package kbin

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"unsafe"
)

func newReader(b []byte) *Reader {
	r := new(Reader)
	r.Reset(b, 1<<20)
	return r
}

// point is a struct as they are generated.
type point struct {
	x    int16
	rest []int8
}

func (p *point) Reset() { p.x, p.rest = -1, p.rest[:0] }

func (p *point) Decode(r *Reader, version int16) {
	p.x = r.Int16()
	p.rest = r.Int8s(r.ArrayLen(version > 0), p.rest)
}

func (p *point) Append(b []byte, version int16) []byte {
	return AppendInt8s(AppendArrayLen(AppendInt16(b, p.x), len(p.rest), version > 0), p.rest)
}

// value is something the package writes and reads.
type value struct {
	name  string
	want  any
	write func(b []byte) []byte
	read  func(r *Reader) any
}

// values are all primitives, in both forms where there are two.
func values() []value {
	var all []value
	add := func(name string, want any, write func([]byte) []byte, read func(*Reader) any) {
		all = append(all, value{name, want, write, read})
	}
	add("bool", true, func(b []byte) []byte { return AppendBool(b, true) }, func(r *Reader) any { return r.Bool() })
	add("int8", int8(-5), func(b []byte) []byte { return AppendInt8(b, -5) }, func(r *Reader) any { return r.Int8() })
	add("int16", int16(-515), func(b []byte) []byte { return AppendInt16(b, -515) }, func(r *Reader) any { return r.Int16() })
	add("uint16", uint16(65001), func(b []byte) []byte { return AppendUint16(b, 65001) }, func(r *Reader) any { return r.Uint16() })
	add("int32", int32(-70000), func(b []byte) []byte { return AppendInt32(b, -70000) }, func(r *Reader) any { return r.Int32() })
	add("uint32", uint32(1<<31), func(b []byte) []byte { return AppendUint32(b, 1<<31) }, func(r *Reader) any { return r.Uint32() })
	add("int64", int64(-1<<40), func(b []byte) []byte { return AppendInt64(b, -1<<40) }, func(r *Reader) any { return r.Int64() })
	add("float64", 2.5, func(b []byte) []byte { return AppendFloat64(b, 2.5) }, func(r *Reader) any { return r.Float64() })
	add("uuid", UUID{1, 15: 2}, func(b []byte) []byte { return AppendUUID(b, UUID{1, 15: 2}) }, func(r *Reader) any { return r.UUID() })
	for _, v := range []uint32{0, 127, 128, 1 << 14, 1<<28 - 1, 1 << 28, math.MaxUint32} {
		add(fmt.Sprint("uvarint ", v), v, func(b []byte) []byte { return AppendUvarint(b, v) }, func(r *Reader) any { return r.Uvarint() })
	}
	for _, flexible := range []bool{false, true} {
		all = append(all, variable(flexible)...)
	}
	return all
}

// variable are the primitives with a length.
func variable(flexible bool) []value {
	text, blob := strings.Repeat("s", 200), bytes.Repeat([]byte{7}, 300)
	points := []point{{1, []int8{1, 2}}, {2, []int8{}}}
	var version int16
	if flexible {
		version = 1
	}
	all := []value{
		{"string", text, func(b []byte) []byte { return AppendString(b, text, flexible) }, func(r *Reader) any { return r.String(flexible) }},
		{"nullable string", text, func(b []byte) []byte { return AppendNullableString(b, &text, flexible) }, func(r *Reader) any { return *r.NullableString(flexible) }},
		{"empty string", "", func(b []byte) []byte { return AppendNullableString(b, EmptyString(), flexible) }, func(r *Reader) any { return *r.NullableString(flexible) }},
		{"null string", (*string)(nil), func(b []byte) []byte { return AppendNullableString(b, nil, flexible) }, func(r *Reader) any { return r.NullableString(flexible) }},
		{"maybe null string", (*string)(nil), func(b []byte) []byte { return AppendNullableStringIf(b, nil, true, flexible) }, func(r *Reader) any { return r.NullableStringIf(true, flexible) }},
		{"never null string", "", func(b []byte) []byte { return AppendNullableStringIf(b, nil, false, flexible) }, func(r *Reader) any { return *r.NullableStringIf(false, flexible) }},
		{"bytes", blob, func(b []byte) []byte { return AppendBytes(b, blob, flexible) }, func(r *Reader) any { return r.Bytes(flexible) }},
		{"empty bytes", []byte{}, func(b []byte) []byte { return AppendNullableBytes(b, []byte{}, flexible) }, func(r *Reader) any { return r.NullableBytes(flexible) }},
		{"null bytes", []byte(nil), func(b []byte) []byte { return AppendNullableBytes(b, nil, flexible) }, func(r *Reader) any { return r.NullableBytes(flexible) }},
		{"maybe null bytes", []byte(nil), func(b []byte) []byte { return AppendNullableBytesIf(b, nil, true, flexible) }, func(r *Reader) any { return r.NullableBytesIf(true, flexible) }},
		{"never null bytes", []byte{}, func(b []byte) []byte { return AppendNullableBytesIf(b, nil, false, flexible) }, func(r *Reader) any { return r.NullableBytesIf(false, flexible) }},
		{"records", Records{Bytes: blob}, func(b []byte) []byte { return AppendRecords(b, &Records{Bytes: blob}, flexible) }, func(r *Reader) any { return r.Records(flexible) }},
		{"null records", Records{}, func(b []byte) []byte { return AppendNullableRecords(b, &Records{}, flexible) }, func(r *Reader) any { return r.NullableRecords(flexible) }},
		{"int8s", []int8{-1, 2}, func(b []byte) []byte { return AppendInt8s(AppendArrayLen(b, 2, flexible), []int8{-1, 2}) }, func(r *Reader) any { return r.Int8s(r.ArrayLen(flexible), nil) }},
		{"int16s", []int16{-1, 2}, func(b []byte) []byte { return AppendInt16s(AppendArrayLen(b, 2, flexible), []int16{-1, 2}) }, func(r *Reader) any { return r.Int16s(r.ArrayLen(flexible), nil) }},
		{"int32s", []int32{-1, 2}, func(b []byte) []byte { return AppendInt32s(AppendArrayLen(b, 2, flexible), []int32{-1, 2}) }, func(r *Reader) any { return r.Int32s(r.ArrayLen(flexible), nil) }},
		{"int64s", []int64{-1, 2}, func(b []byte) []byte { return AppendInt64s(AppendArrayLen(b, 2, flexible), []int64{-1, 2}) }, func(r *Reader) any { return r.Int64s(r.ArrayLen(flexible), nil) }},
		{"uuids", []UUID{{1}, {2}}, func(b []byte) []byte { return AppendUUIDs(AppendArrayLen(b, 2, flexible), []UUID{{1}, {2}}) }, func(r *Reader) any { return r.UUIDs(r.ArrayLen(flexible), nil) }},
		{"strings", []string{"a", ""}, func(b []byte) []byte {
			return AppendStrings(AppendArrayLen(b, 2, flexible), []string{"a", ""}, flexible)
		}, func(r *Reader) any { return r.Strings(r.ArrayLen(flexible), nil, flexible) }},
		{"structs", points, func(b []byte) []byte {
			return AppendStructs(AppendNullableArrayLen(b, points, flexible), points, version)
		}, func(r *Reader) any { return Structs(r, r.NullableArrayLen(flexible), []point(nil), version) }},
		{"empty array", []int8{}, func(b []byte) []byte { return AppendNullableArrayLen(b, []int8{}, flexible) }, func(r *Reader) any { return r.Int8s(r.NullableArrayLen(flexible), nil) }},
		{"null array", []int8(nil), func(b []byte) []byte { return AppendNullableArrayLen(b, []int8(nil), flexible) }, func(r *Reader) any { return r.Int8s(r.NullableArrayLen(flexible), []int8{1}) }},
		{"maybe null array", []int8(nil), func(b []byte) []byte { return AppendNullableArrayLenIf(b, []int8(nil), true, flexible) }, func(r *Reader) any { return r.Int8s(r.NullableArrayLenIf(true, flexible), nil) }},
		{"never null array", []int8{}, func(b []byte) []byte { return AppendNullableArrayLenIf(b, []int8(nil), false, flexible) }, func(r *Reader) any { return r.Int8s(r.NullableArrayLenIf(false, flexible), nil) }},
		{"struct", &points[0], func(b []byte) []byte { return AppendNullableStruct(b, &points[0], version) }, func(r *Reader) any { return NullableStruct[point](r, version) }},
		{"null struct", (*point)(nil), func(b []byte) []byte { return AppendNullableStruct(b, (*point)(nil), version) }, func(r *Reader) any { return NullableStruct[point](r, version) }},
	}
	for i := range all {
		all[i].name = fmt.Sprintf("%s, flexible %v", all[i].name, flexible)
	}
	return all
}

func TestReadsWhatIsAppended(t *testing.T) {
	for _, v := range values() {
		b := v.write([]byte("before"))[len("before"):]
		r := newReader(append(b, "after"...))
		if got := v.read(r); !reflect.DeepEqual(got, v.want) || r.Err() != nil || r.Len() != len("after") {
			t.Errorf("%s: %#v, error %v, %d bytes left", v.name, got, r.Err(), r.Len())
		}
	}
}

func TestTruncated(t *testing.T) {
	for _, v := range values() {
		b := v.write(nil)
		for n := range b {
			r := newReader(b[:n])
			if v.read(r); !errors.Is(r.Err(), ErrTruncated) || r.Len() != 0 {
				t.Errorf("%s: %d of %d bytes: error %v", v.name, n, len(b), r.Err())
			}
		}
	}
}

func TestFirstErrorStays(t *testing.T) {
	r := newReader([]byte{1, 2, 3})
	r.Int16()
	r.Int32()
	first := r.Err()
	if r.Int8() != 0 || r.String(true) != "" || len(r.Bytes(false)) != 0 || r.Tags() != 0 || r.Err().Error() != first.Error() {
		t.Errorf("error %v became %v, or something was read after it", first, r.Err())
	}
	if want := "read at byte 2 of 3: message ends early"; first.Error() != want {
		t.Errorf("error is %q, not %q", first, want)
	}
	if r.Reset([]byte{9}, 0); r.Err() != nil || r.Int8() != 9 {
		t.Error("Reset does not forget the error")
	}
}

func TestMalformed(t *testing.T) {
	f := func(name string, b []byte, read func(r *Reader)) {
		t.Helper()
		r := newReader(b)
		if read(r); !errors.Is(r.Err(), ErrMalformed) {
			t.Errorf("%s: error %v", name, r.Err())
		}
	}
	null16, null32, null := []byte{255, 255}, []byte{255, 255, 255, 255}, []byte{0}
	f("null string", null16, func(r *Reader) { r.String(false) })
	f("null string", null, func(r *Reader) { r.String(true) })
	f("null string", null, func(r *Reader) { r.NullableStringIf(false, true) })
	f("null bytes", null32, func(r *Reader) { r.Bytes(false) })
	f("null bytes", null, func(r *Reader) { r.NullableBytesIf(false, true) })
	f("null array", null32, func(r *Reader) { r.ArrayLen(false) })
	f("null array", null, func(r *Reader) { r.NullableArrayLenIf(false, true) })
	f("varint of 33 bits", []byte{255, 255, 255, 255, 0x1f}, func(r *Reader) { r.Uvarint() })
	f("varint that goes on", []byte{128, 128, 128, 128, 128, 0}, func(r *Reader) { r.Uvarint() })
	f("long string", append([]byte{0x81, 0x80, 0x02}, make([]byte, 1<<15)...), func(r *Reader) { r.String(true) })
}

func TestHugeLengths(t *testing.T) {
	f := func(name string, read func(r *Reader, flexible bool)) {
		t.Helper()
		for flexible, b := range map[bool][]byte{false: {127, 255, 255, 255, 0}, true: {255, 255, 255, 255, 15, 0}} {
			r := newReader(b)
			if read(r, flexible); !errors.Is(r.Err(), ErrTruncated) {
				t.Errorf("%s, flexible %v: error %v", name, flexible, r.Err())
			}
		}
	}
	f("bytes", func(r *Reader, flexible bool) { r.Bytes(flexible) })
	f("int8s", func(r *Reader, flexible bool) { r.Int8s(r.ArrayLen(flexible), nil) })
	f("int64s", func(r *Reader, flexible bool) { r.Int64s(r.ArrayLen(flexible), nil) })
	f("uuids", func(r *Reader, flexible bool) { r.UUIDs(r.ArrayLen(flexible), nil) })
	f("strings", func(r *Reader, flexible bool) { r.Strings(r.ArrayLen(flexible), nil, flexible) })
	f("structs", func(r *Reader, flexible bool) { Structs(r, r.ArrayLen(flexible), []point(nil), 0) })
}

func TestBudget(t *testing.T) {
	f := func(spent int, b []byte, read func(r *Reader)) {
		t.Helper()
		var enough, short Reader
		enough.Reset(b, spent)
		short.Reset(b, spent-1)
		if read(&enough); enough.Err() != nil || enough.Spent() != spent {
			t.Errorf("a budget of %d: error %v, %d spent", spent, enough.Err(), enough.Spent())
		}
		if read(&short); !errors.Is(short.Err(), ErrBudget) {
			t.Errorf("a budget of %d: error %v", spent-1, short.Err())
		}
	}
	array := AppendInt8s(AppendArrayLen(nil, 100, true), make([]int8, 100))
	f(100, array, func(r *Reader) { r.Int8s(r.ArrayLen(true), nil) })
	f(100, array, func(r *Reader) { _ = r.String(true) })
	f(116, array, func(r *Reader) { r.NullableString(true) })
	text, pair := int(unsafe.Sizeof("")), int(unsafe.Sizeof(point{}))
	f(2*text+1, []byte{3, 1, 2, 'a'}, func(r *Reader) { r.Strings(r.ArrayLen(true), nil, true) })
	f(pair+1, []byte{1, 0, 7, 2, 8}, func(r *Reader) { NullableStruct[point](r, 1) })
	f(2*pair+2, []byte{3, 0, 7, 2, 8, 0, 7, 2, 8}, func(r *Reader) { Structs(r, r.ArrayLen(true), []point(nil), 1) })
	var free Reader
	free.Reset(array, 0)
	if b := free.Bytes(true); len(b) != 100 || free.Err() != nil {
		t.Errorf("borrowed bytes are charged: %v", free.Err())
	}
}

// large takes 256 bytes of memory for each byte of a message.
type large struct{ _ [256]byte }

func (*large) Reset()                {}
func (*large) Decode(*Reader, int16) {}

// The budget holds for what an int of 32 bits cannot count: GOARCH=386 go test ./pkg/kbin.
func TestBudgetHoldsBeyondAnInt(t *testing.T) {
	for _, n := range []int{1 << 23, 1<<23 + 1, 1 << 24} { // of 2³¹ bytes of memory, some more, and 2³²
		r := new(Reader)
		r.Reset(make([]byte, 1<<24), 1<<20)
		if s := Structs(r, n, []large(nil), 0); len(s) != 0 || !errors.Is(r.Err(), ErrBudget) {
			t.Errorf("%d elements: %d were made, %v", n, len(s), r.Err())
		}
	}
}

func TestViewsEndWhereTheyEnd(t *testing.T) {
	b := AppendBytes(AppendBytes(nil, []byte("one"), true), []byte("two"), true)
	r := newReader(b)
	view := r.Bytes(true)
	_ = append(view, "!!!!"...)
	if got := r.Bytes(true); cap(view) != 3 || string(got) != "two" {
		t.Errorf("an append to the first view made the second %q", got)
	}
	if b[1] = 'O'; string(view) != "One" {
		t.Error("bytes are copied")
	}
}

func TestStringsAreOwned(t *testing.T) {
	for _, intern := range []*Interner{nil, new(Interner)} {
		b := AppendNullableString(AppendString(nil, "one", true), new("two"), true)
		r := newReader(b)
		r.Intern = intern
		one, two := r.String(true), r.NullableString(true)
		clear(b)
		if one != "one" || *two != "two" {
			t.Errorf("strings became %q and %q", one, *two)
		}
	}
}

func TestArraysKeepTheirMemory(t *testing.T) {
	b := AppendStructs(AppendArrayLen(nil, 2, true), []point{{1, []int8{1, 2, 3}}, {2, []int8{4}}}, 1)
	r := newReader(nil)
	var s []point
	decode := func() {
		r.Reset(b, 1<<10)
		s = Structs(r, r.ArrayLen(true), s, 1)
	}
	decode()
	s = s[:0]
	if allocs := testing.AllocsPerRun(10, decode); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
	inner := &s[0].rest[0]
	s = s[:1:1] // too small now, but what its element holds is kept
	if decode(); len(s) != 2 || &s[0].rest[0] != inner {
		t.Error("growing an array forgets the memory of its elements")
	}
}

func TestAdd(t *testing.T) {
	s := []point{{7, []int8{1, 2}}}[:0]
	first := Add(&s)
	if len(s) != 1 || first != &s[0] || first.x != -1 || len(first.rest) != 0 || cap(first.rest) != 2 {
		t.Errorf("added %+v to %+v", first, s)
	}
	if second := Add(&s); len(s) != 2 || second != &s[1] || second.x != -1 {
		t.Errorf("added %+v to %+v", second, s)
	}
}

func TestEmptyIsNotNull(t *testing.T) {
	if Empty[int](nil) == nil || cap(Empty(make([]int, 3))) != 3 {
		t.Error("Empty gives null, or forgets memory")
	}
}

func TestLongStringsAreCut(t *testing.T) {
	for _, flexible := range []bool{false, true} {
		b := AppendString(nil, strings.Repeat("x", 70000), flexible)
		if got := newReader(b).String(flexible); len(got) != stringBytesMax {
			t.Errorf("a long string is read back with %d bytes", len(got))
		}
	}
}
