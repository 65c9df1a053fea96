package handler

import (
	"time"

	"github.com/heraclitus/heraclitus/pkg/engine"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// DeleteRecords: key 21, versions 0 to 2 (KIP-107): the records below an offset, all of them below the high watermark at
// offset -1. Topics that are only compacted refuse it.
//
//   - v1: clients expect throttling after the response (KIP-219).
//   - v2: flexible (KIP-482).

// allRecords is the offset that stands for the high watermark.
const allRecords = -1

func (h *Handler) deleteRecords(c *Call, q *wire.DeleteRecordsRequest, r *wire.DeleteRecordsResponse) error {
	count := 0
	for i := range q.Topics {
		count += len(q.Topics[i].Partitions)
	}
	if err := h.checkCount(count, "partitions"); err != nil {
		return err
	}
	var g engine.Pending
	g.Reset(count)
	refused := make([]kerr.Code, 0, count)
	for i := range q.Topics {
		t, found := h.engine.Topic(q.Topics[i].Name)
		for _, p := range q.Topics[i].Partitions {
			refused = append(refused, h.deleteBelow(&t, found, p, &g, len(refused)))
		}
	}
	late := !g.Wait(time.Duration(max(q.TimeoutMs, 1))*time.Millisecond, nil)
	for i := range q.Topics {
		t := kbin.Add(&r.Topics)
		t.Name = q.Topics[i].Name
		deleted := 0
		for _, p := range q.Topics[i].Partitions {
			out := kbin.Add(&t.Partitions)
			out.PartitionIndex = p.PartitionIndex
			out.LowWatermark, out.ErrorCode = lowWatermark(&g, count-len(refused), refused[0], late)
			refused = refused[1:]
			if out.ErrorCode == 0 {
				deleted++
			}
		}
		if deleted > 0 {
			h.logChange(c, "records deleted", "topic", t.Name, "partitions", deleted)
		}
	}
	return nil
}

// deleteBelow begins the deletion in one partition, as number n of g, or says why there is none.
func (h *Handler) deleteBelow(t *engine.Topic, found bool, p wire.DeleteRecordsRequestDeleteRecordsPartition, g *engine.Pending, n int) kerr.Code {
	if !found || !has(t, p.PartitionIndex) {
		return kerr.UnknownTopicOrPartition
	}
	if t.Settings.Compact && !t.Settings.Delete {
		return kerr.PolicyViolation
	}
	log, err := h.engine.Offsets(t.ID, p.PartitionIndex)
	if err != nil {
		return kerr.Of(err)
	}
	offset := p.Offset
	if offset == allRecords {
		offset = log.HighWatermark
	}
	if offset < 0 || offset > log.HighWatermark {
		return kerr.OffsetOutOfRange
	}
	h.engine.AppendCommand(g, n, state.MoveLogStart{ID: t.ID, Partition: p.PartitionIndex, Offset: offset})
	return kerr.None
}

// lowWatermark is what became of number n of g: its log start, or an error. When the time was over before the outcomes
// came they are not read, for they may still be written.
func lowWatermark(g *engine.Pending, n int, refused kerr.Code, late bool) (offset int64, code int16) {
	switch {
	case refused != kerr.None:
		return -1, int16(refused)
	case late:
		return -1, int16(kerr.RequestTimedOut)
	case g.Results[n].Code != kerr.None:
		return -1, int16(g.Results[n].Code)
	}
	return g.Results[n].LogStart, 0
}
