package server

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	"github.com/heraclitus/heraclitus/pkg/metrics"
)

// stream is a connection that brings bytes in pieces of a given size, and then ends in err.
type stream struct {
	net.Conn
	rest  []byte
	piece func() int
	err   error
}

func (s *stream) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		return 0, s.err
	}
	n := copy(p, s.rest[:min(len(s.rest), s.piece())])
	s.rest = s.rest[n:]
	return n, nil
}

func (s *stream) SetReadDeadline(time.Time) error { return nil }

// newReader returns a reader of frames of at most 32 MiB from conn, with a budget of its own.
func newReader(conn net.Conn, budgetBytes int64) *frameReader {
	f := &frameReader{
		conn: conn, pool: &pool{keepMax: 64 << 20}, budget: newBudget(budgetBytes), bytesMax: 32 << 20, quiet: time.Minute, stall: time.Minute,
		received: new(metrics.Counter),
	}
	f.open()
	return f
}

// framed is a frame as it is sent.
func framed(body []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

// random is n bytes that are the same for the same n.
func random(n int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(uint64(n), 1))
	for i := 0; i < n; i += 61 {
		b[i] = byte(r.Uint32())
	}
	return b
}

// TestFrames shows that frames of all sizes arrive whole and in order, however their bytes come, and that what they held
// is given back.
func TestFrames(t *testing.T) {
	sizes := []int{0, 1, 8, 100, 100, 100, 507, 508, 509, 512, 513, 3000, 16<<10 - 1, 16 << 10, 16<<10 + 1, 100 << 10, 20, 20, 20, 64 << 10, 64<<10 + 1, 1 << 20, 17, 300<<10 + 7, 18 << 20, 5}
	var all []byte
	for _, n := range sizes {
		all = append(all, framed(random(n))...)
	}
	r := rand.New(rand.NewPCG(1, 2))
	f := func(name string, piece func() int) {
		t.Helper()
		reader := newReader(&stream{rest: all, piece: piece, err: io.EOF}, 64<<20)
		for i, n := range sizes {
			fr, err := reader.next()
			if err != nil {
				t.Fatalf("pieces %s, frame %d of %d bytes: %v", name, i, n, err)
			}
			if !bytes.Equal(fr.bytes, random(n)) {
				t.Fatalf("pieces %s, frame %d of %d bytes: other bytes came out", name, i, n)
			}
			reader.release(fr)
		}
		if _, err := reader.next(); err != io.EOF {
			t.Errorf("pieces %s: the end gave %v", name, err)
		}
		if held := reader.budget.held(); held != 0 {
			t.Errorf("pieces %s: %d bytes of the budget were not given back", name, held)
		}
	}
	f("as large as asked", func() int { return 1 << 30 })
	f("of 64 KiB", func() int { return 64 << 10 })
	f("of 1000 bytes", func() int { return 1000 })
	f("of random size", func() int { return 1 + r.IntN(5000) })
	sizes, all = sizes[:15], all[:bytesBefore(sizes[:15])]
	f("of 1 byte", func() int { return 1 })
}

// bytesBefore is how many bytes frames of these sizes take.
func bytesBefore(sizes []int) int {
	n := 0
	for _, size := range sizes {
		n += sizeBytes + size
	}
	return n
}

// TestFrameEndings shows how reading ends when the bytes do: between two frames and inside one, by the client's leaving, by
// silence, and by lengths that cannot be.
func TestFrameEndings(t *testing.T) {
	f := func(sent []byte, then, want error) {
		t.Helper()
		reader := newReader(&stream{rest: sent, piece: func() int { return 1 << 20 }, err: then}, 64<<20)
		fr, err := reader.next()
		for err == nil {
			reader.release(fr)
			fr, err = reader.next()
		}
		if !errors.Is(err, want) {
			t.Errorf("%d bytes, then %v: got %v, want %v", len(sent), then, err, want)
		}
		if held := reader.budget.held(); held != 0 {
			t.Errorf("%d bytes, then %v: %d bytes of the budget were not given back", len(sent), then, held)
		}
	}
	whole := framed(random(100))
	large := framed(random(1 << 20))
	f(nil, io.EOF, io.EOF)
	f(whole, io.EOF, io.EOF)
	f(whole[:3], io.EOF, io.ErrUnexpectedEOF)
	f(whole[:4], io.EOF, io.ErrUnexpectedEOF)
	f(whole[:50], io.EOF, io.ErrUnexpectedEOF)
	f(large[:90<<10], io.EOF, io.ErrUnexpectedEOF)
	f(whole, os.ErrDeadlineExceeded, os.ErrDeadlineExceeded)
	f(whole[:2], os.ErrDeadlineExceeded, errSlowSender)
	f(whole[:50], os.ErrDeadlineExceeded, errSlowSender)
	f(large[:90<<10], os.ErrDeadlineExceeded, errSlowSender)
	f([]byte{0xff, 0xff, 0xff, 0xff}, io.EOF, errNegative)
	f([]byte{0x80, 0, 0, 0}, io.EOF, errNegative)
	f([]byte{0x7f, 0xff, 0xff, 0xff}, io.EOF, errFrameSize)
	f([]byte{2, 0, 0, 1}, io.EOF, errFrameSize)
	f([]byte("GET / HTTP/1.1\r\n\r\n"), io.EOF, errHTTP)
}

