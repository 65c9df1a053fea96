package dump

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/objstore"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// These tests compare what is written of everything that storage holds with golden files, show that no secret is in it, and
// what becomes of damage and of readers who go. go test -update writes the golden files anew.

var update = flag.Bool("update", false, "write the golden files")

// source is a source of bytes.
func source(name string, b []byte) Source {
	return Source{name, int64(len(b)), func(_ context.Context, p []byte, off int64) error {
		if off < 0 || off > int64(len(b)-len(p)) {
			return objstore.ErrRange
		}
		copy(p, b[off:])
		return nil
	}}
}

func written(t *testing.T, b []byte, o Options) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := Write(t.Context(), &out, source("x", b), o)
	return out.String(), err
}

// golden compares what is written with a golden file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	name = filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(name); err != nil || got != string(want) {
		t.Errorf("%s, %v: it is\n%s\nwant\n%s", name, err, got, want)
	}
}

func TestFixtures(t *testing.T) {
	f := func(name, pattern string, o Options) {
		t.Helper()
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no %s, %v", pattern, err)
		}
		var all strings.Builder
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			out, err := written(t, b, o)
			if err != nil {
				t.Errorf("%s: %v", file, err)
			}
			fmt.Fprintf(&all, "%s:\n%s", filepath.Base(file), out)
		}
		golden(t, name, all.String())
	}
	f("segments", "../../testdata/segments/*.parquet", Options{})
	f("segment-records", "../../testdata/segments/v1-zstd-groups.parquet", Options{Records: true, Width: 30})
	f("journal-files", "../journal/file/testdata/v1/*", Options{})
	f("journal-objects", "../journal/s3/testdata/v1/journal/0*", Options{})
	f("journal-floor", "../journal/s3/testdata/v1/journal/floor/0*", Options{})
}

// secrets are in everything's entry and checkpoint.
var secrets = []string{"the salt", "the stored key", "the server key", "what nobody may know"}

