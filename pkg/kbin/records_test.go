// Shown here: records given as parts leave a hole exactly where a copy of them would stand.

package kbin

import (
	"bytes"
	"testing"
)

func TestRecordsLeaveAHole(t *testing.T) {
	for _, flexible := range []bool{false, true} {
		copied := Records{Bytes: []byte("one two")}
		parts := Records{Bytes: []byte("ignored"), Parts: [][]byte{[]byte("one "), []byte("two")}}
		want := append(AppendNullableRecords([]byte("before"), &copied, flexible), "after"...)
		holed := append(AppendNullableRecords([]byte("before"), &parts, flexible), "after"...)
		filled := bytes.Join([][]byte{holed[:parts.At], parts.Parts[0], parts.Parts[1], holed[parts.At:]}, nil)
		if !bytes.Equal(filled, want) || copied.Len() != 7 || parts.Len() != 7 {
			t.Errorf("with the hole filled %q, copied %q", filled, want)
		}
	}
	none := Records{Parts: [][]byte{}}
	if b := AppendNullableRecords(nil, &none, true); !bytes.Equal(b, []byte{1}) || none.At != 1 {
		t.Errorf("no parts are %v, not empty records", b)
	}
}
