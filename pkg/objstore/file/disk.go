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

func (osDisk) mkdir(name string) error { return os.Mkdir(name, 0o755) }

func (osDisk) create(name string) (openFile, error) {
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
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
