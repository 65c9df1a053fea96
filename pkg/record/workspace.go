package record

import (
	"bytes"
	"errors"
	"runtime"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

const (
	plainBytesFirst = 64 << 10 // what a workspace starts with
	plainBytesKept  = 4 << 20  // what it keeps when it is given back
)

var errTooLarge = errors.New("too large")

// workspace is what decompressing, compressing or converting one batch needs: buffers, and the state of each codec from
// its first use on.
type workspace struct {
	plain    []byte // the records or messages decompressed last
	messages []byte // a message set that is about to be compressed, or a packed one that had to be changed

	source bytes.Reader
	sink   appender

	gzipReader *gzip.Reader
	gzipWriter *gzip.Writer
	gzipLevel  Level
	lz4Reader  *lz4.Reader
	lz4Writer  *lz4.Writer
	zstdReader *zstd.Decoder
	zstdWriter *zstd.Encoder
	zstdLevel  zstd.EncoderLevel
}

// workspaces is a free list that is also a limit: there are so many workspaces, and who asks for one more waits. So what
// compressed batches can make this package hold is bounded by 2 × GOMAXPROCS × (PlainBytesMax and what the codecs
// need), however many connections send them. As the work needs a processor all the time, waiting costs nothing.
type workspaces struct {
	slots chan struct{}
	mu    struct {
		sync.Mutex
		free []*workspace // last in, first out: while there is little to do, few are made
	}
}

// There are two lists because the loop over [Batch.Records] runs the caller's code, which must not hold up produce. Who
// holds a workspace never asks for a second one of the same list.
var (
	checking = newWorkspaces() // Check, Upgrade, Downgrade, Builder
	walking  = newWorkspaces() // Records
)

func newWorkspaces() *workspaces {
	return &workspaces{slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

func (l *workspaces) get() *workspace {
	l.slots <- struct{}{}
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.mu.free) - 1
	if n < 0 {
		return new(workspace)
	}
	w := l.mu.free[n]
	l.mu.free = l.mu.free[:n]
	return w
}

func (l *workspaces) put(w *workspace) {
	w.plain, w.messages = trimmed(w.plain), trimmed(w.messages)
	l.mu.Lock()
	l.mu.free = append(l.mu.free, w)
	l.mu.Unlock()
	<-l.slots
}

// trimmed returns an empty buffer: b again, unless it has grown too large to be kept.
func trimmed(b []byte) []byte {
	poison(b)
	if cap(b) > plainBytesKept {
		return nil
	}
	return b[:0]
}
