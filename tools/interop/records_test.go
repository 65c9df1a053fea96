package interop

import (
	"fmt"
	"testing"
)

// rec is a record as every client can say it: nil and empty differ, headers keep their order.
type rec struct {
	key, value []byte
	headers    []header
}

type header struct {
	key   string
	value []byte
}

// sample is what each client produces in each codec: ordinary records, and every way in which one can be empty.
func sample(name string) []rec {
	records := []rec{
		{key: nil, value: []byte("a null key")},
		{key: []byte{}, value: []byte("an empty key")},
		{key: []byte("a null value"), value: nil},
		{key: []byte("an empty value"), value: []byte{}},
		{key: []byte("headers"), value: []byte("v"), headers: []header{{"b", []byte("1")}, {"a", []byte("2")}, {"b", []byte("3")}, {"empty", []byte{}}}},
	}
	for i := range 200 {
		records = append(records, rec{key: fmt.Appendf(nil, "key-%d", i), value: fmt.Appendf(nil, "%s: value %d of some length, so that there is something to compress", name, i)})
	}
	return records
}

// compare checks that what was consumed is what was produced, in order.
func compare(t *testing.T, got, want []rec) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d records, want %d", len(got), len(want))
	}
	for i := range want {
		if g, w := show(got[i]), show(want[i]); g != w {
			t.Fatalf("record %d: got %s, want %s", i, g, w)
		}
	}
}

func show(r rec) string {
	s := field(r.key) + " = " + field(r.value)
	for _, h := range r.headers {
		s += fmt.Sprintf(" %q:%s", h.key, field(h.value))
	}
	return s
}

func field(b []byte) string {
	if b == nil {
		return "null"
	}
	return fmt.Sprintf("%q", b)
}