// everything is an entry with every command there is.
func everything(t *testing.T) []byte {
	t.Helper()
	topic := state.ID{0xa1}
	plain, err := record.Build(record.Options{Producer: &record.Producer{ID: 7, Epoch: 1, Sequence: 5}},
		record.Record{Timestamp: 1_700_000_000_000, Key: []byte("a key"), Value: []byte("a value that is long")}, record.Record{Offset: 1, Timestamp: 1_700_000_000_001, Headers: record.Headers{}.Add([]byte("h"), nil)})
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(plain)
	damaged[len(damaged)-8] ^= 1
	stamped, err := record.Build(record.Options{Codec: record.Zstd, TimestampType: record.LogAppendTime, AppendMs: 1_700_000_000_002}, record.Record{Value: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	var entry []byte
	for _, c := range []state.Command{
		state.CreateCluster{ClusterID: "abc"},
		state.CreateTopic{ID: topic, Name: "orders", Partitions: 2, Config: []state.ConfigEntry{{Name: "retention.ms", Value: "-1"}}, NowMs: 1_700_000_000_000},
		state.AddPartitions{ID: topic, Count: 3},
		state.ConfigureTopic{ID: topic, Set: []state.ConfigEntry{{Name: "segment.ms", Value: "1000"}}, Unset: []string{"retention.ms"}},
		state.AllocateProducerID{},
	} {
		entry = state.AppendCommand(entry, c)
	}
	for _, batch := range [][]byte{plain, stamped, damaged} {
		entry = state.AppendProduce(entry, topic, 1, 1_700_000_000_003, batch)
	}
	for _, c := range []state.Command{
		state.ReplaceSegments{ID: topic, Partition: 1, To: 3, Segments: []state.Segment{{Base: 0, End: 3, Unique: 8, Bytes: 100, Records: 2, MaxTimestamp: 1_700_000_000_001, CameMs: 1_700_000_000_003}}},
		state.MoveLogStart{ID: topic, Partition: 1, Offset: 1},
		state.ExpireProducers{BeforeMs: 5},
		state.StoreGroup{GroupID: "readers", Generation: state.Generation{Number: 3, ProtocolType: "consumer", Protocol: "range", Leader: "m", SinceMs: 1_700_000_000_000,
			Members: []state.Member{{ID: "m", InstanceID: "i", ClientID: "c", ClientHost: "/127.0.0.1", RebalanceTimeoutMs: 1, SessionTimeoutMs: 2, Subscription: []byte("sub"), Assignment: []byte("asgmt")}}}},
		state.CommitOffsets{GroupID: "readers", Offsets: []state.PartitionOffset{{Topic: topic, Partition: 1, Offset: state.Offset{Offset: 2, LeaderEpoch: -1, Metadata: "mine", CommitMs: 1_700_000_000_004, ExpireMs: -1}}}},
		state.DeleteOffsets{GroupID: "others", Partitions: []state.TopicPartition{{Topic: topic, Partition: 1}}},
		state.ExpireOffsets{GroupID: "readers", NowMs: 9, BeforeMs: 8, SinceMs: -1, Subscribed: []string{"orders"}},
		state.DeleteGroup{GroupID: "others"},
		state.UpsertCredential{User: "al", Credential: credentialOf(state.ScramSHA256, 32)},
		state.UpsertCredential{User: "al", Credential: credentialOf(state.ScramSHA512, 64)},
		state.DeleteCredential{User: "bo", Mechanism: state.ScramSHA512},
		state.CreateSecret{Secret: []byte(secrets[3])},
		state.DeleteTopic{ID: state.ID{0xa2}},
	} {
		entry = state.AppendCommand(entry, c)
	}
	return state.AppendProduce(entry, topic, 1, 1_700_000_000_005, stamped)
}

func credentialOf(mechanism int8, n int) state.Credential {
	long := func(s string) []byte { return append([]byte(s), make([]byte, n-len(s))...) }
	return state.Credential{Mechanism: mechanism, Iterations: 4096, Salt: []byte(secrets[0]), StoredKey: long(secrets[1]), ServerKey: long(secrets[2])}
}

// mustHide fails when a secret is in what was written.
func mustHide(t *testing.T, out string) {
	t.Helper()
	for _, secret := range secrets {
		if strings.Contains(out, secret) || strings.Contains(out, fmt.Sprintf("%x", secret)) {
			t.Errorf("%q is in\n%s", secret, out)
		}
	}
}

func TestEveryCommand(t *testing.T) {
	var out bytes.Buffer
	d := newDumper(t.Context(), &out, Source{}, Options{Records: true, Width: 7})
	d.entry(everything(t))
	d.out.Flush()
	mustHide(t, out.String())
	golden(t, "commands", out.String())
}

func TestCheckpoint(t *testing.T) {
	s := state.New()
	if _, err := s.Apply(0, everything(t), nil); err != nil {
		t.Fatal(err)
	}
	snapshot := s.AppendSnapshot(nil)
	out, err := written(t, snapshot, Options{})
	if err != nil {
		t.Fatal(err)
	}
	mustHide(t, out)
	golden(t, "checkpoint", out)
	for _, secret := range secrets { // which would be there to be written
		if !bytes.Contains(snapshot, []byte(secret)) {
			t.Errorf("%q is not in the checkpoint", secret)
		}
	}
}

func TestDamage(t *testing.T) {
	f := func(file, want string, damage func(b []byte) []byte) {
		t.Helper()
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out, err := written(t, damage(b), Options{Records: true})
		if all := out + fmt.Sprint(err); !strings.Contains(all, want) {
			t.Errorf("%s: %q is not in\n%s", file, want, all)
		}
	}
	flip := func(at int) func([]byte) []byte { return func(b []byte) []byte { b[at] ^= 1; return b } }
	cut := func(n int) func([]byte) []byte { return func(b []byte) []byte { return b[:n] } }
	const segment, journal, object = "../../testdata/segments/v1-zstd-groups.parquet", "../journal/file/testdata/v1/", "../journal/s3/testdata/v1/journal/"
	f(segment, "segment is damaged", flip(300))
	f(segment, "segment is damaged", cut(1000))
	f(journal+"00000000000000000003.journal", "slot 4 at byte 8192: 12 bytes: checksum does not match", flip(8192+33))
	f(journal+"00000000000000000003.journal", "slot 5 at byte 12288: 13 bytes, checksum ok", flip(8192+33))
	f(journal+"00000000000000000003.journal", "checksum does not match", flip(20))
	f(journal+"00000000000000000003.slots", "checksum does not match", flip(40))
	f(journal+"00000000000000000003.slots", "does not fit", cut(45))
	f(journal+"FLOOR", "floor, copy 0: checksum does not match\nfloor, copy 1: slot 4", flip(17))
	f(object+"00000000000000000003", "slot 3, session 2, the first of its session: checksum does not match", flip(64))
	f(object+"00000000000000000003", "it has 67 bytes, of an entry of 4", cut(67))
	f(object+"00000000000000000003", "checksum does not match", flip(20))
	f(object+"00000000000000000003", ErrUnknown.Error(), cut(3))
	f("dump_test.go", ErrUnknown.Error(), cut(100))
	f("dump_test.go", ErrUnknown.Error(), cut(0))
	f("dump_test.go", "not a valid snapshot", func([]byte) []byte { return []byte("HSNP0000") })
}

// gone is a reader who goes after some bytes.
type gone struct{ n int }

var errGone = errors.New("nobody reads any more")

func (g *gone) Write(p []byte) (int, error) {
	if g.n -= len(p); g.n < 0 {
		return 0, errGone
	}
	return len(p), nil
}

// TestReaderGoes shows that writing ends soon after nobody reads any more.
func TestReaderGoes(t *testing.T) {
	b, err := os.ReadFile("../../testdata/segments/v1-zstd-log.parquet")
	if err != nil {
		t.Fatal(err)
	}
	reader := &gone{5000}
	err = Write(t.Context(), reader, source("x", b), Options{Records: true})
	if !errors.Is(err, errGone) || reader.n < -10_000 {
		t.Errorf("it ends in %v, %d bytes too late", err, -reader.n)
	}
}
