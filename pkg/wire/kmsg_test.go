// Shown here: what we write, franz-go's kmsg reads and writes the same, byte for byte, and the other way round, for every
// message in every version. Where kmsg does not follow Kafka's specs, kmsgDiffers says so, and the test shows that it is so.

package wire

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// kmsgMessage is what kmsg's requests and responses have in common.
type kmsgMessage interface {
	SetVersion(int16)
	MaxVersion() int16
	AppendTo([]byte) []byte
	ReadFrom([]byte) error
}

// kmsgDiffers is where kmsg v1.15.0 does not do what Kafka's specs say. The field must not be filled in versions below the
// one given, and if it is, the messages must differ: a kmsg that has caught up fails TestKmsgDiffers.
var kmsgDiffers = []struct {
	message, field string // ours, and kmsg's path within it
	below          int16
	why            string
}{
	{"ProduceResponse", "Topics.Partitions.CurrentLeader", 10, tagTooEarly},
	{"ProduceResponse", "Brokers", 10, tagTooEarly},
	{"FetchRequest", "ReplicaState", 15, tagTooEarly},
	{"FetchRequest", "Topics.Partitions.ReplicaDirectoryID", 17, tagTooEarly},
	{"FetchRequest", "Topics.Partitions.HighWatermark", 18, tagTooEarly},
	{"FetchResponse", "Brokers", 16, tagTooEarly},
	{"ShareFetchResponse", "Topics.Partitions.Records", 3, "kmsg writes null; since 4.1 the spec lets only version 0, which is gone, be null"},
}

const tagTooEarly = "kmsg writes the tagged field in all flexible versions; the spec has it only from this one on"

func TestEqualsKmsg(t *testing.T) {
	eachVersion(t, func(t *testing.T, s subject, version int16, random *rand.Rand) {
		if theirs := kmsgOf(s); theirs == nil || version > theirs.MaxVersion() {
			return
		}
		for range 20 {
			if err := kmsgKeepsOurs(s, version, random); err != nil {
				t.Fatal(err)
			}
			if err := weKeepKmsgs(s, version, random, differing(s, version)...); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestKmsgDiffers is the broken twin: without the table, messages are not equal.
func TestKmsgDiffers(t *testing.T) {
	eachVersion(t, func(t *testing.T, s subject, version int16, random *rand.Rand) {
		for _, field := range differing(s, version) {
			others := slices.DeleteFunc(differing(s, version), func(other string) bool { return other == field })
			var err error
			for n := 0; n < 100 && err == nil; n++ {
				err = weKeepKmsgs(s, version, random, others...)
			}
			if err == nil {
				t.Errorf("%s does not differ any more", field)
			}
		}
	})
}

func differing(s subject, version int16) (fields []string) {
	for _, d := range kmsgDiffers {
		if d.message == s.name && version < d.below && version >= s.flexible {
			fields = append(fields, d.field)
		}
	}
	return fields
}

func kmsgOf(s subject) kmsgMessage {
	for key := range int16(len(apis)) {
		switch {
		case apis[key].name+"Request" == s.name:
			return kmsg.RequestForKey(key)
		case apis[key].name+"Response" == s.name:
			return kmsg.ResponseForKey(key)
		}
	}
	return nil
}

// kmsgKeepsOurs writes a random message, and wants kmsg to read it and to write the same bytes.
func kmsgKeepsOurs(s subject, version int16, random *rand.Rand) error {
	ours, theirs := s.fresh(), kmsgOf(s)
	theirs.SetVersion(version)
	fill(reflect.ValueOf(ours).Elem(), random)
	b := ours.Append(nil, version)
	if err := theirs.ReadFrom(b); err != nil {
		return fmt.Errorf("kmsg reads ours: %w", err)
	}
	if again := theirs.AppendTo(nil); !bytes.Equal(again, b) {
		return fmt.Errorf("kmsg rewrites\n%x as\n%x", b, again)
	}
	return nil
}

// weKeepKmsgs has kmsg write a random message, without some fields, and wants us to read it and to write the same bytes.
func weKeepKmsgs(s subject, version int16, random *rand.Rand, without ...string) error {
	ours, theirs := s.fresh(), kmsgOf(s)
	fill(reflect.ValueOf(theirs).Elem(), random)
	for _, path := range without {
		setDefault(reflect.ValueOf(theirs).Elem(), strings.Split(path, "."))
	}
	theirs.SetVersion(version)
	b := theirs.AppendTo(nil)
	if err := decodeErr(ours, b, version); err != nil {
		return fmt.Errorf("we read kmsg's: %w", err)
	}
	if again := ours.Append(nil, version); !bytes.Equal(again, b) {
		return fmt.Errorf("we rewrite\n%x as\n%x", b, again)
	}
	return nil
}

// setDefault gives a field of a kmsg struct, of all elements on the path to it, the default that kmsg says it has; of bytes
// it is made empty, not null.
func setDefault(v reflect.Value, path []string) {
	if v.Kind() == reflect.Slice {
		for i := range v.Len() {
			setDefault(v.Index(i), path)
		}
		return
	}
	if len(path) > 1 {
		setDefault(v.FieldByName(path[0]), path[1:])
		return
	}
	field := v.FieldByName(path[0])
	if field.Type() == reflect.TypeFor[[]byte]() {
		field.SetBytes([]byte{})
		return
	}
	d := reflect.New(v.Type())
	d.Interface().(interface{ Default() }).Default()
	field.Set(d.Elem().FieldByName(path[0]))
}
