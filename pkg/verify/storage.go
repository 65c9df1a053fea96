package verify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/heraclitus/heraclitus/pkg/journal/file"
	"github.com/heraclitus/heraclitus/pkg/journal/s3"
	"github.com/heraclitus/heraclitus/pkg/objstore"
	objfile "github.com/heraclitus/heraclitus/pkg/objstore/file"
	objs3 "github.com/heraclitus/heraclitus/pkg/objstore/s3"
)

// Storage is where a server keeps everything, opened to be looked at.
type Storage struct {
	objects   objstore.Store
	inspect   func(ctx context.Context) (inspection, error)
	isJournal func(key string) bool // whether an object is the journal's
	inUse     func() bool           // whether a server may be at work
	close     func()
}

// inspection is a journal that is only looked at: one in a directory, or in a bucket.
type inspection interface {
	Bounds() (floor, next uint64)
	Size() int64
	Notes() []string
	Replay(from uint64, f func(slot uint64, entry []byte) error) error
	Close() error
}

// ErrNoStorage says that there is nothing where a server's storage should be.
var ErrNoStorage = errors.New("no server has kept anything there")

// Open opens what a setting of storage.path names, to be looked at: a directory, or a place in a bucket, s3://bucket/prefix,
// found by the AWS_* variables of the environment. Nothing is written, locked or fenced. ErrNoStorage.
func Open(ctx context.Context, path string) (*Storage, error) {
	open := openDirectory
	switch {
	case strings.HasPrefix(path, "memory:"):
		return nil, fmt.Errorf("%s is a running server's own memory: there is nothing that others could look at", path)
	case strings.HasPrefix(path, objs3.Scheme):
		open = openBucket
	}
	s, err := open(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", path, err)
	}
	return s, nil
}

func openDirectory(_ context.Context, dir string) (*Storage, error) {
	journal := filepath.Join(dir, file.Folder)
	if _, err := os.Stat(journal); errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoStorage
	}
	objects, err := objfile.OpenReadOnly(dir)
	if err != nil {
		return nil, err
	}
	return &Storage{
		objects: objects,
		inspect: func(context.Context) (inspection, error) {
			i, err := file.Inspect(journal)
			if err != nil { // and not a nil *file.Inspection
				return nil, err
			}
			return i, nil
		},
		isJournal: func(key string) bool { return strings.HasPrefix(key, file.Folder+"/") },
		inUse:     func() bool { return file.InUse(journal) },
		close:     func() {},
	}, nil
}

func openBucket(ctx context.Context, place string) (*Storage, error) {
	o, err := objs3.FromEnv(place, os.Getenv)
	if err != nil {
		return nil, err
	}
	objects, closeIdle, err := objs3.OpenReadOnly(ctx, o)
	if err != nil {
		return nil, err
	}
	return inStore(objects, closeIdle), nil
}

// inStore is storage whose journal is in the store, too.
func inStore(objects objstore.Store, closeStore func()) *Storage {
	return &Storage{
		objects: objects,
		inspect: func(ctx context.Context) (inspection, error) {
			i, err := s3.Inspect(ctx, objects)
			if err != nil {
				return nil, err
			}
			return i, nil
		},
		isJournal: s3.IsOurs,
		inUse:     func() bool { return true }, // a bucket does not tell
		close:     closeStore,
	}
}

// Close gives connections back.
func (s *Storage) Close() { s.close() }
