package state

import (
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
)

// These tests hold what FORMAT.md says, field by field. A released command keeps its bytes for ever: a change of them is a new
// kind, or a new version of the snapshot, not another line here.

// pinned reads hex with spaces between the fields, in which ID stands for the id a1 and zeros, and text is quoted.
func pinned(fields string) string {
	var b strings.Builder
	for field := range strings.FieldsSeq(strings.ReplaceAll(fields, "ID", "a1000000000000000000000000000000")) {
		if field[0] == '\'' {
			field = hex.EncodeToString([]byte(strings.Trim(field, "'")))
		}
		b.WriteString(field)
	}
	return b.String()
}

func TestPinnedCommands(t *testing.T) {
	topic := ID{0xa1}
	f := func(got []byte, want string) {
		t.Helper()
		if hex.EncodeToString(got) != pinned(want) {
			t.Errorf("got %x, want %s", got, want)
		}
	}
	g := func(c Command, want string) {
		t.Helper()
		f(AppendCommand(nil, c), want)
	}
	f(AppendProduce(nil, topic, 3, 0x1234, []byte("batch")), "00000022 01 ID 00000003 0000000000001234 'batch'")
	g(CreateCluster{"abc"}, "00000005 02 03 'abc'")
	g(CreateTopic{topic, "orders", 3, []ConfigEntry{{"a", "b"}, {"c", "d"}}, 0x1234},
		"0000002d 03 ID 06 'orders' 00000003 02 01 'a' 01 'b' 01 'c' 01 'd' 0000000000001234")
	g(DeleteTopic{topic}, "00000011 04 ID")
	g(AddPartitions{topic, 300}, "00000015 05 ID 0000012c")
	g(AllocateProducerID{}, "00000001 06")
	g(MoveLogStart{topic, 3, 0x1234}, "0000001d 07 ID 00000003 0000000000001234")
	g(ExpireProducers{0x1234}, "00000009 08 0000000000001234")
	g(ReplaceSegments{topic, 3, 10, 20, []uint64{7}, []Segment{{10, 20, 8, 100, 9, -1, 5, 6}}, 15},
		"00000077 09 ID 00000003 000000000000000a 0000000000000014 01 0000000000000007 "+
			"01 000000000000000a 0000000000000014 0000000000000008 0000000000000064 0000000000000009 ffffffffffffffff 0000000000000005 0000000000000006 000000000000000f")
	g(StoreGroup{"g", Generation{7, "consumer", "range", "m", 0x1234, []Member{{"m", "i", "c", "h", 5, 6, []byte("s"), []byte("a")}}}},
		"00000035 10 01 'g' 00000007 08 'consumer' 05 'range' 01 'm' 0000000000001234 01 01 'm' 01 'i' 01 'c' 01 'h' 00000005 00000006 01 's' 01 'a'")
	g(DeleteGroup{"g"}, "00000003 11 01 'g'")
	g(CommitOffsets{"g", []PartitionOffset{{topic, 3, Offset{9, 1, "m", 0x1234, -1}}}},
		"00000036 12 01 'g' 01 ID 00000003 0000000000000009 00000001 01 'm' 0000000000001234 ffffffffffffffff")
	g(DeleteOffsets{"g", []TopicPartition{{topic, 3}}}, "00000018 13 01 'g' 01 ID 00000003")
	g(ExpireOffsets{"g", 1, 2, -1, []string{"orders"}},
		"00000023 14 01 'g' 0000000000000001 0000000000000002 ffffffffffffffff 01 06 'orders'")
	g(ConfigureTopic{topic, []ConfigEntry{{"a", "b"}}, []string{"c"}}, "00000019 18 ID 01 01 'a' 01 'b' 01 01 'c'")
	g(UpsertCredential{"u", Credential{ScramSHA512, 4096, []byte("salt"), []byte("a"), []byte("bc")}}, "00000012 20 01 'u' 02 00001000 04 'salt' 01 'a' 02 'bc'")
	g(DeleteCredential{"u", ScramSHA256}, "00000004 21 01 'u' 01")
	g(CreateSecret{[]byte("abc")}, "00000005 22 03 'abc'")
}

func TestPinnedSnapshot(t *testing.T) {
	partition := &Partition{
		LogStart: 1, HighWatermark: 5, CleanedTo: 1, segments: []Segment{{0, 1, 8, 100, 9, -1, 5, 6}}, extents: []Extent{{1, 2, 3, 4, 5, 6}}, open: Extent{3, 4, 5, 6, -1, 8},
		producers: map[int64]*producer{7: {1, 2, []appended{{3, 4, 5, -1}}}},
	}
	topic := &Topic{ID{0xa1}, "orders", []ConfigEntry{{"a", "b"}}, 9, []*Partition{partition}}
	group := &Group{ID: "g", Generation: Generation{Number: 7}, offsets: map[ID]map[int32]Offset{{0xa1}: {3: {9, 1, "m", 2, -1}}}}
	s := &State{"abc", 0x1234, map[ID]*Topic{topic.ID: topic}, nil, 8, map[string]*Group{"g": group},
		map[string][]Credential{"u": {{ScramSHA256, 4096, []byte("salt"), []byte("a"), []byte("bc")}}}, []byte("abc"), nil}
	want := pinned(`
		'HSNP' 00000001 0000000000001234 03 'abc' 0000000000000008
		01 ID 06 'orders' 01 01 'a' 01 'b' 0000000000000009 01
			0000000000000001 0000000000000005 0000000000000001
			01 0000000000000000 0000000000000001 0000000000000008 0000000000000064 0000000000000009 ffffffffffffffff 0000000000000005 0000000000000006
			01 0000000000000001 0000000000000002 00000003 00000004 0000000000000005 0000000000000006
			0000000000000003 0000000000000004 00000005 00000006 ffffffffffffffff 0000000000000008
			01 0000000000000007 0001 0000000000000002 01 00000003 00000004 0000000000000005 ffffffffffffffff
		01 01 'g' 00000007 00 00 00 0000000000000000 00
			01 ID 01 00000003 0000000000000009 00000001 01 'm' 0000000000000002 ffffffffffffffff
		01 01 'u' 01 01 00001000 04 'salt' 01 'a' 02 'bc'
		03 'abc'`)
	got := s.AppendSnapshot(nil)
	body := got[:len(got)-4]
	if hex.EncodeToString(body) != want {
		t.Errorf("got  %x\nwant %s", body, want)
	}
	if sum := fmt.Sprintf("%08x", crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))); hex.EncodeToString(got[len(body):]) != sum {
		t.Errorf("ends in %x, want %s", got[len(body):], sum)
	}
}