// TestClaimTakesNoMemory shows that a frame holds no more than believedFactor times what has come of it, whatever its
// length claims.
func TestClaimTakesNoMemory(t *testing.T) {
	sent := framed(random(32 << 20))
	s := &spy{stream: &stream{piece: func() int { return 4096 }}}
	reader := newReader(s, 64<<20)
	arrived := 0
	s.before = func() {
		if held := reader.budget.held(); held > int64(2*believedFactor*max(arrived, bufferBytesMin)) {
			t.Errorf("%d bytes held when %d had come", held, arrived)
		}
		s.rest = sent[arrived:min(len(sent), arrived+4096)]
	}
	s.after = func(n int) { arrived += n }
	fr, err := reader.next()
	if err != nil || !bytes.Equal(fr.bytes, sent[4:]) {
		t.Fatalf("the frame came as %d bytes, %v", len(fr.bytes), err)
	}
}

// spy is a stream that runs before ahead of each read, and after behind it with the number of bytes read.
type spy struct {
	*stream
	before func()
	after  func(n int)
}

func (s *spy) Read(p []byte) (int, error) {
	s.before()
	n, err := s.stream.Read(p)
	s.after(n)
	return n, err
}

// TestReadBufferFollowsTraffic shows that the read buffer grows under many small frames, and is small again for large ones
// and for a connection at rest.
func TestReadBufferFollowsTraffic(t *testing.T) {
	s := &stream{piece: func() int { return 1 << 30 }, err: os.ErrDeadlineExceeded}
	reader := newReader(s, 64<<20)
	f := func(what string, count, size, want int) {
		t.Helper()
		for range count {
			s.rest = append(s.rest, framed(random(size))...)
		}
		for {
			fr, err := reader.next()
			if err != nil {
				break
			}
			reader.release(fr)
		}
		if len(reader.buf) != want {
			t.Errorf("after %s the read buffer has %d bytes, want %d", what, len(reader.buf), want)
		}
	}
	f("one small frame", 1, 100, 512)
	f("a burst of small frames", 5000, 100, 64<<10)
	f("large frames", 3, 100<<10, 16<<10)
	reader.await(time.Second)
	f("a rest", 0, 0, 512)
}

// FuzzFrames feeds arbitrary bytes: frames come out or an ending does, in order, and the budget is whole afterwards.
func FuzzFrames(f *testing.F) {
	f.Add(framed(random(100)), 7)
	f.Add(append(framed(random(3)), framed(random(70000))...), 1<<20)
	f.Add([]byte{0x7f, 0xff, 0xff, 0xff, 1}, 1)
	f.Fuzz(func(t *testing.T, sent []byte, piece int) {
		piece = max(1, min(piece, 1<<20))
		reader := newReader(&stream{rest: sent, piece: func() int { return piece }, err: io.EOF}, 64<<20)
		at := 0
		for {
			fr, err := reader.next()
			if err != nil {
				break
			}
			if want := sent[at+4 : at+4+len(fr.bytes)]; !bytes.Equal(fr.bytes, want) {
				t.Fatalf("frame at %d came out as other bytes", at)
			}
			at += 4 + len(fr.bytes)
			reader.release(fr)
		}
		if held := reader.budget.held(); held != 0 {
			t.Fatalf("%d bytes of the budget were not given back", held)
		}
	})
}
