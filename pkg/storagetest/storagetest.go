// Package storagetest says where tests keep their data: in memory, or where a variable of the environment says, so that the same
// tests run on each storage there is. make test-storages does.
package storagetest

import (
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/journal"
	filejournal "github.com/heraclitus/heraclitus/pkg/journal/file"
	memjournal "github.com/heraclitus/heraclitus/pkg/journal/mem"
	s3journal "github.com/heraclitus/heraclitus/pkg/journal/s3"
	"github.com/heraclitus/heraclitus/pkg/objstore"
	filestore "github.com/heraclitus/heraclitus/pkg/objstore/file"
	memstore "github.com/heraclitus/heraclitus/pkg/objstore/mem"
	"github.com/heraclitus/heraclitus/pkg/objstore/s3"
	"github.com/heraclitus/heraclitus/pkg/objstore/s3/s3test"
)

// Variable names the storage that tests run on: Memory, which it is when the variable is not set, Path or S3.
const Variable = "HERACLITUS_TEST_STORAGE"

// The storages there are.
const (
	Memory = "memory"
	Path   = "path"
	S3     = "s3" // a bucket of a server that the test starts
)

// InMemory is storage.path of a server that keeps everything in memory.
const InMemory = "memory://"

const (
	prefix        = "storage" // in buckets
	fileBytes     = 4 << 20   // of a journal file: each one is written with zeros first
	entryBytesMax = 3 << 19
)

// kind is the storage that the variable names.
func kind(t testing.TB) string {
	t.Helper()
	switch k := os.Getenv(Variable); k {
	case "":
		return Memory
	case Memory, Path, S3:
		return k
	default:
		t.Fatalf("%s = %q: should be %q, %q or %q", Variable, k, Memory, Path, S3)
		return ""
	}
}

// A Place is where a server keeps its data.
type Place struct {
	Path string   // as in storage.path
	Env  []string // variables that the server needs to get there
}

// For returns the place of a server that would keep its data in path: where the variable says, which for one that is to find again what
// is in a directory is that directory or a bucket.
func For(t testing.TB, path string) Place {
	t.Helper()
	switch k := kind(t); {
	case k == S3:
		server := s3test.Start(t)
		return Place{s3.Scheme + s3test.Bucket + "/" + prefix, server.Env()}
	case k == Path && path == InMemory:
		return Place{Path: t.TempDir()}
	}
	return Place{Path: path}
}

// Setenv sets the variables that a server in this process needs.
func (p Place) Setenv(t testing.TB) {
	for _, variable := range p.Env {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
}

// Open opens an empty journal and an empty store. Both are closed when the test ends.
func Open(t testing.TB) (journal.Journal, objstore.Store) {
	t.Helper()
	j, store, err := open(t)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j, store
}

func open(t testing.TB) (j journal.Journal, store objstore.Store, err error) {
	log := slog.New(slog.DiscardHandler)
	switch kind(t) {
	case Path:
		dir := t.TempDir()
		if store, err = filestore.Open(dir); err == nil {
			j, err = filejournal.Open(dir+"/journal", filejournal.Options{FileBytes: fileBytes, EntryBytesMax: entryBytesMax, Log: log})
		}
	case S3:
		store = s3test.Start(t).Open(t, prefix)
		j, err = s3journal.Open(t.Context(), store, s3journal.Options{Log: log})
	default:
		j, store = memjournal.Open(memjournal.Options{}), memstore.Open()
	}
	return j, store, err
}
