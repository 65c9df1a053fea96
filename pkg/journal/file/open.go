package file

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Open opens the journal in a directory, which it makes when it is not there, and locks it against other processes. It
// reads the latest volume, cuts off what a crash left at its end, and says so in the log. What no crash can leave it
// does not touch, but answers journal.ErrDamaged with the file and the position.
func Open(dir string, o Options) (*Journal, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	d, err := openDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	return openOn(d, dir, o)
}

// openOn opens the journal on d, which it closes after an error.
func openOn(d disk, dir string, o Options) (*Journal, error) {
	j := &Journal{dir: dir, o: o, disk: d}
	err := j.open()
	if err == nil {
		j.startSyncing()
		return j, nil
	}
	if j.trimming.floor != nil {
		err = errors.Join(err, j.trimming.floor.close())
	}
	for _, r := range j.mu.readers {
		err = errors.Join(err, r.handle.close())
	}
	return nil, errors.Join(fmt.Errorf("open journal %s: %w", dir, err), d.close())
}

// open looks at everything first. Then it writes what it goes by once more: if a sync failed before the last process ended,
// memory may hold what the disk does not, and no sync would tell; written again, it is synced or it is not.
func (j *Journal) open() error {
	l, err := j.list()
	if err != nil {
		return err
	}
	if err := j.openFloor(l); err != nil {
		return err
	}
	trimmed, kept, err := j.split(l.volumes)
	if err != nil {
		return err
	}
	if err := j.recover(kept); err != nil {
		return err
	}
	if err := j.writeFloor(j.mu.floor); err != nil {
		return err
	}
	if err := j.disk.sync(); err != nil {
		return err
	}
	return j.startPool(l, trimmed)
}

// list lists the directory without what was being made when the process before ended.
func (j *Journal) list() (listing, error) {
	files, err := j.disk.list()
	if err != nil {
		return listing{}, err
	}
	l := sortOut(files)
	for _, name := range l.litter {
		if err := j.disk.remove(name); err != nil {
			return listing{}, err
		}
	}
	return l, nil
}

// openFloor opens FLOOR, or makes it where there is no journal yet.
func (j *Journal) openFloor(l listing) (err error) {
	if !l.floor {
		if len(l.volumes) > 0 {
			return j.damaged(floorName, errMissing)
		}
		if err := replaceFile(j.disk, floorName, slices.Concat(encodeFloor(0), encodeFloor(0)), true); err != nil {
			return err
		}
	}
	if j.trimming.floor, err = j.disk.open(floorName); err != nil {
		return err
	}
	if j.mu.floor, err = readFloor(j.trimming.floor); err != nil {
		return j.damaged(floorName, err)
	}
	return nil
}

// split parts the volumes that are below the floor, which a crash kept from the pool, from those that make up the journal.
func (j *Journal) split(volumes []numbered) (trimmed, kept []numbered, err error) {
	n := 0
	for n+1 < len(volumes) && volumes[n+1].number <= j.mu.floor {
		n++
	}
	trimmed, kept = volumes[:n], volumes[n:]
	switch {
	case len(kept) == 0 && j.mu.floor > 0:
		err = j.damaged("", fmt.Errorf("every file from slot %d on: %w", j.mu.floor, errMissing))
	case len(kept) > 0 && kept[0].number > j.mu.floor:
		err = j.damaged("", fmt.Errorf("the file from slot %d to below %d: %w", j.mu.floor, kept[0].number, errMissing))
	}
	return trimmed, kept, err
}

// startPool gives the pool what it can use again or has to remove, and a journal that is new its first volume.
func (j *Journal) startPool(l listing, trimmed []numbered) error {
	j.pool = newPool(j.disk, j.o, j.dir, highest(l.spares))
	for _, f := range l.spares {
		j.pool.later(func() { j.pool.adopt(f.name, f.size) })
	}
	for _, f := range trimmed {
		j.pool.later(func() { j.pool.recycle(newVolume(f.number, f.size)) })
	}
	for _, f := range orphans(l.tables, l.volumes) {
		j.pool.later(func() { j.pool.remove(f.name) })
	}
	if len(j.mu.volumes) == 0 {
		r, err := j.pool.start()
		if err != nil {
			return err
		}
		j.addCurrentLocked(r)
	}
	go j.pool.run()
	return nil
}

