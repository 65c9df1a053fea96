package objstoretest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/heraclitus/heraclitus/pkg/objstore"
)

// Trace is a store that notes every call, a line each, for tests that compare what was asked of the store with what
// they expect:
//
//	put-if-absent journal/00000000000000000000 64 bytes: condition of the write does not hold
type Trace struct {
	objstore.Store

	mu struct {
		sync.Mutex
		lines []string
	}
}

// NewTrace returns a store on top of s.
func NewTrace(s objstore.Store) *Trace { return &Trace{Store: s} }

// Take returns the lines since the last Take, each ended by a newline, in the order in which the calls ended.
func (t *Trace) Take() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := t.mu.lines
	t.mu.lines = nil
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

// note adds a line, which ends with the name of an error if there is one.
func (t *Trace) note(err error, format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if err != nil {
		line += ": " + nameOf(err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mu.lines = append(t.mu.lines, line)
}

// nameOf is the named error that err wraps; all others are alike.
func nameOf(err error) string {
	names := []error{objstore.ErrAbsent, objstore.ErrPrecondition, objstore.ErrConflict, objstore.ErrUnknown, objstore.ErrRange, objstore.ErrKey}
	for _, name := range names {
		if errors.Is(err, name) {
			return name.Error()
		}
	}
	return "another error"
}

// Get implements objstore.Store.
func (t *Trace) Get(ctx context.Context, key string) ([]byte, error) {
	b, err := t.Store.Get(ctx, key)
	t.note(err, "get %s %d bytes", key, len(b))
	return b, err
}

// GetVersion implements objstore.Store.
func (t *Trace) GetVersion(ctx context.Context, key string) ([]byte, objstore.Version, error) {
	b, v, err := t.Store.GetVersion(ctx, key)
	t.note(err, "get %s %d bytes with version", key, len(b))
	return b, v, err
}

// GetRange implements objstore.Store.
func (t *Trace) GetRange(ctx context.Context, key string, p []byte, off int64) error {
	err := t.Store.GetRange(ctx, key, p, off)
	t.note(err, "get %s %d bytes at %d", key, len(p), off)
	return err
}

// Put implements objstore.Store.
func (t *Trace) Put(ctx context.Context, key string, b []byte) error {
	err := t.Store.Put(ctx, key, b)
	t.note(err, "put %s %d bytes", key, len(b))
	return err
}

// PutIfAbsent implements objstore.Store.
func (t *Trace) PutIfAbsent(ctx context.Context, key string, b []byte) error {
	err := t.Store.PutIfAbsent(ctx, key, b)
	t.note(err, "put-if-absent %s %d bytes", key, len(b))
	return err
}

// PutIfMatch implements objstore.Store.
func (t *Trace) PutIfMatch(ctx context.Context, key string, b []byte, v objstore.Version) error {
	err := t.Store.PutIfMatch(ctx, key, b, v)
	t.note(err, "put-if-match %s %d bytes", key, len(b))
	return err
}

// List implements objstore.Store.
func (t *Trace) List(ctx context.Context, prefix string) ([]objstore.Object, error) {
	all, err := t.Store.List(ctx, prefix)
	t.note(err, "list %s %d objects", prefix, len(all))
	return all, err
}

// Delete implements objstore.Store.
func (t *Trace) Delete(ctx context.Context, key string) error {
	err := t.Store.Delete(ctx, key)
	t.note(err, "delete %s", key)
	return err
}
