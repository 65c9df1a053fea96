package file

import (
	"errors"
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/journal"
)

// Trim implements journal.Journal. Space comes back by whole volumes.
func (j *Journal) Trim(below uint64) error {
	j.trimming.Lock()
	defer j.trimming.Unlock()
	if err := j.trim(below); err != nil {
		return fmt.Errorf("trim journal %s below slot %d: %w", j.dir, below, err)
	}
	return nil
}

func (j *Journal) trim(below uint64) error {
	needed, err := j.needsTrim(below)
	if err != nil || !needed {
		return err
	}
	if err := j.sync(); err != nil { // else the journal could end below its floor
		return err
	}
	if err := j.writeFloor(below); err != nil {
		return err
	}
	readers, volumes, err := j.raiseFloor(below)
	for _, r := range readers {
		j.release(r)
	}
	for _, v := range volumes {
		j.releaseVolume(v)
	}
	return err
}

func (j *Journal) needsTrim(below uint64) (bool, error) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if err := j.unwritableLocked(); err != nil {
		return false, err
	}
	if below > j.mu.next {
		return false, journal.ErrGap
	}
	return below > j.mu.floor, nil
}

// raiseFloor takes the volumes that hold nothing from below on out of the journal, and returns them and their readers;
// none if an Append has broken the journal meanwhile.
func (j *Journal) raiseFloor(below uint64) (readers []*reader, volumes []*volume, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.unwritableLocked(); err != nil {
		return nil, nil, err
	}
	j.mu.floor = below
	n := 0
	for ; n+1 < len(j.mu.volumes) && j.mu.volumes[n+1].first <= below; n++ {
		v := j.mu.volumes[n]
		v.trimmed = true
		j.mu.bytes -= v.size
		if r := v.reader; r != nil {
			readers = append(readers, r)
			j.forgetLocked(r)
		}
	}
	volumes = j.mu.volumes[:n:n]
	j.mu.volumes = j.mu.volumes[n:]
	return readers, volumes, nil
}

// floorCopies is where in FLOOR the floor stands. The copies are overwritten one after the other, so that a crash
// spoils at most one, and overwritten rather than replaced, so that a full disk can be trimmed. The floor is raised
// when the first one is durable.
var floorCopies = [...]int64{0, blockBytes}

// writeFloor makes a floor durable.
func (j *Journal) writeFloor(floor uint64) error {
	for _, at := range floorCopies {
		if err := j.durably(j.trimming.floor, j.trimming.floor.writev([][]byte{encodeFloor(floor)}, at)); err != nil {
			return err
		}
	}
	return nil
}

// readFloor returns the higher of the copies that are whole: the other one is older, or was being written.
func readFloor(h handle) (uint64, error) {
	first, err1 := readFloorCopy(h, floorCopies[0])
	second, err2 := readFloorCopy(h, floorCopies[1])
	if err1 != nil && err2 != nil {
		return 0, errors.Join(err1, err2)
	}
	return max(first, second), nil
}

func readFloorCopy(h handle, at int64) (uint64, error) {
	b := make([]byte, floorCopyBytes)
	if _, err := h.ReadAt(b, at); err != nil {
		return 0, err
	}
	return decodeFloor(b)
}
