package replay

import (
	"cmp"
	"encoding/binary"
	"slices"

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

// trim leaves out of a fetch's answer what lies beyond the ends that the recorded one shows: when that was given,
// requests were under way of which it shows a part or nothing, though they were answered before it went through the
// relay.
func (t *translation) trim(recorded, live wire.Message) {
	now, ok := live.(*wire.FetchResponse)
	if !ok {
		return
	}
	ends := t.ends(recorded)
	t.leaveOut(recorded.(*wire.FetchResponse).SessionID, now, ends)
	t.eachPartition(now, func(at place, p *wire.FetchResponsePartitionData) {
		end, ok := ends[at]
		if !ok || p.HighWatermark <= end {
			return
		}
		p.HighWatermark, p.LastStableOffset = end, min(end, p.LastStableOffset)
		p.Records.Bytes = before(p.Records.Bytes, end)
	})
}

// inSession is a partition in a session of fetches, as recorded.
type inSession struct {
	session int32
	place
}

// leaveOut leaves out of a fetch's answer the partitions that the recorded one does not show, because in the session
// nothing had come to them since one that did, and to which something has come now.
func (t *translation) leaveOut(session int32, r *wire.FetchResponse, ends map[place]int64) {
	if session == 0 {
		return
	}
	for at, end := range ends {
		t.shown[inSession{session, at}] = end
	}
	for i := range r.Responses {
		topic := &r.Responses[i]
		topic.Partitions = slices.DeleteFunc(topic.Partitions, func(p wire.FetchResponsePartitionData) bool {
			at := place{cmp.Or(topic.Topic, t.named[topic.TopicID]), p.PartitionIndex}
			end, known := t.shown[inSession{session, at}]
			_, shown := ends[at]
			return known && !shown && p.HighWatermark > end
		})
	}
	r.Responses = slices.DeleteFunc(r.Responses, func(topic wire.FetchResponseFetchableTopicResponse) bool { return len(topic.Partitions) == 0 })
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
