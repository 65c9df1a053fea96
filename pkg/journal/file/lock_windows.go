package file

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockFile takes f for this process; false when another one has it. The system gives it back when f is closed. The lock is
// on a byte far beyond the holder's pid, which others may read.
func lockFile(f *os.File) (bool, error) {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &windows.Overlapped{OffsetHigh: 1})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	return err == nil, err
}

// syncNames has nothing to do: the file system journals its names.
func syncNames(*os.Root) error { return nil }
