package file

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/objstore"
	"github.com/heraclitus/heraclitus/pkg/objstore/objstoretest"
)

func open(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The driver in a directory keeps the contract.
func TestContract(t *testing.T) {
	objstoretest.Run(t, func(t testing.TB) objstore.Store { return open(t, t.TempDir()) })
}

// Objects are found again by the next process, and what a crash left unfinished is not one and goes away.
func TestReopen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "some", "where")
	if err := open(t, dir).Put(t.Context(), "a/b", []byte("kept")); err != nil {
		t.Fatal(err)
	}
	litter := filepath.Join(dir, writing, "HALF")
	if err := os.WriteFile(litter, []byte("ke"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	if _, err := os.Stat(litter); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was being written is there: %v", err)
	}
	b, err := s.Get(t.Context(), "a/b")
	keys, err2 := s.List(t.Context(), "")
	if string(b) != "kept" || !slices.Equal(keys, []objstore.Object{{Key: "a/b", Bytes: 4}}) {
		t.Errorf("got %q, %v and %v, %v", b, err, keys, err2)
	}
}

// A directory may be named in any way: by one letter, which once had no end of directories above it, from above, or as the
// working directory itself.
func TestOpenRelative(t *testing.T) {
	for _, dir := range []string{"d", "./d", ".", "", "..", "../d", "d/e/f"} {
		work := filepath.Join(t.TempDir(), "work")
		if err := os.Mkdir(work, 0o755); err != nil {
			t.Fatal(err)
		}
		t.Chdir(work)
		if err := open(t, dir).Put(t.Context(), "k", []byte("kept")); err != nil {
			t.Errorf("%q: %v", dir, err)
		}
		if b, err := os.ReadFile(filepath.Join(work, dir, "k")); string(b) != "kept" {
			t.Errorf("%q: the object is %q, %v", dir, b, err)
		}
	}
}

// The topmost directory has none above it, and is there.
func TestTopmostDirectoryLasts(t *testing.T) {
	s := &Store{dir: string(filepath.Separator), disk: osDisk{}}
	s.mu.lasting = map[string]bool{}
	if err := s.makeDir(s.dir); err != nil {
		t.Error(err)
	}
}

// The store's own directory cannot be reached by a key.
func TestOwnFilesAreNoObjects(t *testing.T) {
	s := open(t, t.TempDir())
	for _, key := range []string{writing, writing + "/x"} {
		if err := s.Put(t.Context(), key, nil); !errors.Is(err, objstore.ErrKey) {
			t.Errorf("put %s: %v, want %v", key, err, objstore.ErrKey)
		}
	}
}

// A tracedDisk notes what is done, and fails at one operation. It names files relative to dir, and those being
// written alike.
type tracedDisk struct {
	disk
	dir    string
	trace  []string
	failAt int // counted from 1; 0 is never
}

var errFail = errors.New("operation fails")

func (d *tracedDisk) note(format string, names ...any) error {
	for i, name := range names {
		rel, _ := filepath.Rel(d.dir, name.(string))
		if strings.HasPrefix(rel, writing+"/") {
			rel = writing + "/*"
		}
		names[i] = rel
	}
	d.trace = append(d.trace, fmt.Sprintf(format, names...))
	if len(d.trace) == d.failAt {
		return errFail
	}
	return nil
}

func (d *tracedDisk) mkdir(name string) error {
	return errors.Join(d.note("mkdir %s", name), d.disk.mkdir(name))
}

func (d *tracedDisk) create(name string) (openFile, error) {
	if err := d.note("create %s", name); err != nil {
		return nil, err
	}
	f, err := d.disk.create(name)
	return tracedFile{f, d}, err
}

func (d *tracedDisk) rename(from, to string) error {
	if err := d.note("rename %s %s", from, to); err != nil {
		return err
	}
	return d.disk.rename(from, to)
}

func (d *tracedDisk) link(from, to string) error {
	if err := d.note("link %s %s", from, to); err != nil {
		return err
	}
	return d.disk.link(from, to)
}

func (d *tracedDisk) remove(name string) error {
	if err := d.note("remove %s", name); err != nil {
		return err
	}
	return d.disk.remove(name)
}

func (d *tracedDisk) syncDir(name string) error {
	return errors.Join(d.note("sync directory %s", name), d.disk.syncDir(name))
}

