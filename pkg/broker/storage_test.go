package broker

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/heraclitus/heraclitus/pkg/config"
)

// TestFileOptions shows what the settings make of the journal's files: as large as they say unless four of the largest
// entries need more, and as many filled ahead as journal_spare_bytes asks for, rounded up, one at least.
func TestFileOptions(t *testing.T) {
	f := func(change func(*config.Config), fileBytes int64, entryBytesMax, sparesMin, sparesMax int) {
		t.Helper()
		c := config.Default()
		change(&c)
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		o := fileOptions(&c, slog.Default())
		if o.FileBytes != fileBytes || o.EntryBytesMax != entryBytesMax || o.SparesMin != sparesMin || o.SparesMax != sparesMax {
			t.Errorf("%+v, want %d, %d, %d, %d", o, fileBytes, entryBytesMax, sparesMin, sparesMax)
		}
	}
	const largest = 1<<20 + 4<<20 // by max_batch_size
	f(func(*config.Config) {}, 64<<20, 16<<20-4096, 1, 2)
	f(func(c *config.Config) { c.Storage.JournalFileBytes = 256 << 20 }, 256<<20, 16<<20, 1, 2)
	f(func(c *config.Config) { c.Storage.JournalFileBytes = 1 << 20 }, 20<<20+4096, largest, 4, 4)
	f(func(c *config.Config) { c.Storage.JournalSpareBytes = 0 }, 64<<20, 16<<20-4096, 1, 2)
	f(func(c *config.Config) { c.Storage.JournalSpareBytes = 2<<30 + 1 }, 64<<20, 16<<20-4096, 33, 33)
	f(func(c *config.Config) { c.Topics.MaxMessageBytes = 63 << 20 }, 256<<20+4096, 64<<20, 1, 2)
	f(func(c *config.Config) { c.Batching.MaxBatchSize = 63 << 20 }, 256<<20+4096, 64<<20, 1, 2)
}

// TestIntervalIsWarnedOf shows that whoever lets acknowledged records be lost with the power is told at the start, and
// nobody else.
func TestIntervalIsWarnedOf(t *testing.T) {
	f := func(path, fsync string, interval time.Duration, warned bool) {
		t.Helper()
		c := config.Default()
		c.Storage.Path, c.Storage.Fsync = path, fsync
		var said bytes.Buffer
		log := slog.New(slog.NewTextHandler(&said, nil))
		s, err := openStorage(&c, log)
		if err != nil {
			t.Fatal(err)
		}
		s.journal.Close()
		if got := strings.Contains(said.String(), "a power cut loses records"); got != warned {
			t.Errorf("fsync %q at %s: the log has %q", fsync, path, said.String())
		}
		if o := fileOptions(&c, log); o.SyncInterval != interval {
			t.Errorf("fsync %q at %s: synced every %v, want %v", fsync, path, o.SyncInterval, interval)
		}
	}
	f(t.TempDir(), config.FsyncInterval, 100*time.Millisecond, true)
	f(t.TempDir(), config.FsyncCommit, 0, false)
	f(config.Memory, config.FsyncInterval, 0, false)
}

// TestEntriesFitMemory shows that little memory has room for more than one commit, and for more than one of the largest
// batches.
func TestEntriesFitMemory(t *testing.T) {
	f := func(memoryBytesMax, usual, largest int64) {
		t.Helper()
		c := config.Default()
		c.Storage.Path, c.Storage.MemoryBytesMax = config.Memory, memoryBytesMax
		if got := entryBytesUsual(&c); got != usual {
			t.Errorf("commits of %d bytes, want %d", got, usual)
		}
		if got := memoryOptions(&c).EntryBytesMax; got != int(largest) {
			t.Errorf("entries of %d bytes, want %d", got, largest)
		}
	}
	f(4<<20, 512<<10, 2<<20)
	f(16<<20, 2<<20, 8<<20)
	f(1<<30, 4<<20, 16<<20)
}
