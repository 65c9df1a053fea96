package bare

import (
	"math/bits"
	"sync"
)

const (
	readBytes     = 64 << 10  // a connection's first read buffer
	frameBytesMax = 128 << 20 // the longest request taken
)

// buffers are read buffers between two uses, by the power of two they are long. A list of our own is not emptied by
// every garbage collection as a sync.Pool is, so its memory has been touched once and stays that way.
var buffers struct {
	sync.Mutex
	free [32][][]byte
}

// takeBuffer returns a buffer of at least n bytes.
func takeBuffer(n int) []byte {
	class := bits.Len(uint(max(n, readBytes) - 1))
	buffers.Lock()
	defer buffers.Unlock()
	list := buffers.free[class]
	if len(list) == 0 {
		return make([]byte, 1<<class)
	}
	buffers.free[class] = list[:len(list)-1]
	return list[len(list)-1]
}

// giveBuffer gives a buffer of takeBuffer back.
func giveBuffer(b []byte) {
	class := bits.Len(uint(len(b) - 1))
	buffers.Lock()
	defer buffers.Unlock()
	buffers.free[class] = append(buffers.free[class], b)
}
