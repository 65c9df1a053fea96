package file

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"syscall"
)

const sectorBytes = 512

// A simDisk is a disk in memory that can lose its power. It has what a process sees, and what has reached the medium:
// of what was not synced, any sector may have, and names in the order they were changed. A sync that fails drops what
// it was to write, though reads still show it, as Linux does.
type simDisk struct {
	bytes int64 // what it holds

	mu    sync.Mutex
	full  bool
	rand  *rand.Rand
	names []map[string]*inode // as they were after each change since the last sync; the last one is what a process sees

	// What makes the driver a broken twin of itself.
	forgetsBytes bool // a sync of bytes does nothing
	forgetsNames bool // a sync of names does nothing
	ignoresSame  bool // a write of what can be read there already does nothing

	ignoresZeros bool // a write of one block of zeros does nothing
	forgetsSome  bool // a sync of a volume does nothing
}

// An inode is a file of a simDisk.
type inode struct {
	disk   *simDisk
	cache  []byte
	medium []byte
	dirty  map[int]bool // sectors
	syncs  int
}

func newSimDisk(seed uint64) *simDisk {
	return &simDisk{bytes: 16 << 20, rand: rand.New(rand.NewPCG(seed, 0)), names: []map[string]*inode{{}}}
}

// cutPower leaves what has reached the medium.
func (d *simDisk) cutPower() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.names = []map[string]*inode{d.names[d.rand.IntN(len(d.names))]}
	for _, name := range slices.Sorted(maps.Keys(d.names[0])) {
		d.names[0][name].cutPower()
	}
}

func (f *inode) cutPower() {
	if len(f.medium) < len(f.cache) && f.disk.rand.IntN(2) == 0 {
		f.medium = append(f.medium, make([]byte, len(f.cache)-len(f.medium))...)
	}
	for _, sector := range slices.Sorted(maps.Keys(f.dirty)) {
		if f.disk.rand.IntN(2) == 0 {
			f.persist(sector)
		}
	}
	f.cache, f.dirty = bytes.Clone(f.medium), map[int]bool{}
}

// persist brings a sector to the medium.
func (f *inode) persist(sector int) {
	at := min(sector*sectorBytes, len(f.medium))
	copy(f.medium[at:min(at+sectorBytes, len(f.medium))], f.cache[at:])
}

func (d *simDisk) seen() map[string]*inode { return d.names[len(d.names)-1] }

// change makes a change to the names.
func (d *simDisk) change(f func(names map[string]*inode)) {
	names := maps.Clone(d.seen())
	f(names)
	d.names = append(d.names, names)
}

func (d *simDisk) list() (files []fileInfo, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(d.seen())) {
		files = append(files, fileInfo{name, int64(len(d.seen()[name].cache))})
	}
	return files, nil
}

func (d *simDisk) create(name string) (handle, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.seen()[name] != nil {
		return nil, fs.ErrExist
	}
	f := &inode{disk: d, dirty: map[int]bool{}}
	d.change(func(names map[string]*inode) { names[name] = f })
	return f, nil
}

func (d *simDisk) open(name string) (handle, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.seen()[name]; f != nil {
		return f, nil
	}
	return nil, fs.ErrNotExist
}

func (d *simDisk) rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.seen()[from]
	if f == nil {
		return fs.ErrNotExist
	}
	d.change(func(names map[string]*inode) { delete(names, from); names[to] = f })
	return nil
}

func (d *simDisk) remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.seen()[name] == nil {
		return fs.ErrNotExist
	}
	d.change(func(names map[string]*inode) { delete(names, name) })
	return nil
}

func (d *simDisk) sync() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.forgetsNames {
		d.names = []map[string]*inode{d.seen()}
	}
	return nil
}

func (d *simDisk) close() error { return nil }

// fill leaves no space for more, or what the disk has.
func (d *simDisk) fill(full bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full = full
}

// roomFor tells whether n more bytes fit.
func (d *simDisk) roomFor(n int64) bool {
	for _, f := range d.seen() {
		n += int64(len(f.cache))
	}
	return n <= d.bytes && !d.full
}

