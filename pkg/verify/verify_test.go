package verify

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/engine"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// These tests show that nothing is found in healthy storage of either kind, that each damage there can be is found and named,
// and that looking changes nothing.

// verified runs over a storage and returns what was found, a line each.
func verified(t *testing.T, s *Storage, o Options) (damage, notes string, sum Summary) {
	t.Helper()
	defer s.Close()
	sum, err := Run(t.Context(), s, o, func(f Finding) {
		if f.Note {
			notes += f.String() + "\n"
		} else {
			damage += f.String() + "\n"
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return damage, notes, sum
}

func TestHealthy(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			whole := k.make(t)
			for _, o := range []Options{{}, {Fast: true}, {Parallel: 1}} {
				damage, notes, sum := verified(t, k.open(t, whole), o)
				if damage != "" || notes != "" {
					t.Errorf("%+v: found\n%s%s", o, damage, notes)
				}
				if sum.Topics != 5 || sum.Partitions != 10 || sum.Records < 300 || sum.Segments < 3 || sum.Entries < 10 || sum.Bytes == 0 || sum.Took == 0 {
					t.Errorf("%+v: summary %+v", o, sum)
				}
				if !k.again(t).equal(whole) {
					t.Errorf("%+v: looking has changed something", o)
				}
			}
		})
	}
}

// TestDamage does one damage after the other to what is healthy.
func TestDamage(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			whole := k.make(t)
			segments := whole.keys(".parquet")
			checkpoint := whole.keys("checkpoints/")[0]
			f := func(what, want string, damage func(s stored)) {
				t.Helper()
				s := maps.Clone(whole)
				damage(s)
				found, notes, _ := verified(t, k.open(t, s), Options{})
				if !strings.Contains(found, want) {
					t.Errorf("%s: %q is not among what is found:\n%s%s", what, want, found, notes)
				}
				if !k.again(t).equal(s) {
					t.Errorf("%s: looking has changed something", what)
				}
			}
			for _, key := range []string{segments[0], segments[len(segments)-1], checkpoint, checkpoint + ".copy"} {
				f("a flipped bit", key, flipped(key, len(whole[key])/2))
				f("cut short", key, func(s stored) { s[key] = s[key][:len(s[key])-1] })
				f("nothing left", key, func(s stored) { s[key] = nil })
				f("longer", key, func(s stored) { s[key] = append(bytes.Clone(s[key]), 0) })
				f("bytes of something else", key, func(s stored) { s[key] = []byte("something else altogether") })
			}
			f("a missing segment", segments[0]+": it is missing, and with it ", func(s stored) { delete(s, segments[0]) })
			f("segments in each other's place", segments[1], func(s stored) { s[segments[0]], s[segments[1]] = s[segments[1]], s[segments[0]] })
			f("a segment in another's place", segments[1]+": it ", func(s stored) { s[segments[1]] = s[segments[0]] })
			orphan := otherUnique(segments[0])
			if k.name == directory().name { // a bucket does not tell whether a server is at work, and so TestNotes has this
				f("an object too many", orphan+": it belongs to no segment", func(s stored) { s[orphan] = s[segments[0]] })
			}
			f("a missing checkpoint", checkpoint+".copy: it is a copy, and what it is a copy of is missing", func(s stored) { delete(s, checkpoint) })
			f("no checkpoint at all", "there is no checkpoint of what was before", func(s stored) { delete(s, checkpoint); delete(s, checkpoint+".copy") })
			f("both copies damaged", checkpoint, func(s stored) { flipped(checkpoint, 20)(s); flipped(checkpoint+".copy", 20)(s) })
			renamed := "checkpoints/00000000000000000001"
			f("a checkpoint under another name", renamed+": it is the checkpoint at entry", func(s stored) { s[renamed] = s[checkpoint] })
			f("a checkpoint that runs ahead", "they are not of one time", ahead(whole[checkpoint]))
			add := func(entry []byte) func(s stored) {
				return func(s stored) {
					appended := k.append(t, s, entry)
					clear(s)
					maps.Copy(s, appended)
				}
			}
			f("an entry that does not apply", "it does not apply: ", add([]byte("no command")))
			batch := must(record.Build(record.Options{}, record.Record{Value: []byte("a value")}))
			batch[len(batch)-3] ^= 1
			st := must(state.Restore(whole[checkpoint]))
			f("a batch that is not intact", "its checksum does not match", add(appendProduce(st, batch)))
		})
	}
}

// otherUnique is the key of another segment of the same offsets.
func otherUnique(key string) string {
	stem, digit := key[:len(key)-len("0.parquet")], "0"
	if strings.HasSuffix(key, "0.parquet") {
		digit = "1"
	}
	return stem + digit + ".parquet"
}

