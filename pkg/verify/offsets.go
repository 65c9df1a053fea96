package verify

import (
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/state"
)

// checkState checks what the state says by itself.
func (v *verifier) checkState(l *look) {
	floor, next := l.journal.Bounds()
	for t := range l.state.Topics() {
		v.count(func(s *Summary) { s.Topics, s.Partitions = s.Topics+1, s.Partitions+len(t.Partitions) })
		for n, p := range t.Partitions {
			for _, problem := range partitionProblems(p, floor, next) {
				v.damage(partitionName(t.Name, int32(n)), "%s", problem)
			}
		}
	}
	for g := range l.state.Groups() {
		for at, o := range g.Offsets() {
			v.checkCommitted(l.state, g.ID, at, o.Offset)
		}
	}
}

func partitionName(topic string, partition int32) string {
	return fmt.Sprintf("%s/%d", topic, partition)
}

// partitionProblems says what is wrong with the offsets of a partition. From its log start to its high watermark every one must
// lie in a segment or an extent, in order; only compaction takes whole segments away, up to where it has been.
func partitionProblems(p *state.Partition, floor, next uint64) (problems []string) {
	say := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if p.LogStart < 0 || p.LogStart > p.HighWatermark || p.CleanedTo < 0 || p.CleanedTo > p.HighWatermark {
		say("log start offset %d, high watermark %d, compacted up to %d", p.LogStart, p.HighWatermark, p.CleanedTo)
	}
	at := int64(0) // after what has been checked
	reach := func(what string, base, end int64) {
		switch {
		case base < at:
			say("%s of offsets %d to %d begins before offset %d, where the one before ends", what, base, end-1, at)
		case base > max(at, p.LogStart, p.CleanedTo):
			say("offsets %d to %d lie nowhere, and no compaction explains it", max(at, p.LogStart, p.CleanedTo), base-1)
		}
		if end <= base || end > p.HighWatermark {
			say("%s of offsets %d to %d does not fit a high watermark of %d", what, base, end-1, p.HighWatermark)
		}
		at = max(at, end)
	}
	for g := range p.Segments(0) {
		reach("segment", g.Base, g.End)
		if g.Records < 1 || g.Records > g.End-g.Base {
			say("segment of offsets %d to %d has %d records", g.Base, g.End-1, g.Records)
		}
	}
	for x, end := range extents(p) {
		reach("extent", x.Base, end)
		if x.Slot < floor || x.Slot >= next {
			say("offset %d lies in entry %d of the journal, which holds %d to below %d", x.Base, x.Slot, floor, next)
		}
	}
	if end := max(at, p.LogStart, p.CleanedTo); end < p.HighWatermark {
		say("offsets %d to %d lie nowhere, and no compaction explains it", end, p.HighWatermark-1)
	}
	return problems
}

// extents yields the extents of a partition, each with the offset after its last record.
func extents(p *state.Partition) func(yield func(state.Extent, int64) bool) {
	return func(yield func(state.Extent, int64) bool) {
		var before state.Extent
		for x := range p.Extents(0) {
			if before.Bytes > 0 && !yield(before, x.Base) {
				return
			}
			before = x
		}
		if before.Bytes > 0 {
			yield(before, p.HighWatermark)
		}
	}
}

// checkCommitted checks an offset that a group has committed. Clients may commit any, so a strange one need not be damage.
func (v *verifier) checkCommitted(s *state.State, group string, at state.TopicPartition, offset int64) {
	where := fmt.Sprintf("group %q", group)
	p := s.Partition(at.Topic, at.Partition)
	if p == nil {
		v.damage(where, "it has committed offset %d of partition %d of topic id %s, which does not exist", offset, at.Partition, at.Topic)
		return
	}
	name := partitionName(s.Topic(at.Topic).Name, at.Partition)
	if offset < 0 || offset > p.HighWatermark {
		v.note(where, "it has committed offset %d of %s, which ends at %d: a client's doing, unless records are lost", offset, name, p.HighWatermark)
	}
}
