package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"
	"weak"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// These tests show that Apply gives offsets in order, judges idempotent producers as Kafka does, moves log starts, and that
// a state is the same whether it was folded from the first entry, from a snapshot on, or in a clone.

// batch is the header of a record batch, which is all that a state reads of one, and some bytes of records.
func batch(producer int64, epoch int16, seq int32, count int, maxTimestamp int64) []byte {
	b := make([]byte, 61+10*count)
	be := binary.BigEndian
	be.PutUint32(b[8:], uint32(len(b)-12))
	b[16] = 2
	be.PutUint32(b[23:], uint32(count-1))
	be.PutUint64(b[35:], uint64(maxTimestamp))
	be.PutUint64(b[43:], uint64(producer))
	be.PutUint16(b[51:], uint16(epoch))
	be.PutUint32(b[53:], uint32(seq))
	be.PutUint32(b[57:], uint32(count))
	return b
}

// fold is a state with the entries it was folded from.
type fold struct {
	t       *testing.T
	state   *State
	entries [][]byte
}

var orders = ID{1}

func newFold(t *testing.T) *fold {
	f := &fold{t: t, state: New()}
	f.do(CreateTopic{ID: orders, Name: "orders", Partitions: 2})
	return f
}

func (f *fold) entry(e []byte) []Result {
	f.t.Helper()
	f.entries = append(f.entries, e)
	r, err := f.state.Apply(f.state.Next(), e, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

func (f *fold) do(c Command) Result {
	f.t.Helper()
	return f.entry(AppendCommand(nil, c))[0]
}

func (f *fold) produce(partition int32, b []byte) Result {
	f.t.Helper()
	return f.entry(AppendProduce(nil, orders, partition, 1000, b))[0]
}

func TestOffsetsFollowTheJournal(t *testing.T) {
	f := newFold(t)
	for i, want := range []int64{0, 3, 6, 9} {
		if r := f.produce(1, batch(-1, -1, -1, 3, 5)); r.Offset != want || r.Code != kerr.None {
			t.Errorf("batch %d: got %+v, want offset %d", i, r, want)
		}
	}
	p := f.state.Partition(orders, 1)
	if p.HighWatermark != 12 || f.state.Partition(orders, 0).HighWatermark != 0 {
		t.Errorf("high watermark %d, want 12 in partition 1 and 0 in partition 0", p.HighWatermark)
	}
	if r := f.produce(2, batch(-1, -1, -1, 1, 5)); r.Code != kerr.UnknownTopicOrPartition {
		t.Errorf("partition 2 of 2: got %v", r.Code)
	}
}

func TestBatchesSideBySideShareAnExtent(t *testing.T) {
	f := newFold(t)
	var e []byte
	for _, partition := range []int32{0, 0, 1, 0} {
		e = AppendProduce(e, orders, partition, 1000, batch(-1, -1, -1, 2, int64(len(e))))
	}
	f.entry(e)
	size := uint32(61 + 20)
	var got []Extent
	for x := range f.state.Partition(orders, 0).Extents(0) {
		got = append(got, x)
	}
	if len(got) != 2 || got[0].Bytes != 2*size+ProduceHeaderBytes || got[0].Pos != ProduceHeaderBytes || got[1].Base != 4 {
		t.Errorf("got extents %+v", got)
	}
	if want := int64(got[1].Pos - ProduceHeaderBytes); got[1].MaxTimestamp != want {
		t.Errorf("max timestamp %d, want %d", got[1].MaxTimestamp, want)
	}
}

func TestExtentsBeginWithTheOneThatHoldsTheOffset(t *testing.T) {
	f := newFold(t)
	for range 5 {
		f.produce(0, batch(-1, -1, -1, 10, 5))
	}
	for offset, want := range map[int64]int64{0: 0, 9: 0, 10: 10, 25: 20, 39: 30, 40: 40, 49: 40, 60: 40} {
		for x := range f.state.Partition(orders, 0).Extents(offset) {
			if x.Base != want {
				t.Errorf("offset %d: first extent at %d, want %d", offset, x.Base, want)
			}
			break
		}
	}
}

func TestIdempotentProducers(t *testing.T) {
	f := newFold(t)
	send := func(name string, epoch int16, seq int32, count int, wantCode kerr.Code, wantOffset int64, wantDuplicate bool) {
		t.Helper()
		r := f.produce(0, batch(7, epoch, seq, count, 5))
		if r.Code != wantCode || r.Offset != wantOffset || r.Duplicate != wantDuplicate {
			t.Errorf("%s: got %v, offset %d, duplicate %v", name, r.Code, r.Offset, r.Duplicate)
		}
	}
	send("an unknown producer may begin anywhere", 0, 40, 2, kerr.None, 0, false)
	send("the next sequence", 0, 42, 3, kerr.None, 2, false)
	send("the same again", 0, 42, 3, kerr.None, 2, true)
	send("the one before again", 0, 40, 2, kerr.None, 0, true)
	send("a gap", 0, 46, 1, kerr.OutOfOrderSequenceNumber, -1, false)
	send("a part of the last", 0, 43, 2, kerr.OutOfOrderSequenceNumber, -1, false)
	for i := range int32(5) {
		send("five more", 0, 45+i, 1, kerr.None, int64(5+i), false)
	}
	send("too old to be remembered", 0, 42, 3, kerr.OutOfOrderSequenceNumber, -1, false)
	send("the oldest remembered", 0, 45, 1, kerr.None, 5, true)
	send("a new epoch not at 0", 1, 50, 1, kerr.OutOfOrderSequenceNumber, -1, false)
	send("a new epoch", 1, 0, 1, kerr.None, 10, false)
	send("the old epoch", 0, 50, 1, kerr.InvalidProducerEpoch, -1, false)
	send("the old epoch's batch again", 0, 49, 1, kerr.InvalidProducerEpoch, -1, false)
}

func TestSequencesWrapToZero(t *testing.T) {
	f := newFold(t)
	for _, seq := range []int32{math.MaxInt32 - 1, 1} { // of three records each: MaxInt32-1, MaxInt32, 0; then 1, 2, 3
		if r := f.produce(0, batch(7, 0, seq, 3, 5)); r.Code != kerr.None {
			t.Errorf("sequence %d: %v", seq, r.Code)
		}
	}
}

func TestSilentProducersAreForgotten(t *testing.T) {
	f := newFold(t)
	f.produce(0, batch(7, 0, 0, 1, 5)) // at time 1000
	for _, c := range []struct {
		before int64
		want   kerr.Code
	}{{1000, kerr.OutOfOrderSequenceNumber}, {1001, kerr.None}} {
		if got := f.state.HasProducersSilentSince(c.before); got != (c.want == kerr.None) {
			t.Errorf("silent since %d: %v", c.before, got)
		}
		f.do(ExpireProducers{BeforeMs: c.before})
		if r := f.produce(0, batch(7, 0, 9, 1, 5)); r.Code != c.want {
			t.Errorf("after forgetting those before %d: %v, want %v", c.before, r.Code, c.want)
		}
	}
}

func TestTopics(t *testing.T) {
	f := newFold(t)
	r := f.do(CreateTopic{ID: ID{2}, Name: "orders", Partitions: 1})
	if r.Code != kerr.TopicAlreadyExists || r.TopicID != orders {
		t.Errorf("a taken name: %+v", r)
	}
	r = f.do(CreateTopic{ID: orders, Name: "other", Partitions: 1})
	if r.Code != kerr.TopicAlreadyExists || r.TopicID != orders || f.state.TopicNamed("other") != nil {
		t.Errorf("a taken id: %+v", r)
	}
	for partitions, want := range map[int32]kerr.Code{0: kerr.InvalidPartitions, PartitionsMax + 1: kerr.InvalidPartitions} {
		if r := f.do(CreateTopic{ID: ID{2}, Name: "other", Partitions: partitions}); r.Code != want {
			t.Errorf("a topic of %d partitions: %v", partitions, r.Code)
		}
	}
	for count, want := range map[int32]kerr.Code{2: kerr.InvalidPartitions, 1: kerr.InvalidPartitions} {
		if r := f.do(AddPartitions{orders, count}); r.Code != want {
			t.Errorf("from 2 to %d partitions: %v", count, r.Code)
		}
	}
	if r := f.do(AddPartitions{orders, 3}); r.Code != kerr.None || f.state.Partition(orders, 2) == nil {
		t.Errorf("from 2 to 3 partitions: %v", r.Code)
	}
	if r := f.do(DeleteTopic{orders}); r.Code != kerr.None || f.state.TopicNamed("orders") != nil || f.state.Topic(orders) != nil {
		t.Errorf("delete: %v", r.Code)
	}
	for _, c := range []Command{DeleteTopic{orders}, AddPartitions{orders, 9}} {
		if r := f.do(c); r.Code != kerr.UnknownTopicID {
			t.Errorf("%T after delete: %v", c, r.Code)
		}
	}
	if r := f.produce(0, batch(-1, -1, -1, 1, 5)); r.Code != kerr.UnknownTopicOrPartition {
		t.Errorf("produce after delete: %v", r.Code)
	}
}

func TestLogStartMovesUpOnly(t *testing.T) {
	f := newFold(t)
	for range 3 {
		f.produce(0, batch(-1, -1, -1, 10, 5))
	}
	p := f.state.Partition(orders, 0)
	for _, c := range []struct {
		to       int64
		want     kerr.Code
		start    int64
		slot     uint64
		needsAny bool
	}{{15, kerr.None, 15, 2, true}, {3, kerr.None, 15, 2, true}, {31, kerr.OffsetOutOfRange, 15, 2, true}, {30, kerr.None, 30, 0, false}} {
		r := f.do(MoveLogStart{orders, 0, c.to})
		slot, ok := p.FirstSlot()
		if r.Code != c.want || p.LogStart != c.start || slot != c.slot || ok != c.needsAny {
			t.Errorf("to %d: %v, log start %d, first slot %d %v", c.to, r.Code, p.LogStart, slot, ok)
		}
	}
	if p.Bytes != 0 {
		t.Errorf("an empty partition holds %d bytes", p.Bytes)
	}
}

// TestFirstSlot shows which entries are needed still: those that any partition has batches in.
func TestFirstSlot(t *testing.T) {
	f := newFold(t)
	first := func(want uint64) {
		t.Helper()
		if got := f.state.FirstSlot(); got != want {
			t.Errorf("first slot %d, want %d", got, want)
		}
	}
	first(1) // the next one: nothing is needed
	for _, partition := range []int32{0, 1, 0} {
		f.produce(partition, batch(-1, -1, -1, 1, 5))
	}
	first(1)
	f.do(MoveLogStart{orders, 0, 1})
	first(2)
	f.do(MoveLogStart{orders, 1, 1})
	first(3)
	f.do(DeleteTopic{orders})
	first(f.state.Next())
}

func TestClusterIDIsGivenOnce(t *testing.T) {
	f := newFold(t)
	for _, id := range []string{"first", "second"} {
		f.do(CreateCluster{id})
		if got := f.state.ClusterID(); got != "first" {
			t.Errorf("cluster id %q", got)
		}
	}
}

// TestAppendTimeIsTold shows that the time of a batch that the server has stamped is told, also when the batch comes again.
func TestAppendTimeIsTold(t *testing.T) {
	f := newFold(t)
	b := batch(7, 0, 0, 1, 1234)
	if r := f.produce(0, b); r.AppendMs != -1 {
		t.Errorf("create time: %+v", r)
	}
	b[22] = 8 // LogAppendTime
	for _, duplicate := range []bool{false, true} {
		if r := f.produce(1, b); r.AppendMs != 1234 || r.Duplicate != duplicate {
			t.Errorf("append time: %+v", r)
		}
	}
}

// TestDroppedExtentsAreGivenBack drops most of many extents: the memory of all of them was kept for the rest once.
func TestDroppedExtentsAreGivenBack(t *testing.T) {
	f := newFold(t)
	for range 100 {
		f.produce(0, batch(-1, -1, -1, 1, 5))
	}
	p := f.state.Partition(orders, 0)
	first := weak.Make(&p.extents[0])
	f.do(MoveLogStart{orders, 0, 90})
	runtime.GC()
	if first.Value() != nil {
		t.Error("what was dropped is still there")
	}
	if slot, _ := p.FirstSlot(); slot != 91 || p.Bytes != 10*71 {
		t.Errorf("of the rest, the first is in slot %d, and all are %d bytes", slot, p.Bytes)
	}
	runtime.KeepAlive(p)
}

func TestProducerIDsAreNeverGivenTwice(t *testing.T) {
	f := newFold(t)
	for want := range int64(3) {
		if r := f.do(AllocateProducerID{}); r.ProducerID != want {
			t.Errorf("got producer id %d, want %d", r.ProducerID, want)
		}
	}
}

// TestEveryWayToAStateIsTheSame folds random commands, and at random places goes on from a snapshot of the state, clones it,
// and has a clone go its own way. All that shows in neither the state nor its clones.
func TestEveryWayToAStateIsTheSame(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		f := newFold(t)
		for len(f.entries) < 300 {
			f.entry(randomEntry(rng))
			f.do(randomReplacement(f.state, rng))
			for topic := range f.state.Topics() {
				for _, p := range topic.Partitions {
					checkOrder(t, p)
				}
			}
		}
		s := New()
		apply := func(s *State, entry []byte) {
			if _, err := s.Apply(s.Next(), entry, nil); err != nil {
				t.Fatal(err)
			}
		}
		var clones []*State
		var want []string
		for _, entry := range f.entries {
			apply(s, entry)
			switch rng.IntN(20) {
			case 0:
				restored, err := Restore(s.AppendSnapshot(nil))
				if err != nil {
					t.Fatal(err)
				}
				s = restored
			case 1:
				clones, want = append(clones, s.Clone()), append(want, string(s.AppendSnapshot(nil)))
			case 2:
				other := s.Clone()
				for range 10 {
					apply(other, randomEntry(rng))
				}
				clones, want = append(clones, other), append(want, string(other.AppendSnapshot(nil)))
			}
		}
		if !s.Equal(f.state) {
			t.Fatalf("seed %d: the state that went through snapshots is another one", seed)
		}
		if topics, _ := s.Count(); len(s.names) != topics {
			t.Fatalf("seed %d: %d topics have %d names", seed, topics, len(s.names))
		}
		for i, c := range clones {
			if string(c.AppendSnapshot(nil)) != want[i] {
				t.Fatalf("seed %d: clone %d has changed", seed, i)
			}
		}
	}
}

func randomEntry(rng *rand.Rand) []byte {
	var e []byte
	for range 1 + rng.IntN(8) {
		id := ID{byte(1 + rng.IntN(3))}
		switch rng.IntN(17) {
		case 0:
			e = AppendCommand(e, CreateTopic{ID: id, Name: fmt.Sprint("topic-", rng.IntN(3)), Partitions: int32(1 + rng.IntN(3)), Config: []ConfigEntry{{"a", "b"}}, NowMs: 9})
		case 1:
			e = AppendCommand(e, MoveLogStart{id, int32(rng.IntN(3)), int64(rng.IntN(200))})
		case 2:
			e = AppendCommand(e, AddPartitions{id, int32(rng.IntN(5))})
		case 3:
			e = AppendCommand(e, AllocateProducerID{})
		case 4:
			if rng.IntN(10) == 0 {
				e = AppendCommand(e, DeleteTopic{id})
			}
		case 5:
			e = AppendCommand(e, ExpireProducers{BeforeMs: rng.Int64N(60)})
		case 9:
			e = append(e, randomUserEntry(rng)...)
		case 6, 7, 8:
			e = append(e, randomGroupEntry(rng)...)
		default:
			b := batch(int64(rng.IntN(3)-1), int16(rng.IntN(2)), int32(rng.IntN(4)), 1+rng.IntN(5), rng.Int64N(1000))
			e = AppendProduce(e, id, int32(rng.IntN(3)), rng.Int64N(60), b)
		}
	}
	return e
}

// TestSnapshotsHoldEveryField shows what Equal, which compares snapshots, cannot: that what is written is all there is. The
// literals name no fields, so that a new one does not pass by.
func TestSnapshotsHoldEveryField(t *testing.T) {
	f := func(what, read any, d *decoder) {
		t.Helper()
		if err := d.end(); err != nil || !reflect.DeepEqual(read, what) {
			t.Errorf("%+v comes back as %+v, %v", what, read, err)
		}
	}
	x := Extent{1, 2, 3, 4, 5, 6}
	d := &decoder{b: x.append(nil)}
	f(x, d.extent(), d)
	k := &producer{1, 2, []appended{{1, 2, 3, 4}, {5, 6, 7, 8}}}
	d = &decoder{b: k.append(nil)}
	f(k, d.producer(), d)
	p := &Partition{1, 2, 14, 3, []Segment{{1, 2, 3, 4, 5, 6, 7, 8}}, []Extent{x, {7, 8, 9, 1, 2, 3}}, Extent{4, 5, 6, 5, 8, 9}, map[int64]*producer{7: k}}
	d = &decoder{b: p.append(nil)}
	f(p, d.partition(), d)
	topic := &Topic{ID{1}, "orders", []ConfigEntry{{"a", "b"}}, 2, []*Partition{p}}
	d = &decoder{b: topic.append(nil)}
	f(topic, d.topic(), d)
	g := &Group{"g", Generation{1, "consumer", "range", "m", 2, []Member{{"m", "i", "c", "h", 3, 4, []byte("s"), []byte("a")}}},
		map[ID]map[int32]Offset{{1}: {2: {3, 4, "m", 5, 6}}}, false}
	d = &decoder{b: g.append(nil)}
	f(g, d.group(), d)
	s := &State{"cluster", 1, map[ID]*Topic{{1}: topic}, map[string]*Topic{"orders": topic}, 2, map[string]*Group{"g": g},
		map[string][]Credential{"u": {{ScramSHA256, 4096, []byte("salt"), []byte("a"), []byte("b")}, {ScramSHA512, 8192, []byte("t"), []byte("c"), []byte("d")}}}, []byte("secret"),
		map[hashing]int{{ScramSHA256, 4096}: 1, {ScramSHA512, 8192}: 1}}
	restored, err := Restore(s.AppendSnapshot(nil))
	if err != nil || !reflect.DeepEqual(restored, s) {
		t.Errorf("the state comes back as %+v, %v", restored, err)
	}
}

func TestDamageIsNoticed(t *testing.T) {
	f := newFold(t)
	f.produce(0, batch(7, 0, 0, 3, 5))
	snapshot := f.state.AppendSnapshot(nil)
	for i := range snapshot {
		snapshot[i] ^= 0x10
		if _, err := Restore(snapshot); !errors.Is(err, ErrSnapshot) {
			t.Fatalf("byte %d of the snapshot flipped: %v", i, err)
		}
		snapshot[i] ^= 0x10
	}
	refuses := func(what string, entry []byte) {
		t.Helper()
		if _, err := f.state.Clone().Apply(f.state.Next(), entry, nil); err == nil {
			t.Errorf("%s was applied", what)
		}
	}
	topic := AppendCommand(nil, CreateTopic{ID: ID{9}, Name: "x", Partitions: 1, Config: []ConfigEntry{{"a", "b"}}})
	for _, entry := range [][]byte{topic, AppendProduce(nil, orders, 0, 1000, make([]byte, 61))} {
		for n := 1; n < len(entry); n++ {
			refuses(fmt.Sprintf("an entry cut to %d of %d bytes", n, len(entry)), entry[:n])
			short := bytes.Clone(entry[:n])
			if n >= commandHeaderBytes {
				binary.BigEndian.PutUint32(short, uint32(n-4))
				refuses(fmt.Sprintf("a command that is %d of %d bytes long", n, len(entry)), short)
			}
		}
	}
	long := append(bytes.Clone(topic), 0)
	binary.BigEndian.PutUint32(long, uint32(len(long)-4))
	refuses("a command with a byte too many", long)
	backwards := batch(-1, -1, -1, 1, 5)
	binary.BigEndian.PutUint32(backwards[23:], math.MaxUint32)
	refuses("a batch that ends before it begins", AppendProduce(nil, orders, 0, 1000, backwards))
	if _, err := f.state.Apply(f.state.Next()+1, nil, nil); err == nil {
		t.Error("an entry out of order was applied")
	}
	if _, err := f.state.Apply(f.state.Next(), []byte{0, 0, 0, 1, 99}, nil); err == nil {
		t.Error("a command of unknown kind was applied")
	}
}

func FuzzApply(f *testing.F) {
	f.Add(randomEntry(rand.New(rand.NewPCG(1, 1))))
	f.Fuzz(func(t *testing.T, entry []byte) {
		s := New()
		s.Apply(0, AppendCommand(nil, CreateTopic{ID: orders, Name: "orders", Partitions: 2}), nil)
		s.Apply(1, entry, nil)
	})
}

func FuzzRestore(f *testing.F) {
	s := New()
	s.Apply(0, randomEntry(rand.New(rand.NewPCG(1, 1))), nil)
	f.Add(s.AppendSnapshot(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		d := decoder{b: b}
		d.state()
	})
}

func BenchmarkApply(b *testing.B) {
	s := New()
	s.Apply(0, AppendCommand(nil, CreateTopic{ID: orders, Name: "orders", Partitions: 2}), nil)
	var entry []byte
	for i := range 32 {
		entry = AppendProduce(entry, orders, int32(i&1), 1000, batch(-1, -1, -1, 1, 5))
	}
	results := make([]Result, 0, 32)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := s.Apply(uint64(i+1), entry, results); err != nil {
			b.Fatal(err)
		}
	}
}