// flipped flips a bit of an object.
func flipped(key string, at int) func(s stored) {
	return func(s stored) {
		b := bytes.Clone(s[key])
		b[at] ^= 0x10
		s[key] = b
	}
}

// ahead puts a checkpoint into storage that is made of more entries than the journal has.
func ahead(checkpoint []byte) func(s stored) {
	return func(s stored) {
		st := must(state.Restore(checkpoint))
		for range 1000 {
			must(st.Apply(st.Next(), nil, nil))
		}
		key := fmt.Sprintf("%s%020d", engine.CheckpointsPrefix, st.Next())
		s[key] = st.AppendSnapshot(nil)
		s[key+".copy"] = s[key]
	}
}

// appendProduce returns an entry that appends a batch to orders/0.
func appendProduce(s *state.State, batch []byte) []byte {
	return state.AppendProduce(nil, s.TopicNamed("orders").ID, 0, 0, batch)
}

// TestJournalDamage shows the same of a journal: of volumes in a directory, of objects in a bucket.
func TestJournalDamage(t *testing.T) {
	f := func(k kind, what, want string, whole stored, damage func(s stored)) {
		t.Helper()
		s := maps.Clone(whole)
		damage(s)
		found, notes, _ := verified(t, k.open(t, s), Options{})
		if !strings.Contains(found, want) {
			t.Errorf("%s, %s: %q is not among what is found:\n%s%s", k.name, what, want, found, notes)
		}
	}
	d := directory()
	whole := d.make(t)
	volumes := whole.keys(".journal")
	if len(volumes) < 2 {
		t.Fatalf("volumes %q", volumes)
	}
	first, last := volumes[0], volumes[len(volumes)-1]
	kept := entriesAt(whole[first], binary.LittleEndian.Uint64(whole["journal/FLOOR"][16:]))[0]
	f(d, "a flipped bit in an entry", first, whole, flipped(first, kept+100))
	f(d, "a flipped bit in an entry, and what was in it", "lie in entry", whole, flipped(first, kept+100))
	f(d, "a flipped bit in a volume's header", last, whole, flipped(last, 10))
	f(d, "a missing volume", "it is missing", whole, func(s stored) { delete(s, first) })
	f(d, "volumes in each other's place", last+": the entry there is of another slot", whole, func(s stored) { s[first], s[last] = s[last], s[first] })
	f(d, "a volume cut short", first, whole, func(s stored) { s[first] = s[first][:kept] })
	f(d, "no floor", "journal/FLOOR", whole, func(s stored) { delete(s, "journal/FLOOR") })
	f(d, "a floor that cannot be read", "journal/FLOOR", whole, func(s stored) { flipped("journal/FLOOR", 17)(s); flipped("journal/FLOOR", 4096+17)(s) })

	b := bucket()
	whole = b.make(t)
	entries := whole.keys("journal/0")
	floor := whole.keys("journal/floor/")[0]
	entry := entries[len(entries)-3]
	f(b, "a flipped bit in an entry", entry, whole, flipped(entry, len(whole[entry])-1))
	f(b, "a flipped bit in a header", entry, whole, flipped(entry, 20))
	f(b, "a missing entry", entry, whole, func(s stored) { delete(s, entry) })
	f(b, "entries in each other's place", entry, whole, func(s stored) {
		s[entry], s[entries[len(entries)-4]] = s[entries[len(entries)-4]], s[entry]
	})
	f(b, "an entry cut short", entry, whole, func(s stored) { s[entry] = s[entry][:len(s[entry])-1] })
	f(b, "a flipped bit in the floor", floor, whole, flipped(floor, 20))
	f(b, "no floor", "journal", whole, func(s stored) { delete(s, floor) })
}

// TestEveryFlippedBitIsFound flips bits of what has a checksum as a whole, at random places.
func TestEveryFlippedBitIsFound(t *testing.T) {
	b := bucket()
	whole := b.make(t)
	rng := rand.New(rand.NewPCG(1, 2))
	for _, key := range append(whole.keys(".parquet"), whole.keys("checkpoints/")...) {
		for range 8 {
			s := maps.Clone(whole)
			bit := rng.IntN(8 * len(s[key]))
			s[key] = bytes.Clone(s[key])
			s[key][bit/8] ^= 1 << (bit % 8)
			if found, _, _ := verified(t, b.open(t, s), Options{}); !strings.Contains(found, key) {
				t.Errorf("bit %d of %s flipped: found %q", bit, key, found)
			}
		}
	}
}

