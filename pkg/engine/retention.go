package engine

import (
	"fmt"
	"slices"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// retentionGroupMax is how many log starts are moved at a time.
const retentionGroupMax = 1000

// retain moves the log start of every partition that holds more, or older, records than its retention allows.
func (e *Engine) retain(nowMs int64) error {
	var g Pending
	for moves := range slices.Chunk(e.outdated(nowMs), retentionGroupMax) {
		g.Reset(len(moves))
		for i := range moves {
			e.writer.appendCommand(command{pending: &g, index: i, removes: true}, moves[i].MoveLogStart)
		}
		g.Wait(0, nil)
		for i, r := range g.Results {
			switch r.Code {
			case kerr.None:
				m := &moves[i]
				e.metrics.RetentionBytes.Add(int(m.bytes))
				e.log.Debug("retention lets records go", "topic", m.topic, "partition", m.Partition, "before", m.Offset, "bytes", m.bytes)
			case kerr.UnknownTopicOrPartition: // deleted meanwhile
			default:
				return fmt.Errorf("move the log start of partition %d of topic %v: %w", moves[i].Partition, moves[i].ID, r.Code)
			}
		}
	}
	return nil
}

// move is a log start to be moved.
type move struct {
	state.MoveLogStart
	topic string // its name
	bytes int64  // of what this drops
}

// outdated returns the moves that retention asks for at a moment.
func (e *Engine) outdated(nowMs int64) (moves []move) {
	e.eachPartition(func(t *state.Topic, i int32, p *state.Partition) {
		s := e.settingsOf(t)
		if !s.Delete {
			return
		}
		if start, bytes := retained(p, s.RetentionMs, s.RetentionBytes, nowMs); start > p.LogStart {
			moves = append(moves, move{state.MoveLogStart{ID: t.ID, Partition: i, Offset: start}, t.Name, p.Bytes - bytes})
		}
	})
	return moves
}

// retained returns the first offset of a partition to keep, and the bytes from there on. The first pieces go, as long as their
// youngest record is older than ageMs or bytesMax bytes remain without them. Negative limits mean none, as in Kafka.
func retained(p *state.Partition, ageMs, bytesMax, nowMs int64) (start, bytes int64) {
	start, bytes = p.LogStart, p.Bytes
	for c := range pieces(p) {
		tooOld := ageMs >= 0 && c.youngestMs() < nowMs-ageMs
		tooMuch := bytesMax >= 0 && bytes-c.bytes >= bytesMax
		if bytes < p.Bytes {
			start = c.base
		}
		if !tooOld && !tooMuch {
			return start, bytes
		}
		bytes -= c.bytes
	}
	return p.HighWatermark, 0
}
