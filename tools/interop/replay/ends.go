package replay

import (
	"cmp"
	"encoding/binary"

	"github.com/heraclitus/heraclitus/pkg/wire"
)

// place is a partition.
type place struct {
	topic string
	index int32
}

// ends are the ends of partitions that an answer shows.
func (t *translation) ends(m wire.Message) map[place]int64 {
	all := map[place]int64{}
	if r, ok := m.(*wire.FetchResponse); ok {
		t.eachPartition(r, func(at place, p *wire.FetchResponsePartitionData) { all[at] = p.HighWatermark })
	}
	if r, ok := m.(*wire.ListOffsetsResponse); ok {
		for _, topic := range r.Topics {
			for _, p := range topic.Partitions {
				all[place{topic.Name, p.PartitionIndex}] = p.Offset
			}
		}
	}
	return all
}

func (t *translation) eachPartition(r *wire.FetchResponse, f func(place, *wire.FetchResponsePartitionData)) {
	for i := range r.Responses {
		topic := &r.Responses[i]
		for j := range topic.Partitions {
			p := &topic.Partitions[j]
			f(place{cmp.Or(topic.Topic, t.named[topic.TopicID]), p.PartitionIndex}, p)
		}
	}
}

// trim leaves out of a fetch's answer what lies beyond the ends that the recorded one shows: when that was given, requests were under
// way of which it shows a part or nothing, though they were answered before it went through the relay.
func (t *translation) trim(recorded, live wire.Message) {
	now, ok := live.(*wire.FetchResponse)
	if !ok {
		return
	}
	ends := t.ends(recorded)
	t.eachPartition(now, func(at place, p *wire.FetchResponsePartitionData) {
		end, ok := ends[at]
		if !ok || p.HighWatermark <= end {
			return
		}
		p.HighWatermark, p.LastStableOffset = end, min(end, p.LastStableOffset)
		p.Records.Bytes = before(p.Records.Bytes, end)
	})
}

// before is the batches, or messages of older formats, that begin before an offset.
func before(b []byte, end int64) []byte {
	const offsetAndLength = 12
	at := 0
	for at+offsetAndLength <= len(b) && int64(binary.BigEndian.Uint64(b[at:])) < end {
		at += offsetAndLength + int(binary.BigEndian.Uint32(b[at+offsetAndLength-4:]))
	}
	return b[:min(at, len(b))]
}
