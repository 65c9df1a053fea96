package kbin

import (
	"errors"
	"testing"
)

// FuzzReader reads arbitrary bytes by an arbitrary program: no panic, no error without a name, no view beyond the bytes, and
// no more memory than the budget.
func FuzzReader(f *testing.F) {
	for _, v := range values() {
		f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18}, v.write(nil))
	}
	f.Add([]byte{14, 14, 14, 14}, appendTagged("text"))
	f.Fuzz(func(t *testing.T, program, b []byte) {
		const budget = 1 << 12
		var r Reader
		r.Reset(b, budget)
		for _, op := range program {
			step(t, &r, op)
			if r.Len() < 0 || r.Len() > len(b) || r.Spent() > budget {
				t.Fatalf("%d bytes are left, %d spent", r.Len(), r.Spent())
			}
		}
		if err := r.Err(); err != nil && !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrBudget) {
			t.Errorf("error %v", err)
		}
	})
}

// step reads one thing; op says what.
func step(t *testing.T, r *Reader, op byte) {
	flexible := op >= 128
	switch op % 19 {
	case 0:
		r.Bool()
	case 1:
		r.Int16()
	case 2:
		r.Int32()
	case 3:
		r.Float64()
	case 4:
		r.UUID()
	case 5:
		_ = r.String(flexible)
	case 6:
		r.NullableString(flexible)
	case 7:
		checkView(t, r.Bytes(flexible))
	case 8:
		checkView(t, r.NullableRecords(flexible).Bytes)
	case 9:
		r.Int8s(r.NullableArrayLen(flexible), nil)
	case 10:
		r.Int16s(r.ArrayLen(flexible), nil)
	case 11:
		r.Int32s(r.ArrayLen(flexible), nil)
	case 12:
		r.Int64s(r.ArrayLen(flexible), nil)
	case 13:
		r.Strings(r.ArrayLen(flexible), nil, flexible)
	case 14:
		r.SkipTags()
	case 15:
		Structs(r, r.ArrayLen(flexible), []point(nil), 1)
	case 16:
		NullableStruct[point](r, 0)
	case 17:
		r.UUIDs(r.ArrayLen(flexible), nil)
	case 18:
		_, end := r.OpenTag()
		r.Int16()
		r.CloseTag(end)
	}
}

func checkView(t *testing.T, view []byte) {
	if cap(view) != len(view) {
		t.Errorf("a view of %d bytes reaches %d", len(view), cap(view))
	}
}
