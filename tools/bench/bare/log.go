package bare

import (
	"fmt"
	"hash/crc32"
	"sort"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const (
	batchHeaderBytes = 61       // a version 2 record batch up to its first record
	hugePageBytes    = 2 << 20  // the ring is rounded up to whole ones
	ringBytesMin     = 16 << 20 // a ring smaller than a few batches would be all gaps
)

// extent says where one batch lies: bytes pos to pos+length of the log, records base to base+count.
type extent struct {
	pos    int64
	base   int64
	length int32
	count  int32
}

func (e extent) end() int64 { return e.pos + int64(e.length) }

// partition is one partition's index into the log, in offset order and so in log order as well.
type partition struct {
	topic   *topic
	id      int32
	next    int64 // offset of the next record
	start   int64 // first offset still held
	extents []extent
}

// log is the one log that the batches of all partitions are copied into, in order of arrival. Its bytes are counted
// from 0 by positions that only grow; position p lies at ring[p % len(ring)], so the newest len(ring) bytes are held.
type log struct {
	ring     []byte
	head     atomic.Int64 // position after the last byte appended
	durable  atomic.Int64 // position up to which the log may be acknowledged and fetched
	volatile bool         // without a journal, what is appended counts as durable

	mu sync.Mutex // orders appends; holds every partition's fields

	// pinned is read-locked while a response that points into the ring is on its way, and locked by an append that is
	// about to overwrite old bytes.
	pinned sync.RWMutex
}

// newLog returns a log that holds the newest hold bytes, in memory that has been touched before the first request:
// page faults are the start-up's, not the produce path's.
func newLog(hold int64) (*log, error) {
	size := (max(hold, ringBytesMin) + hugePageBytes - 1) / hugePageBytes * hugePageBytes
	ring, err := unix.Mmap(-1, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("map %d bytes for the log: %w", size, err)
	}
	_ = unix.Madvise(ring, unix.MADV_HUGEPAGE) // a kernel without huge pages is only slower
	for i := 0; i < len(ring); i += 4096 {
		ring[i] = 0
	}
	return &log{ring: ring}, nil
}

// at returns n bytes of the ring from position pos; they never cross its end.
func (l *log) at(pos int64, n int) []byte {
	i := int(pos % int64(len(l.ring)))
	return l.ring[i : i+n : i+n]
}

// checkBatch says whether b is exactly one sound batch.
func checkBatch(b []byte) bool {
	if len(b) < batchHeaderBytes || int(be.Uint32(b[8:]))+12 != len(b) || b[16] != 2 {
		return false
	}
	count := int32(be.Uint32(b[57:]))
	return count > 0 && be.Uint32(b[23:]) == uint32(count-1) && be.Uint32(b[17:]) == crc32.Checksum(b[21:], castagnoli)
}

// append copies a checked batch into the log and returns its first record's offset and the position that has to be
// durable before the batch may be acknowledged.
func (l *log) append(p *partition, batch []byte) (base, end int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	pos, n := l.head.Load(), int64(len(batch))
	size := int64(len(l.ring))
	if pos%size+n > size {
		pos += size - pos%size
	}
	if pos+n > size {
		l.pinned.Lock()
		defer l.pinned.Unlock()
	}
	to := l.at(pos, len(batch))
	copy(to, batch)
	base = p.next
	be.PutUint64(to, uint64(base)) // the base offset and the leader epoch are outside the CRC
	be.PutUint32(to[8+4:], 0)
	p.add(extent{pos: pos, base: base, length: int32(n), count: int32(be.Uint32(batch[57:]))}, pos+n-size)
	l.head.Store(pos + n)
	if l.volatile {
		l.durable.Store(pos + n)
	}
	return base, pos + n
}

// add indexes one more batch. Bytes below oldest have left the ring; once half the index points at such, it is dropped.
func (p *partition) add(e extent, oldest int64) {
	if dead := p.dead(oldest); len(p.extents) == cap(p.extents) && dead*2 > len(p.extents) {
		p.extents = append(p.extents[:0], p.extents[dead:]...)
	}
	p.extents = append(p.extents, e)
	p.next = e.base + int64(e.count)
	p.start = p.extents[p.dead(oldest)].base
}

// dead returns how many of the indexed batches lie, at least in part, below position oldest.
func (p *partition) dead(oldest int64) int {
	return sort.Search(len(p.extents), func(i int) bool { return p.extents[i].pos >= oldest })
}

// committed returns the index up to the last durable batch, and the offset after it.
func (p *partition) committed(durable int64) ([]extent, int64) {
	n := sort.Search(len(p.extents), func(i int) bool { return p.extents[i].end() > durable })
	if n == 0 {
		return nil, p.start
	}
	last := p.extents[n-1]
	return p.extents[:n], last.base + int64(last.count)
}

// slice is what fetching from one partition found.
type slice struct {
	start, highWatermark int64
	parts                [][]byte // pieces of the ring, whole batches
	length               int
	ok                   bool // false: the offset is out of range
}

// readLocked collects whole batches from the one that holds offset: at most bytesMax, or one longer batch if force is
// set. The caller holds mu and keeps the ring pinned for as long as it uses the pieces.
func (l *log) readLocked(p *partition, offset int64, bytesMax int, force bool) slice {
	extents, high := p.committed(l.durable.Load())
	s := slice{start: p.start, highWatermark: high, ok: offset >= p.start && offset <= high}
	if !s.ok || offset == high {
		return s
	}
	first := sort.Search(len(extents), func(i int) bool { return extents[i].base+int64(extents[i].count) > offset })
	for _, e := range extents[first:] {
		if s.length+int(e.length) > bytesMax && !(force && s.length == 0) {
			break
		}
		s.length += int(e.length)
		s.parts = l.join(s.parts, e)
	}
	return s
}

// join adds a batch to the pieces of a slice. A batch that lies right behind the last piece makes it longer instead.
func (l *log) join(parts [][]byte, e extent) [][]byte {
	from := int(e.pos % int64(len(l.ring)))
	if n := len(parts); n > 0 && from > 0 {
		last := parts[n-1]
		if &l.ring[from-1] == &last[len(last)-1] {
			parts[n-1] = l.ring[from-len(last) : from+int(e.length)]
			return parts
		}
	}
	return append(parts, l.at(e.pos, int(e.length)))
}
