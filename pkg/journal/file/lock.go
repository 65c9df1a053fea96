package file

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// lockDir takes the directory for this process by a lock on LOCK, which holds the pid for the message of whoever is
// refused. The file stays behind: removing it would let two processes lock two files of that name.
func lockDir(dir *os.Root) (*os.File, error) {
	f, err := dir.OpenFile(lockName, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir.Name(), err)
	}
	taken, err := lockFile(f)
	if err == nil && !taken {
		err = fmt.Errorf("in use by %s: stop that process, or choose another directory", holder(f))
	}
	if err == nil {
		err = writePid(f)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", dir.Name(), err), f.Close())
	}
	return f, nil
}

func writePid(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// holder names the process that wrote its pid into f.
func holder(f *os.File) string {
	b := make([]byte, 20)
	n, err := f.ReadAt(b, 0)
	pid := strings.TrimSpace(string(b[:n]))
	if (err != nil && !errors.Is(err, io.EOF)) || pid == "" {
		return "another process"
	}
	return "process " + pid
}
