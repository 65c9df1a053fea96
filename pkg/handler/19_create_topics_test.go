package handler

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/topic"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// created writes a response down: name code.
func created(r *wire.CreateTopicsResponse) []string {
	var all []string
	for _, t := range r.Topics {
		all = append(all, fmt.Sprintf("%s %v", t.Name, kerr.Code(t.ErrorCode)))
	}
	return all
}

func (w *world) createTopics(validateOnly bool, topics ...wire.CreateTopicsRequestCreatableTopic) []string {
	w.Helper()
	return created(ask[wire.CreateTopicsResponse](w, wire.KeyCreateTopics, 7, &wire.CreateTopicsRequest{Topics: topics, ValidateOnly: validateOnly}))
}

func TestCreateTopicsEveryVersion(t *testing.T) {
	w := newWorld(t, Options{})
	eachVersion(wire.KeyCreateTopics, 0, func(v int16) {
		name := fmt.Sprint("t", v)
		q := &wire.CreateTopicsRequest{Topics: []wire.CreateTopicsRequestCreatableTopic{newTopic(name, 3, 1, "retention.ms", " 5 "), newTopic("a/b", 1, 1), newTopic("t", 1, 1)}}
		r := ask[wire.CreateTopicsResponse](w, wire.KeyCreateTopics, v, q)
		exists := "NONE"
		if v > 0 {
			exists = "TOPIC_ALREADY_EXISTS"
		}
		w.expect(name, created(r), name+" NONE", "a/b INVALID_TOPIC_EXCEPTION", "t "+exists)
		made, ok := w.engine.Topic(name)
		if !ok || made.Partitions != 3 || made.Settings.RetentionMs != 5 {
			t.Fatalf("v%d: %+v", v, made)
		}
		good, bad := r.Topics[0], r.Topics[1]
		if v >= 1 && (good.ErrorMessage != nil || bad.ErrorMessage == nil) {
			t.Errorf("v%d: messages %s and %s", v, text(good.ErrorMessage), text(bad.ErrorMessage))
		}
		if v >= 5 && (good.NumPartitions != 3 || good.ReplicationFactor != 1 || len(good.Configs) != 33 || bad.NumPartitions != -1 || bad.ReplicationFactor != -1 || bad.Configs == nil || len(bad.Configs) != 0) {
			t.Errorf("v%d: %+v and %+v", v, good, bad)
		}
		if v >= 7 && (good.TopicID != made.ID || !bad.TopicID.IsZero()) {
			t.Errorf("v%d: ids %v and %v", v, good.TopicID, bad.TopicID)
		}
	})
}

func TestCreateTopicsTellsConfig(t *testing.T) {
	defaults := topic.Defaults()
	defaults.RetentionBytes = 1 << 30
	w := newWorldWith(t, Options{}, defaults)
	q := &wire.CreateTopicsRequest{Topics: []wire.CreateTopicsRequestCreatableTopic{
		newTopic("t", 1, 1, "retention.ms", "1", "cleanup.policy", " compact , delete", "retention.ms", "2")}}
	configs := ask[wire.CreateTopicsResponse](w, wire.KeyCreateTopics, 5, q).Topics[0].Configs
	f := func(name, value string, source int8) {
		t.Helper()
		i := slices.IndexFunc(configs, func(c wire.CreateTopicsResponseCreatableTopicConfigs) bool { return c.Name == name })
		if c := configs[i]; text(c.Value) != value || c.ConfigSource != source || c.IsSensitive || c.ReadOnly {
			t.Errorf("%s: %q from %d", name, text(c.Value), c.ConfigSource)
		}
	}
	f("retention.ms", "2", 1)
	f("cleanup.policy", " compact , delete", 1)
	f("retention.bytes", "1073741824", 4)
	f("segment.bytes", "1073741824", 5)
	made, _ := w.engine.Topic("t")
	want := []state.ConfigEntry{{Name: "cleanup.policy", Value: " compact , delete"}, {Name: "retention.ms", Value: "2"}}
	if !slices.Equal(made.Config, want) || !made.Settings.Compact || made.Settings.RetentionMs != 2 || made.Settings.RetentionBytes != 1<<30 {
		t.Errorf("%+v, %+v", made.Config, made.Settings)
	}
}

