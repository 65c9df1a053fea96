package handler

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/auth"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// TestChangesAreLogged shows that each change to topics, their settings and users is one line of the log, with who asked for it, and that
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
	value := "60000"
	alter := wire.IncrementalAlterConfigsRequest{Resources: []wire.IncrementalAlterConfigsRequestAlterConfigsResource{{
		ResourceType: resourceTopic, ResourceName: orders,
		Configs: []wire.IncrementalAlterConfigsRequestAlterableConfig{
			{Name: "retention.ms", ConfigOperation: opSet, Value: &value}, {Name: "segment.ms", ConfigOperation: opRemove},
		}}}}
	ask[wire.IncrementalAlterConfigsResponse](w, wire.KeyIncrementalAlterConfigs, 1, &alter)
	f(`level=INFO msg="topic configured" topic=orders set="retention.ms=60000" unset=segment.ms` + by)
	alter.ValidateOnly = true
	ask[wire.IncrementalAlterConfigsResponse](w, wire.KeyIncrementalAlterConfigs, 1, &alter)
	f("")
	purge := wire.DeleteRecordsRequest{TimeoutMs: 1000, Topics: []wire.DeleteRecordsRequestDeleteRecordsTopic{{
		Name: orders, Partitions: []wire.DeleteRecordsRequestDeleteRecordsPartition{{PartitionIndex: 0}, {PartitionIndex: 1}, {PartitionIndex: 9}},
	}}}
	ask[wire.DeleteRecordsResponse](w, wire.KeyDeleteRecords, 2, &purge)
	f(`level=INFO msg="records deleted" topic=orders partitions=2` + by)
	password := wire.AlterUserScramCredentialsRequest{Upsertions: []wire.AlterUserScramCredentialsRequestScramCredentialUpsertion{{
		Name: "ann", Mechanism: int8(auth.ScramSHA512), Iterations: 4096, Salt: []byte("salt"), SaltedPassword: []byte("salted password"),
	}}}
	ask[wire.AlterUserScramCredentialsResponse](w, wire.KeyAlterUserScramCredentials, 0, &password)
	f(`level=INFO msg="password set" of=ann mechanism=SCRAM-SHA-512` + by)
	forget := wire.AlterUserScramCredentialsRequest{Deletions: []wire.AlterUserScramCredentialsRequestScramCredentialDeletion{{Name: "ann", Mechanism: int8(auth.ScramSHA512)}}}
	ask[wire.AlterUserScramCredentialsResponse](w, wire.KeyAlterUserScramCredentials, 0, &forget)
	f(`level=INFO msg="password deleted" of=ann mechanism=SCRAM-SHA-512` + by)
	ask[wire.AlterUserScramCredentialsResponse](w, wire.KeyAlterUserScramCredentials, 0, &forget)
	f("")
	remove := wire.DeleteTopicsRequest{Topics: []wire.DeleteTopicsRequestDeleteTopicState{{Name: &orders}}}
	ask[wire.DeleteTopicsResponse](w, wire.KeyDeleteTopics, 6, &remove)
	f(`level=INFO msg="topic deleted" topic=orders partitions=5` + by)
	ask[wire.DeleteTopicsResponse](w, wire.KeyDeleteTopics, 6, &remove)
	f("")
}
