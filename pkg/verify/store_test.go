package verify

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heraclitus/heraclitus/pkg/engine"
	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/journal/file"
	"github.com/heraclitus/heraclitus/pkg/journal/s3"
	"github.com/heraclitus/heraclitus/pkg/metrics"
	"github.com/heraclitus/heraclitus/pkg/objstore"
	objfile "github.com/heraclitus/heraclitus/pkg/objstore/file"
	"github.com/heraclitus/heraclitus/pkg/objstore/mem"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/topic"
)

// stored is everything that lies in a storage, by key.
type stored map[string][]byte

// kind is a kind of storage.
type kind struct {
	name  string
	make  func(t *testing.T) stored             // by a server of this kind
	open  func(t *testing.T, s stored) *Storage // as it was found, with nobody at work
	again func(t *testing.T) stored             // what lies in what was opened last

	append func(t *testing.T, s stored, entry []byte) stored // what it is with another entry
}

// kinds are a directory and a bucket.
func kinds() []kind { return []kind{directory(), bucket()} }

// made is what a kind's servers have made, which takes them a while.
var made = map[string]stored{}

// makeOnce returns what was made before, if it was.
func (k *kind) makeOnce() {
	make := k.make
	k.make = func(t *testing.T) stored {
		if made[k.name] == nil {
			made[k.name] = make(t)
		}
		return maps.Clone(made[k.name])
	}
}

