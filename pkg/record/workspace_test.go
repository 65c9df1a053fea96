package record

import (
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// Shown here: there are no more workspaces than processors, who asks for one more waits for one to come back, and large
// buffers are not kept.

func TestWorkspacesAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newWorkspaces()
		held := make([]*workspace, runtime.GOMAXPROCS(0))
		for i := range held {
			held[i] = l.get()
		}
		var got atomic.Pointer[workspace]
		go func() { got.Store(l.get()) }()
		synctest.Wait()
		if got.Load() != nil {
			t.Fatal("one workspace too many")
		}
		l.put(held[0])
		synctest.Wait()
		if got.Load() != held[0] {
			t.Fatal("what was given back is not used again")
		}
	})
}

func TestWorkspacesForgetLargeBuffers(t *testing.T) {
	l := newWorkspaces()
	f := func(n int, kept bool) {
		t.Helper()
		w := l.get()
		w.plain = make([]byte, n)
		l.put(w)
		if got := cap(w.plain); (got == n) != kept {
			t.Errorf("of %d bytes %d are kept", n, got)
		}
	}
	f(plainBytesKept, true)
	f(plainBytesKept+1, false)
}
