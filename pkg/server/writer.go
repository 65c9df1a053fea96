package server

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/metrics"
)

// Sizes that decide how responses are written.
const (
	burstBytesMax   = 256 << 10 // responses are written when so many bytes of them are encoded
	copiedBytesMax  = 16 << 10  // shorter pieces are copied together: a vector costs more than their copy
	windowBytes     = 1 << 20   // written in one system call, and within one write timeout
	vectorsMax      = 1024      // in one system call (IOV_MAX)
	keptWriterBytes = 4 << 10   // a larger response buffer is given back once it is written
	keptVectors     = 64        // more are given back likewise
)

// errSlowReader ends a connection whose client does not read its responses.
var errSlowReader = errors.New("responses are not read")

// writer encodes responses and writes them, those of one burst together. The bytes of records are not copied: a response
// is encoded with holes where they belong, and the pieces between the holes and the records in them become the vectors of
// writev.
type writer struct {
	conn    net.Conn
	pool    *pool
	timeout time.Duration // for every windowBytes
	sent    *metrics.Counter

	deadline time.Time // as set on conn
	buf      []byte    // encoded responses but for their records
	holes    []hole    // in the order of buf
	calls    []*call   // those answered by buf, and those that want no answer
	size     int       // bytes of all responses, records included

	vectors  net.Buffers         // scratch of vectorise
	copied   []byte              // scratch of vectorise, from the pool
	window   net.Buffers         // scratch of write
	unsent   net.Buffers         // what is left of window while it is written
	noteHole func(*kbin.Records) // the method addHole, made once
}

func newWriter(conn net.Conn, p *pool, timeout time.Duration, sent *metrics.Counter) *writer {
	w := &writer{conn: conn, pool: p, timeout: timeout, sent: sent}
	w.noteHole = w.addHole
	return w
}

// hole is a place in the encoded responses where record bytes belong.
type hole struct {
	at    int
	parts [][]byte
}

// add encodes the response of a finished call and says how many bytes it has. Its record bytes must stay as they are
// until the call was sent.
func (w *writer) add(c *call) int {
	w.calls = append(w.calls, c)
	if c.NoResponse {
		return 0
	}
	start, holes := len(w.buf), len(w.holes)
	if w.buf == nil {
		w.buf = w.pool.get(bufferBytesMin)[:0]
	}
	w.buf = append(w.buf, 0, 0, 0, 0)
	w.buf = c.appendResponse(w.buf)
	if c.splices != nil {
		c.splices.EachRecords(w.noteHole)
	}
	size := len(w.buf) - start
	c.large = c.large || size > recycledBytesMax
	for _, h := range w.holes[holes:] {
		size += bytesOf(h.parts)
	}
	binary.BigEndian.PutUint32(w.buf[start:], uint32(size-sizeBytes))
	w.size += size
	return size
}

func (w *writer) addHole(r *kbin.Records) {
	if len(r.Parts) > 0 {
		w.holes = append(w.holes, hole{at: r.At, parts: r.Parts})
	}
}

func bytesOf(parts [][]byte) int {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	return n
}

// flush writes what was added. The calls of it are the caller's to end afterwards.
func (w *writer) flush() error {
	if w.size == 0 {
		return nil
	}
	w.vectorise()
	err := w.write(w.vectors)
	w.reset()
	return err
}

// reset forgets what was added, keeping a little memory for the next burst.
func (w *writer) reset() {
	w.pool.put(w.copied)
	w.copied, w.unsent, w.size = nil, nil, 0
	if cap(w.buf) > keptWriterBytes {
		w.release()
	}
	w.buf = w.buf[:0]
	w.holes, w.vectors, w.window = emptied(w.holes), emptied(w.vectors), emptied(w.window)
}

// emptied is s without elements and what they refer to, for further use unless it has grown large.
func emptied[S ~[]E, E any](s S) S {
	if cap(s) > keptVectors {
		return nil
	}
	clear(s[:cap(s)])
	return s[:0]
}

// release gives the response buffer back to the pool.
func (w *writer) release() {
	w.pool.put(w.buf)
	w.buf = nil
}

// vectorise lays the responses out as vectors: long pieces as they lie, runs of short ones copied together.
func (w *writer) vectorise() {
	if len(w.holes) == 0 {
		w.vectors = append(w.vectors[:0], w.buf)
		return
	}
	short := 0
	w.eachPiece(func(p []byte) {
		if len(p) < copiedBytesMax {
			short += len(p)
		}
	})
	w.copied = w.pool.get(short)[:0]
	run := 0 // where the run of short pieces begins in copied
	w.eachPiece(func(p []byte) {
		if len(p) < copiedBytesMax {
			w.copied = append(w.copied, p...)
			return
		}
		w.endRun(run)
		run = len(w.copied)
		w.vectors = append(w.vectors, p)
	})
	w.endRun(run)
}

func (w *writer) endRun(start int) {
	if start < len(w.copied) {
		w.vectors = append(w.vectors, w.copied[start:])
	}
}

// eachPiece visits the pieces of the responses in the order they are sent.
func (w *writer) eachPiece(f func([]byte)) {
	from := 0
	for _, h := range w.holes {
		f(w.buf[from:h.at])
		for _, p := range h.parts {
			f(p)
		}
		from = h.at
	}
	f(w.buf[from:])
}

// write writes vectors, a window at a time. A client that does not take a window within the timeout ends in
// errSlowReader.
func (w *writer) write(vectors net.Buffers) error {
	for len(vectors) > 0 {
		vectors = w.openWindow(vectors)
		w.arm()
		w.unsent = w.window
		n, err := w.unsent.WriteTo(w.conn)
		w.sent.AddInt64(n)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return errSlowReader
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// openWindow moves the next bytes to write into the window and returns the rest.
func (w *writer) openWindow(vectors net.Buffers) net.Buffers {
	w.window = w.window[:0]
	for left := windowBytes; len(vectors) > 0 && left > 0 && len(w.window) < vectorsMax; {
		v := vectors[0]
		if len(v) > left {
			w.window = append(w.window, v[:left])
			vectors[0] = v[left:]
			return vectors
		}
		w.window = append(w.window, v)
		vectors = vectors[1:]
		left -= len(v)
	}
	return vectors
}

// arm moves the write deadline to the timeout from now, unless it is nearly there already.
func (w *writer) arm() {
	now := time.Now()
	if w.deadline.Sub(now) > w.timeout-w.timeout/8 {
		return
	}
	w.deadline = now.Add(w.timeout)
	w.conn.SetWriteDeadline(w.deadline)
}
