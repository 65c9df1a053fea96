package file

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

func (h osHandle) writev(bufs [][]byte, off int64) error {
	for bufs = cut(bufs, 0); len(bufs) > 0; {
		n, err := unix.Pwritev(int(h.Fd()), bufs, off)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return os.NewSyscallError("pwritev", err)
		case n == 0:
			return io.ErrShortWrite
		}
		bufs, off = cut(bufs, n), off+int64(n)
	}
	return nil
}

// cut drops the first n bytes of bufs, and buffers that are empty then.
func cut(bufs [][]byte, n int) [][]byte {
	for len(bufs) > 0 && n >= len(bufs[0]) {
		n -= len(bufs[0])
		bufs = bufs[1:]
	}
	if n > 0 {
		bufs[0] = bufs[0][n:]
	}
	return bufs
}

// sync makes durable the bytes written, and of the rest what reading them takes: fdatasync.
func (h osHandle) sync() error {
	for {
		err := unix.Fdatasync(int(h.Fd()))
		if !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}

// allocate reserves space without writing it, or writes zeros on file systems that cannot.
func (h osHandle) allocate(size int64) (written bool, err error) {
	for {
		switch err := unix.Fallocate(int(h.Fd()), 0, 0, size); {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EOPNOTSUPP):
			return true, h.writeZeros(size)
		default:
			return false, os.NewSyscallError("fallocate", err)
		}
	}
}