type tracedFile struct {
	openFile
	d *tracedDisk
}

func (f tracedFile) Write(p []byte) (int, error) {
	if err := f.d.note("write"); err != nil {
		n, _ := f.openFile.Write(p[:len(p)/2])
		return n, err
	}
	return f.openFile.Write(p)
}

func (f tracedFile) Sync() error { return errors.Join(f.d.note("sync"), f.openFile.Sync()) }

func (f tracedFile) Close() error { return errors.Join(f.d.note("close"), f.openFile.Close()) }

func openTraced(t *testing.T) (*Store, *tracedDisk) {
	t.Helper()
	d := &tracedDisk{disk: osDisk{}, dir: t.TempDir()}
	s, err := openOn(d, d.dir)
	if err != nil {
		t.Fatal(err)
	}
	d.trace = nil
	return s, d
}

// The bytes are durable before they get their name, and the name, with the directories above it, before put returns. A
// directory is synced once.
func TestOrderOfOperations(t *testing.T) {
	s, d := openTraced(t)
	f := func(do func() error, want string) {
		t.Helper()
		d.trace = nil
		if err := do(); err != nil {
			t.Error(err)
		}
		if got := strings.Join(d.trace, "; "); got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	}
	f(func() error { return s.Put(t.Context(), "a/b/c", []byte("1")) },
		"create .writing/*; write; sync; close; "+
			"mkdir a; sync directory .; mkdir a/b; sync directory a; rename .writing/* a/b/c; sync directory a/b; remove .writing/*")
	f(func() error { return s.PutIfAbsent(t.Context(), "a/b/d", []byte("1")) },
		"create .writing/*; write; sync; close; link .writing/* a/b/d; sync directory a/b; remove .writing/*")
	f(func() error { return s.Delete(t.Context(), "a/b/d") }, "remove a/b/d; remove a/b")
}

// A directory goes with the last object in it, and is made anew for the next one, whoever is at work there.
func TestEmptyDirectoriesGo(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			key := fmt.Sprintf("topics/t/%d", i)
			for range 200 {
				if err := errors.Join(s.Put(t.Context(), key, nil), s.Delete(t.Context(), key)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 || left[0].Name() != writing {
		t.Errorf("there is %v, %v", left, err)
	}
	if err := s.Put(t.Context(), "topics/t/0", []byte("kept")); err != nil {
		t.Fatal(err)
	}
	if b, err := s.Get(t.Context(), "topics/t/0"); string(b) != "kept" {
		t.Errorf("got %q, %v", b, err)
	}
}

// Whatever operation of a put fails, the put says so, and the object is the old one or the new one.
func TestFailuresLeaveWholeObjects(t *testing.T) {
	for failAt := 1; ; failAt++ {
		s, d := openTraced(t)
		if err := s.Put(t.Context(), "k", []byte("the old one")); err != nil {
			t.Fatal(err)
		}
		d.trace, d.failAt = nil, failAt
		err := s.Put(t.Context(), "k", []byte("another one, and longer"))
		if len(d.trace) < failAt {
			break
		}
		failed := d.trace[failAt-1]
		if err == nil && !strings.HasPrefix(failed, "remove") {
			t.Errorf("%s fails: put does not say so", failed)
		}
		if b, err := s.Get(t.Context(), "k"); string(b) != "the old one" && string(b) != "another one, and longer" {
			t.Errorf("%s fails: the object is %q, %v", failed, b, err)
		}
	}
}

// TestOpenReadOnly shows that looking at a store makes nothing, and leaves alone what another process is writing.
func TestOpenReadOnly(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	underWay := filepath.Join(dir, writing, "x")
	if err := errors.Join(s.Put(t.Context(), "a/b", []byte("one")), os.WriteFile(underWay, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	r, err := OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	if all, err := r.List(t.Context(), ""); err != nil || len(all) != 1 || all[0].Key != "a/b" {
		t.Errorf("it lists %v, %v", all, err)
	}
	if err := r.Put(t.Context(), "a/c", nil); !errors.Is(err, objstore.ErrReadOnly) {
		t.Errorf("a write ends in %v", err)
	}
	if _, err := os.Stat(underWay); err != nil {
		t.Errorf("what was being written: %v", err)
	}
	if _, err := OpenReadOnly(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a directory that is not there: %v", err)
	}
}
