package verify

import (
	"context"
	"errors"
	"slices"

	"github.com/heraclitus/heraclitus/pkg/engine"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// checkObjects compares the objects there are with those that the state speaks of.
func (v *verifier) checkObjects(ctx context.Context, first *look) error {
	objects, err := v.storage.objects.List(ctx, "")
	if err != nil {
		return err
	}
	segments := map[string]held{}
	if first.state != nil {
		segments = segmentsOf(first.state)
	}
	var orphans []string
	for _, o := range objects {
		h, spokenOf := segments[o.Key]
		switch {
		case spokenOf && o.Bytes != h.Bytes:
			v.damage(o.Key, "it has %d bytes, the state says %d", o.Bytes, h.Bytes)
			delete(segments, o.Key) // damage enough
		case spokenOf, v.storage.isJournal(o.Key):
		case engine.IsSegmentKey(o.Key):
			orphans = append(orphans, o.Key)
		case !isCheckpoint(o.Key):
			v.note(o.Key, "not an object of a server; it is left alone")
		}
	}
	missing := v.checkSegments(ctx, segments)
	if err := ctx.Err(); err != nil || first.state == nil || len(missing)+len(orphans) == 0 {
		return err
	}
	return v.checkDoubts(ctx, first, missing, orphans)
}

func isCheckpoint(key string) bool {
	_, _, ok := engine.CheckpointSlot(key)
	return ok
}

// checkDoubts settles by a second look what is damage, and what a server did meanwhile.
func (v *verifier) checkDoubts(ctx context.Context, first *look, missing, orphans []string) error {
	second, err := v.look(ctx)
	if err != nil {
		return err
	}
	defer second.close()
	if second.state == nil {
		return errors.New("the journal was in order, and is not any more")
	}
	segments := segmentsOf(second.state)
	slices.Sort(missing)
	for _, key := range missing {
		if h, ok := segments[key]; ok {
			v.damage(key, "it is missing, and with it %d records of %s", h.Records, partitionName(h.topic.Name, h.partition))
		}
	}
	objects, err := v.storage.objects.List(ctx, state.SegmentsPrefix)
	if err != nil {
		return err
	}
	unspoken := map[string]bool{}
	for _, o := range objects {
		_, spokenOf := segments[o.Key]
		unspoken[o.Key] = !spokenOf
	}
	serverAtWork := !first.same(second) || v.storage.inUse()
	for _, key := range orphans {
		if unspoken[key] {
			v.tellOrphan(key, serverAtWork)
		}
	}
	return nil
}

// tellOrphan reports an object that belongs to no segment. A server at work may not have said yet that it counts, or not have
// deleted it yet.
func (v *verifier) tellOrphan(key string, serverAtWork bool) {
	if serverAtWork {
		v.note(key, "it belongs to no segment, or not yet, or not any more: a server at work will see to it")
		return
	}
	v.damage(key, "it belongs to no segment, so that SQL over the folder sees too many records; a server deletes it")
}
