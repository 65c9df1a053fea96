package server

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/heraclitus/heraclitus/pkg/handler"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// allAPIs is a table of every API there is.
func allAPIs() []int16 {
	var keys []int16
	for key := range int16(100) {
		if wire.NewRequest(key) != nil {
			keys = append(keys, key)
		}
	}
	return keys
}

// heap is how many bytes of the heap are in use, after a collection.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestHugeClaims shows that a hundred connections which claim the largest frames and bring a few bytes of each take no
// memory to speak of, and that others are served meanwhile.
func TestHugeClaims(t *testing.T) {
	s, address := start(t, tableOf(wire.KeyMetadata), nil)
	before := heap()
	for range 90 {
		c := dial(t, address)
		c.Write(binary.BigEndian.AppendUint32(nil, 10<<20))
		c.Write(make([]byte, 100))
	}
	waitFor(t, func() bool { return s.metrics.NetworkReceived.Get() == 90*104 }, "the claims have been read")
	if grown := heap() - before; grown > 16<<20 {
		t.Errorf("90 claims of 10 MiB took %d bytes", grown)
	}
	c := dial(t, address)
	c.send(wire.KeyMetadata, 12, 1)
	c.receive(wire.KeyMetadata, 12, 1)
}

// TestManyLargeFrames shows that large requests of many connections at once are all served, though the frames of only a
// few fit into the memory for them: nobody waits for ever.
func TestManyLargeFrames(t *testing.T) {
	s, address := start(t, tableOf(wire.KeyMetadata), nil)
	large := append(request(wire.KeyMetadata, 12, 1, &wire.MetadataRequest{}), make([]byte, 9<<20)...)
	binary.BigEndian.PutUint32(large, uint32(len(large)-sizeBytes))
	var wg sync.WaitGroup
	for range 16 {
		c := dial(t, address)
		wg.Go(func() {
			c.Write(large)
			c.receive(wire.KeyMetadata, 12, 1)
		})
	}
	wg.Wait()
	if held := s.frames.held(); held != 0 {
		t.Errorf("%d bytes held in the end", held)
	}
}

// TestManyLargeDecodings shows that requests which decode into more than there is room for wait before they are decoded,
// while others are handled, and that all are served.
func TestManyLargeDecodings(t *testing.T) {
	const clients = 16
	var entered atomic.Int32
	gate := make(chan struct{})
	wait := func(*handler.Handler, *handler.Call) error {
		entered.Add(1)
		<-gate
		return nil
	}
	s, address := start(t, on(tableOf(wire.KeyMetadata), wire.KeyMetadata, nil, wait), nil)
	topic := "orders"
	large := request(wire.KeyMetadata, 9, 1, &wire.MetadataRequest{Topics: slices.Repeat([]wire.MetadataRequestTopic{{Name: &topic}}, 100_000)})
	var wg sync.WaitGroup
	for range clients {
		c := dial(t, address)
		wg.Go(func() {
			c.Write(large)
			c.receive(wire.KeyMetadata, 9, 1)
		})
	}
	waiting := func() int {
		s.decoded.mu.Lock()
		defer s.decoded.mu.Unlock()
		return len(s.decoded.mu.waiting)
	}
	waitFor(t, func() bool { return int(entered.Load())+waiting() == clients }, "each is handled or waits")
	if n, held := entered.Load(), s.decoded.held(); n == 0 || n == clients || held > s.options.FramesBytesMax {
		t.Errorf("%d of %d are handled, their requests take %d bytes, and there is room for %d", n, clients, held, s.options.FramesBytesMax)
	}
	close(gate)
	wg.Wait()
	waitFor(t, func() bool { return s.decoded.held() == 0 }, "the room has been given back")
}

