package server

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/heraclitus/heraclitus/pkg/metrics"
)

// Sizes that decide how a frame is read.
const (
	sizeBytes      = 4        // the length before each frame
	readBytesMax   = 64 << 10 // of a connection's read buffer
	straightBytes  = 16 << 10 // larger frames are read past the read buffer, straight into their own
	believedFactor = 16       // a frame's buffer is at most this many times what has arrived of it
)

// Endings of a connection that its reader finds.
var (
	errIdle        = errors.New("idle for too long")
	errSlowSender  = errors.New("request stopped in the middle")
	errFrameSize   = errors.New("request too large")
	errNegative    = errors.New("request of negative size")
	errStopReading = errors.New("server is stopping")
)

// frame is one request as it came, without its length. Its owner gives it back by frameReader.release.
type frame struct {
	bytes     []byte // from the pool
	overdrawn bool   // its memory was taken beyond the budget
}

// frameReader cuts what a connection brings into frames.
//
// A frame's length is a claim. While it arrives its buffer never grows beyond believedFactor times what has come, and all
// memory is taken from the budget of all connections first: a claim alone costs nothing. Small frames come through
// the read buffer, many with one system call; of large ones only the beginning does, and the rest is read straight to
// where it stays. The read buffer grows while many frames fit in it, and shrinks when large frames come or none.
type frameReader struct {
	conn     net.Conn
	pool     *pool
	budget   *budget
	bytesMax int             // of a frame
	quiet    time.Duration   // longest wait for a frame to begin
	stall    time.Duration   // longest wait for more of one
	done     <-chan struct{} // ends a wait for the budget
	received *metrics.Counter

	stopped  atomic.Bool // set by stop
	deadline time.Time   // as set on conn
	now      time.Time   // when the newest bytes came

	buf        []byte // from the pool; buf[start:end] is read and not yet used
	start, end int
	filled     bool // the newest read filled the buffer: more is waiting
	cut        int  // frames cut from the buffer since
}

// open takes the first, smallest read buffer.
func (f *frameReader) open() {
	f.buf = f.pool.get(bufferBytesMin)
	f.now = time.Now()
}

// close gives the read buffer back.
func (f *frameReader) close() {
	f.pool.put(f.buf)
	f.buf, f.start, f.end = nil, 0, 0
}

// next returns the next frame. Errors are io.EOF at the end of the last frame, os.ErrDeadlineExceeded when no frame began
// for the quiet time (next may be called again), and the endings above.
func (f *frameReader) next() (frame, error) {
	for f.end-f.start < sizeBytes {
		patience := f.stall
		if f.start == f.end {
			patience = f.quiet
		}
		if err := f.fill(patience); err != nil {
			return frame{}, f.between(err)
		}
	}
	size := int(int32(binary.BigEndian.Uint32(f.buf[f.start:])))
	if size < 0 || size > f.bytesMax {
		return frame{}, sizeEnding(f.buf[f.start:], size, f.bytesMax)
	}
	f.start += sizeBytes
	return f.body(size)
}

// between tells an end between two frames from an end inside one.
func (f *frameReader) between(err error) error {
	if f.start == f.end {
		return err
	}
	return inside(err)
}

// inside is what err means when it met a half-read frame.
func inside(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errSlowSender
	}
	return err
}

// body reads a frame of this size whose length has been read.
func (f *frameReader) body(size int) (frame, error) {
	if err := f.gather(size); err != nil {
		return frame{}, inside(err)
	}
	arrived := min(size, f.end-f.start)
	first := min(size, max(bufferBytesMin, believedFactor*arrived))
	if !f.budget.acquire(int64(bufferSize(first)), f.done) {
		return frame{}, errStopReading
	}
	fr := frame{bytes: f.pool.get(first)}
	f.start += copy(fr.bytes, f.buf[f.start:f.start+arrived])
	f.cut++
	if size > straightBytes {
		f.resize(straightBytes)
	}
	if err := f.rest(&fr, arrived, size); err != nil {
		f.release(fr)
		return frame{}, inside(err)
	}
	return fr, nil
}