func (f *inode) ReadAt(p []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if off > int64(len(f.cache)) {
		return 0, io.EOF
	}
	n := copy(p, f.cache[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *inode) writev(bufs [][]byte, off int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	b := slices.Concat(bufs...)
	if len(b) == 0 || len(b) > writeBytesMax {
		panic("a write of nothing, or of too much")
	}
	end := int(off) + len(b)
	if more := end - len(f.cache); more > 0 {
		if !f.disk.roomFor(int64(more)) {
			return syscall.ENOSPC
		}
		f.cache = append(f.cache, make([]byte, more)...)
	}
	if f.disk.ignoresSame && bytes.Equal(f.cache[off:end], b) {
		return nil
	}
	if f.disk.ignoresZeros && bytes.Equal(b, zeros[:blockBytes]) {
		return nil
	}
	copy(f.cache[off:], b)
	for sector := int(off) / sectorBytes; sector*sectorBytes < end; sector++ {
		f.dirty[sector] = true
	}
	return nil
}

func (f *inode) allocate(size int64) (written bool, err error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if !f.disk.roomFor(size) {
		return false, syscall.ENOSPC
	}
	f.cache = make([]byte, size)
	return false, nil
}

func (f *inode) sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.forgetsBytes || f.disk.forgetsSome && f.isVolume() {
		return nil
	}
	f.syncs++
	if more := len(f.cache) - len(f.medium); more > 0 {
		f.medium = append(f.medium, make([]byte, more)...)
	}
	for sector := range f.dirty {
		f.persist(sector)
	}
	clear(f.dirty)
	return nil
}

// isVolume tells whether f has the name of one.
func (f *inode) isVolume() bool {
	for name, g := range f.disk.seen() {
		if g == f && strings.HasSuffix(name, volumeSuffix) {
			return true
		}
	}
	return false
}

// forgetVolumes makes syncs of volumes do nothing from now on, or what they should.
func (d *simDisk) forgetVolumes(forget bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forgetsSome = forget
}

// dropDirty is the sync that fails: some of what was to be written is, and the rest is taken for written.
func (f *inode) dropDirty() {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	for _, sector := range slices.Sorted(maps.Keys(f.dirty)) {
		if f.disk.rand.IntN(2) == 0 {
			f.persist(sector)
		}
	}
	clear(f.dirty)
}

func (f *inode) size() (int64, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return int64(len(f.cache)), nil
}

func (f *inode) close() error { return nil }

// A faultyDisk is a disk as one process has it, which can be killed, and whose operations can be made to fail.
type faultyDisk struct {
	disk
	*faults
	process *process
}

// A process does nothing any more once it is dead.
type process struct {
	mu   sync.RWMutex // held to read while an operation is under way
	dead bool
}

var (
	errDead = errors.New("process is dead")
	errFail = errors.New("operation fails")
)

func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead = true
}

// faults decide which operation fails.
type faults struct {
	mu          sync.Mutex
	left        int // operations until the one that fails; 0 is none
	happened    bool
	ignoresSync bool // of the broken twin that takes a failed sync for a good one
}

// arm makes the n-th operation fail; see journaltest.Place.
func (f *faults) arm(n int) (happened func() bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left, f.happened = n, false
	return func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.happened
	}
}

func (f *faults) strikes() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left == 0 {
		return false
	}
	f.left--
	f.happened = f.happened || f.left == 0
	return f.left == 0
}

// do runs an operation that changes something, or instead of it what a failing one does.
func (d faultyDisk) do(operation func() error, failing func()) error {
	d.process.mu.RLock()
	defer d.process.mu.RUnlock()
	if d.process.dead {
		return errDead
	}
	if d.strikes() {
		failing()
		return errFail
	}
	return operation()
}

func nothing() {}

func (d faultyDisk) create(name string) (h handle, err error) {
	err = d.do(func() error { h, err = d.disk.create(name); return err }, nothing)
	return faultyHandle{h, d}, err
}

func (d faultyDisk) open(name string) (handle, error) {
	h, err := d.disk.open(name)
	return faultyHandle{h, d}, err
}

func (d faultyDisk) rename(from, to string) error {
	return d.do(func() error { return d.disk.rename(from, to) }, nothing)
}

func (d faultyDisk) remove(name string) error {
	return d.do(func() error { return d.disk.remove(name) }, nothing)
}

func (d faultyDisk) sync() error { return d.do(d.disk.sync, nothing) }

// A faultyHandle is an open file of a faultyDisk.
type faultyHandle struct {
	handle
	disk faultyDisk
}

// writev fails halfway.
func (h faultyHandle) writev(bufs [][]byte, off int64) error {
	return h.disk.do(func() error { return h.handle.writev(bufs, off) }, func() {
		b := slices.Concat(bufs...)
		h.handle.writev([][]byte{b[:len(b)/2]}, off)
	})
}

func (h faultyHandle) allocate(size int64) (written bool, err error) {
	err = h.disk.do(func() error { written, err = h.handle.allocate(size); return err }, nothing)
	return written, err
}

func (h faultyHandle) sync() error {
	err := h.disk.do(h.handle.sync, func() {
		if f, ok := h.handle.(*inode); ok {
			f.dropDirty()
		}
	})
	if errors.Is(err, errFail) && h.disk.ignoresSync {
		return nil
	}
	return err
}
