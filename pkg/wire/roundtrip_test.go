// Shown here: every message, in every version, is read back as it was written; no field is forgotten; and a message that
// ends early, wherever, is an error and nothing worse.

package wire

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kbin"
)

func TestRoundTrip(t *testing.T) {
	survived := map[string]bool{} // fields seen to come back with a value other than their default
	eachVersion(t, func(t *testing.T, s subject, version int16, random *rand.Rand) {
		reused := s.fresh()
		for range 20 {
			sent := s.fresh()
			fill(reflect.ValueOf(sent).Elem(), random)
			b := sent.Append(nil, version)
			decode(t, reused, b, version)
			compare(t, s.name, reflect.ValueOf(sent).Elem(), reflect.ValueOf(reused).Elem(), survived)
			if again := reused.Append(nil, version); !bytes.Equal(again, b) {
				t.Fatalf("written again\n%x\nat first\n%x", again, b)
			}
		}
	})
	for path, ok := range survived {
		if !ok {
			t.Errorf("%s comes back in no version", path)
		}
	}
}

// compare wants each field of got to be what was sent or, if the version lacks it, its default.
func compare(t *testing.T, path string, sent, got reflect.Value, survived map[string]bool) {
	t.Helper()
	defaults := reflect.New(sent.Type())
	defaults.Interface().(Message).Reset()
	for i := range sent.NumField() {
		name := path + "." + sent.Type().Field(i).Name
		s, g, d := sent.Field(i), got.Field(i), defaults.Elem().Field(i)
		survived[name] = survived[name] || !same(g, d)
		switch {
		case s.Kind() == reflect.Slice && s.Type().Elem().Kind() == reflect.Struct && s.Len() == g.Len():
			for j := range s.Len() {
				compare(t, name, s.Index(j), g.Index(j), survived)
			}
		case isMessage(s.Type()):
			compare(t, name, s, g, survived)
		case s.Kind() == reflect.Pointer && isMessage(s.Type().Elem()) && !s.IsNil() && !g.IsNil():
			compare(t, name, s.Elem(), g.Elem(), survived)
		case !same(s, g) && !same(g, d):
			t.Fatalf("%s came back as %v, not %v", name, g, s)
		}
	}
}

func isMessage(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && reflect.PointerTo(t).Implements(reflect.TypeFor[Message]())
}

// same is equality, but that of slices nil and empty are the same: TestNull tells them apart.
func same(a, b reflect.Value) bool {
	if a.Type() == reflect.TypeFor[kbin.Records]() {
		a, b = a.FieldByName("Bytes"), b.FieldByName("Bytes")
	}
	if a.Kind() == reflect.Slice && a.Len() == 0 && b.Len() == 0 {
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

func TestTruncated(t *testing.T) {
	eachVersion(t, func(t *testing.T, s subject, version int16, random *rand.Rand) {
		sent, got := s.fresh(), s.fresh()
		fill(reflect.ValueOf(sent).Elem(), random)
		b := sent.Append(nil, version)
		for n := range b {
			var r kbin.Reader
			r.Reset(b[:n:n], budget)
			if got.Decode(&r, version); !errors.Is(r.Err(), kbin.ErrTruncated) {
				t.Fatalf("%d of %d bytes decode with error %v", n, len(b), r.Err())
			}
		}
	})
}

func TestUnknownTagsAreSkipped(t *testing.T) {
	eachVersion(t, func(t *testing.T, s subject, version int16, random *rand.Rand) {
		if s.flexible < 0 || version < s.flexible {
			return
		}
		want := s.fresh().Append(nil, version)
		b := bytes.Clone(want)
		b[len(b)-1] = 2 // no tagged field is written, so this is their number
		b = append(b, 100, 3, 'a', 'b', 'c', 101, 0)
		got := s.fresh()
		decode(t, got, b, version)
		if again := got.Append(nil, version); !bytes.Equal(again, want) {
			t.Errorf("without the unknown tags\n%x, not\n%x", again, want)
		}
	})
}

func TestNull(t *testing.T) {
	topics := MetadataRequest{}
	null, empty := topics.Append(nil, 1), (&MetadataRequest{Topics: []MetadataRequestTopic{}}).Append(nil, 1)
	if !bytes.Equal(null, []byte{255, 255, 255, 255}) || !bytes.Equal(empty, []byte{0, 0, 0, 0}) {
		t.Errorf("null is written as %v, empty as %v", null, empty)
	}
	if decode(t, &topics, empty, 1); topics.Topics == nil {
		t.Error("empty is read as null")
	}
	if decode(t, &topics, null, 1); topics.Topics != nil {
		t.Error("null is read as empty")
	}
	if got := topics.Append(nil, 0); !bytes.Equal(got, []byte{0, 0, 0, 0}) {
		t.Errorf("null is written as %v in a version that has no null", got)
	}
	var r kbin.Reader
	r.Reset(null, budget)
	if topics.Decode(&r, 0); !errors.Is(r.Err(), kbin.ErrMalformed) {
		t.Errorf("null in a version that has no null: %v", r.Err())
	}
}
