package file

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// A disk is the directory of a journal, and all that the driver asks of the operating system. Names are relative to
// the directory. What a disk owes: bytes written to a handle last from the next successful sync of that handle on, names
// from the next successful sync of the disk on; before that, a crash keeps any of them. A failed sync promises nothing,
// not even that the next one tries again.
type disk interface {
	// list returns the files of the directory in the order of their names.
	list() ([]fileInfo, error)
	// create makes a new file.
	create(name string) (handle, error)
	// open opens a file for reading and writing.
	open(name string) (handle, error)
	// rename moves a file over whatever has the new name. Handles stay good.
	rename(from, to string) error
	remove(name string) error
	sync() error
	// close gives the directory to the next process.
	close() error
}

// A fileInfo is a file in a listing.
type fileInfo struct {
	name string
	size int64
}

// A handle is an open file. Only close may not be called at the same time as the others.
type handle interface {
	io.ReaderAt
	// writev writes bufs one after the other at off, in one call of the system if it can.
	writev(bufs [][]byte, off int64) error
	// allocate makes an empty file size bytes long, with all the space for them; they read as zeros. written is false
	// when the system has still to note the first write to each part of it, which makes syncs slower.
	allocate(size int64) (written bool, err error)
	sync() error
	size() (int64, error)
	close() error
}

// isNoSpace tells lack of space, which passes, from failures, which do not.
func isNoSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// osDisk is a directory of the operating system, locked against other processes.
type osDisk struct {
	*os.Root
	lock *os.File
}

// openDir makes the directory when it is not there, opens it and locks it.
func openDir(dir string) (osDisk, error) {
	if err := makeDir(dir); err != nil {
		return osDisk{}, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return osDisk{}, err
	}
	lock, err := lockDir(root)
	if err != nil {
		return osDisk{}, errors.Join(err, root.Close())
	}
	return osDisk{root, lock}, nil
}

// Who may read the journal: the user that writes it, and those of its group.
const (
	dirMode  = 0o750
	fileMode = 0o640
)

// makeDir makes the directory and those above it, durably, as far as they are not there.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := makeDir(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	above, err := os.OpenRoot(filepath.Dir(dir))
	if err != nil {
		return err
	}
	return errors.Join(syncNames(above), above.Close())
}

func (d osDisk) list() ([]fileInfo, error) {
	entries, err := fs.ReadDir(d.FS(), ".")
	if err != nil {
		return nil, err
	}
	files := make([]fileInfo, len(entries))
	for i, e := range entries {
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		files[i] = fileInfo{e.Name(), info.Size()}
	}
	return files, nil
}

func (d osDisk) create(name string) (handle, error) {
	return d.openFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL)
}

func (d osDisk) open(name string) (handle, error) { return d.openFile(name, os.O_RDWR) }

func (d osDisk) rename(from, to string) error { return d.Rename(from, to) }

func (d osDisk) remove(name string) error { return d.Remove(name) }

func (d osDisk) sync() error { return syncNames(d.Root) }

func (d osDisk) close() error { return errors.Join(d.lock.Close(), d.Root.Close()) }

func (d osDisk) openFile(name string, flag int) (handle, error) {
	f, err := d.OpenFile(name, flag, fileMode)
	if err != nil {
		return nil, err
	}
	return osHandle{f}, nil
}

// osHandle is a file of the operating system. What differs between systems is in disk_linux.go and disk_other.go.
type osHandle struct{ *os.File }

func (h osHandle) size() (int64, error) {
	info, err := h.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (h osHandle) close() error { return h.Close() }

// writeZeros fills a file from its start, which allocates and writes it at once.
func (h osHandle) writeZeros(size int64) error {
	for off := int64(0); off < size; off += int64(len(zeros)) {
		if _, err := h.WriteAt(zeros[:min(size-off, int64(len(zeros)))], off); err != nil {
			return err
		}
	}
	return nil
}