func directory() kind {
	var dir string
	k := &kind{name: "directory"}
	k.make = func(t *testing.T) stored {
		dir := t.TempDir()
		grow(t, func() (journal.Journal, objstore.Store) {
			return must(file.Open(filepath.Join(dir, file.Folder), small)), must(objfile.Open(dir))
		})
		all := files(t, dir)
		all["journal/LOCK"] = nil // the process that took it is this one, which lives
		return all
	}
	k.open = func(t *testing.T, s stored) *Storage {
		dir = t.TempDir()
		for key, b := range s {
			name := filepath.Join(dir, filepath.FromSlash(key))
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return must(Open(t.Context(), dir))
	}
	k.again = func(t *testing.T) stored { return files(t, dir) }
	k.append = func(t *testing.T, s stored, entry []byte) stored {
		k.open(t, s)
		appendTo(t, must(file.Open(filepath.Join(dir, file.Folder), small)), entry)
		all := files(t, dir)
		all["journal/LOCK"] = nil
		return all
	}
	k.makeOnce()
	return *k
}

// small has few entries fit into a volume.
var small = file.Options{FileBytes: 64 << 10, EntryBytesMax: 20_000, Log: slog.New(slog.DiscardHandler)}

// appendTo appends an entry to a journal, and closes it.
func appendTo(t *testing.T, j journal.Journal, entry []byte) {
	t.Helper()
	_, next := j.Bounds()
	if err := errors.Join(j.Append(next, entry), j.Close()); err != nil {
		t.Fatal(err)
	}
}

func bucket() kind {
	var store *mem.Store
	k := &kind{name: "bucket"}
	k.make = func(t *testing.T) stored {
		store := mem.Open()
		grow(t, func() (journal.Journal, objstore.Store) {
			return must(s3.Open(t.Context(), store, s3.Options{Log: slog.New(slog.DiscardHandler)})), store
		})
		return objects(t, store)
	}
	k.open = func(t *testing.T, s stored) *Storage {
		store = mem.Open()
		for key, b := range s {
			if err := store.Put(t.Context(), key, b); err != nil {
				t.Fatal(err)
			}
		}
		return inStore(objstore.ReadOnly(store), func() {})
	}
	k.again = func(t *testing.T) stored { return objects(t, store) }
	k.append = func(t *testing.T, s stored, entry []byte) stored {
		k.open(t, s)
		appendTo(t, must(s3.Open(t.Context(), store, s3.Options{Log: slog.New(slog.DiscardHandler)})), entry)
		return objects(t, store)
	}
	k.makeOnce()
	return *k
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func files(t *testing.T, dir string) stored {
	t.Helper()
	all := stored{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		all[filepath.ToSlash(must(filepath.Rel(dir, name)))] = b
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func objects(t *testing.T, s objstore.Store) stored {
	t.Helper()
	all := stored{}
	for _, o := range must(s.List(t.Context(), "")) {
		all[o.Key] = must(s.Get(t.Context(), o.Key))
	}
	return all
}

// equal says whether two storages hold the same.
func (s stored) equal(other stored) bool { return maps.EqualFunc(s, other, bytes.Equal) }

// keys returns the sorted keys that hold a text.
func (s stored) keys(with string) (keys []string) {
	for key := range s {
		if strings.Contains(key, with) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// server is an engine that archives all the time.
type server struct {
	*engine.Engine
	t *testing.T
	n int
}

func serve(t *testing.T, j journal.Journal, s objstore.Store, archiveCheck time.Duration) *server {
	t.Helper()
	e, err := engine.Open(j, s, engine.Options{
		Topics: topic.Defaults(), Log: slog.New(slog.DiscardHandler), Metrics: metrics.New("test"), ArchiveCheck: archiveCheck, SegmentCodec: engine.Adaptive,
		EntryBytesMax: 10_000, BatchBytesMax: 15_000,
	})
	if err != nil {
		t.Fatal(err)
	}
	return &server{Engine: e, t: t}
}

func (s *server) do(c state.Command) {
	s.t.Helper()
	if _, err := s.Do(c); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) create(name string, config ...state.ConfigEntry) state.ID {
	s.t.Helper()
	id := engine.NewID()
	config = append(config, state.ConfigEntry{Name: "retention.ms", Value: "-1"})
	s.do(state.CreateTopic{ID: id, Name: name, Partitions: 2, Config: config, NowMs: time.Now().UnixMilli()})
	return id
}

// produce appends a batch of ten records to partition 0, of which all have one of a few keys.
func (s *server) produce(id state.ID, codec record.Codec) {
	s.t.Helper()
	var records []record.Record
	for i := range 10 {
		s.n++
		key, value := fmt.Appendf(nil, "key %d", s.n%7), fmt.Appendf(nil, "value %d %s", s.n, strings.Repeat("x", s.n%50))
		records = append(records, record.Record{Offset: int64(i), Timestamp: time.Now().UnixMilli(), Key: key, Value: value})
	}
	batch, err := record.Build(record.Options{Codec: codec}, records...)
	if err != nil {
		s.t.Fatal(err)
	}
	var g engine.Pending
	g.Reset(1)
	s.AppendBatch(&g, 0, id, 0, batch)
	g.Wait(0, nil)
	if code := g.Results[0].Code; code != 0 {
		s.t.Fatal(code)
	}
}

// until waits for a condition of a partition.
func (s *server) until(what string, id state.ID, holds func(p *state.Partition) bool) {
	s.t.Helper()
	for late := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		done := false
		s.View(func(st *state.State) { done = holds(st.Partition(id, 0)) })
		if done {
			return
		}
		if time.Now().After(late) {
			s.t.Fatalf("%s: not in 30 s", what)
		}
	}
}

func archived(p *state.Partition) bool { return p.JournalBytes() == 0 }

// setting is a setting of a topic.
func setting(name, value string) state.ConfigEntry {
	return state.ConfigEntry{Name: name, Value: value}
}

// grow has servers make everything there can be in a storage: two, one after the other, of which the second one ends as if it
// were killed.
func grow(t *testing.T, open func() (journal.Journal, objstore.Store)) {
	t.Helper()
	j, store := open()
	s := serve(t, j, store, time.Millisecond)
	s.do(state.CreateSecret{Secret: []byte("the secret of the cluster")})
	s.do(state.UpsertCredential{User: "al", Credential: state.Credential{Mechanism: state.ScramSHA256, Iterations: 4096, Salt: []byte("a salt of al"), StoredKey: bytes.Repeat([]byte("k"), 32), ServerKey: bytes.Repeat([]byte("s"), 32)}})
	atOnce := setting("segment.ms", "1")
	orders, gone := s.create("orders", atOnce), s.create("gone", atOnce)
	users := s.create("users", setting("cleanup.policy", "compact"), setting("delete.retention.ms", "0"), setting("min.cleanable.dirty.ratio", "0"), atOnce)
	cut := s.create("cut", atOnce)
	for range 12 {
		for _, id := range []state.ID{orders, users, cut, gone} {
			s.produce(id, record.Zstd)
			s.until("archived", id, archived)
		}
	}
	s.do(state.DeleteTopic{ID: gone})
	s.do(state.MoveLogStart{ID: cut, Offset: 45})
	s.until("compacted", users, func(p *state.Partition) bool { return p.CleanedTo == 120 })
	s.until("merged", orders, func(p *state.Partition) bool { return len(slices.Collect(p.Segments(0))) < 8 })
	s.rest(t, orders)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	j.Close()

	j, store = open()
	s = serve(t, j, store, time.Hour) // and archives nothing
	s.rest(t, orders)
	t.Cleanup(func() { s.Close(); j.Close() })
}

// rest has a server that archives no more do the rest: what stays in the journal.
func (s *server) rest(t *testing.T, orders state.ID) {
	t.Helper()
	kept := s.create(fmt.Sprintf("kept-%d", s.n))
	for _, codec := range []record.Codec{record.None, record.Gzip, record.Snappy, record.LZ4, record.Zstd} {
		s.produce(kept, codec)
	}
	s.do(state.StoreGroup{GroupID: "readers", Generation: state.Generation{Number: 1, ProtocolType: "consumer"}})
	s.do(state.CommitOffsets{GroupID: "readers", Offsets: []state.PartitionOffset{
		{Topic: orders, Offset: state.Offset{Offset: 120, ExpireMs: -1}}, {Topic: kept, Offset: state.Offset{Offset: 7, ExpireMs: -1}},
	}})
	s.do(state.AllocateProducerID{})
	s.until("orders at rest", orders, func(p *state.Partition) bool { return len(slices.Collect(p.Segments(0))) < 8 })
}
