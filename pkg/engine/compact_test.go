package engine

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// These tests show that compaction keeps the last record of every key at its offset, tombstones for as long as their topic
// says, and the order of all that is kept; over crashes, and whatever it is cut short by.

var compacted = state.ConfigEntry{Name: "cleanup.policy", Value: "compact"}

// keyed returns a batch of records written as key=value, of which the value may be missing, and the key.
func keyed(pairs ...string) []byte {
	var records []record.Record
	for i, p := range pairs {
		key, value, _ := strings.Cut(p, "=")
		r := record.Record{Offset: int64(i), Timestamp: 1000}
		if key != "" {
			r.Key = []byte(key)
		}
		if value != "" {
			r.Value = []byte(value)
		}
		records = append(records, r)
	}
	b, err := record.Build(record.Options{}, records...)
	if err != nil {
		panic(err)
	}
	return b
}

// pairs reads partition 0 and returns offset:key=value of each record. Batches follow each other, with gaps between their
// records.
func (r *rig) pairs(id state.ID) (all []string) {
	r.t.Helper()
	log, err := r.Offsets(id, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	for from := log.Start; from < log.HighWatermark; {
		var pins Pins
		log, err := r.Read(id, 0, from, 1<<10, true, &pins)
		if err != nil {
			r.t.Fatalf("read at %d: %v", from, err)
		}
		if len(log.Parts) == 0 {
			return all
		}
		for _, part := range log.Parts {
			for rec, err := range record.Batch(part).Records() {
				if err != nil {
					r.t.Fatal(err)
				}
				if rec.Offset >= from {
					all = append(all, fmt.Sprintf("%d:%s=%s", rec.Offset, rec.Key, rec.Value))
					from = rec.Offset + 1
				}
			}
			from = max(from, record.Batch(part).LastOffset()+1)
		}
		pins.Release()
	}
	return all
}

func TestCompaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{CacheBytesMax: 1})
		id := r.create("users", 1, forEver, atOnce, compacted, state.ConfigEntry{Name: "delete.retention.ms", Value: "3600000"},
			state.ConfigEntry{Name: "min.cleanable.dirty.ratio", Value: "0.4"})
		f := func(what string, want ...string) {
			t.Helper()
			r.archive()
			for range 2 {
				if got := r.pairs(id); !slices.Equal(got, want) {
					t.Errorf("%s: %q, want %q", what, got, want)
				}
				r.crash()
			}
			r.tidy()
		}
		r.produce(id, keyed("a=1", "b=1", "a=2", "=nobody", "c=1"))
		r.produce(id, keyed("b=2", "d=1"))
		f("the last of each key", "2:a=2", "4:c=1", "5:b=2", "6:d=1")
		r.produce(id, keyed("c=", "e=1"))
		f("a tombstone", "2:a=2", "5:b=2", "6:d=1", "7:c=", "8:e=1")
		r.produce(id, keyed("e=2", "a=3"))
		f("too little to go over all of it again", "2:a=2", "5:b=2", "6:d=1", "7:c=", "8:e=1", "9:e=2", "10:a=3")
		time.Sleep(2 * time.Hour)
		f("as little as before", "2:a=2", "5:b=2", "6:d=1", "7:c=", "8:e=1", "9:e=2", "10:a=3")
		r.produce(id, keyed("f=1", "f="))
		f("a tombstone whose time is over, and another one", "5:b=2", "6:d=1", "9:e=2", "10:a=3", "12:f=")
	})
}

