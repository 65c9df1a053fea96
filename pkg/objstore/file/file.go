// Package file is an object store in a directory: a file for each object, under the object's key.
//
// # An object's way
//
// An object is written to a file of its own in the directory .writing and synced; then it gets its name, by rename or,
// if it must not replace another one, by link; then the directory that holds the name is synced. So it appears whole or
// not at all, and stays. What a crash leaves in .writing is removed by Open. A directory goes with its last object.
package file

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/heraclitus/heraclitus/pkg/objstore"
)

// writing is the directory of files that are being written. No key begins so.
const writing = ".writing"

// A Store keeps its objects below a directory. It implements objstore.Store. It stores a key or keys below it, not
// both: what is a directory cannot be a file.
type Store struct {
	dir  string
	disk disk

	mu struct {
		sync.Mutex
		lasting map[string]bool // directories whose names are durable
	}
	naming sync.Mutex // held by who gives a name to a file or takes one away, with its directories
}

var _ objstore.Store = (*Store)(nil)

// Open opens the store in a directory, which it makes when it is not there. One process at a time may write to it.
func Open(dir string) (*Store, error) { return openOn(osDisk{}, dir) }

// OpenReadOnly looks at the store in a directory, where another process may be at work: nothing is made, swept or written.
// Writes answer objstore.ErrReadOnly.
func OpenReadOnly(dir string) (objstore.Store, error) {
	if _, err := os.ReadDir(dir); err != nil {
		return nil, fmt.Errorf("look at object store: %w", err)
	}
	return objstore.ReadOnly(newStore(osDisk{}, dir)), nil
}

func newStore(d disk, dir string) *Store {
	s := &Store{dir: filepath.Clean(dir), disk: d}
	s.mu.lasting = map[string]bool{}
	return s
}

func openOn(d disk, dir string) (*Store, error) {
	s := newStore(d, dir)
	if err := s.sweep(); err != nil {
		return nil, fmt.Errorf("open object store %s: %w", dir, err)
	}
	return s, nil
}

// sweep removes what writes that did not end have left.
func (s *Store) sweep() error {
	dir := filepath.Join(s.dir, writing)
	if err := s.makeDir(dir); err != nil {
		return err
	}
	left, err := os.ReadDir(dir)
	for _, f := range left {
		err = errors.Join(err, s.disk.remove(filepath.Join(dir, f.Name())))
	}
	return err
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

// GetVersion implements objstore.Store.
func (s *Store) GetVersion(ctx context.Context, key string) ([]byte, objstore.Version, error) {
	b, err := s.Get(ctx, key)
	return b, version(b), err
}

// version is a checksum that nobody can forge.
func version(b []byte) objstore.Version {
	sum := sha256.Sum256(b)
	return objstore.Version(sum[:])
}

// GetRange implements objstore.Store.
func (s *Store) GetRange(_ context.Context, key string, p []byte, off int64) error {
	name, err := s.name(key)
	if err != nil {
		return err
	}
	return named(fmt.Sprintf("get %d bytes at %d of", len(p), off), key, readRange(name, p, off))
}

func readRange(name string, p []byte, off int64) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return fs.ErrNotExist
	case off < 0 || off > info.Size()-int64(len(p)):
		return objstore.ErrRange
	}
	_, err = io.ReadFull(io.NewSectionReader(f, off, int64(len(p))), p)
	return err
}

// Put implements objstore.Store.
func (s *Store) Put(_ context.Context, key string, b []byte) error {
	return s.put("put", key, b, s.disk.rename)
}

// PutIfAbsent implements objstore.Store.
func (s *Store) PutIfAbsent(_ context.Context, key string, b []byte) error {
	return s.put("put if absent", key, b, s.placeNew)
}

// PutIfMatch implements objstore.Store.
func (s *Store) PutIfMatch(_ context.Context, key string, b []byte, v objstore.Version) error {
	return s.put("put in place of a version of", key, b, func(from, to string) error {
		old, err := os.ReadFile(to)
		switch {
		case isAbsent(err), err == nil && version(old) != v:
			return objstore.ErrPrecondition
		case err != nil:
			return err
		}
		return s.disk.rename(from, to)
	})
}

// put writes b to a new file and gives it its name by place.
func (s *Store) put(doing, key string, b []byte, place func(from, to string) error) error {
	name, err := s.name(key)
	if err != nil {
		return err
	}
	from := filepath.Join(s.dir, writing, rand.Text())
	err = s.write(from, b)
	if err == nil {
		err = s.giveName(name, func() error { return place(from, name) })
	}
	s.disk.remove(from) // which rename has done; what stays for some reason is swept by Open
	if err != nil {
		return fmt.Errorf("%s %s: %w", doing, key, err)
	}
	return nil
}