// TestRandomBytes shows that garbage, whole requests with bytes changed, and requests cut short end connections and
// nothing else: the server serves on, and its memory does not grow.
func TestRandomBytes(t *testing.T) {
	s, address := start(t, tableOf(allAPIs()...), nil)
	r := rand.New(rand.NewPCG(7, 7))
	keys := allAPIs()
	before := heap()
	for range 300 {
		key := keys[r.IntN(len(keys))]
		low, high, _, _ := wire.Versions(key)
		b := request(key, low+int16(r.IntN(int(high-low+1))), 1, wire.NewRequest(key))
		switch r.IntN(3) {
		case 0:
			for i := range b {
				b[i] = byte(r.Uint32())
			}
		case 1:
			b[r.IntN(len(b))] = byte(r.Uint32())
		case 2:
			b = b[:r.IntN(len(b))]
		}
		c := dial(t, address)
		c.Write(b)
		c.Close()
	}
	waitFor(t, func() bool { return len(s.connections()) == 0 }, "all connections have ended")
	if grown := heap() - before; grown > 16<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	if n := s.metrics.HandlerPanics.Get(); n != 0 {
		t.Errorf("%d panics", n)
	}
	c := dial(t, address)
	c.send(wire.KeyMetadata, 12, 1)
	c.receive(wire.KeyMetadata, 12, 1)
}

// broken is a message that cannot be read without a panic.
type broken struct{ wire.Message }

func (broken) Decode(*kbin.Reader, int16) { panic("a bug") }

// TestPanicInDecoding shows that a request which cannot be read without a panic ends its own connection, and gives its
// frame back.
func TestPanicInDecoding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(nil, tableOf(wire.KeyMetadata, wire.KeyApiVersions), testOptions())
		a := s.apis[wire.KeyMetadata]
		a.calls.New = func() any {
			c := a.newCall().(*call)
			c.Request = broken{c.Request}
			return c
		}
		other := s.pipe(t, Listener{})
		c := s.pipe(t, Listener{})
		c.send(wire.KeyMetadata, 12, 1)
		c.ended()
		other.send(wire.KeyApiVersions, 3, 1)
		other.receive(wire.KeyApiVersions, 3, 1)
		synctest.Wait()
		if s.metrics.HandlerPanics.Get() != 1 || s.metrics.ConnectionsClosed("panic").Get() != 1 || s.frames.held() != 0 {
			t.Errorf("%d panics, %d connections ended by one, %d bytes held", s.metrics.HandlerPanics.Get(), s.metrics.ConnectionsClosed("panic").Get(), s.frames.held())
		}
		s.Shutdown(t.Context())
	})
}

// FuzzRequest decodes arbitrary frames as requests of any API: a call comes out or an ending, what was decoded takes no
// more than its budget, and the frame is given back.
func FuzzRequest(f *testing.F) {
	for _, key := range allAPIs() {
		_, high, _, _ := wire.Versions(key)
		f.Add(request(key, high, 1, wire.NewRequest(key))[sizeBytes:])
	}
	f.Add([]byte{0, 18, 0, 99, 0, 0, 0, 1})
	near, far := net.Pipe()
	f.Cleanup(func() { near.Close(); far.Close() })
	s := New(nil, tableOf(allAPIs()...), testOptions())
	c := s.newConn(far, &Listener{Name: "fuzz"})
	c.reader.Intern = &c.intern
	f.Fuzz(func(t *testing.T, b []byte) {
		s.frames.take(int64(bufferSize(len(b))))
		fr := frame{bytes: s.pool.get(len(b))}
		copy(fr.bytes, b)
		call, err := c.decode(fr)
		if (call == nil) == (err == nil) {
			t.Fatalf("call %v and error %v", call, err)
		}
		if spent, most := c.reader.Spent(), decodedBytesMin+decodedFactor*len(b); spent > most {
			t.Fatalf("%d bytes decoded into %d, %d are allowed", len(b), spent, most)
		}
		if call != nil {
			if !bytes.Equal(call.frame.bytes, b) {
				t.Fatal("decoding changed the frame")
			}
			call.recycle()
		}
		if held := s.frames.held(); held != 0 {
			t.Fatalf("%d bytes of the frame were not given back", held)
		}
		if held := s.decoded.held(); held != 0 {
			t.Fatalf("%d bytes of what it decoded into were not given back", held)
		}
	})
}
