package handler

import (
	"fmt"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// when is what a ListOffsets request has for one partition.
type when struct {
	topic     string
	partition int32
	ms        int64
	epoch     int32
	max       int32
}

func (w *world) list(version int16, whens ...when) []string {
	w.Helper()
	q := &wire.ListOffsetsRequest{ReplicaID: -1}
	for _, x := range whens {
		q.Topics = append(q.Topics, wire.ListOffsetsRequestListOffsetsTopic{Name: x.topic, Partitions: []wire.ListOffsetsRequestListOffsetsPartition{
			{PartitionIndex: x.partition, CurrentLeaderEpoch: x.epoch, Timestamp: x.ms, MaxNumOffsets: x.max}}})
	}
	var all []string
	for _, t := range ask[wire.ListOffsetsResponse](w, wire.KeyListOffsets, version, q).Topics {
		for _, p := range t.Partitions {
			s := fmt.Sprintf("%s/%d %v", t.Name, p.PartitionIndex, kerr.Code(p.ErrorCode))
			if version == 0 {
				s += fmt.Sprint(" ", p.OldStyleOffsets)
			} else {
				s += fmt.Sprintf(" %d at %d", p.Offset, p.Timestamp)
			}
			if version >= 4 {
				s += fmt.Sprintf(" epoch %d", p.LeaderEpoch)
			}
			all = append(all, s)
		}
	}
	return all
}

const then = 1700000000000

// fillTimes appends records at times after then: offsets 0 to 2 in one batch, 3 and 4 in one each.
func (w *world) fillTimes(topic string) {
	w.Helper()
	b, err := record.Build(record.Options{LeaderEpoch: -1},
		record.Record{Offset: 0, Timestamp: then}, record.Record{Offset: 1, Timestamp: then + 50}, record.Record{Offset: 2, Timestamp: then + 20})
	if err != nil {
		w.Fatal(err)
	}
	for i, b := range [][]byte{b, batch(w, then+10, "a"), batch(w, then+100, "b")} {
		w.expect("fill", w.produce(3, produceOf(-1, part{topic, 0, b})), fmt.Sprintf("%s/0 NONE@%d", topic, []int{0, 3, 4}[i]))
	}
}

func TestListOffsetsEveryVersion(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("t", 2)
	w.fillTimes("t")
	eachVersion(wire.KeyListOffsets, 1, func(v int16) {
		f := func(ms int64, offset, found int64) {
			t.Helper()
			want := fmt.Sprintf("t/0 NONE %d at %d", offset, found)
			if v >= 4 && offset >= 0 {
				want += " epoch 0"
			} else if v >= 4 {
				want += " epoch -1"
			}
			w.expect(fmt.Sprintf("v%d at %d", v, ms), w.list(v, when{"t", 0, ms, -1, 0}), want)
		}
		f(-1, 5, -1)
		f(-2, 0, -1)
		f(then-1, 0, then)
		f(then, 0, then)
		f(then+1, 1, then+50)
		f(then+51, 4, then+100)
		f(then+101, -1, -1)
		if v >= 7 {
			f(-3, 4, then+100)
		}
		if v >= 8 {
			f(-4, 0, -1)
		}
		if v >= 9 {
			f(-5, -1, -1)
		}
	})
}

func TestListOffsetsOldStyle(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("t", 2)
	w.fillTimes("t")
	f := func(partition int32, ms int64, max int32, want string) {
		t.Helper()
		w.expect(fmt.Sprint(ms), w.list(0, when{"t", partition, ms, 0, max}), fmt.Sprintf("t/%d %s", partition, want))
	}
	f(0, -1, 9, "NONE [5 0]")
	f(0, -1, 1, "NONE [5]")
	f(0, -1, 0, "NONE []")
	f(0, -1, -1, "NONE []")
	f(0, -2, 9, "NONE [0]")
	f(0, then, 9, "NONE []")
	f(0, then+100, 9, "NONE [0]")
	f(0, nowMs()+1_000_000, 9, "NONE [5 0]")
	f(1, -1, 9, "NONE [0]")
	f(1, -2, 9, "NONE [0]")
	f(1, -3, 9, "UNSUPPORTED_VERSION []")
	f(7, -1, 9, "UNKNOWN_TOPIC_OR_PARTITION []")
	w.expect("twice", w.list(0, when{"t", 0, -1, 0, 1}, when{"t", 0, -2, 0, 1}), "t/0 NONE [5]", "t/0 NONE [0]")
}

func TestListOffsetsErrors(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("t", 2)
	f := func(version int16, x when, want string) {
		t.Helper()
		w.expect(fmt.Sprintf("v%d %+v", version, x), w.list(version, x), want)
	}
	f(3, when{"t", 0, -3, -1, 0}, "t/0 UNSUPPORTED_VERSION -1 at -1")
	f(6, when{"t", 0, -3, -1, 0}, "t/0 UNSUPPORTED_VERSION -1 at -1 epoch -1")
	f(7, when{"t", 0, -4, -1, 0}, "t/0 UNSUPPORTED_VERSION -1 at -1 epoch -1")
	f(8, when{"t", 0, -5, -1, 0}, "t/0 UNSUPPORTED_VERSION -1 at -1 epoch -1")
	f(10, when{"t", 0, -6, -1, 0}, "t/0 UNSUPPORTED_VERSION -1 at -1 epoch -1")
	f(7, when{"t", 0, -1, 1, 0}, "t/0 UNKNOWN_LEADER_EPOCH -1 at -1 epoch -1")
	f(7, when{"t", 0, -1, -2, 0}, "t/0 FENCED_LEADER_EPOCH -1 at -1 epoch -1")
	f(7, when{"t", 0, -3, -1, 0}, "t/0 NONE -1 at -1 epoch -1")
	f(7, when{"t", 0, 5, -1, 0}, "t/0 NONE -1 at -1 epoch -1")
	w.expect("beside a good one", w.list(7, when{"nope", 0, -1, -1, 0}, when{"t", 2, -1, -1, 0}, when{"t", 0, -1, 0, 0}),
		"nope/0 UNKNOWN_TOPIC_OR_PARTITION -1 at -1 epoch -1", "t/2 UNKNOWN_TOPIC_OR_PARTITION -1 at -1 epoch -1", "t/0 NONE 0 at -1 epoch 0")
	w.expect("twice", w.list(7, when{"t", 0, -1, -1, 0}, when{"t", 1, -1, -1, 0}, when{"t", 0, -2, -1, 0}),
		"t/0 INVALID_REQUEST -1 at -1 epoch -1", "t/1 NONE 0 at -1 epoch 0", "t/0 INVALID_REQUEST -1 at -1 epoch -1")
}
