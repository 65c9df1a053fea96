// Package objstore is the contract of a store of objects: named, immutable-while-read blobs, written whole. Checkpoints
// lie in one, segments will. Drivers live in the folders beside this file; package objstoretest holds the suite they
// all pass.
//
// # What must always hold
//
//  1. A write is visible whole or not at all, and durable once it has returned nil.
//  2. Of rival PutIfAbsent calls for one key, exactly one succeeds.
//  3. A reader sees one version of an object, never a mixture of two.
//  4. After an error that is not one of the named ones, and after ErrUnknown, a write may have happened or not, and it may
//     still happen later. Whoever has to know asks the object.
package objstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Store is an open store. It is safe for any number of goroutines. Keys are slash-separated paths as [CheckKey] wants them;
// no key may go on where another one ends, "a/b" beside "a": a driver may refuse the second one.
type Store interface {
	// Get returns the whole object. ErrAbsent.
	Get(ctx context.Context, key string) ([]byte, error)
	// GetVersion is Get, and tells which version of the object these bytes are. ErrAbsent.
	GetVersion(ctx context.Context, key string) ([]byte, Version, error)
	// GetRange fills p with the bytes of an object from off on. ErrAbsent; ErrRange when they do not all lie in it.
	GetRange(ctx context.Context, key string, p []byte, off int64) error
	// Put writes an object, in place of one that is there. The bytes are not kept.
	Put(ctx context.Context, key string, b []byte) error
	// PutIfAbsent writes an object if there is none. ErrPrecondition.
	PutIfAbsent(ctx context.Context, key string, b []byte) error
	// PutIfMatch writes an object in place of the version that is given, and of no other. ErrPrecondition, also when
	// there is no object any more.
	PutIfMatch(ctx context.Context, key string, b []byte, v Version) error
	// List returns the objects whose keys begin with prefix, in the order of the keys' bytes.
	List(ctx context.Context, prefix string) ([]Object, error)
	// Delete removes an object; one that is not there is no error.
	Delete(ctx context.Context, key string) error
}

// A Version tells versions of an object apart that differ in their bytes. What it looks like is the driver's business; it
// means nothing to another driver, nor for another key.
type Version string

// An Object is an entry of a listing.
type Object struct {
	Key   string
	Bytes int64
}

// The errors of a store, to be tested by errors.Is.
var (
	// ErrAbsent: there is no object of that key.
	ErrAbsent = errors.New("object is absent")
	// ErrPrecondition: the condition of a conditional write did not hold; nothing was written.
	ErrPrecondition = errors.New("condition of the write does not hold")
	// ErrConflict: another write of the key was under way; nothing was written. The same call may succeed later.
	ErrConflict = errors.New("another write of the object is under way")
	// ErrUnknown: the answer to a write was lost. It may have happened, or may happen yet.
	ErrUnknown = errors.New("outcome of the write is unknown")
	// ErrRange: the bytes asked for do not lie inside the object.
	ErrRange = errors.New("bytes lie outside the object")
	// ErrKey: the key is not one of ours.
	ErrKey = errors.New("not a valid key")
)

// What every store takes: the longest key of S3 without the prefix of a place in a bucket, the longest file name of Linux.
const (
	keyBytesMax     = 800
	segmentBytesMax = 255
)

// CheckKey returns ErrKey unless key is what every driver can store under its name: a path of UTF-8 of at most 800
// bytes, of segments of at most 255 between single slashes, none of them empty, "." or "..", without control characters
// and backslashes.
func CheckKey(key string) error {
	forbidden := func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }
	if len(key) > keyBytesMax || !utf8.ValidString(key) || strings.ContainsFunc(key, forbidden) {
		return fmt.Errorf("key %.60q: %w", key, ErrKey)
	}
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "" || segment == "." || segment == ".." || len(segment) > segmentBytesMax {
			return fmt.Errorf("key %.60q: %w", key, ErrKey)
		}
	}
	return nil
}
