package handler

import (
	"fmt"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

func metadataOf(create bool, names ...string) *wire.MetadataRequest {
	q := &wire.MetadataRequest{Topics: []wire.MetadataRequestTopic{}, AllowAutoTopicCreation: create}
	for i := range names {
		q.Topics = append(q.Topics, wire.MetadataRequestTopic{Name: &names[i]})
	}
	return q
}

// described writes the topics of a response down: name code and number of partitions, a star behind internal ones.
func described(r *wire.MetadataResponse) []string {
	var all []string
	for _, t := range r.Topics {
		s := fmt.Sprintf("%s %v %d", text(t.Name), kerr.Code(t.ErrorCode), len(t.Partitions))
		if t.IsInternal {
			s += "*"
		}
		all = append(all, s)
	}
	return all
}

func (w *world) metadata(version int16, q *wire.MetadataRequest) []string {
	w.Helper()
	return described(ask[wire.MetadataResponse](w, wire.KeyMetadata, version, q))
}

func TestMetadataEveryVersion(t *testing.T) {
	w := newWorld(t, Options{})
	id := w.create("t", 2)
	eachVersion(wire.KeyMetadata, 0, func(v int16) {
		r := ask[wire.MetadataResponse](w, wire.KeyMetadata, v, metadataOf(false, "t", "nope", "a/b", "t"))
		w.expect(fmt.Sprint("v", v), described(r), "t NONE 2", "nope UNKNOWN_TOPIC_OR_PARTITION 0", "a/b INVALID_TOPIC_EXCEPTION 0")
		b := r.Brokers[0]
		if len(r.Brokers) != 1 || b.NodeID != 1 || b.Host != "here.example" || b.Port != 9092 || b.Rack != nil {
			t.Errorf("v%d: brokers %+v", v, r.Brokers)
		}
		if v >= 1 && r.ControllerID != 1 || v >= 2 && text(r.ClusterID) != w.engine.ClusterID() {
			t.Errorf("v%d: controller %d, cluster %s", v, r.ControllerID, text(r.ClusterID))
		}
		p := r.Topics[0].Partitions[1]
		if p.PartitionIndex != 1 || p.LeaderID != 1 || fmt.Sprint(p.ReplicaNodes, p.IsrNodes, p.OfflineReplicas) != "[1] [1] []" {
			t.Errorf("v%d: partition %+v", v, p)
		}
		if v >= 7 && p.LeaderEpoch != 0 || v < 7 && p.LeaderEpoch != -1 {
			t.Errorf("v%d: leader epoch %d", v, p.LeaderEpoch)
		}
		if v >= 10 && r.Topics[0].TopicID != id {
			t.Errorf("v%d: topic id %v", v, r.Topics[0].TopicID)
		}
	})
}

func TestMetadataOfAllTopics(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("b", 1)
	w.create("a", 1)
	all := &wire.MetadataRequest{}
	w.expect("v0, empty", w.metadata(0, metadataOf(true)), "a NONE 1", "b NONE 1")
	eachVersion(wire.KeyMetadata, 1, func(v int16) {
		w.expect(fmt.Sprintf("v%d, null", v), w.metadata(v, all), "a NONE 1", "b NONE 1")
		w.expect(fmt.Sprintf("v%d, empty", v), w.metadata(v, metadataOf(true)))
	})
}

func TestMetadataCreatesTopics(t *testing.T) {
	w := newWorld(t, Options{AutoCreateTopics: true, NumPartitions: 3, PartitionsMax: 20})
	f := func(version int16, create bool, name, want string) {
		t.Helper()
		w.expect(fmt.Sprintf("v%d %t %s", version, create, name), w.metadata(version, metadataOf(create, name)), name+" "+want)
	}
	f(4, false, "new", "UNKNOWN_TOPIC_OR_PARTITION 0")
	f(4, true, "new", "NONE 3")
	f(4, false, "new", "NONE 3")
	f(0, false, "older", "NONE 3") // before v4 nobody could forbid it
	f(3, false, "old", "NONE 3")
	f(13, true, "a/b", "INVALID_TOPIC_EXCEPTION 0")
	f(13, true, "", "INVALID_TOPIC_EXCEPTION 0")
	f(13, true, strings.Repeat("x", 250), "INVALID_TOPIC_EXCEPTION 0")
	f(13, true, "with.dot", "NONE 3")
	f(13, true, "with_dot", "INVALID_TOPIC_EXCEPTION 0")
	f(13, true, "__consumer_offsets", "UNKNOWN_TOPIC_OR_PARTITION 0*")
	f(13, true, "__cluster_metadata", "UNKNOWN_TOPIC_OR_PARTITION 0")
	w.expect("two more and one too many", w.metadata(13, metadataOf(true, "x", "y", "z")), "x NONE 3", "y NONE 3", "z POLICY_VIOLATION 0")
	if n := len(w.engine.Topics()); n != 6 {
		t.Errorf("%d topics", n)
	}
	never := newWorld(t, Options{})
	never.expect("a server that does not", never.metadata(13, metadataOf(true, "new")), "new UNKNOWN_TOPIC_OR_PARTITION 0")
}

func TestMetadataByID(t *testing.T) {
	w := newWorld(t, Options{AutoCreateTopics: true})
	id := w.create("t", 1)
	ask := func(version int16, topics ...wire.MetadataRequestTopic) *wire.MetadataResponse {
		t.Helper()
		return ask[wire.MetadataResponse](w, wire.KeyMetadata, version, &wire.MetadataRequest{Topics: topics, AllowAutoTopicCreation: true})
	}
	known, unknown, named := wire.MetadataRequestTopic{TopicID: id}, wire.MetadataRequestTopic{TopicID: kbin.UUID{9}}, wire.MetadataRequestTopic{Name: pointer("new")}
	for _, v := range []int16{12, 13} {
		w.expect("known and unknown", described(ask(v, known, unknown, known)), "t NONE 1", "null UNKNOWN_TOPIC_ID 0")
		if r := ask(v, unknown); r.Topics[0].TopicID != (kbin.UUID{9}) {
			t.Errorf("v%d: %v", v, r.Topics[0].TopicID)
		}
		w.expect("names beside ids", described(ask(v, named, known)), "t NONE 1")
	}
	for _, v := range []int16{10, 11} {
		r := ask(v, wire.MetadataRequestTopic{TopicID: id, Name: pointer("t")}, named)
		w.expect("too early", described(r), "t INVALID_REQUEST 0", "new INVALID_REQUEST 0")
		if len(r.Brokers) != 0 || r.ControllerID != -1 || r.ClusterID != nil {
			t.Errorf("v%d: %+v", v, r)
		}
		w.expect("null name", described(ask(v, wire.MetadataRequestTopic{})), " INVALID_REQUEST 0")
	}
	if r := ask(13, wire.MetadataRequestTopic{}); kerr.Code(r.ErrorCode) != kerr.InvalidRequest {
		t.Errorf("neither name nor id: %+v", r)
	}
}

func TestMetadataOperations(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("t", 1)
	f := func(version int16, asked bool, cluster, topic int32) {
		t.Helper()
		q := metadataOf(false, "t", "nope")
		q.IncludeClusterAuthorizedOperations, q.IncludeTopicAuthorizedOperations = asked && version <= 10, asked
		r := ask[wire.MetadataResponse](w, wire.KeyMetadata, version, q)
		if r.ClusterAuthorizedOperations != cluster || r.Topics[0].TopicAuthorizedOperations != topic || r.Topics[1].TopicAuthorizedOperations != topic {
			t.Errorf("v%d: cluster %d, topics %d and %d", version, r.ClusterAuthorizedOperations, r.Topics[0].TopicAuthorizedOperations, r.Topics[1].TopicAuthorizedOperations)
		}
	}
	f(8, true, 8096, 3576)
	f(10, true, 8096, 3576)
	f(11, true, operationsUntold, 3576)
	f(13, true, operationsUntold, 3576)
	f(8, false, operationsUntold, operationsUntold)
	f(13, false, operationsUntold, operationsUntold)
}
