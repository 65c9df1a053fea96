package file

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/heraclitus/heraclitus/pkg/journal"
)

const (
	retryMin = 100 * time.Millisecond // between tries to prepare a volume
	retryMax = 5 * time.Second

	// fillRest is how long the filling of a volume rests after each write, in times of what the write took, while
	// entries are appended: so it takes no more than a fifth of the disk from those who wait for them. Entries are
	// appended if the last one is not idleAfter ago.
	fillRest  = 4
	idleAfter = 100 * time.Millisecond

	// firstBytes is the size of the first volume of a new journal: so small that it is filled before it is used. It is not
	// used again.
	firstBytes = 4 << 20
)

// A spare is a file that can become the next volume: allocated, with the first block of its next use.
type spare struct {
	name   string
	handle handle
	epoch  uint64
	size   int64
	filled int64 // bytes from the start that have been written once
}

func (s *spare) isFilled() bool { return s.filled == s.size }

// A pool has the next volumes ready, and does with files whatever nobody has to wait for. One goroutine does it all,
// one step at a time, and is the only one that changes names.
type pool struct {
	disk disk
	o    Options
	log  *slog.Logger

	calls chan func() // to be run at once, between two steps
	wake  chan struct{}
	mu    struct {
		sync.Mutex
		jobs []func() // to be run when there is time, in order; at most a few for each volume
	}
	room    atomic.Int64 // see Journal.Room
	append  atomic.Int64 // when an entry was last appended, in nanoseconds since 1970
	closing chan struct{}
	closed  chan struct{}

	// What follows belongs to the goroutine.

	ready  []*spare
	number uint64        // of the latest spare
	wait   time.Duration // until the next try; 0 when the last one was good
}

// newPool returns a pool whose goroutine does not run yet; number is the highest of the spares that are there already.
func newPool(d disk, o Options, dir string, number uint64) *pool {
	return &pool{
		disk:    d,
		o:       o,
		log:     o.Log.With("journal", dir),
		calls:   make(chan func()),
		wake:    make(chan struct{}, 1),
		closing: make(chan struct{}),
		closed:  make(chan struct{}),
		number:  number,
	}
}

// run begins to prepare when the first jobs, which may bring spares, are done.
func (p *pool) run() {
	defer close(p.closed)
	step := time.NewTimer(retryMax)
	p.awake()
	for {
		select {
		case f := <-p.calls:
			f()
			step.Reset(p.wait)
		case <-p.wake:
			if !p.doJob() {
				step.Reset(p.wait)
			}
		case <-step.C:
			if wait, more := p.prepare(); more {
				step.Reset(wait)
			}
		case <-p.closing:
			p.shut()
			return
		}
	}
}

// call has f run by the goroutine and waits for it; false when the pool is closed.
func (p *pool) call(f func()) bool {
	done := make(chan struct{})
	select {
	case p.calls <- func() { f(); close(done) }:
		<-done
		return true
	case <-p.closing:
		return false
	}
}

// later has f run by the goroutine some time, by close at the latest.
func (p *pool) later(f func()) {
	p.mu.Lock()
	p.mu.jobs = append(p.mu.jobs, f)
	p.mu.Unlock()
	p.awake()
}

func (p *pool) awake() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// doJob runs the oldest job; false when there is none.
func (p *pool) doJob() bool {
	p.mu.Lock()
	if len(p.mu.jobs) == 0 {
		p.mu.Unlock()
		return false
	}
	f := p.mu.jobs[0]
	p.mu.jobs = p.mu.jobs[1:]
	p.mu.Unlock()
	f()
	p.awake()
	return true
}

// close ends the goroutine, after the jobs.
func (p *pool) close() {
	close(p.closing)
	<-p.closed
}

func (p *pool) shut() {
	for p.doJob() {
	}
	for _, s := range p.ready {
		s.handle.close()
	}
}

// take makes a spare the volume that begins with slot first, durably, and opens it. After an ErrNoSpace nothing has changed.
func (p *pool) take(first uint64) (r *reader, err error) {
	if !p.call(func() { r, err = p.takeNow(first) }) {
		return nil, journal.ErrClosed
	}
	return r, err
}

// grow adds a spare. It answers ErrNoSpace, or ErrClosed.
func (p *pool) grow() (err error) {
	if !p.call(func() { err = p.growNow(len(p.ready) + 1) }) {
		return journal.ErrClosed
	}
	return err
}

// growNow sees to it that n spares are ready. Before it asks for space it does the jobs, one of which may bring a spare
// or give space back.
func (p *pool) growNow(n int) error {
	for len(p.ready) < n {
		if p.doJob() {
			continue
		}
		if err := p.makeSpare(); err != nil {
			return err
		}
	}
	return nil
}

func (p *pool) takeNow(first uint64) (*reader, error) {
	if err := p.growNow(1); err != nil {
		return nil, err
	}
	s := fullest(p.ready)
	r, err := p.use(s, first)
	if !errors.Is(err, journal.ErrNoSpace) {
		p.drop(s)
	}
	return r, err
}

// use makes a spare the volume that begins with slot first.
func (p *pool) use(s *spare, first uint64) (*reader, error) {
	err := p.disk.rename(s.name, volumeName(first))
	if isNoSpace(err) {
		return nil, fmt.Errorf("%w: %w", journal.ErrNoSpace, err)
	}
	if err == nil {
		err = p.disk.sync()
	}
	if err != nil {
		return nil, errors.Join(err, s.handle.close())
	}
	v := newVolume(first, s.size)
	v.refs.Add(1)
	return newReader(v, s.handle, s.epoch, s.size), nil
}