// orphans are the tables without a volume.
func orphans(tables, volumes []numbered) []numbered {
	return slices.DeleteFunc(slices.Clone(tables), func(t numbered) bool {
		_, found := slices.BinarySearchFunc(volumes, t.number, func(v numbered, n uint64) int { return cmp.Compare(v.number, n) })
		return found
	})
}

// recover opens the volumes: only the last one can hold anything that a crash left unfinished, and has to be read.
func (j *Journal) recover(files []numbered) error {
	if len(files) == 0 {
		return nil
	}
	for _, f := range files {
		v := newVolume(f.number, f.size)
		j.mu.volumes = append(j.mu.volumes, v)
		j.mu.bytes += v.size
	}
	last := j.mu.volumes[len(files)-1]
	j.mu.bytes -= last.size
	last.refs.Add(1)
	r, err := j.openReader(last)
	if err != nil {
		return err
	}
	last.reader = r
	j.mu.readers = []*reader{r}
	return j.recoverEnd(r)
}

// recoverEnd finds the last entry of the journal in its last volume, and leaves nothing doubtful behind.
func (j *Journal) recoverEnd(r *reader) error {
	s := newScanner(r)
	t, err := s.entries(math.MaxUint64)
	if !isInvalid(err) {
		return err
	}
	r.table = t
	j.mu.next = r.first + uint64(len(t))
	left, err := j.leftBehind(s, err)
	if err != nil {
		return err
	}
	if j.mu.next < j.mu.floor {
		err := fmt.Errorf("every entry from slot %d to the floor, %d: %w", j.mu.next, j.mu.floor, errMissing)
		return j.damaged(volumeName(r.first), err)
	}
	j.mu.durable = j.mu.next
	return j.settleEnd(s, left)
}

// A leftover is a header beyond the last entry.
type leftover struct {
	entryHeader
	pos int64
}

// leftBehind returns the headers beyond the last entry: of the one that a crash kept from being written as a whole, and of
// those after it that were written before it was synced. It refuses what no crash can leave: an entry that says of the
// missing one that it was durable.
func (j *Journal) leftBehind(s *scanner, invalid error) (left []leftover, err error) {
	end := s.r.table.end()
	if errors.Is(invalid, errWrongSlot) {
		return nil, j.unreadable(s.r.volume, end, j.mu.next, invalid)
	}
	for pos := end; pos < s.r.limit; pos += blockBytes {
		h, err := s.header(pos)
		if errors.Is(err, errNoEntry) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if pos > end && !h.doubts(j.mu.next) {
			err = fmt.Errorf("%w, but slot %d at byte %d is there", invalid, h.slot, pos)
			return nil, j.unreadable(s.r.volume, end, j.mu.next, err)
		}
		left = append(left, leftover{h, pos})
	}
	return left, nil
}

// settleEnd writes once more the last entry and those that may not have been durable when it was written, and cuts
// off what is left beyond them. Its headers must not come back, to complete what a later crash leaves of other
// entries at their place.
func (j *Journal) settleEnd(s *scanner, left []leftover) error {
	if err := j.rewriteEnd(s); err != nil {
		return err
	}
	j.tellLost(s.r, left)
	for _, l := range left {
		if err := s.r.handle.writev([][]byte{zeros[:blockBytes]}, l.pos); err != nil {
			return err
		}
	}
	return s.r.handle.sync()
}

func (j *Journal) rewriteEnd(s *scanner) error {
	t := s.r.table
	if len(t) == 0 {
		return nil
	}
	h, err := s.header(t[:len(t)-1].end())
	if err != nil {
		return err
	}
	for i := max(0, len(t)-1-int(h.unsynced)); i < len(t); i++ {
		pos := t[:i].end()
		b, err := s.view(pos, t[:i+1].end()-pos)
		if err == nil {
			err = writeEntry(s.r.handle, pos, b, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tellLost says in the log what is cut off.
func (j *Journal) tellLost(r *reader, left []leftover) {
	if len(left) == 0 {
		return
	}
	log := j.o.Log.With("file", j.path(volumeName(r.first)), "position", r.table.end(), "slot", j.mu.next)
	last := left[len(left)-1]
	if last.slot == j.mu.next {
		log.Warn("journal: cut off an entry that was not written as a whole", "bytes", last.length)
		return
	}
	log.Warn("journal: cut off entries that were not synced yet when a crash came", "entries", last.slot-j.mu.next+1)
}
