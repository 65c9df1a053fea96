// Shown here: whatever bytes come, decoding them ends with an error that has a name or with a message that is written and
// read back as itself, within the budget.

package wire

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kbin"
)

func FuzzRequest(f *testing.F) {
	for key := range int16(len(apis)) {
		min, max, _, ok := Versions(key)
		for version := min; ok && version <= max; version++ {
			m := NewRequest(key)
			fill(reflect.ValueOf(m).Elem(), rand.New(rand.NewPCG(uint64(key), uint64(version))))
			f.Add(key, version, m.Append(nil, version))
		}
	}
	f.Fuzz(func(t *testing.T, key, version int16, b []byte) {
		min, max, _, ok := Versions(key)
		if ok && version >= min && version <= max {
			fuzz(t, NewRequest(key), version, b)
		}
	})
}

func FuzzRequestHeader(f *testing.F) {
	for version := range int16(3) {
		f.Add(version, (&RequestHeader{RequestApiKey: 3, CorrelationID: 1 << 30, ClientID: new("client")}).Append(nil, version))
	}
	f.Fuzz(func(t *testing.T, version int16, b []byte) {
		if version >= 0 && version <= 2 {
			fuzz(t, new(RequestHeader), version, b)
		}
	})
}

func fuzz(t *testing.T, m Message, version int16, b []byte) {
	r := kbin.Reader{Intern: new(kbin.Interner)}
	r.Reset(b, 1<<16)
	m.Decode(&r, version)
	if r.Spent() > 1<<16 {
		t.Fatalf("%d bytes spent", r.Spent())
	}
	if err := r.Err(); err != nil {
		if !errors.Is(err, kbin.ErrTruncated) && !errors.Is(err, kbin.ErrMalformed) && !errors.Is(err, kbin.ErrBudget) {
			t.Fatalf("error %v", err)
		}
		return
	}
	written := m.Append(nil, version)
	decode(t, m, written, version)
	if again := m.Append(nil, version); !bytes.Equal(again, written) {
		t.Errorf("written again\n%x\nat first\n%x", again, written)
	}
}
