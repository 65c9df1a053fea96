package engine

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/heraclitus/heraclitus/pkg/journal/mem"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// BenchmarkProduce appends batches from many goroutines, each waiting for its own, to a journal in memory.
func BenchmarkProduce(b *testing.B) {
	for name, batch := range map[string][]byte{"100B": batchOf(string(make([]byte, 30))), "100KiB": batchOf(string(make([]byte, 100<<10)))} {
		b.Run(name, func(b *testing.B) {
			r := newRigOn(b, mem.Options{BytesMax: 1 << 40}, Options{})
			const partitions = 64
			id := r.create("orders", partitions)
			b.SetBytes(int64(len(batch)))
			b.ReportAllocs()
			b.SetParallelism(32)
			var next atomic.Int32
			var total atomic.Int64
			b.RunParallel(func(pb *testing.PB) {
				partition := next.Add(1) % partitions
				var g Pending
				for pb.Next() {
					g.Reset(1)
					r.AppendBatch(&g, 0, id, partition, batch)
					g.Wait(0, nil)
					if total.Add(int64(len(batch)))%(1<<28) < int64(len(batch)) {
						r.discard(id, partitions)
					}
				}
			})
		})
	}
}

// discard drops all records there are.
func (r *rig) discard(id state.ID, partitions int32) {
	for p := range partitions {
		log, _ := r.Offsets(id, p)
		r.Do(state.MoveLogStart{ID: id, Partition: p, Offset: log.HighWatermark})
	}
	r.checkpoint()
}

// BenchmarkRead reads a megabyte that is in memory.
func BenchmarkRead(b *testing.B) {
	r := newRig(b, Options{})
	id := r.create("orders", 1)
	batch := batchOf(string(make([]byte, 100<<10)))
	for range 10 {
		r.produce(id, batch)
	}
	b.ReportAllocs()
	b.SetBytes(int64(10 * len(batch)))
	var pins Pins
	for b.Loop() {
		if log, err := r.Read(id, 0, 0, 1<<20, true, &pins); err != nil || len(log.Parts) < 9 {
			b.Fatal(err)
		}
		pins.Release()
	}
}

// BenchmarkSurvey looks for work in a hundred thousand partitions with a batch in the journal each, and for garbage.
func BenchmarkSurvey(b *testing.B) {
	r := newRig(b, Options{})
	const topics, partitions = 10_000, 10
	var g Pending
	for i := range topics {
		id := r.create(fmt.Sprintf("topic-%d", i), partitions)
		g.Reset(partitions)
		for p := range int32(partitions) {
			r.AppendBatch(&g, int(p), id, p, batchOf("a"))
		}
		g.Wait(0, nil)
	}
	a := r.archiver()
	b.Run("survey", func(b *testing.B) {
		for b.Loop() {
			a.survey(time.Now().UnixMilli()) // and rests
		}
		b.ReportMetric(float64(a.surveyed.Milliseconds()), "ms-worked")
	})
	b.Run("sweep", func(b *testing.B) {
		for b.Loop() {
			a.sweep()
		}
	})
}
