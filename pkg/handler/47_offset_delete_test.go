package handler

import (
	"fmt"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

func TestOffsetDelete(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("orders", 1)
	w.create("clicks", 1)
	m := w.member("g") // subscribed to orders
	for _, topic := range []string{"orders", "clicks"} {
		q := commitOf("g", topic, commitAt(0, 1, nil))
		q.GenerationIDOrMemberEpoch, q.MemberID = m.GenerationID, m.MemberID
		w.expect(topic, w.commit(9, q), topic+" 0 NONE")
	}
	var topics []wire.OffsetDeleteRequestTopic
	for _, name := range []string{"clicks", "none", "orders"} {
		topics = append(topics, wire.OffsetDeleteRequestTopic{Name: name, Partitions: []wire.OffsetDeleteRequestPartition{{PartitionIndex: 7}, {PartitionIndex: 0}}})
	}
	r := ask[wire.OffsetDeleteResponse](w, wire.KeyOffsetDelete, 0, &wire.OffsetDeleteRequest{GroupID: "g", Topics: topics})
	var got []string
	for _, topic := range r.Topics {
		for _, p := range topic.Partitions {
			got = append(got, fmt.Sprint(topic.Name, " ", p.PartitionIndex, " ", kerr.Code(p.ErrorCode).Name()))
		}
	}
	w.expect("deleted", got, "clicks 7 UNKNOWN_TOPIC_OR_PARTITION", "clicks 0 NONE", "none 7 UNKNOWN_TOPIC_OR_PARTITION", "none 0 UNKNOWN_TOPIC_OR_PARTITION",
		"orders 7 UNKNOWN_TOPIC_OR_PARTITION", "orders 0 GROUP_SUBSCRIBED_TO_TOPIC")
	if w.stored("g", "clicks").Offset != -1 || w.stored("g", "orders").Offset != 1 {
		t.Error("another offset is deleted than was answered")
	}
	r = ask[wire.OffsetDeleteResponse](w, wire.KeyOffsetDelete, 0, &wire.OffsetDeleteRequest{GroupID: "none", Topics: topics})
	if kerr.Code(r.ErrorCode) != kerr.GroupIDNotFound || len(r.Topics) != 0 {
		t.Errorf("no group: %+v", r)
	}
	r = ask[wire.OffsetDeleteResponse](w, wire.KeyOffsetDelete, 0, &wire.OffsetDeleteRequest{Topics: topics})
	if kerr.Code(r.ErrorCode) != kerr.InvalidGroupID || len(r.Topics) != 0 {
		t.Errorf("no group id: %+v", r)
	}
}
