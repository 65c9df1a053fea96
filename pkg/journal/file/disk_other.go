//go:build !linux

package file

func (h osHandle) writev(bufs [][]byte, off int64) error {
	for _, b := range bufs {
		n, err := h.WriteAt(b, off)
		if err != nil {
			return err
		}
		off += int64(n)
	}
	return nil
}

func (h osHandle) sync() error { return h.Sync() }

func (h osHandle) allocate(size int64) (written bool, err error) { return true, h.writeZeros(size) }