// TestNotes shows what is said of and is no damage: what others put there, what a crash leaves.
func TestNotes(t *testing.T) {
	f := func(k kind, whole stored, what, want string, change func(s stored)) {
		t.Helper()
		s := maps.Clone(whole)
		change(s)
		found, notes, _ := verified(t, k.open(t, s), Options{})
		if found != "" || strings.Count(notes, "\n") != 1 || !strings.Contains(notes, want) {
			t.Errorf("%s, %s: damage %q, notes %q; want %q", k.name, what, found, notes, want)
		}
	}
	for _, k := range kinds() {
		whole := k.make(t)
		checkpoint := whole.keys("checkpoints/")[0]
		for _, key := range []string{"notes.txt", "topics/orders/partition=0/x.parquet", "checkpoints/x"} {
			f(k, whole, "somebody else's object", "note: "+key+": not an object of a server", func(s stored) { s[key] = []byte("x") })
		}
		f(k, whole, "no copy", "it has no copy", func(s stored) { delete(s, checkpoint+".copy") })
		f(k, whole, "a commit beyond the end", `group "early": it has committed offset 999 of orders/0, which ends at 120`, func(s stored) {
			id := must(state.Restore(whole[checkpoint])).TopicNamed("orders").ID
			c := state.CommitOffsets{GroupID: "early", Offsets: []state.PartitionOffset{{Topic: id, Offset: state.Offset{Offset: 999}}}}
			appended := k.append(t, s, state.AppendCommand(nil, c))
			clear(s)
			maps.Copy(s, appended)
		})
	}
	b := bucket()
	inBucket := b.make(t)
	f(b, inBucket, "an orphan, of a server that may be at work", "a server at work will see to it", func(s stored) {
		key := inBucket.keys(".parquet")[0]
		s[otherUnique(key)] = s[key]
	})
	d := directory()
	whole := d.make(t)
	f(d, whole, "a torn entry at the end", "is not written as a whole, or not yet", func(s stored) {
		maps.Copy(s, d.append(t, s, bytes.Repeat([]byte("x"), 5000)))
		volumes := s.keys(".journal")
		last := volumes[len(volumes)-1]
		at := entriesAt(s[last], 0)
		flipped(last, at[len(at)-1]+4500)(s)
	})
	f(d, whole, "one copy of the floor", "FLOOR: the copy at byte 0 is not whole", flipped("journal/FLOOR", 17))
	f(d, whole, "a table of positions", ".slots: not usable", flipped(whole.keys(".slots")[0], 40))
	f(d, whole, "a stranger in the journal", "journal: x.txt: not a file of a journal", func(s stored) { s["journal/x.txt"] = nil })
	f(d, whole, "an orphan beside a server", "a server at work will see to it", func(s stored) {
		key := whole.keys(".parquet")[0]
		s[otherUnique(key)] = s[key]
		s["journal/LOCK"] = fmt.Appendln(nil, os.Getpid())
	})
}

// entriesAt is where the entries of a volume begin, from a slot on, that are long enough to hold a batch.
func entriesAt(volume []byte, from uint64) (at []int) {
	for n := 4096; n < len(volume); n += 4096 {
		ours := bytes.HasPrefix(volume[n:], []byte("HjE1")) && bytes.Equal(volume[n+8:n+16], volume[16:24])
		if ours && binary.LittleEndian.Uint64(volume[n+16:]) >= from && binary.LittleEndian.Uint32(volume[n+24:]) > 100 {
			at = append(at, n)
		}
	}
	return at
}

// TestPrintable shows that a finding is one line, whatever is in a name.
func TestPrintable(t *testing.T) {
	f := func(where, want string) {
		t.Helper()
		if got := (Finding{Where: where, What: "x", Note: true}).String(); got != "note: "+want+": x" {
			t.Errorf("%q becomes %q", where, got)
		}
	}
	f("topics/größe", "topics/größe")
	f("a\nb", `"a\nb"`)
	f("\x1b[2J", `"\x1b[2J"`)
	f("\xff", `"\xff"`)
}