// gather brings a small frame into the read buffer, whole. Of a large one it does nothing.
func (f *frameReader) gather(size int) error {
	if size > len(f.buf) && size <= straightBytes {
		f.resize(bufferSize(4 * size))
	}
	for size <= straightBytes && f.end-f.start < size {
		if err := f.fill(f.stall); err != nil {
			return err
		}
	}
	return nil
}

// rest reads the rest of a frame into its own buffer.
func (f *frameReader) rest(fr *frame, arrived, size int) error {
	for arrived < size {
		if arrived == len(fr.bytes) {
			if err := f.grow(fr, min(size, believedFactor*arrived)); err != nil {
				return err
			}
		}
		n, err := f.read(fr.bytes[arrived:], f.stall)
		if arrived += n; err != nil && arrived < size {
			return err
		}
	}
	return nil
}

// grow gives a frame a buffer of n bytes, with what it has at the beginning.
func (f *frameReader) grow(fr *frame, n int) error {
	more := int64(bufferSize(n) - bufferSize(len(fr.bytes)))
	overdrawn, ok := f.budget.grow(more, fr.overdrawn, f.done)
	if !ok {
		return errStopReading
	}
	larger := f.pool.get(n)
	copy(larger, fr.bytes)
	f.pool.put(fr.bytes)
	fr.bytes, fr.overdrawn = larger, overdrawn
	return nil
}

// release gives a frame's memory back.
func (f *frameReader) release(fr frame) {
	if fr.overdrawn {
		f.budget.endOverdraft()
	}
	f.budget.release(int64(bufferSize(len(fr.bytes))))
	f.pool.put(fr.bytes)
}

// fill reads once into the read buffer, waiting for at most d. A buffer that several frames filled to the brim is doubled
// first.
func (f *frameReader) fill(d time.Duration) error {
	if f.filled && f.cut > 1 {
		f.resize(min(2*len(f.buf), readBytesMax))
	}
	if f.start > 0 {
		f.end = copy(f.buf, f.buf[f.start:f.end])
		f.start = 0
	}
	n, err := f.read(f.buf[f.end:], d)
	f.end += n
	f.filled, f.cut = f.end == len(f.buf), 0
	if n > 0 {
		return nil
	}
	return err
}

// resize moves what is in the read buffer to one of another size, if it fits.
func (f *frameReader) resize(size int) {
	if size == len(f.buf) || f.end-f.start > size {
		return
	}
	b := f.pool.get(size)
	f.end = copy(b, f.buf[f.start:f.end])
	f.start = 0
	f.pool.put(f.buf)
	f.buf = b
}

// await waits up to d for the beginning of a frame, with the smallest buffer.
func (f *frameReader) await(d time.Duration) error {
	f.resize(bufferBytesMin)
	return f.fill(d)
}

// read reads once, waiting for at most d.
func (f *frameReader) read(p []byte, d time.Duration) (int, error) {
	f.arm(d)
	if f.stopped.Load() {
		return 0, errStopReading
	}
	n, err := f.conn.Read(p)
	if n > 0 {
		f.now = time.Now()
		f.received.Add(n)
	}
	if err != nil && f.stopped.Load() {
		err = errStopReading
	}
	return n, err
}

// arm moves the read deadline to d from now. One that is already within an eighth of that is left: moving it for every
// read would cost more than the reads of small requests.
func (f *frameReader) arm(d time.Duration) {
	now := time.Now()
	if ahead := f.deadline.Sub(now); ahead > d-d/8 && ahead <= d {
		return
	}
	f.deadline = now.Add(d)
	f.conn.SetReadDeadline(f.deadline)
}

// stop makes next return errStopReading, now and later. Any goroutine may call it.
func (f *frameReader) stop() {
	f.stopped.Store(true)
	f.conn.SetReadDeadline(time.Unix(1, 0))
}
