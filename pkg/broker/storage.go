package broker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/heraclitus/heraclitus/pkg/config"
	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/journal/file"
	"github.com/heraclitus/heraclitus/pkg/journal/mem"
	"github.com/heraclitus/heraclitus/pkg/journal/s3"
	"github.com/heraclitus/heraclitus/pkg/objstore"
	objfile "github.com/heraclitus/heraclitus/pkg/objstore/file"
	objmem "github.com/heraclitus/heraclitus/pkg/objstore/mem"
	objs3 "github.com/heraclitus/heraclitus/pkg/objstore/s3"
)

// Sizes of the journal. Batches may be larger than the server's default allows, since topics have settings of their own.
const (
	entryBytesMax   = 16 << 20 // of a journal entry, unless batches may be larger
	entryExtraBytes = 1 << 20  // what an entry may hold beside its largest batch
	memoryEntries   = 2        // of the largest ones that memory has room for
	memoryCommits   = 8        // of the size that commits gather, likewise
	fileEntries     = 4        // of the largest ones that a journal file has room for
	fileUnit        = 4096     // what the size of a journal file is a multiple of
	journalFiles    = 4        // that a journal may always have: it is trimmed by whole files
)

// entryBytes is the length of the longest journal entry on a disk: as long as files allow, and as batches need.
func entryBytes(c *config.Config) int64 {
	return max(min(entryBytesMax, c.Storage.JournalFileBytes/fileEntries-fileUnit), entryBytesNeeded(c))
}

// bucketEntryBytes is the same in a bucket, where an entry is an object of its own.
func bucketEntryBytes(c *config.Config) int64 { return max(entryBytesMax, entryBytesNeeded(c)) }

// entryBytesNeeded is what the largest batch, or a commit that has gathered all it may, makes of an entry.
func entryBytesNeeded(c *config.Config) int64 {
	return max(c.Topics.MaxMessageBytes, c.Batching.MaxBatchSize) + entryExtraBytes
}

// entryBytesUsual is to what size a commit gathers. The engine takes storage for full when there is no room for one of them.
func entryBytesUsual(c *config.Config) int64 {
	if c.Storage.InMemory() {
		return min(c.Batching.MaxBatchSize, c.Storage.MemoryBytesMax/memoryCommits)
	}
	return c.Batching.MaxBatchSize
}

// memoryOptions are the settings of a journal in memory.
func memoryOptions(c *config.Config) mem.Options {
	entry := min(max(entryBytesMax, c.Topics.MaxMessageBytes+entryExtraBytes), c.Storage.MemoryBytesMax/memoryEntries)
	return mem.Options{BytesMax: c.Storage.MemoryBytesMax, EntryBytesMax: int(entry)}
}

// fileOptions are the settings of a journal in a directory.
func fileOptions(c *config.Config, log *slog.Logger) file.Options {
	entry := entryBytes(c)
	size := max(c.Storage.JournalFileBytes, (entry*fileEntries/fileUnit+1)*fileUnit)
	spares := max(1, int((c.Storage.JournalSpareBytes+size-1)/size))
	return file.Options{
		FileBytes: size, EntryBytesMax: int(entry), SparesMin: spares, SparesMax: max(2, spares), SyncInterval: c.Storage.SyncInterval(), Log: log,
	}
}

// storage is where everything is kept.
type storage struct {
	journal       journal.Journal
	entryBytesMax int // of the journal
	objects       objstore.Store

	journalBytesMax int64 // that archiving keeps the journal below
}

// openStorage opens what storage.path names.
func openStorage(c *config.Config, log *slog.Logger) (*storage, error) {
	open := openDirectory
	switch {
	case c.Storage.InMemory():
		o := memoryOptions(c)
		// Half of the memory is left for what comes while the rest is being archived.
		return &storage{mem.Open(o), o.EntryBytesMax, objmem.OpenBounded(o.BytesMax), min(c.Archive.JournalBytesMax, o.BytesMax/2)}, nil
	case c.Storage.InBucket():
		open = openBucket
	}
	s, err := open(c, log)
	if err != nil {
		return nil, fmt.Errorf("storage.path = %q: %w", c.Storage.Path, err)
	}
	return s, nil
}

// openDirectory opens a directory. It is made when it is not there, and locked by its journal.
func openDirectory(c *config.Config, log *slog.Logger) (*storage, error) {
	o := fileOptions(c, log)
	if o.SyncInterval > 0 {
		log.Warn(`storage.fsync = "interval": a power cut loses records that were acknowledged; "commit" loses none`, "interval", o.SyncInterval)
	}
	j, err := file.Open(filepath.Join(c.Storage.Path, file.Folder), o)
	if err != nil {
		return nil, err
	}
	objects, err := objfile.Open(c.Storage.Path)
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return &storage{j, o.EntryBytesMax, objects, max(c.Archive.JournalBytesMax, journalFiles*o.FileBytes)}, nil
}

// bucketOpenTimeout bounds the opening of a bucket: listing its journal, and taking that over.
const bucketOpenTimeout = 5 * time.Minute

// openBucket opens a place in a bucket. A server that has it open writes nothing any more from then on.
func openBucket(c *config.Config, log *slog.Logger) (*storage, error) {
	o, err := objs3.FromEnv(c.Storage.Path, os.Getenv)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), bucketOpenTimeout)
	defer cancel()
	objects, err := objs3.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	entry := bucketEntryBytes(c)
	j, err := s3.Open(ctx, objects, s3.Options{EntryBytesMax: int(entry), Log: log})
	if err != nil {
		return nil, errors.Join(err, objects.Close())
	}
	return &storage{j, int(entry), objects, c.Archive.JournalBytesMax}, nil
}

// close gives storage back.
func (s *storage) close() error {
	err := s.journal.Close()
	if c, ok := s.objects.(io.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	return err
}