func TestCreateTopicsRefusals(t *testing.T) {
	w := newWorld(t, Options{TopicPartitionsMax: 10, PartitionsMax: 15})
	w.create("with.dot", 1)
	f := func(want kerr.Code, in wire.CreateTopicsRequestCreatableTopic) {
		t.Helper()
		w.expect(fmt.Sprintf("%+v", in), w.createTopics(true, in), in.Name+" "+want.Name())
	}
	f(kerr.TopicAlreadyExists, newTopic("with.dot", 1, 1))
	f(kerr.InvalidTopicException, newTopic("with_dot", 1, 1))
	f(kerr.InvalidTopicException, newTopic("", 1, 1))
	f(kerr.InvalidTopicException, newTopic(strings.Repeat("x", 250), 1, 1))
	f(kerr.InvalidTopicException, newTopic("a/b", 0, 7, "x", "y"))
	f(kerr.InvalidRequest, newTopic("__cluster_metadata", 1, 1))
	f(kerr.None, newTopic("__consumer_offsets", 1, 1))
	f(kerr.InvalidConfig, newTopic("t", 0, 1, "x", "y"))
	f(kerr.InvalidConfig, newTopic("t", 1, 1, "retention.ms", "soon"))
	f(kerr.InvalidConfig, newTopic("t", 1, 1, "min.compaction.lag.ms", "5", "max.compaction.lag.ms", "4"))
	f(kerr.InvalidPartitions, newTopic("t", 0, 1))
	f(kerr.InvalidPartitions, newTopic("t", -2, 1))
	f(kerr.InvalidReplicationFactor, newTopic("t", 0, 0))
	f(kerr.InvalidReplicationFactor, newTopic("t", 1, -2))
	f(kerr.InvalidReplicationFactor, newTopic("t", 1, 2))
	f(kerr.None, newTopic("t", -1, -1))
	f(kerr.None, newTopic("t", 10, 1))
	f(kerr.PolicyViolation, newTopic("t", 11, 1))
	f(kerr.PolicyViolation, newTopic("t", 1<<31-1, 1))
	null := newTopic("t", 1, 1, "retention.ms", "1")
	null.Configs[0].Value = nil
	f(kerr.InvalidConfig, null)
	w.expect("together too many", w.createTopics(true, newTopic("t", 10, 1), newTopic("u", 5, 1), newTopic("v", 4, 1)),
		"t NONE", "u POLICY_VIOLATION", "v NONE")
	w.expect("twice", w.createTopics(true, newTopic("t", 1, 1), newTopic("u", 1, 1), newTopic("t", 1, 1)), "t INVALID_REQUEST", "u NONE")
	w.expect("colliding", w.createTopics(true, newTopic("x.y", 1, 1), newTopic("x_y", 1, 1)), "x.y NONE", "x_y INVALID_TOPIC_EXCEPTION")
	if all := w.engine.Topics(); len(all) != 1 {
		t.Errorf("validated topics were created: %+v", all)
	}
}

func TestCreateTopicsAssigned(t *testing.T) {
	w := newWorld(t, Options{})
	f := func(want kerr.Code, partitions int32, replicas int16, assignments ...[]int32) {
		t.Helper()
		in := newTopic("t", partitions, replicas)
		for _, a := range assignments {
			in.Assignments = append(in.Assignments, wire.CreateTopicsRequestCreatableReplicaAssignment{PartitionIndex: a[0], BrokerIDs: a[1:]})
		}
		w.expect(fmt.Sprint(partitions, replicas, assignments), w.createTopics(true, in), "t "+want.Name())
	}
	f(kerr.None, -1, -1, []int32{0, 1}, []int32{1, 1})
	f(kerr.None, -1, -1, []int32{1, 1}, []int32{0, 1})
	f(kerr.InvalidRequest, 1, -1, []int32{0, 1})
	f(kerr.InvalidRequest, -1, 1, []int32{0, 1})
	f(kerr.InvalidReplicaAssignment, -1, -1, []int32{0, 1}, []int32{0, 1})
	f(kerr.InvalidReplicaAssignment, -1, -1, []int32{0, 1}, []int32{2, 1})
	f(kerr.InvalidReplicaAssignment, -1, -1, []int32{-1, 1})
	f(kerr.InvalidReplicaAssignment, -1, -1, []int32{0, 5})
	f(kerr.InvalidReplicaAssignment, -1, -1, []int32{0, 1, 1})
	f(kerr.InvalidReplicaAssignment, -1, -1, []int32{0})
}

func TestCreateTopicsOnBrokenJournal(t *testing.T) {
	w := newWorld(t, Options{})
	w.journal.err.Store(&errBroken)
	w.expect("nothing is created", w.createTopics(false, newTopic("t", 1, 1)), "t KAFKA_STORAGE_ERROR")
}