// TestOpenRefuses shows what cannot be looked at.
func TestOpenRefuses(t *testing.T) {
	f := func(path, want string) {
		t.Helper()
		if _, err := Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	f("memory://", "a running server's own memory")
	f(t.TempDir(), "no server has kept anything there")
	f("s3://", "should be s3://bucket")
}

// counted is an inspection that counts when it is closed.
type counted struct {
	inspection
	open *int
}

func (c counted) Close() error {
	*c.open--
	return c.inspection.Close()
}

// TestStopped shows that a run ends when it is told to, and leaves no journal open. One was left open in the middle of a look,
// once.
func TestStopped(t *testing.T) {
	d := directory()
	s := d.open(t, d.make(t))
	open, inspect := 0, s.inspect
	ctx, cancel := context.WithCancel(t.Context())
	s.inspect = func(ctx context.Context) (inspection, error) {
		open++
		cancel()
		i, err := inspect(ctx)
		return counted{i, &open}, err
	}
	if _, err := Run(ctx, s, Options{}, func(Finding) {}); !errors.Is(err, context.Canceled) || open != 0 {
		t.Errorf("it ends in %v, with %d journals open", err, open)
	}
}

// TestOffsets shows that a state that contradicts itself, or the storage, is found out, though its checksum matches: a checkpoint
// as only a fault of ours could have written it.
func TestOffsets(t *testing.T) {
	d := directory()
	whole := d.make(t)
	checkpoint := whole.keys("checkpoints/")[0]
	st := must(state.Restore(whole[checkpoint]))
	first := slices.Collect(st.TopicNamed("orders").Partitions[0].Segments(0))[0]
	cut := st.TopicNamed("cut").Partitions[0]
	kept := slices.Collect(st.TopicNamed("kept-480").Partitions[0].Extents(0))[1]
	f := func(what string, old, by []byte, wants ...string) {
		t.Helper()
		s := maps.Clone(whole)
		if n := bytes.Count(s[checkpoint], old); n != 1 {
			t.Fatalf("%s: %x is %d times in the checkpoint", what, old, n)
		}
		b := bytes.Replace(s[checkpoint], old, by, 1)
		b = binary.BigEndian.AppendUint32(b[:len(b)-4], crc32.Checksum(b[:len(b)-4], crc32.MakeTable(crc32.Castagnoli)))
		s[checkpoint], s[checkpoint+".copy"] = b, b
		found, _, _ := verified(t, d.open(t, s), Options{})
		for _, want := range wants {
			if !strings.Contains(found, want) {
				t.Errorf("%s: %q is not among what is found:\n%s", what, want, found)
			}
		}
	}
	ints := func(all ...int64) (b []byte) {
		for _, v := range all {
			b = binary.BigEndian.AppendUint64(b, uint64(v))
		}
		return b
	}
	segment := func(g state.Segment) []byte {
		return ints(g.Base, g.End, int64(g.Unique), g.Bytes, g.Records, g.MaxTimestamp)
	}
	changed := func(change func(g *state.Segment)) []byte {
		g := first
		change(&g)
		return segment(g)
	}
	key := first.Key("orders", 0)
	f("a segment that ends early", segment(first), changed(func(g *state.Segment) { g.End -= 3 }), fmt.Sprintf("orders/0: offsets %d to %d lie nowhere", first.End-3, first.End-1))
	f("a segment that ends late", segment(first), changed(func(g *state.Segment) { g.End += 3 }), "begins before offset")
	f("a segment of other records", segment(first), changed(func(g *state.Segment) { g.Records-- }), key+": it says of itself")
	f("a segment of another time", segment(first), changed(func(g *state.Segment) { g.MaxTimestamp++ }), key+": it says of itself")
	f("a segment of another size", segment(first), changed(func(g *state.Segment) { g.Bytes-- }), key+": it has")
	f("a segment that is another", segment(first), changed(func(g *state.Segment) { g.Unique++ }), "it is missing, and with it", key+": it belongs to no segment")
	f("a log start beyond the end", ints(cut.LogStart, cut.HighWatermark, cut.CleanedTo), ints(500, cut.HighWatermark, cut.CleanedTo), "cut/0: log start offset 500, high watermark 120")
	f("an end beyond the records", ints(cut.LogStart, cut.HighWatermark, cut.CleanedTo), ints(cut.LogStart, 130, cut.CleanedTo), "cut/0: offsets 120 to 129 lie nowhere")
	place := func(slot uint64, pos uint32) []byte {
		return binary.BigEndian.AppendUint32(ints(kept.Base, int64(slot)), pos)
	}
	was := place(kept.Slot, kept.Pos)
	f("an extent elsewhere", was, place(kept.Slot, kept.Pos+1), fmt.Sprintf("kept-480/0: offsets 10 to 19, in entry %d of the journal: there is no batch", kept.Slot))
	f("an extent in the entry before", was, place(kept.Slot-1, kept.Pos), "kept-480/0: offsets 10 to 19")
	f("an extent that is gone", was, place(1, kept.Pos), "kept-480/0: offset 10 lies in entry 1 of the journal, which holds")
	f("an extent to come", was, place(9999, kept.Pos), "kept-480/0: offset 10 lies in entry 9999 of the journal, which holds")
}
