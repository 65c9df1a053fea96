// Package mem is an object store in RAM, for memory:// and for tests.
package mem

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/heraclitus/heraclitus/pkg/objstore"
)

// Store keeps its objects in memory. It implements objstore.Store.
type Store struct {
	bytesMax int64
	mu       struct {
		sync.RWMutex
		objects map[string][]byte // never changed once they are here
		bytes   int64             // of all of them
	}
}

var _ objstore.Store = (*Store)(nil)

// Open returns an empty store that takes any amount of bytes.
func Open() *Store { return OpenBounded(math.MaxInt64) }

// OpenBounded returns an empty store whose objects hold at most bytesMax bytes together: what would be more is refused.
func OpenBounded(bytesMax int64) *Store {
	s := &Store{bytesMax: bytesMax}
	s.mu.objects = map[string][]byte{}
	return s
}

// Get implements objstore.Store.
func (s *Store) Get(_ context.Context, key string) ([]byte, error) {
	b, err := s.object(key)
	return bytes.Clone(b), err
}

// GetVersion implements objstore.Store.
func (s *Store) GetVersion(_ context.Context, key string) ([]byte, objstore.Version, error) {
	b, err := s.object(key)
	return bytes.Clone(b), version(b), err
}

// version is the bytes themselves: as good a version as any, where they need not travel.
func version(b []byte) objstore.Version { return objstore.Version(b) }

// GetRange implements objstore.Store.
func (s *Store) GetRange(_ context.Context, key string, p []byte, off int64) error {
	b, err := s.object(key)
	if err != nil {
		return err
	}
	if off < 0 || off > int64(len(b)-len(p)) {
		return fmt.Errorf("get %d bytes at %d of %s, which has %d: %w", len(p), off, key, len(b), objstore.ErrRange)
	}
	copy(p, b[off:])
	return nil
}

func (s *Store) object(key string) ([]byte, error) {
	if err := objstore.CheckKey(key); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, ok := s.mu.objects[key]
	if !ok {
		return nil, fmt.Errorf("get %s: %w", key, objstore.ErrAbsent)
	}
	return b, nil
}

// Put implements objstore.Store.
func (s *Store) Put(_ context.Context, key string, b []byte) error {
	if err := objstore.CheckKey(key); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.storeLocked(key, b)
}

// PutIfAbsent implements objstore.Store.
func (s *Store) PutIfAbsent(_ context.Context, key string, b []byte) error {
	if err := objstore.CheckKey(key); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.mu.objects[key]; taken {
		return fmt.Errorf("put %s if absent: %w", key, objstore.ErrPrecondition)
	}
	return s.storeLocked(key, b)
}

// PutIfMatch implements objstore.Store.
func (s *Store) PutIfMatch(_ context.Context, key string, b []byte, v objstore.Version) error {
	if err := objstore.CheckKey(key); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.mu.objects[key]; !ok || version(old) != v {
		return fmt.Errorf("put %s in place of a version: %w", key, objstore.ErrPrecondition)
	}
	return s.storeLocked(key, b)
}

func (s *Store) storeLocked(key string, b []byte) error {
	bytes := s.mu.bytes + int64(len(b)-len(s.mu.objects[key]))
	if bytes > s.bytesMax {
		return fmt.Errorf("put %s of %d bytes: the memory for objects, %d bytes, is full", key, len(b), s.bytesMax)
	}
	s.mu.objects[key] = append([]byte{}, b...)
	s.mu.bytes = bytes
	return nil
}

// List implements objstore.Store.
func (s *Store) List(_ context.Context, prefix string) ([]objstore.Object, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var all []objstore.Object
	for _, key := range slices.Sorted(maps.Keys(s.mu.objects)) {
		if strings.HasPrefix(key, prefix) {
			all = append(all, objstore.Object{Key: key, Bytes: int64(len(s.mu.objects[key]))})
		}
	}
	return all, nil
}

// Delete implements objstore.Store.
func (s *Store) Delete(_ context.Context, key string) error {
	if err := objstore.CheckKey(key); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.bytes -= int64(len(s.mu.objects[key]))
	delete(s.mu.objects, key)
	return nil
}
