package handler

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/wire"
)

// TestChangesAreLogged shows that each change to the topics there are is one line of the log, with who asked for it, and that
// what was refused or only validated is none.
func TestChangesAreLogged(t *testing.T) {
	var log bytes.Buffer
	drop := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	w := newWorld(t, Options{AutoCreateTopics: true, NumPartitions: 2, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: drop}))})
	w.conn.RemoteAddr = "192.0.2.7:4711"
	f := func(want string) {
		t.Helper()
		if got := strings.TrimSpace(log.String()); got != strings.TrimSpace(want) {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
		log.Reset()
	}
	const by = " client=test from=192.0.2.7:4711\n"
	orders, clicks := "orders", "clicks"
	create := wire.CreateTopicsRequest{Topics: []wire.CreateTopicsRequestCreatableTopic{{Name: orders, NumPartitions: 3, ReplicationFactor: 1}}}
	validate := create
	validate.ValidateOnly = true
	ask[wire.CreateTopicsResponse](w, wire.KeyCreateTopics, 7, &validate)
	f("")
	ask[wire.CreateTopicsResponse](w, wire.KeyCreateTopics, 7, &create)
	f(`level=INFO msg="topic created" topic=orders partitions=3` + by)
	ask[wire.CreateTopicsResponse](w, wire.KeyCreateTopics, 7, &create)
	f("")
	ask[wire.MetadataResponse](w, wire.KeyMetadata, 9, &wire.MetadataRequest{AllowAutoTopicCreation: true, Topics: []wire.MetadataRequestTopic{{Name: &clicks}, {Name: &orders}}})
	f(`level=INFO msg="topic created" topic=clicks partitions=2` + by)
	ask[wire.CreatePartitionsResponse](w, wire.KeyCreatePartitions, 3, &wire.CreatePartitionsRequest{Topics: []wire.CreatePartitionsRequestCreatePartitionsTopic{{Name: orders, Count: 5}}})
	f(`level=INFO msg="partitions added" topic=orders partitions=5 before=3` + by)
	remove := wire.DeleteTopicsRequest{Topics: []wire.DeleteTopicsRequestDeleteTopicState{{Name: &orders}}}
	ask[wire.DeleteTopicsResponse](w, wire.KeyDeleteTopics, 6, &remove)
	f(`level=INFO msg="topic deleted" topic=orders partitions=5` + by)
	ask[wire.DeleteTopicsResponse](w, wire.KeyDeleteTopics, 6, &remove)
	f("")
}
