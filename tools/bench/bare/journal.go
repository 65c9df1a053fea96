package bare

import (
	"fmt"
	"math"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const (
	writeBytesMax  = 1 << 20 // one write call
	commitBytesMax = 4 << 20 // one fdatasync
)

// journal is a file that was written once with zeros and is overwritten round and round: a server that recycles its
// journal files, in its steady state. Position p of the log goes to p % size of the file.
type journal struct {
	file *os.File
	size int64
}

// openJournal opens the journal in dir, of at least size bytes. The file an earlier run has left is used as it is; a new
// one is filled with zeros and synced, because overwriting costs half of what growing does. With a size of 0 it grows all
// the same.
func openJournal(dir string, size int64) (*journal, error) {
	f, err := os.OpenFile(filepath.Join(dir, "journal"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at journal: %w", err)
	}
	zeros := make([]byte, writeBytesMax)
	at := info.Size()
	for ; at < size; at += writeBytesMax {
		if _, err := f.WriteAt(zeros, at); err != nil {
			return nil, fmt.Errorf("fill journal with zeros: %w", err)
		}
	}
	if err := f.Sync(); err != nil {
		return nil, fmt.Errorf("sync journal: %w", err)
	}
	if size == 0 {
		at = math.MaxInt64
	}
	return &journal{file: f, size: at}, nil
}

// commit makes positions from..to of the log durable.
func (j *journal) commit(l *log, from, to int64) error {
	for from < to {
		n := min(to-from, writeBytesMax, j.size-from%j.size, int64(len(l.ring))-from%int64(len(l.ring)))
		if _, err := j.file.WriteAt(l.at(from, int(n)), from%j.size); err != nil {
			return fmt.Errorf("write journal: %w", err)
		}
		from += n
	}
	if err := unix.Fdatasync(int(j.file.Fd())); err != nil {
		return fmt.Errorf("sync journal: %w", err)
	}
	return nil
}