// TestCompactionLags shows that young records are left alone, and that old ones do not wait for the rest.
func TestCompactionLags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := func(name, value string) state.ConfigEntry { return state.ConfigEntry{Name: name, Value: value} }
		r := newRig(t, Options{})
		young := r.create("young", 1, forEver, atOnce, compacted, config("min.compaction.lag.ms", "3600000"))
		old := r.create("old", 1, forEver, atOnce, compacted, config("min.cleanable.dirty.ratio", "1"), config("max.compaction.lag.ms", "3600000"))
		stamped := func(pairs ...string) []byte {
			b := record.Batch(keyed(pairs...))
			b.StampAppendTime(time.Now().UnixMilli())
			return b
		}
		f := func(id state.ID, want ...string) {
			t.Helper()
			r.archive()
			if got := r.pairs(id); !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
		}
		r.produce(young, stamped("a=1"), stamped("a=2"))
		r.produce(old, stamped("a=1"), stamped("a=2"))
		f(young, "0:a=1", "1:a=2")
		f(old, "1:a=2") // all of it is dirty
		r.produce(old, stamped("a=3"))
		f(old, "1:a=2", "2:a=3")
		time.Sleep(time.Hour + time.Second)
		f(young, "1:a=2")
		f(old, "2:a=3")
	})
}

// TestCompactionOfManyKeys has less memory than keys: it takes several rounds, each of which ends where there is no more room.
func TestCompactionOfManyKeys(t *testing.T) {
	r := newRig(t, Options{CompactionKeys: 3})
	id := r.create("users", 1, forEver, atOnce, compacted, state.ConfigEntry{Name: "min.cleanable.dirty.ratio", Value: "0"})
	for round := range 3 {
		for key := range 10 {
			r.produce(id, keyed(fmt.Sprintf("%d=%d", key, round)))
		}
	}
	r.archive()
	want := []string{"20:0=2", "21:1=2", "22:2=2", "23:3=2", "24:4=2", "25:5=2", "26:6=2", "27:7=2", "28:8=2", "29:9=2"}
	if got := r.pairs(id); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	r.tidy()
}

// TestCompactionKeepsWhatKafkaKeeps produces at random to a compacted topic, archives, compacts, crashes and deletes records in
// between, with a store that fails now and then, and compares with a map from key to last record after each step: of every key
// the last record is there, nothing is there that was not produced at its offset, and in the end nothing else is.
func TestCompactionKeepsWhatKafkaKeeps(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			r := newRig(t, Options{CompactionKeys: 2 + rng.IntN(20), PastBytesMax: 1})
			id := r.create("users", 1, forEver, atOnce, compacted, state.ConfigEntry{Name: "min.cleanable.dirty.ratio", Value: "0.3"},
				state.ConfigEntry{Name: "delete.retention.ms", Value: "5000"})
			at, last := map[string]bool{}, map[string]string{} // all records as pairs has them; the last one of each key
			var offset int64
			for range 60 {
				switch rng.IntN(8) {
				case 0:
					r.crash()
				case 1:
					time.Sleep(time.Duration(rng.IntN(10)) * time.Second)
				case 2, 3:
					r.stumbleSometimes(rng)
				default:
					var pairs []string
					for range 1 + rng.IntN(8) {
						pair := fmt.Sprintf("k%d=v%d", rng.IntN(12), rng.IntN(1000))
						if rng.IntN(6) == 0 {
							pair, _, _ = strings.Cut(pair, "v")
						}
						pairs = append(pairs, pair)
						key, _, _ := strings.Cut(pair, "=")
						last[key] = fmt.Sprintf("%d:%s", offset, pair)
						at[last[key]] = true
						offset++
					}
					if got := r.produce(id, keyed(pairs...))[0]; got.Code != kerr.None {
						t.Fatal(got.Code)
					}
				}
				check(t, r.pairs(id), at, last, false)
				r.readsOn(id, rng)
			}
			for range 3 {
				r.archive()
				time.Sleep(time.Hour)
				r.produce(id, keyed("end=1"), keyed("end=2"))
				last["end"], offset = fmt.Sprintf("%d:end=2", offset+1), offset+2
				at[last["end"]], at[fmt.Sprintf("%d:end=1", offset-2)] = true, true
			}
			r.archive()
			check(t, r.pairs(id), at, last, true)
			r.tidy()
		})
	}
}

