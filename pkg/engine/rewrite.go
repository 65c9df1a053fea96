package engine

import (
	"github.com/heraclitus/heraclitus/pkg/segment"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// keeper says whether a row of a segment is kept. It sees the rows in order.
type keeper func(from state.Segment, r *segment.Row) bool

// rewrite writes those rows of some segments that keep wants into one new segment, whose bounds g gives. When no row is kept
// there is none, and nothing is stored.
func (a *archiver) rewrite(k Key, topic string, segments []state.Segment, g state.Segment, keep keeper) ([]state.Segment, error) {
	w, err := a.begin(k, topic, g.Base)
	if err != nil {
		return nil, err
	}
	for _, from := range segments {
		if err := a.copyRows(w, at{topic, k.Partition, from}, keep); err != nil {
			return nil, err
		}
		g.CameMs = max(g.CameMs, from.CameMs)
	}
	if w.Rows() == 0 {
		return nil, nil
	}
	g, err = a.finishSegment(w, topic, k.Partition, g)
	return []state.Segment{g}, err
}

// copyRows appends the rows of a segment that are kept.
func (a *archiver) copyRows(w *segment.Writer, g at, keep keeper) error {
	return a.eachRow(g, g.Base, func(r *segment.Row) error {
		if !keep(g.Segment, r) {
			return nil
		}
		return w.AppendRow(*r)
	})
}

// eachRow calls f with the rows of a segment from an offset on, resting in between, up to f's first error.
func (a *archiver) eachRow(g at, from int64, f func(*segment.Row) error) error {
	r, err := a.past.reader(g)
	if err != nil {
		return err
	}
	n := 0
	for row, err := range r.Rows(a.past.ctx, from) {
		if err != nil {
			return err
		}
		if err := f(row); err != nil {
			return err
		}
		if n++; n%paceRows == 0 {
			a.pace()
		}
		if a.stopped() {
			return errStopped
		}
	}
	return nil
}

// replacing is the command that puts segments in the place of others.
func replacing(k Key, segments []state.Segment, by ...state.Segment) state.ReplaceSegments {
	c := state.ReplaceSegments{ID: k.ID, Partition: k.Partition, From: segments[0].Base, To: segments[len(segments)-1].End, Segments: by}
	for _, g := range segments {
		c.Replaces = append(c.Replaces, g.Unique)
	}
	return c
}