// start makes the first volume of a new journal. The goroutine does not run yet.
func (p *pool) start() (*reader, error) {
	s, err := p.create(min(p.o.FileBytes, firstBytes))
	if err != nil {
		return nil, err
	}
	for !s.isFilled() {
		if err := p.fill(s); err != nil {
			return nil, err
		}
	}
	return p.use(s, 0)
}

// prepare takes the next step towards SparesMin spares that are filled, one after the other. It returns how long to
// wait before the step after it, and whether there is one.
func (p *pool) prepare() (wait time.Duration, more bool) {
	unfilled := slices.DeleteFunc(slices.Clone(p.ready), (*spare).isFilled)
	switch {
	case len(p.ready)-len(unfilled) >= p.o.SparesMin:
		return 0, false
	case len(unfilled) == 0:
		p.makeSpare()
		return p.wait, true
	}
	s := fullest(unfilled)
	begun := time.Now()
	if err := p.fill(s); err != nil {
		p.drop(s)
		p.failed(err)
	}
	return p.wait + p.rest(time.Since(begun)), true
}

// rest is how long the filling leaves the disk to others after a write that took so long.
func (p *pool) rest(took time.Duration) time.Duration {
	if time.Since(time.Unix(0, p.append.Load())) > idleAfter {
		return 0
	}
	return fillRest * took
}

// appended notes that an entry was appended now.
func (p *pool) appended() { p.append.Store(time.Now().UnixNano()) }

// fullest is the one of spares that wants the least filling.
func fullest(spares []*spare) *spare {
	return slices.MaxFunc(spares, func(a, b *spare) int { return cmp.Compare(a.filled, b.filled) })
}

// makeSpare adds a new file, whose space is allocated and whose zeros are not written yet. Its error is an ErrNoSpace.
func (p *pool) makeSpare() error {
	s, err := p.create(p.o.FileBytes)
	if err != nil {
		p.failed(err)
		return fmt.Errorf("%w: prepare a file of %d bytes: %w", journal.ErrNoSpace, p.o.FileBytes, err)
	}
	if p.wait > 0 {
		p.log.Info("journal: the next file is prepared")
		p.wait = 0
	}
	p.add(s)
	return nil
}

// failed notes that there is no spare to be had at present, and says so the first time.
func (p *pool) failed(err error) {
	if p.wait == 0 {
		p.log.Warn("journal: the next file cannot be prepared; trying again", "error", err)
	}
	p.wait = min(max(2*p.wait, retryMin), retryMax)
}

// create makes a new file for a first use.
func (p *pool) create(size int64) (s *spare, err error) {
	p.number++
	s = &spare{name: spareName(p.number), size: size, filled: blockBytes}
	name := s.name + unfinished
	if s.handle, err = p.disk.create(name); err != nil {
		return nil, err
	}
	written, err := s.handle.allocate(size)
	if err == nil {
		err = p.begin(s)
	}
	if err == nil {
		err = p.disk.rename(name, s.name)
	}
	if err != nil {
		return nil, errors.Join(err, s.handle.close(), p.disk.remove(name))
	}
	if written {
		s.filled = size
	}
	return s, nil
}

// begin writes the first block of a new use, durably.
func (p *pool) begin(s *spare) error {
	s.epoch = p.o.newEpoch()
	if err := s.handle.writev([][]byte{encodeFileHeader(s.epoch)}, 0); err != nil {
		return err
	}
	return s.handle.sync()
}

// fill writes some of a spare's zeros. One for which that fails is gone.
func (p *pool) fill(s *spare) error {
	n := min(writeBytesMax, s.size-s.filled)
	err := s.handle.writev([][]byte{zeros[:n]}, s.filled)
	if err == nil {
		err = s.handle.sync()
	}
	if err != nil {
		return errors.Join(err, s.handle.close(), p.disk.remove(s.name))
	}
	s.filled += n
	return nil
}

// recycle makes a trimmed volume a spare, or removes it. It may be there again after a crash, and is recycled then.
func (p *pool) recycle(v *volume) {
	p.remove(slotsName(v.first))
	p.number++
	name := spareName(p.number)
	if err := p.disk.rename(volumeName(v.first), name); err != nil {
		p.log.Warn("journal: a trimmed file cannot be used again", "file", volumeName(v.first), "error", err)
		return
	}
	p.adopt(name, v.size)
}

// adopt makes a file of a former use a spare, if it has the right size and is needed, and removes it otherwise.
func (p *pool) adopt(name string, size int64) {
	if size != p.o.FileBytes || len(p.ready) >= p.o.SparesMax {
		p.remove(name)
		return
	}
	s := &spare{name: name, size: size, filled: size}
	if err := p.reopen(s); err != nil {
		p.log.Warn("journal: a trimmed file cannot be used again", "file", name, "error", err)
		p.remove(name)
		return
	}
	p.add(s)
}

func (p *pool) reopen(s *spare) (err error) {
	if s.handle, err = p.disk.open(s.name); err != nil {
		return err
	}
	if err = p.begin(s); err != nil {
		return errors.Join(err, s.handle.close())
	}
	return nil
}

// remove removes a file if it is there. One that stays is removed when the journal is opened again.
func (p *pool) remove(name string) {
	if err := p.disk.remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.log.Warn("journal: a file that is not needed stays", "file", name, "error", err)
	}
}

func (p *pool) add(s *spare) {
	p.ready = append(p.ready, s)
	p.count()
}

func (p *pool) drop(s *spare) {
	i := slices.Index(p.ready, s)
	p.ready = slices.Delete(p.ready, i, i+1)
	p.count()
}

// count tells Journal.Room what is ready.
func (p *pool) count() {
	p.room.Store(int64(len(p.ready)) * (p.o.FileBytes - blockBytes - p.o.entryCostMax()))
}

func randomEpoch() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return binary.LittleEndian.Uint64(b[:])
}
