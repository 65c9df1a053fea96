package objstore

import (
	"context"
	"errors"
	"fmt"
)

// ErrReadOnly: the store is one that is only looked at. Nothing was written.
var ErrReadOnly = errors.New("the store is only looked at")

// ReadOnly returns a store of the same objects, whose writes and deletes all end in ErrReadOnly.
func ReadOnly(s Store) Store { return readOnly{s} }

type readOnly struct{ Store }

// Put implements Store.
func (readOnly) Put(_ context.Context, key string, _ []byte) error { return refused("put", key) }

// PutIfAbsent implements Store.
func (readOnly) PutIfAbsent(_ context.Context, key string, _ []byte) error {
	return refused("put if absent", key)
}

// PutIfMatch implements Store.
func (readOnly) PutIfMatch(_ context.Context, key string, _ []byte, _ Version) error {
	return refused("put in place of a version of", key)
}

// Delete implements Store.
func (readOnly) Delete(_ context.Context, key string) error { return refused("delete", key) }

func refused(doing, key string) error { return fmt.Errorf("%s %s: %w", doing, key, ErrReadOnly) }