// giveName gives a file its name by place, durably.
func (s *Store) giveName(name string, place func() error) error {
	dir := filepath.Dir(name)
	s.naming.Lock()
	err := s.makeDir(dir)
	if err == nil {
		err = place()
	}
	s.naming.Unlock()
	if err != nil {
		return err
	}
	if err = s.disk.syncDir(dir); errors.Is(err, fs.ErrNotExist) {
		return nil // the object was deleted meanwhile, and was the last one there
	}
	return err
}

// placeNew gives a file its name unless there is an object of that name.
func (s *Store) placeNew(from, to string) error {
	err := s.disk.link(from, to)
	if errors.Is(err, fs.ErrExist) {
		return objstore.ErrPrecondition
	}
	return err
}

// write makes a file that holds b, durably but for its name.
func (s *Store) write(name string, b []byte) error {
	f, err := s.disk.create(name)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// makeDir makes a directory and those above it, durably. That a directory of the store is there does not tell that its
// name is durable: another goroutine, or a process before, may not have come to that. So each is synced once.
func (s *Store) makeDir(dir string) error {
	if s.lasts(dir) {
		return nil
	}
	above := filepath.Dir(dir)
	if err := s.makeDir(above); err != nil {
		return err
	}
	if err := s.disk.mkdir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := s.disk.syncDir(above); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.lasting[dir] = true
	return nil
}

// lasts tells whether a directory, and all above it, are known to be durable. Those above the store's are if they are there;
// so is the one that has none above it, which may be the store's own or, of a relative path, as long as its name.
func (s *Store) lasts(dir string) bool {
	if topmost := filepath.Dir(dir) == dir; topmost || len(dir) < len(s.dir) {
		_, err := os.Stat(dir)
		return err == nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.lasting[dir]
}

// List implements objstore.Store.
func (s *Store) List(ctx context.Context, prefix string) ([]objstore.Object, error) {
	top := s.dir
	if dir, _ := path.Split(prefix); dir != "" {
		name, err := s.name(strings.TrimSuffix(dir, "/"))
		if err != nil {
			return nil, err
		}
		top = name
	}
	var all []objstore.Object
	err := filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
		switch {
		case isAbsent(err):
			return nil
		case err != nil:
			return err
		case d.IsDir() && name == filepath.Join(s.dir, writing):
			return fs.SkipDir
		case d.IsDir():
			return ctx.Err()
		}
		rel, err := filepath.Rel(s.dir, name)
		if key := filepath.ToSlash(rel); err == nil && strings.HasPrefix(key, prefix) {
			all, err = appendObject(all, key, d)
		}
		return err
	})
	// A walk has "a/b" before "a-b".
	slices.SortFunc(all, func(a, b objstore.Object) int { return strings.Compare(a.Key, b.Key) })
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", prefix, err)
	}
	return all, nil
}

// appendObject appends the object in a file, unless it has gone meanwhile.
func appendObject(all []objstore.Object, key string, d fs.DirEntry) ([]objstore.Object, error) {
	info, err := d.Info()
	switch {
	case isAbsent(err):
		return all, nil
	case err != nil:
		return all, err
	}
	return append(all, objstore.Object{Key: key, Bytes: info.Size()}), nil
}

// Delete implements objstore.Store.
func (s *Store) Delete(_ context.Context, key string) error {
	name, err := s.name(key)
	if err != nil {
		return err
	}
	if info, err := os.Lstat(name); err == nil && info.IsDir() {
		return nil
	}
	s.naming.Lock()
	defer s.naming.Unlock()
	switch err := s.disk.remove(name); {
	case isAbsent(err): // and what would be its directory may be an object
		return nil
	case err != nil:
		return fmt.Errorf("delete %s: %w", key, err)
	}
	s.removeEmpty(filepath.Dir(name))
	return nil
}

// removeEmpty removes a directory and those above it, below the store's, as far as nothing is in them.
func (s *Store) removeEmpty(dir string) {
	for ; dir != s.dir && s.disk.remove(dir) == nil; dir = filepath.Dir(dir) {
		s.mu.Lock()
		delete(s.mu.lasting, dir)
		s.mu.Unlock()
	}
}

// name returns the file of an object.
func (s *Store) name(key string) (string, error) {
	if err := objstore.CheckKey(key); err != nil {
		return "", err
	}
	if first, _, _ := strings.Cut(key, "/"); first == writing {
		return "", fmt.Errorf("key %q: %w: the store keeps its own files there", key, objstore.ErrKey)
	}
	return filepath.Join(s.dir, filepath.FromSlash(key)), nil
}

// named says what could not be read, and gives the error its name in the contract.
func named(doing, key string, err error) error {
	if err == nil {
		return nil
	}
	if isAbsent(err) {
		err = objstore.ErrAbsent
	}
	return fmt.Errorf("%s %s: %w", doing, key, err)
}

// isAbsent tells that there is no file of a name; not where a directory is, or below a file, either.
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.ENOTDIR)
}
