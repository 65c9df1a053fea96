package server

import (
	"sync"
	"testing"
)

// TestBufferSize shows which capacity a claim gets: the next power of two from 512 bytes to 16 MiB, else its own size.
func TestBufferSize(t *testing.T) {
	f := func(n, want int) {
		t.Helper()
		p := &pool{}
		if b := p.get(n); len(b) != n || cap(b) != want || bufferSize(n) != want {
			t.Errorf("%d bytes: a buffer of %d in %d, announced as %d, want %d", n, len(b), cap(b), bufferSize(n), want)
		}
	}
	f(0, 512)
	f(1, 512)
	f(512, 512)
	f(513, 1024)
	f(1<<20, 1<<20)
	f(1<<20+1, 2<<20)
	f(16<<20, 16<<20)
	f(16<<20+1, 16<<20+1)
}

// TestPoolReuse shows that a buffer given back is the one handed out next for its size, and for no other size.
func TestPoolReuse(t *testing.T) {
	p := &pool{keepMax: 1 << 20}
	b := p.get(1000)
	p.put(b)
	if same(p.get(2000), b) {
		t.Error("a buffer of 1024 bytes was handed out for 2000")
	}
	if !same(p.get(600), b) {
		t.Error("a fresh buffer was made although one of its size was free")
	}
	if same(p.get(600), b) {
		t.Error("one buffer was handed out twice")
	}
}

// TestPoolBounded shows that the free buffers never add up to more than the limit, and that foreign sizes are not kept.
func TestPoolBounded(t *testing.T) {
	p := &pool{keepMax: 4096}
	for range 10 {
		p.put(make([]byte, 1024))
	}
	p.put(make([]byte, 1000))
	if kept := p.kept.Load(); kept != 4096 {
		t.Errorf("%d bytes kept, want 4096", kept)
	}
	if free := len(p.classOf(1024).mu.free); free != 4 {
		t.Errorf("%d buffers kept, want 4", free)
	}
}

// TestPoolTrim shows that a trim drops what was free since the trim before, keeps what was in use meanwhile, and that the
// count of kept bytes stays right.
func TestPoolTrim(t *testing.T) {
	p := &pool{keepMax: 1 << 20}
	for range 8 {
		p.put(make([]byte, 1024))
	}
	p.trim()
	if kept := p.kept.Load(); kept != 8192 {
		t.Fatalf("the first trim dropped buffers that had just come back: %d bytes kept", kept)
	}
	a, b := p.get(1024), p.get(1024)
	p.put(a)
	p.put(b)
	p.trim()
	if kept := p.kept.Load(); kept != 2048 {
		t.Errorf("%d bytes kept after a trim with two buffers in use, want 2048", kept)
	}
	p.trim()
	p.trim()
	if kept := p.kept.Load(); kept != 0 {
		t.Errorf("%d bytes kept by an idle pool, want 0", kept)
	}
}

// TestPoolConcurrent shows that no two holders ever have the same buffer (each writes its mark and finds it again).
func TestPoolConcurrent(t *testing.T) {
	p := &pool{keepMax: 1 << 20}
	var wg sync.WaitGroup
	for mark := range byte(4) {
		wg.Go(func() {
			for n := range 2000 {
				b := p.get(n % 3000)
				for i := range b {
					b[i] = mark
				}
				for i := range b {
					if b[i] != mark {
						t.Errorf("the buffer of %d was written by %d", mark, b[i])
						return
					}
				}
				p.put(b)
			}
		})
	}
	wg.Wait()
}

func same(a, b []byte) bool { return &a[:1][0] == &b[:1][0] }
