package s3

import (
	"context"
	"errors"
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/objstore"
)

// An Inspection is the journal in a store as it is seen by somebody who does not touch it: no session is begun, so
// that nobody is fenced, and nothing is written. Its bounds are those of one moment. It is for one goroutine.
type Inspection struct {
	journal *Journal
	notes   []string
}

// errOnlooker answers whatever would change the journal.
var errOnlooker = errors.New("the journal is only looked at")

// Inspect looks at the journal in a store. The error wraps journal.ErrDamaged when no server would open it. ctx
// bounds all that is done with the Inspection.
func Inspect(ctx context.Context, store objstore.Store) (i *Inspection, err error) {
	for try := 0; try == 0 || try < openTries && mayPass(err); try++ {
		i = &Inspection{journal: &Journal{store: store}}
		err = i.look(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("inspect the journal: %w", err)
	}
	i.journal.mu.fenced = errOnlooker
	i.journal.start(ctx)
	return i, nil
}

// look finds the bounds as Open does.
func (i *Inspection) look(ctx context.Context) error {
	j := i.journal
	v, err := j.look(ctx)
	if err != nil {
		return err
	}
	if _, err := j.floorHeader(ctx, v.floor); err != nil {
		return err
	}
	listed := v.next()
	e, err := j.findEnd(ctx, v)
	if err != nil {
		return err
	}
	if from := v.next(); from < listed && e.next.kind == kindEntry {
		i.notes = append(i.notes, fmt.Sprintf("%s: it and %d behind it were under way when their session ended, and never became entries", slotKey(from), listed-from-1))
	}
	j.adopt(v, v.floor)
	return nil
}

// Bounds returns the first slot that can be read and the one after the last, as they were when Inspect looked.
func (i *Inspection) Bounds() (floor, next uint64) { return i.journal.Bounds() }

// Size returns how many bytes the objects hold.
func (i *Inspection) Size() int64 { return i.journal.Size() }

// Notes says, a sentence each, what there is in the store that is remarkable and no damage.
func (i *Inspection) Notes() []string { return i.notes }

// Replay calls f with every entry from slot from up to the end, as Journal.Replay does. ErrTrimmed also when a server trims
// meanwhile.
func (i *Inspection) Replay(from uint64, f func(slot uint64, entry []byte) error) error {
	return i.journal.Replay(from, f)
}

// Close ends what is being read.
func (i *Inspection) Close() error { return i.journal.Close() }

// IsOurs says whether a key is one that a journal in a bucket gives to its objects.
func IsOurs(key string) bool {
	_, slot := slotOf(key, slotPrefix)
	_, floor := slotOf(key, floorPrefix)
	return slot || floor
}
