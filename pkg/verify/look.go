package verify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/heraclitus/heraclitus/pkg/engine"
	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/objstore"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// A look is storage as a server would find it that started at one moment.
type look struct {
	journal     inspection
	state       *state.State // nil when it cannot be told
	checkpoints []objstore.Object
	found       []Finding
}

// errMoved says that a server went on meanwhile, so that the parts of a look do not fit each other.
var errMoved = errors.New("a server goes on faster than its storage can be looked at")

// looksMax is how often a look is tried.
const looksMax = 20

// firstLook takes a look and reports what was found by it.
func (v *verifier) firstLook(ctx context.Context) (*look, error) {
	l, err := v.look(ctx)
	if err != nil {
		return nil, err
	}
	for _, o := range l.checkpoints {
		v.count(func(s *Summary) { s.Bytes += o.Bytes })
	}
	for _, f := range l.found {
		v.found(f)
	}
	if l.state == nil {
		v.note("state", "it is not known, so that offsets and segments are not compared with it")
	}
	if l.journal == nil {
		return l, nil
	}
	for _, n := range l.journal.Notes() {
		v.note("journal", "%s", n)
	}
	v.count(func(s *Summary) { s.Bytes += l.journal.Size() })
	return l, nil
}

// look takes a look, again and again while its parts do not fit each other because something has moved.
func (v *verifier) look(ctx context.Context) (l *look, err error) {
	var before *look
	for range looksMax {
		l, err = v.lookOnce(ctx)
		if err == nil || before != nil && errors.Is(err, errMoved) && before.same(l) {
			return l, nil // if nothing has moved, what does not fit is among what was found
		}
		l.close()
		if !errors.Is(err, errMoved) {
			return nil, err
		}
		before = l
	}
	return nil, err
}

// same says whether storage was at the same place in two looks.
func (l *look) same(as *look) bool {
	if l.journal == nil || as.journal == nil || !slices.Equal(l.checkpoints, as.checkpoints) {
		return false
	}
	floor, next := l.journal.Bounds()
	floorNow, nextNow := as.journal.Bounds()
	return floor == floorNow && next == nextNow
}

func (l *look) close() {
	if l.journal != nil {
		l.journal.Close()
	}
}

func (l *look) damage(where, format string, args ...any) {
	l.found = append(l.found, Finding{Where: where, What: fmt.Sprintf(format, args...)})
}

// lookOnce returns what it has seen together with errMoved.
func (v *verifier) lookOnce(ctx context.Context) (*look, error) {
	l := &look{}
	if err := v.readCheckpoints(ctx, l); err != nil {
		return l, err
	}
	err := v.openJournal(ctx, l)
	if err != nil || l.journal == nil || l.state == nil {
		return l, err
	}
	return l, l.fold(ctx)
}

// openJournal opens the journal, to be looked at. One that no server would open is damage.
func (v *verifier) openJournal(ctx context.Context, l *look) (err error) {
	l.journal, err = v.storage.inspect(ctx)
	switch {
	case errors.Is(err, journal.ErrDamaged):
		l.damage("journal", "%v", err)
		l.state = nil
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return ErrNoStorage
	}
	return err
}

// readCheckpoints reads all checkpoints, and takes the state from the newest one, or from its copy. Of older ones only damage
// counts; what was written since the listing does not.
func (v *verifier) readCheckpoints(ctx context.Context, l *look) error {
	objects, err := v.storage.objects.List(ctx, engine.CheckpointsPrefix)
	if err != nil {
		return err
	}
	var newest uint64
	copies := map[uint64]int{}
	for _, o := range objects {
		if slot, _, ok := engine.CheckpointSlot(o.Key); ok {
			l.checkpoints = append(l.checkpoints, o)
			newest = max(newest, slot)
			copies[slot]++
		}
	}
	if len(l.checkpoints) == 0 {
		l.state = state.New()
	}
	for _, o := range l.checkpoints {
		slot, isCopy, _ := engine.CheckpointSlot(o.Key)
		s, err := v.readCheckpoint(ctx, l, o.Key, slot)
		if err != nil {
			return err
		}
		if slot != newest || s == nil {
			continue
		}
		if l.state != nil && !l.state.Equal(s) {
			l.damage(o.Key, "it differs from the one that it is a copy of")
			continue
		}
		if l.state = s; copies[slot] == 1 {
			l.noteSingle(o.Key, isCopy)
		}
	}
	return nil
}

// noteSingle reports that there is only one copy of the newest checkpoint.
func (l *look) noteSingle(key string, isCopy bool) {
	if isCopy {
		l.damage(key, "it is a copy, and what it is a copy of is missing")
		return
	}
	l.found = append(l.found, Finding{Where: key, What: "it has no copy, or not yet", Note: true})
}

// readCheckpoint returns the state of a checkpoint; nil when it is damaged.
func (v *verifier) readCheckpoint(ctx context.Context, l *look, key string, slot uint64) (*state.State, error) {
	b, err := v.storage.objects.Get(ctx, key)
	if errors.Is(err, objstore.ErrAbsent) {
		return nil, fmt.Errorf("%w: %w", errMoved, err)
	}
	if err != nil {
		return nil, err
	}
	s, err := state.Restore(b)
	switch {
	case err != nil:
		l.damage(key, "%v", err)
		return nil, nil
	case s.Next() != slot:
		l.damage(key, "it is the checkpoint at entry %d: somebody has renamed it", s.Next())
		return nil, nil
	}
	return s, nil
}

// fold applies the journal to the checkpoint.
func (l *look) fold(ctx context.Context) error {
	from := l.state.Next()
	if floor, next := l.journal.Bounds(); from < floor || from > next {
		newest := fmt.Sprintf("the newest checkpoint is at entry %d: they are not of one time", from)
		if len(l.checkpoints) == 0 {
			newest = "there is no checkpoint of what was before"
		}
		l.damage("journal", "it holds entries %d to below %d, and %s", floor, next, newest)
		l.state = nil
		return errMoved
	}
	var results []state.Result
	err := l.journal.Replay(from, func(slot uint64, entry []byte) (err error) {
		if results, err = l.state.Apply(slot, entry, results[:0]); err != nil {
			return &unfit{slot, err}
		}
		return ctx.Err()
	})
	var bad *unfit
	switch {
	case errors.Is(err, journal.ErrTrimmed):
		return fmt.Errorf("%w: %w", errMoved, err)
	case errors.As(err, &bad):
		l.damage(entryName(bad.slot), "it does not apply: %v", bad.err)
	case errors.Is(err, journal.ErrDamaged): // reported when the journal is walked
	default:
		return err
	}
	l.state = nil
	return nil
}

// unfit is an entry that does not apply.
type unfit struct {
	slot uint64
	err  error
}

func (u *unfit) Error() string { return u.err.Error() }

// entryName is how findings name an entry of the journal.
func entryName(slot uint64) string { return fmt.Sprintf("journal, entry %d", slot) }
