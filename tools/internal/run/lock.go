package run

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Lock waits until no other process has a file locked, and locks it; the file is made where it is not there. wait is
// called first where there is somebody to wait for. A lock ends with its process.
func Lock(name string, wait func()) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, err
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
		return func() { file.Close() }, nil
	}
	wait()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		file.Close()
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	return func() { file.Close() }, nil
}
