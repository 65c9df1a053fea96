package main

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/heraclitus/heraclitus/pkg/broker/brokertest"
	"github.com/heraclitus/heraclitus/pkg/client"
	"github.com/heraclitus/heraclitus/pkg/config"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/objstore/s3/s3test"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// These tests show that verify finds nothing in what a server has kept, in a directory and in a bucket, that it says what
// is damaged and ends with the code that scripts ask for, that dump prints all of it, and that neither changes anything.

// keepSomething has a server keep users, records in a segment and records in the journal, and stops it.
func keepSomething(t *testing.T, path string) {
	t.Helper()
	b := brokertest.Start(t, brokertest.In(path), func(c *config.Config) { c.Topics.SegmentMs = 1 })
	if _, err := users(t, "a password\n", "set", "al", "--bootstrap-server", b.Address()); err != nil {
		t.Fatal(err)
	}
	c, err := client.Dial(t.Context(), client.Options{Address: b.Address()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for topic, segmentMs := range map[string]string{"orders": "1", "kept": "3600000"} {
		mustAsk(t, c, wire.KeyCreateTopics, 2, &wire.CreateTopicsRequest{TimeoutMs: 10_000, Topics: []wire.CreateTopicsRequestCreatableTopic{{
			Name: topic, NumPartitions: 1, ReplicationFactor: 1, Configs: []wire.CreateTopicsRequestCreatableTopicConfig{{Name: "segment.ms", Value: &segmentMs}},
		}}})
		batch, err := record.Build(record.Options{}, record.Record{Timestamp: time.Now().UnixMilli(), Key: []byte("a key"), Value: []byte("a value of " + topic)})
		if err != nil {
			t.Fatal(err)
		}
		r := mustAsk(t, c, wire.KeyProduce, 7, &wire.ProduceRequest{Acks: -1, TimeoutMs: 10_000, TopicData: []wire.ProduceRequestTopicProduceData{
			{Name: topic, PartitionData: []wire.ProduceRequestPartitionProduceData{{Records: kbin.Records{Bytes: batch}}}},
		}}).(*wire.ProduceResponse)
		if code := r.Responses[0].PartitionResponses[0].ErrorCode; code != 0 {
			t.Fatalf("produce to %s: error %d", topic, code)
		}
	}
	for late := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if out, err := run(t, "verify", "--storage-path", path); err != nil || time.Now().After(late) {
			t.Fatalf("verify beside the server, which archives: %s, %v", out, err)
		} else if strings.Contains(out, " 1 segments ") {
			break
		}
	}
	b.Stop(t)
}

func mustAsk(t *testing.T, c *client.Client, key, version int16, q wire.Message) wire.Message {
	t.Helper()
	m, err := c.Ask(key, version, q)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// filesIn returns the files in a directory.
func filesIn(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all[name], err = os.ReadFile(name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestVerifyAndDump(t *testing.T) {
	dir := t.TempDir()
	keepSomething(t, dir)
	before := filesIn(t, dir)
	verify := func(code int, want string) {
		t.Helper()
		for _, fast := range []string{"--fast=false", "--fast"} {
			out, err := run(t, "verify", fast, "--storage-path", dir)
			if !strings.Contains(out, want) || (err == nil) != (code == 0) || err != nil && exitCode(err) != code {
				t.Errorf("%s: printed %s, %v; want %q and code %d", fast, out, err, want, code)
			}
		}
	}
	verify(0, "2 topics, 2 partitions, 2 records, ")
	verify(0, "s: all is well\n")
	dumped := ""
	for name := range before {
		if base := filepath.Base(name); base == "LOCK" || strings.HasPrefix(base, "spare-") {
			continue
		}
		out, err := run(t, "dump", "--records", name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		dumped += out
	}
	for _, want := range []string{`value="a value of orders"`, `value="a value of kept"`, `topic "orders"`, `user "al"`, "floor, copy 1: slot", "SCRAM-SHA-512, 4096 iterations"} {
		if !strings.Contains(dumped, want) {
			t.Errorf("%q is not in what is dumped:\n%s", want, dumped)
		}
	}
	if !maps.EqualFunc(before, filesIn(t, dir), bytes.Equal) {
		t.Error("looking has changed something")
	}

	segments, err := filepath.Glob(filepath.Join(dir, "topics/orders/*/*.parquet"))
	if err != nil || len(segments) != 1 {
		t.Fatalf("segments %q, %v", segments, err)
	}
	if err := os.Remove(segments[0]); err != nil {
		t.Fatal(err)
	}
	verify(exitDamaged, "damage: topics/orders/partition=0/"+filepath.Base(segments[0])+": it is missing, and with it 1 records of orders/0\n")
	verify(exitDamaged, ": damage in 1 lines\n")
}

func TestVerifyAndDumpInABucket(t *testing.T) {
	s3test.Start(t).Setenv(t)
	place := config.Bucket + s3test.Bucket + "/a/b"
	keepSomething(t, place)
	out, err := run(t, "verify", "--storage-path", place)
	if err != nil || !strings.Contains(out, "2 topics, 2 partitions, 2 records, ") {
		t.Errorf("printed %s, %v", out, err)
	}
	f := func(key, want string) {
		t.Helper()
		if out, err := run(t, "dump", place+"/"+key); err != nil || !strings.Contains(out, want) {
			t.Errorf("%s: printed %s, %v; want %q", key, out, err, want)
		}
	}
	f("journal/00000000000000000000", "journal stone, slot 0")
	if _, err := run(t, "dump", place+"/none"); err == nil || !strings.Contains(err.Error(), "there is no such object") {
		t.Errorf("an object that is not there: %v", err)
	}
}

func TestVerifyRefusals(t *testing.T) {
	f := func(want string, code int, args ...string) {
		t.Helper()
		out, err := run(t, args...)
		if err == nil || !strings.Contains(err.Error(), want) || exitCode(err) != code || out != "" {
			t.Errorf("%q: printed %q, error %v; want %q and code %d", args, out, err, want, code)
		}
	}
	f("memory:// is a running server's own memory", exitUnchecked, "verify", "--storage-path", "memory://")
	f("no server has kept anything there", exitUnchecked, "verify", "--storage-path", t.TempDir())
	f(`what is "x"?`, exitUnchecked, "verify", "x")
	f("-frob: see heraclitus verify --help", exitUnchecked, "verify", "--frob")
	f("no such file", exitUnchecked, "verify", "--config", "none")
	f("dump needs a file", 1, "dump")
	f("--width -1: should be 0 or more", 1, "dump", "--width", "-1", "x")
	f("no such file", 1, "dump", "none")
	f("is not a file: name one of those in it", 1, "dump", t.TempDir())
	f("it does not begin as", 1, "dump", "verify_test.go")
}

// TestDumpToHead shows that a reader who goes is no error.
func TestDumpToHead(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	a := app()
	a.Writer = w
	if err := a.RunContext(t.Context(), []string{"heraclitus", "dump", "--records", "../../testdata/segments/v1-zstd-log.parquet"}); err != nil {
		t.Error(err)
	}
}
