package file

import (
	"errors"
	"io"
	"os"
	"runtime"
)

// A disk is what the store asks of the operating system to change something.
type disk interface {
	mkdir(name string) error
	create(name string) (openFile, error)
	rename(from, to string) error
	link(from, to string) error
	remove(name string) error
	// syncDir makes the names in a directory durable.
	syncDir(name string) error
}

// An openFile is a file that is being written.
type openFile interface {
	io.WriteCloser
	Sync() error
}

// osDisk is the operating system.
type osDisk struct{}

// Who may read what is stored: the user that stores it, and those of its group, such as who reads topics as tables.
// Checkpoints hold the keys by which users are let in.
const (
	dirMode  = 0o750
	fileMode = 0o640
)

func (osDisk) mkdir(name string) error { return os.Mkdir(name, dirMode) }

func (osDisk) create(name string) (openFile, error) {
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
}

func (osDisk) rename(from, to string) error { return os.Rename(from, to) }

func (osDisk) link(from, to string) error { return os.Link(from, to) }

func (osDisk) remove(name string) error { return os.Remove(name) }

func (osDisk) syncDir(name string) error {
	if runtime.GOOS == "windows" {
		return nil // where a directory cannot be synced, and its names are journalled
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
