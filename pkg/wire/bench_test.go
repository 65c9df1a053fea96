// The benchmarks beside franz-go's kmsg: go test -bench . ./pkg/wire
//
// "kmsg" is its ordinary decode, into a message reused; "kmsg unsafe" lets strings borrow from the frame.

package wire

import (
	"strconv"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// unsafeReader is the decode of kmsg in which strings borrow from the bytes read.
type unsafeReader interface{ UnsafeReadFrom([]byte) error }

// produceV9 is 10 topics of 8 partitions with a batch of 1 KiB each, as Java clients of today send them.
func produceV9() *ProduceRequest {
	m := &ProduceRequest{Acks: -1, TimeoutMs: 30000}
	for i := range 10 {
		t := kbin.Add(&m.TopicData)
		t.Name = "a.topic.of.common.length-" + strconv.Itoa(i)
		for j := range int32(8) {
			p := kbin.Add(&t.PartitionData)
			p.Index, p.Records.Bytes = j, make([]byte, 1024)
		}
	}
	return m
}

// fetchRequest is a full fetch of 10 topics of 8 partitions.
func fetchRequest() *FetchRequest {
	m := new(FetchRequest)
	m.Reset()
	for i := range 10 {
		t := kbin.Add(&m.Topics)
		t.Topic = "a.topic.of.common.length-" + strconv.Itoa(i)
		t.TopicID = kbin.UUID{1, byte(i)}
		for j := range int32(8) {
			p := kbin.Add(&t.Partitions)
			p.Partition, p.FetchOffset, p.PartitionMaxBytes = j, 1<<40, 1<<20
		}
	}
	return m
}

// fetchResponse answers fetchRequest with a batch of 1 KiB for each partition.
func fetchResponse() *FetchResponse {
	m := new(FetchResponse)
	m.Reset()
	for i := range 10 {
		t := kbin.Add(&m.Responses)
		t.TopicID = kbin.UUID{1, byte(i)}
		for j := range int32(8) {
			p := kbin.Add(&t.Partitions)
			p.PartitionIndex, p.HighWatermark, p.Records.Bytes = j, 1<<40, make([]byte, 1024)
		}
	}
	return m
}

// produceResponse answers produceV9.
func produceResponse() *ProduceResponse {
	m := new(ProduceResponse)
	m.Reset()
	for i := range 10 {
		t := kbin.Add(&m.Responses)
		t.Name = "a.topic.of.common.length-" + strconv.Itoa(i)
		for j := range int32(8) {
			p := kbin.Add(&t.PartitionResponses)
			p.Index, p.BaseOffset = j, 1<<40
		}
	}
	return m
}

func BenchmarkProduceRequestDecode(b *testing.B) {
	benchmarkDecode(b, produceV9(), 9, new(ProduceRequest), kmsg.NewPtrProduceRequest())
}

func BenchmarkFetchRequestDecodeByName(b *testing.B) {
	benchmarkDecode(b, fetchRequest(), 11, new(FetchRequest), kmsg.NewPtrFetchRequest())
}

func BenchmarkFetchRequestDecodeByID(b *testing.B) {
	benchmarkDecode(b, fetchRequest(), 17, new(FetchRequest), kmsg.NewPtrFetchRequest())
}

func BenchmarkProduceResponseAppend(b *testing.B) {
	benchmarkAppend(b, produceResponse(), 9, kmsg.NewPtrProduceResponse())
}

func BenchmarkFetchResponseAppend(b *testing.B) {
	benchmarkAppend(b, fetchResponse(), 17, kmsg.NewPtrFetchResponse())
}

func benchmarkDecode(b *testing.B, sent Message, version int16, ours Message, theirs kmsgMessage) {
	frame := sent.Append(nil, version)
	theirs.SetVersion(version)
	b.Run("ours", func(b *testing.B) {
		r := kbin.Reader{Intern: new(kbin.Interner)}
		b.ReportAllocs()
		for b.Loop() {
			r.Reset(frame, budget)
			ours.Decode(&r, version)
		}
		if r.Err() != nil || r.Len() != 0 {
			b.Fatal(r.Err(), r.Len())
		}
	})
	b.Run("kmsg", func(b *testing.B) { benchmarkKmsg(b, frame, theirs.ReadFrom) })
	b.Run("kmsg unsafe", func(b *testing.B) { benchmarkKmsg(b, frame, theirs.(unsafeReader).UnsafeReadFrom) })
}

func benchmarkKmsg(b *testing.B, frame []byte, read func([]byte) error) {
	b.ReportAllocs()
	for b.Loop() {
		if err := read(frame); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkAppend(b *testing.B, ours Message, version int16, theirs kmsgMessage) {
	frame := ours.Append(nil, version)
	theirs.SetVersion(version)
	if err := theirs.ReadFrom(frame); err != nil {
		b.Fatal(err)
	}
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			frame = ours.Append(frame[:0], version)
		}
	})
	b.Run("kmsg", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			frame = theirs.AppendTo(frame[:0])
		}
	})
}
