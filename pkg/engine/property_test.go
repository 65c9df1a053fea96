package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/segment"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// TestWhatWasProducedIsRead appends random batches (every codec, null and empty keys and values, headers that repeat, times and
// no times, with and without a producer, gaps of offsets up to 2^31), and in between archives over a store that fails, merges,
// deletes records, lets retention go to work, crashes and restarts. After each step what a consumer reads from the log start,
// or from any offset, is exactly what was appended, field by field.
func TestWhatWasProducedIsRead(t *testing.T) {
	for seed := range uint64(12) {
		newAuthor(t, seed).run()
	}
}

// author writes a log, and remembers what is in it.
type author struct {
	*rig
	t       *testing.T
	rand    *rand.Rand
	id      state.ID
	written []string // records as text, by offset
	offsets []int64
	next    int64 // offset
	turn    int32
}

func newAuthor(t *testing.T, seed uint64) *author {
	a := &author{t: t, rand: rand.New(rand.NewPCG(seed, 9))}
	o := Options{CacheBytesMax: 1, PastBytesMax: int64(a.rand.IntN(1 << 20)), EntryBytesMax: 1 << 12, SegmentCodec: []SegmentCodec{Adaptive, SegmentCodec(segment.Snappy)}[a.rand.IntN(2)]}
	o.SegmentBytesMax = 1 << (10 + a.rand.IntN(8))
	a.rig = newRig(t, o)
	a.id = a.create("log", 1, atOnce, forEver)
	return a
}

func (a *author) run() {
	for range 50 {
		switch a.rand.IntN(12) {
		case 0:
			a.crash()
		case 1:
			a.Close()
			a.open()
		case 2, 3:
			a.stumbleSometimes(a.rand)
		case 4, 5:
			a.archive()
		case 6:
			a.deleteSome()
		case 7:
			if err := a.Maintain(); err != nil {
				a.t.Fatal(err)
			}
		default:
			a.write()
		}
		a.compare(a.start())
	}
	a.archive()
	a.tidy()
	for range 20 {
		a.compare(a.start() + a.rand.Int64N(a.next-a.start()+1))
	}
}

func (a *author) start() int64 {
	log, err := a.Offsets(a.id, 0)
	if err != nil || log.HighWatermark != a.next {
		a.t.Fatalf("high watermark %d, %v; want %d", log.HighWatermark, err, a.next)
	}
	return log.Start
}

// deleteSome moves the log start to a random offset.
func (a *author) deleteSome() {
	to := a.start() + a.rand.Int64N(a.next-a.start()+1)
	if _, err := a.Do(state.MoveLogStart{ID: a.id, Offset: to}); err != nil {
		a.t.Fatal(err)
	}
}

// write appends a random batch.
func (a *author) write() {
	records := a.records()
	o := record.Options{Codec: record.Codec(a.rand.IntN(5)), BaseOffset: records[0].Offset}
	if a.rand.IntN(4) == 0 {
		o.TimestampType, o.AppendMs = record.LogAppendTime, 1_700_000_000_000+a.rand.Int64N(1000)
	}
	if a.rand.IntN(2) == 0 {
		a.turn++
		o.Producer = &record.Producer{ID: int64(a.turn), Epoch: int16(a.rand.IntN(3)), Sequence: math.MaxInt32 - int32(a.rand.IntN(8))}
	}
	b, err := record.Build(o, records...)
	if err != nil {
		a.t.Fatal(err)
	}
	got := a.produce(a.id, b)[0]
	if got.Code != kerr.None || got.Offset != a.next {
		a.t.Fatalf("appended at %d, %v; want %d", got.Offset, got.Code, a.next)
	}
	b.SetBaseOffset(a.next)
	for r, err := range b.Records() {
		if err != nil {
			a.t.Fatal(err)
		}
		a.offsets, a.written = append(a.offsets, r.Offset), append(a.written, asText(b, r))
	}
	a.next = b.LastOffset() + 1
}

// records returns some random records from offset 0 on.
func (a *author) records() []record.Record {
	var all []record.Record
	offset := int64(0)
	for i := range 1 + a.rand.IntN(6) {
		r := record.Record{Offset: offset, Timestamp: a.time(), Key: a.bytes(), Value: a.bytes()}
		for range a.rand.IntN(4) {
			r.Headers = r.Headers.Add([]byte(fmt.Sprint("h", a.rand.IntN(2))), a.bytes())
		}
		all = append(all, r)
		offset += 1 + a.rand.Int64N(3)
		if i == 0 && a.rand.IntN(8) == 0 {
			offset += math.MaxInt32 - 100
		}
	}
	return all
}

func (a *author) time() int64 {
	return []int64{record.NoTimestamp, 0, 1_700_000_000_000 + a.rand.Int64N(10_000), 1 << 60}[a.rand.IntN(4)]
}

// bytes returns null, nothing, a few bytes or many.
func (a *author) bytes() []byte {
	switch a.rand.IntN(6) {
	case 0:
		return nil
	case 1:
		return []byte{}
	case 2:
		return []byte(strings.Repeat("many ", a.rand.IntN(2000)))
	}
	return []byte(fmt.Sprint("a few ", a.rand.IntN(100)))
}

// asText is everything that a consumer sees of a record.
func asText(b record.Batch, r record.Record) string {
	s := fmt.Sprintf("%d at %d type %d key %s value %s producer %d/%d", r.Offset, r.Timestamp, b.TimestampType(), bytesText(r.Key), bytesText(r.Value), b.ProducerID(), b.ProducerEpoch())
	for h := range r.Headers.All() {
		s += fmt.Sprintf(" %s=%s", h.Key, bytesText(h.Value))
	}
	return s
}

func bytesText(b []byte) string {
	if b == nil {
		return "null"
	}
	return fmt.Sprintf("%q", b)
}

// compare reads from an offset to the end.
func (a *author) compare(from int64) {
	a.t.Helper()
	first, _ := slices.BinarySearch(a.offsets, from)
	want := a.written[first:]
	for offset := from; ; {
		var pins Pins
		log, err := a.Read(a.id, 0, offset, 1<<a.rand.IntN(18), true, &pins)
		if err != nil {
			a.t.Fatalf("read at %d: %v", offset, err)
		}
		if len(log.Parts) == 0 {
			break
		}
		for _, part := range log.Parts {
			b := record.Batch(part)
			for r, err := range b.Records() {
				switch {
				case err != nil:
					a.t.Fatal(err)
				case r.Offset < from:
				case len(want) == 0 || want[0] != asText(b, r):
					a.t.Fatalf("read  %s\nwrote %q", asText(b, r), want[:min(len(want), 1)])
				default:
					want = want[1:]
				}
			}
			offset = b.LastOffset() + 1
		}
		pins.Release()
	}
	if len(want) > 0 {
		a.t.Fatalf("not read: %d records from %s on", len(want), want[0])
	}
}
