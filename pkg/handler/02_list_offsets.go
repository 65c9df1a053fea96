package handler

import (
	"time"

	"github.com/heraclitus/heraclitus/pkg/engine"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// ListOffsets: key 2, versions 0 to 10.
//
//   - v0: up to so many offsets before a time.
//   - v1: the one offset at a time, and the time of its record (KIP-79).
//   - v2: isolation level (KIP-98); throttle time (KIP-124).
//   - v3: clients expect throttling after the response (KIP-219).
//   - v4: leader epochs (KIP-320).
//   - v5: clients know OFFSET_NOT_AVAILABLE (KIP-207), which is never needed here.
//   - v6: flexible (KIP-482).
//   - v7: time -3, the record with the largest timestamp (KIP-734).
//   - v8: time -4, the first offset on the broker's own disk, which is the log start (KIP-405).
//   - v9: time -5, the last offset in tiered storage (KIP-1005): there is none.
//   - v10: a timeout for tiered storage (KIP-1075), which has no use here.
//   - Not served: v11, time -6, the first offset not yet in tiered storage (KIP-1023).
//
// There are no transactions yet, so the isolation level changes nothing: everything is stable.

// The times with a meaning of their own.
const (
	timeLatest        = -1
	timeEarliest      = -2
	timeLargest       = -3
	timeEarliestLocal = -4
	timeLatestTiered  = -5
)

func (h *Handler) listOffsets(c *Call, q *wire.ListOffsetsRequest, r *wire.ListOffsetsResponse) error {
	repeated := repeats(q)
	for i := range q.Topics {
		in := &q.Topics[i]
		out := kbin.Add(&r.Topics)
		out.Name = in.Name
		t, found := h.engine.Topic(in.Name)
		for j := range in.Partitions {
			p := &in.Partitions[j]
			o := kbin.Add(&out.Partitions)
			o.PartitionIndex = p.PartitionIndex
			code := supportedTime(p.Timestamp, c.Version)
			switch {
			case repeated[at{in.Name, p.PartitionIndex}] && c.Version >= 1:
				code = kerr.InvalidRequest
			case code == kerr.None && !found:
				code = kerr.UnknownTopicOrPartition
			case code == kerr.None:
				code = h.listOffset(&t, p, o, c.Version)
			}
			o.ErrorCode = int16(code)
		}
	}
	return nil
}

// at names a partition.
type at struct {
	topic     string
	partition int32
}

// repeats returns the partitions that a request names more than once.
func repeats(q *wire.ListOffsetsRequest) map[at]bool {
	repeated := map[at]bool{}
	for i := range q.Topics {
		for j := range q.Topics[i].Partitions {
			key := at{q.Topics[i].Name, q.Topics[i].Partitions[j].PartitionIndex}
			_, named := repeated[key]
			repeated[key] = named
		}
	}
	return repeated
}

// supportedTime says whether a version knows a time.
func supportedTime(ms int64, version int16) kerr.Code {
	least := int64(timeEarliest)
	switch {
	case version >= 9: // KIP-1005
		least = timeLatestTiered
	case version >= 8: // KIP-405
		least = timeEarliestLocal
	case version >= 7: // KIP-734
		least = timeLargest
	}
	return unless(ms >= least, kerr.UnsupportedVersion)
}

// listOffset answers for one partition of a topic.
func (h *Handler) listOffset(t *engine.Topic, p *wire.ListOffsetsRequestListOffsetsPartition, o *wire.ListOffsetsResponseListOffsetsPartitionResponse, version int16) kerr.Code {
	log, err := h.engine.Offsets(t.ID, p.PartitionIndex)
	if err != nil {
		return kerr.Of(err)
	}
	if code := checkEpoch(p.CurrentLeaderEpoch); code != kerr.None {
		return code
	}
	if version == 0 {
		offsets, err := h.offsetsBefore(t, p, log)
		o.OldStyleOffsets = append(o.OldStyleOffsets, offsets...)
		return kerr.Of(err)
	}
	o.Offset, o.Timestamp, err = h.offsetAt(t, p, log)
	if o.Offset >= 0 {
		o.LeaderEpoch = leaderEpoch
	}
	return kerr.Of(err)
}

// offsetAt returns the offset at a time and, when it is that of a record, the record's timestamp.
func (h *Handler) offsetAt(t *engine.Topic, p *wire.ListOffsetsRequestListOffsetsPartition, log engine.Log) (offset, timestampMs int64, err error) {
	switch p.Timestamp {
	case timeLatest:
		return log.HighWatermark, -1, nil
	case timeEarliest, timeEarliestLocal:
		return log.Start, -1, nil
	case timeLatestTiered:
		return -1, -1, nil
	case timeLargest:
		return h.engine.OffsetOfMaxTime(t.ID, p.PartitionIndex)
	}
	return h.engine.OffsetForTime(t.ID, p.PartitionIndex, p.Timestamp)
}

// offsetsBefore returns offsets below which all records are older than a time, the largest first. Kafka gives the starts of
// the segments of the log that were written by then, and its end if that time is not over; here the log counts as one
// segment, written at the time of its youngest record.
func (h *Handler) offsetsBefore(t *engine.Topic, p *wire.ListOffsetsRequestListOffsetsPartition, log engine.Log) ([]int64, error) {
	offsets := []int64{log.HighWatermark, log.Start}
	if log.HighWatermark == log.Start {
		offsets = offsets[:1]
	}
	switch {
	case p.Timestamp == timeEarliest:
		offsets = []int64{log.Start}
	case p.Timestamp >= 0 && p.Timestamp < time.Now().UnixMilli():
		_, youngest, err := h.engine.OffsetOfMaxTime(t.ID, p.PartitionIndex)
		if err != nil || p.Timestamp < youngest {
			return nil, err
		}
		offsets = []int64{log.Start}
	}
	return offsets[:min(len(offsets), max(int(p.MaxNumOffsets), 0))], nil
}
