package wire

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kbin"
)

// budget is more than any message of these tests decodes to.
const budget = 1 << 24

// subject is a message under test: one API's request or response, a header, or a part of the consumer protocol.
type subject struct {
	name     string
	min, max int16
	flexible int16
	fresh    func() Message
}

// subjects is every message of the package.
func subjects() []subject {
	all := []subject{
		{"RequestHeader", 0, 2, 2, fresh[RequestHeader]},
		{"ResponseHeader", 0, 1, 1, fresh[ResponseHeader]},
		{"ConsumerProtocolSubscription", 0, 3, -1, fresh[ConsumerProtocolSubscription]},
		{"ConsumerProtocolAssignment", 0, 3, -1, fresh[ConsumerProtocolAssignment]},
	}
	for _, a := range apis {
		if a.name != "" {
			all = append(all, subject{a.name + "Request", a.min, a.max, a.flexible, a.request})
			all = append(all, subject{a.name + "Response", a.min, a.max, a.flexible, a.response})
		}
	}
	return all
}

// eachVersion runs f for every version of every message.
func eachVersion(t *testing.T, f func(t *testing.T, s subject, version int16, random *rand.Rand)) {
	for i, s := range subjects() {
		t.Run(s.name, func(t *testing.T) {
			for version := s.min; version <= s.max; version++ {
				t.Run(fmt.Sprint("v", version), func(t *testing.T) {
					f(t, s, version, rand.New(rand.NewPCG(uint64(i), uint64(version))))
				})
			}
		})
	}
}

// decode reads all of b, and fails the test if something goes wrong or is left over.
func decode(t *testing.T, m Message, b []byte, version int16) {
	t.Helper()
	if err := decodeErr(m, b, version); err != nil {
		t.Fatal(err)
	}
}

func decodeErr(m Message, b []byte, version int16) error {
	var r kbin.Reader
	r.Reset(b, budget)
	if m.Decode(&r, version); r.Err() != nil {
		return r.Err()
	}
	if r.Len() != 0 {
		return fmt.Errorf("%d of %d bytes are left", r.Len(), len(b))
	}
	return nil
}

// fill gives every field of a message, ours or kmsg's, a random value; of nullable ones some are null, of slices some are
// empty.
func fill(v reflect.Value, random *rand.Rand) {
	switch v.Kind() {
	case reflect.Pointer:
		v.SetZero()
		if random.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), random)
		}
	case reflect.Slice:
		v.SetZero()
		if n := random.IntN(5); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n-1, n))
			fillElements(v, random)
		}
	case reflect.Array:
		fillElements(v, random)
	case reflect.Struct:
		fillStruct(v, random)
	default:
		fillScalar(v, random)
	}
}

func fillElements(v reflect.Value, random *rand.Rand) {
	for i := range v.Len() {
		fill(v.Index(i), random)
	}
}

func fillStruct(v reflect.Value, random *rand.Rand) {
	for i := range v.NumField() {
		switch f := v.Type().Field(i); {
		case f.Name == "UnknownTags" || f.Name == "Version" && i == 0: // kmsg's own
		case f.Type == reflect.TypeFor[kbin.Records]():
			fill(v.Field(i).FieldByName("Bytes"), random)
		default:
			fill(v.Field(i), random)
		}
	}
}

func fillScalar(v reflect.Value, random *rand.Rand) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("abcdefghijklmnop"[:random.IntN(16)])
	case reflect.Bool:
		v.SetBool(random.IntN(2) == 0)
	case reflect.Float64:
		v.SetFloat(random.Float64())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		v.SetUint(random.Uint64() >> (64 - v.Type().Bits()))
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(random.Uint64()) >> (64 - v.Type().Bits()))
	default:
		panic("no random value for " + v.Type().String())
	}
}
