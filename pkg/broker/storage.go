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
	volumeBytes     = 64 << 20  // of a journal file, or
	volumeEntries   = 4         // so many of the largest entries, if that is more,
	volumeUnit      = 4096      // in multiples of this
)

// storage is where everything is kept.
type storage struct {
	journal journal.Journal
	objects objstore.Store
}

// openStorage opens what storage.path names. A directory is made when it is not there, and locked by its journal.
func openStorage(c *config.Config, log *slog.Logger) (*storage, error) {
	entry := max(entryBytesMax, int(c.Topics.MaxMessageBytes)+entryExtraBytes)
	if c.Storage.InMemory() {
		return &storage{mem.Open(mem.Options{BytesMax: c.Storage.MemoryBytesMax, EntryBytesMax: entry}), objmem.Open()}, nil
	}
	volume := max(volumeBytes, (int64(entry)*volumeEntries/volumeUnit+1)*volumeUnit)
	j, err := file.Open(filepath.Join(c.Storage.Path, journalFolder), file.Options{FileBytes: volume, EntryBytesMax: entry, Log: log})
	if err != nil {
		return nil, fmt.Errorf("storage.path = %q: %w", c.Storage.Path, err)
	}
	objects, err := objfile.Open(c.Storage.Path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("storage.path = %q: %w", c.Storage.Path, err), j.Close())
	}
	return &storage{j, objects}, nil
}
