package engine

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"weak"
)

// These tests show that chunks are read while they are filled, and let go when nobody needs them.

// TestReadOfAChunkThatIsFilled reads the newest records while others are appended behind them, in the same chunk. Readers once
// looked at what the writer was changing, which -race tells.
func TestReadOfAChunkThatIsFilled(t *testing.T) {
	r := newRig(t, Options{})
	id := r.create("orders", 1)
	const total = 300
	var all sync.WaitGroup
	all.Go(func() {
		for i := range total {
			r.produce(id, batchOf(fmt.Sprint(i)))
		}
	})
	for next := 0; next < total; {
		for _, v := range r.values(id, int64(next)) {
			if want := fmt.Sprintf("%d:%d", next, next); v != want {
				t.Fatalf("got %s, want %s", v, want)
			}
			next++
		}
	}
	all.Wait()
}

// TestLargeChunksAreForgotten commits some batches that have chunks of their own at once, and then small ones. Entries that
// waited to be used again once kept the chunk of their last use, for as long as they waited.
func TestLargeChunksAreForgotten(t *testing.T) {
	r := newRig(t, Options{CacheBytesMax: 1})
	id := r.create("orders", 1)
	large := batchOf(string(make([]byte, chunkBytes)))
	release := r.journal.hold() // so that entries gather
	var g Pending
	g.Reset(3)
	var chunks []weak.Pointer[chunk]
	for i := range 3 {
		r.AppendBatch(&g, i, id, 0, large)
		r.writer.mu.Lock()
		chunks = append(chunks, weak.Make(r.writer.mu.open.chunk))
		r.writer.mu.Unlock()
	}
	if chunks[0] == chunks[1] || chunks[1] == chunks[2] {
		t.Fatal("batches share a chunk")
	}
	release()
	g.Wait(0, nil)
	for range 3 {
		r.produce(id, batchOf("small"))
	}
	runtime.GC()
	for i, c := range chunks {
		if c.Value() != nil {
			t.Errorf("the chunk of batch %d, which was committed and has left the cache, is still there", i)
		}
	}
}