// readsOn reads from any offset, also of a record that is gone: there is something to read up to the end of the log.
func (r *rig) readsOn(id state.ID, rng *rand.Rand) {
	r.t.Helper()
	log, err := r.Offsets(id, 0)
	if err != nil || log.Start == log.HighWatermark {
		return
	}
	from := log.Start + rng.Int64N(log.HighWatermark-log.Start)
	var pins Pins
	defer pins.Release()
	if log, err := r.Read(id, 0, from, 100, true, &pins); err != nil || log.Bytes == 0 {
		r.t.Fatalf("read at %d: %d bytes, %v", from, log.Bytes, err)
	}
}

// stumbleSometimes archives over a store that may fail at some operation.
func (r *rig) stumbleSometimes(rng *rand.Rand) {
	store := &stumbling{Store: r.store, left: rng.IntN(40), lost: rng.IntN(2) == 0}
	r.Engine.store, r.past.store = store, store
	time.Sleep(2 * time.Millisecond)
	newArchiver(r.Engine).work() // fails as the store does
	r.Engine.store, r.past.store = r.store, r.store
}

// check compares what is read with what was produced; in the end nothing but the last of each key may be left.
func check(t *testing.T, got []string, at map[string]bool, last map[string]string, end bool) {
	t.Helper()
	there := map[string]bool{}
	for _, pair := range got {
		if !at[pair] || there[pair] {
			t.Fatalf("%s was not produced, or is there twice", pair)
		}
		there[pair] = true
	}
	for key, pair := range last {
		tombstone := strings.HasSuffix(pair, "=")
		if !tombstone && !there[pair] {
			t.Fatalf("the last of %s is not there: %s", key, pair)
		}
		if tombstone && end {
			delete(last, key)
		}
	}
	if want := slices.Sorted(maps.Values(last)); end && !slices.Equal(slices.Sorted(slices.Values(got)), want) {
		t.Fatalf("in the end there is %q, want %q", got, want)
	}
}

// TestCompactionKeepsTheEnd has nothing but records that compaction takes away, up to the end of the log. The last one stays,
// so that who reads to the end arrives there: consumers waited for it for ever once.
func TestCompactionKeepsTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		id := r.create("users", 1, forEver, atOnce, compacted, state.ConfigEntry{Name: "delete.retention.ms", Value: "1000"})
		f := func(what string, want ...string) {
			t.Helper()
			time.Sleep(time.Hour)
			r.archive()
			if got := r.pairs(id); !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", what, got, want)
			}
		}
		r.produce(id, keyed("=nobody", "=nothing"))
		f("without keys", "1:=nothing")
		r.produce(id, keyed("a=1"), keyed("a="))
		f("a tombstone", "3:a=")
		r.produce(id, keyed("b=1"), keyed("b="))
		f("an old one, and another", "5:b=")
	})
}

// TestReadBehindTheLastRecordOfASegment begins to read at an offset whose record was compacted away, as were all behind it in
// its segment. The records of the next segment are read; once nothing was, for ever, when the first segment was larger than the
// fetch.
func TestReadBehindTheLastRecordOfASegment(t *testing.T) {
	r := newRig(t, Options{SegmentBytesMax: 1}) // so that segments stay apart
	id := r.create("users", 1, forEver, atOnce, compacted, state.ConfigEntry{Name: "min.cleanable.dirty.ratio", Value: "0"})
	r.produce(id, keyed("a=1", "b=1", "c=1"))
	r.archive()
	r.produce(id, keyed("b=2", "c=2"))
	r.archive()
	if got := r.segments(id); len(got) != 2 || !slices.Equal(r.pairs(id), []string{"0:a=1", "3:b=2", "4:c=2"}) {
		t.Fatalf("segments %v hold %q", got, r.pairs(id))
	}
	for from := range int64(5) {
		var pins Pins
		if log, err := r.Read(id, 0, from, 100, true, &pins); err != nil || log.Bytes == 0 {
			t.Errorf("read at %d: %d bytes, %v", from, log.Bytes, err)
		}
		pins.Release()
	}
}
