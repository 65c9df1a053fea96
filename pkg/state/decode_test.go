package state

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/record"
)

// TestCommands shows that the commands of an entry are read as they were written, each at its place, and that what is no
// command ends it.
func TestCommands(t *testing.T) {
	batch, err := record.Build(record.Options{}, record.Record{Value: []byte("one")})
	if err != nil {
		t.Fatal(err)
	}
	topic := ID{0xa1}
	all := []Command{
		CreateCluster{"abc"}, CreateTopic{topic, "orders", 3, []ConfigEntry{{"a", "b"}}, 0x1234}, DeleteTopic{topic}, AddPartitions{topic, 300},
		AllocateProducerID{}, MoveLogStart{topic, 3, 0x1234}, ExpireProducers{0x1234},
		ReplaceSegments{topic, 3, 10, 20, []uint64{7}, []Segment{{10, 20, 8, 100, 9, -1, 5, 6}}, 15},
		StoreGroup{"g", Generation{7, "consumer", "range", "m", 0x1234, []Member{{"m", "i", "c", "h", 5, 6, []byte("s"), []byte("a")}}}},
		DeleteGroup{"g"}, CommitOffsets{"g", []PartitionOffset{{topic, 3, Offset{9, 1, "m", 0x1234, -1}}}}, DeleteOffsets{"g", []TopicPartition{{topic, 3}}},
		ExpireOffsets{"g", 1, 2, -1, []string{"orders"}}, ConfigureTopic{topic, []ConfigEntry{{"a", "b"}}, []string{"c"}},
		UpsertCredential{"u", Credential{ScramSHA512, 4096, []byte("salt"), []byte("a"), []byte("bc")}}, DeleteCredential{"u", ScramSHA256}, CreateSecret{[]byte("abc")},
	}
	entry := AppendProduce(nil, topic, 3, 0x1234, batch)
	want := []any{Produced{topic, 3, 0x1234, batch}}
	for _, c := range all {
		entry, want = AppendCommand(entry, c), append(want, c)
	}
	at := 0
	for c, err := range Commands(entry) {
		if err != nil || c.At != at || !reflect.DeepEqual(c.Command, want[0]) {
			t.Fatalf("at byte %d: %+v, %v; want %+v at %d", c.At, c.Command, err, want[0], at)
		}
		at, want = at+c.Bytes, want[1:]
	}
	if at != len(entry) || len(want) > 0 {
		t.Errorf("read %d bytes of %d, %d commands are left", at, len(entry), len(want))
	}

	f := func(entry []byte, want string) {
		t.Helper()
		for _, err := range Commands(entry) {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%x: %v, want %q", entry, err, want)
			}
			return
		}
		t.Errorf("%x: nothing is said", entry)
	}
	f([]byte{0, 0, 0}, "command at byte 0: ends in the middle of a field")
	f([]byte{0, 0, 0, 2, 2}, "command of 6 bytes where 5 are left")
	f([]byte{0, 0, 0, 1, 99}, "unknown command kind 99")
	f([]byte{0, 0, 0, 3, kindDeleteTopic, 1, 2}, "state.DeleteTopic: ends in the middle")
	f(entry[:ProduceHeaderBytes], "where 33 are left")
	f(AppendProduce(nil, topic, 3, 1, batch[:20]), "produce command of 48 bytes")
}

func TestProducers(t *testing.T) {
	p := &Partition{producers: map[int64]*producer{9: {epoch: 1, lastMs: 2}, 7: {3, 4, []appended{{lastSeq: 5}, {lastSeq: 6}}}}}
	if got := slices.Collect(p.Producers()); !slices.Equal(got, []Producer{{7, 3, 4, 6}, {9, 1, 2, record.NoSequence}}) {
		t.Errorf("got %+v", got)
	}
}
