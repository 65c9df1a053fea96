// Package file is an object store in a directory: a file per object, under the object's key.
//
// An object is written to a file beside its place, synced, and then renamed (or, if absent, linked) into its place, and the
// directory is synced: it appears whole or not at all, and stays. Files left behind by a crash in between are removed by Open.
package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/heraclitus/heraclitus/pkg/objstore"
)

// temporary begins the names of files that are being written. No key has a segment that begins so.
const temporary = ".put-"

// Store keeps its objects below a directory. It implements objstore.Store.
type Store struct {
	dir string
}

var _ objstore.Store = (*Store)(nil)

// Open returns the store in dir, which is created if need be. One process at a time may write to a directory.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("open object store: %w", err)
	}
	s := &Store{dir}
	if err := s.sweep(); err != nil {
		return nil, fmt.Errorf("open object store %s: %w", dir, err)
	}
	return s, nil
}

// sweep removes what unfinished writes have left.
func (s *Store) sweep() error {
	return filepath.WalkDir(s.dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasPrefix(d.Name(), temporary) {
			err = os.Remove(name)
		}
		return err
	})
}

// Get implements objstore.Store.
func (s *Store) Get(_ context.Context, key string) ([]byte, error) {
	name, err := s.name(key)
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(name)
	return b, named("get", key, err)
}

// GetRange implements objstore.Store.
func (s *Store) GetRange(_ context.Context, key string, p []byte, off int64) error {
	name, err := s.name(key)
	if err != nil {
		return err
	}
	f, err := os.Open(name)
	if err != nil {
		return named("get", key, err)
	}
	defer f.Close()
	n, err := f.ReadAt(p, max(off, 0))
	if n < len(p) && errors.Is(err, io.EOF) || off < 0 {
		return fmt.Errorf("get %d bytes at %d of %s: %w", len(p), off, key, objstore.ErrRange)
	}
	if n == len(p) {
		return nil
	}
	return named("get", key, err)
}

// Put implements objstore.Store.
func (s *Store) Put(_ context.Context, key string, b []byte) error {
	return s.put(key, b, os.Rename)
}

// PutIfAbsent implements objstore.Store.
func (s *Store) PutIfAbsent(_ context.Context, key string, b []byte) error {
	return s.put(key, b, os.Link)
}

// put writes b to a temporary file and moves it to its place.
func (s *Store) put(key string, b []byte, move func(from, to string) error) error {
	name, err := s.name(key)
	if err != nil {
		return err
	}
	dir := filepath.Dir(name)
	if err := s.makeDir(dir); err != nil {
		return named("put", key, err)
	}
	from, err := writeTemporary(dir, b)
	if err == nil {
		err = move(from, name)
	}
	if from != "" {
		os.Remove(from) // gone already if it was renamed
	}
	if err == nil {
		err = syncDir(dir)
	}
	return named("put", key, err)
}

// writeTemporary writes b, synced, to a new file in dir. The name is empty only when there is no file.
func writeTemporary(dir string, b []byte) (name string, err error) {
	f, err := os.CreateTemp(dir, temporary)
	if err != nil {
		return "", err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	return f.Name(), errors.Join(err, f.Close())
}

// makeDir creates a directory and those above it, each of which lasts once the one above it is synced.
func (s *Store) makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil || dir == s.dir {
		return err
	}
	above := filepath.Dir(dir)
	if err := s.makeDir(above); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(above)
}

// syncDir makes the entries of a directory last.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // where a directory cannot be synced, and need not be
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// List implements objstore.Store.
func (s *Store) List(_ context.Context, prefix string) ([]string, error) {
	var keys []string
	err := filepath.WalkDir(s.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), temporary) {
			return err
		}
		rel, err := filepath.Rel(s.dir, name)
		if key := filepath.ToSlash(rel); strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
		return err
	})
	slices.Sort(keys)
	return keys, named("list", prefix, err)
}

// Delete implements objstore.Store.
func (s *Store) Delete(_ context.Context, key string) error {
	name, err := s.name(key)
	if err != nil {
		return err
	}
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return named("delete", key, err)
	}
	return nil
}

// name returns the file of an object.
func (s *Store) name(key string) (string, error) {
	if err := objstore.CheckKey(key); err != nil {
		return "", err
	}
	if strings.Contains("/"+key, "/"+temporary) {
		return "", fmt.Errorf("key %s: %w", key, objstore.ErrKey)
	}
	return filepath.Join(s.dir, filepath.FromSlash(key)), nil
}

// named gives an error of the file system its name in the contract.
func named(doing, key string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s %s: %w", doing, key, objstore.ErrAbsent)
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s %s: %w", doing, key, objstore.ErrPrecondition)
	}
	return fmt.Errorf("%s %s: %w", doing, key, err)
}
