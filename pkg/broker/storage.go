package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/heraclitus/heraclitus/pkg/config"
	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/journal/file"
	"github.com/heraclitus/heraclitus/pkg/journal/mem"
	"github.com/heraclitus/heraclitus/pkg/objstore"
	objfile "github.com/heraclitus/heraclitus/pkg/objstore/file"
	objmem "github.com/heraclitus/heraclitus/pkg/objstore/mem"
)

// Sizes of the journal. Batches may be larger than the server's default allows, since topics have settings of their own.
const (
	journalFolder   = "journal" // below storage.path
	entryBytesMax   = 16 << 20  // of a journal entry, unless batches may be larger
	entryExtraBytes = 1 << 20   // what an entry may hold beside its largest batch
	memoryEntries   = 2         // of the largest ones that memory has room for
	memoryCommits   = 8         // of the size that commits gather, likewise
	fileEntries     = 4         // of the largest ones that a journal file has room for
	fileUnit        = 4096      // what the size of a journal file is a multiple of
)

// entryBytes is the length of the longest journal entry on a disk: as long as files allow, and as batches need.
func entryBytes(c *config.Config) int64 {
	return max(min(entryBytesMax, c.Storage.JournalFileBytes/fileEntries-fileUnit), max(c.Topics.MaxMessageBytes, c.Batching.MaxBatchSize)+entryExtraBytes)
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
}

// openStorage opens what storage.path names. A directory is made when it is not there, and locked by its journal.
func openStorage(c *config.Config, log *slog.Logger) (*storage, error) {
	if c.Storage.InMemory() {
		o := memoryOptions(c)
		return &storage{mem.Open(o), o.EntryBytesMax, objmem.Open()}, nil
	}
	o := fileOptions(c, log)
	if o.SyncInterval > 0 {
		log.Warn(`storage.fsync = "interval": a power cut loses records that were acknowledged; "commit" loses none`, "interval", o.SyncInterval)
	}
	j, err := file.Open(filepath.Join(c.Storage.Path, journalFolder), o)
	if err != nil {
		return nil, fmt.Errorf("storage.path = %q: %w", c.Storage.Path, err)
	}
	objects, err := objfile.Open(c.Storage.Path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("storage.path = %q: %w", c.Storage.Path, err), j.Close())
	}
	return &storage{j, o.EntryBytesMax, objects}, nil
}
