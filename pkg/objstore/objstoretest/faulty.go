package objstoretest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/heraclitus/heraclitus/pkg/objstore"
)

// A Fault is what befalls an operation.
type Fault int

const (
	// None: it goes through.
	None Fault = iota
	// Cut: the connection is cut before the store hears of it. Nothing happens.
	Cut
	// Lost: it happens, and its answer is lost.
	Lost
	// Late: its answer is lost, and it happens only some operations later, as from a request that was held up on its way.
	// Where it changes nothing, it is Lost.
	Late
)

// ErrFault is what an operation ends in that a fault befell; a write also in objstore.ErrUnknown.
var ErrFault = errors.New("fault put in by the test")

// lateBy is how many operations pass before one that is Late happens.
const lateBy = 3

// An Operation is a call of a store.
type Operation struct {
	// Name is "get", "put", "put-if-absent", "put-if-match", "list" or "delete".
	Name string
	Key  string // of a listing: the prefix
}

// Writes tells whether the operation changes something.
func (o Operation) Writes() bool { return o.Name != "get" && o.Name != "list" }

// Faulty is a store whose operations fail as a test wants it.
type Faulty struct {
	objstore.Store

	mu struct {
		sync.Mutex
		decide func(Operation) Fault
		late   []func() // the next operation is before late[0]
	}
}

// NewFaulty returns a store on top of s, without faults.
func NewFaulty(s objstore.Store) *Faulty { return &Faulty{Store: s} }

// On has decide say what befalls each operation from now on; nothing does when it is nil. It is called by whoever calls the
// store, before the operation happens, and may wait: that is latency.
func (f *Faulty) On(decide func(Operation) Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.decide = decide
}

// Nth has a fault befall the n-th operation from now on that changes something, counted from 1, and no other. The returned
// function tells whether it came to that.
func (f *Faulty) Nth(n int, fault Fault) (happened func() bool) {
	var mu sync.Mutex
	count := 0
	f.On(func(o Operation) Fault {
		mu.Lock()
		defer mu.Unlock()
		if !o.Writes() {
			return None
		}
		if count++; count == n {
			return fault
		}
		return None
	})
	return func() bool {
		mu.Lock()
		defer mu.Unlock()
		return count >= n
	}
}

// Flush has all that is late happen now.
func (f *Faulty) Flush() {
	f.mu.Lock()
	late := f.mu.late
	f.mu.late = nil
	f.mu.Unlock()
	for _, happen := range late {
		happen()
	}
}

// pass counts an operation, and has what is due by now happen.
func (f *Faulty) pass(o Operation) Fault {
	f.mu.Lock()
	var due func()
	if len(f.mu.late) > 0 {
		due, f.mu.late = f.mu.late[0], f.mu.late[1:]
	}
	decide := f.mu.decide
	f.mu.Unlock()
	if due != nil {
		due()
	}
	if decide == nil {
		return None
	}
	return decide(o)
}

// hold has an operation happen later.
func (f *Faulty) hold(happen func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.mu.late) < lateBy {
		f.mu.late = append(f.mu.late, func() {})
	}
	f.mu.late = append(f.mu.late, happen)
}

// do has an operation meet its fault. It may be called later, without the caller's context and without anybody to
// hear how it went.
func (f *Faulty) do(ctx context.Context, o Operation, call func(ctx context.Context) error) error {
	failed := fmt.Errorf("%s %s: %w", o.Name, o.Key, ErrFault)
	if o.Writes() {
		failed = fmt.Errorf("%w: %w", failed, objstore.ErrUnknown)
	}
	switch fault := f.pass(o); {
	case fault == None:
		return call(ctx)
	case fault == Late && o.Writes():
		f.hold(func() { _ = call(context.WithoutCancel(ctx)) })
	case fault != Cut:
		_ = call(ctx)
	}
	return failed
}

// Get implements objstore.Store.
func (f *Faulty) Get(ctx context.Context, key string) (b []byte, err error) {
	err = f.do(ctx, Operation{"get", key}, func(ctx context.Context) error {
		b, err = f.Store.Get(ctx, key)
		return err
	})
	return b, err
}

// GetVersion implements objstore.Store.
func (f *Faulty) GetVersion(ctx context.Context, key string) (b []byte, v objstore.Version, err error) {
	err = f.do(ctx, Operation{"get", key}, func(ctx context.Context) error {
		b, v, err = f.Store.GetVersion(ctx, key)
		return err
	})
	return b, v, err
}

// GetRange implements objstore.Store.
func (f *Faulty) GetRange(ctx context.Context, key string, p []byte, off int64) error {
	return f.do(ctx, Operation{"get", key}, func(ctx context.Context) error { return f.Store.GetRange(ctx, key, p, off) })
}

// Put implements objstore.Store.
func (f *Faulty) Put(ctx context.Context, key string, b []byte) error {
	b = append([]byte{}, b...)
	return f.do(ctx, Operation{"put", key}, func(ctx context.Context) error { return f.Store.Put(ctx, key, b) })
}

// PutIfAbsent implements objstore.Store.
func (f *Faulty) PutIfAbsent(ctx context.Context, key string, b []byte) error {
	b = append([]byte{}, b...)
	return f.do(ctx, Operation{"put-if-absent", key}, func(ctx context.Context) error { return f.Store.PutIfAbsent(ctx, key, b) })
}

// PutIfMatch implements objstore.Store.
func (f *Faulty) PutIfMatch(ctx context.Context, key string, b []byte, v objstore.Version) error {
	b = append([]byte{}, b...)
	return f.do(ctx, Operation{"put-if-match", key}, func(ctx context.Context) error { return f.Store.PutIfMatch(ctx, key, b, v) })
}

// List implements objstore.Store.
func (f *Faulty) List(ctx context.Context, prefix string) (all []objstore.Object, err error) {
	err = f.do(ctx, Operation{"list", prefix}, func(ctx context.Context) error {
		all, err = f.Store.List(ctx, prefix)
		return err
	})
	return all, err
}

// Delete implements objstore.Store.
func (f *Faulty) Delete(ctx context.Context, key string) error {
	return f.do(ctx, Operation{"delete", key}, func(ctx context.Context) error { return f.Store.Delete(ctx, key) })
}
