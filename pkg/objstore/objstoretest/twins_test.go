package objstoretest_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/objstore"
	"github.com/heraclitus/heraclitus/pkg/objstore/mem"
	"github.com/heraclitus/heraclitus/pkg/objstore/objstoretest"
)

// looksThenPuts looks whether there is an object and then puts one.
type looksThenPuts struct{ *mem.Store }

func (s looksThenPuts) PutIfAbsent(ctx context.Context, key string, b []byte) error {
	if _, err := s.Get(ctx, key); !errors.Is(err, objstore.ErrAbsent) {
		return s.Store.PutIfAbsent(ctx, key, b)
	}
	runtime.Gosched()
	return s.Put(ctx, key, b)
}

// looksThenReplaces looks whether an object is of a version and then puts another one.
type looksThenReplaces struct{ *mem.Store }

func (s looksThenReplaces) PutIfMatch(ctx context.Context, key string, b []byte, v objstore.Version) error {
	if _, is, err := s.GetVersion(ctx, key); err != nil || is != v {
		return s.Store.PutIfMatch(ctx, key, b, v)
	}
	runtime.Gosched()
	return s.Put(ctx, key, b)
}

// putsInParts has an object appear bit by bit.
type putsInParts struct{ *mem.Store }

func (s putsInParts) Put(ctx context.Context, key string, b []byte) error {
	for _, part := range [][]byte{b[:len(b)/2], b} {
		if err := s.Store.Put(ctx, key, part); err != nil {
			return err
		}
	}
	return nil
}

// listsBackwards has its keys in the wrong order.
type listsBackwards struct{ *mem.Store }

func (s listsBackwards) List(ctx context.Context, prefix string) ([]objstore.Object, error) {
	all, err := s.Store.List(ctx, prefix)
	slices.Reverse(all)
	return all, err
}

// The suite is worth something: a driver that breaks a promise fails it.
func TestBrokenTwinsFail(t *testing.T) {
	f := func(twin func(*mem.Store) objstore.Store, check string) {
		t.Helper()
		for range 50 { // a race may not be lost at once
			if objstoretest.Failure(t, check, twin(mem.Open())) != nil {
				return
			}
		}
		t.Errorf("%T passes %q", twin(nil), check)
	}
	f(func(s *mem.Store) objstore.Store { return looksThenPuts{s} }, "of rivals exactly one is first")
	f(func(s *mem.Store) objstore.Store { return looksThenReplaces{s} }, "of rivals exactly one replaces a version")
	f(func(s *mem.Store) objstore.Store { return putsInParts{s} }, "a reader sees one version")
	f(func(s *mem.Store) objstore.Store { return listsBackwards{s} }, "a listing is in order and complete")
}
