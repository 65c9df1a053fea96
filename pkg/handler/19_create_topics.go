package handler

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/topic"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// CreateTopics: key 19, versions 0 to 7.
//
//   - v0: topics by number of partitions and replication factor, or by assignment; settings (KIP-4).
//   - v1: validate only; a message beside each error.
//   - v2: throttle time (KIP-124).
//   - v3: clients expect throttling after the response (KIP-219).
//   - v4: -1 partitions or replicas for the server's default (KIP-464), which is understood before, too, as in Kafka.
//   - v5: flexible (KIP-482); the settings in effect, in the response (KIP-525).
//   - v6: clients know THROTTLING_QUOTA_EXCEEDED (KIP-599). There are no quotas.
//   - v7: topic id in the response (KIP-516).
//
// Each topic is created, durably, or refused by itself. The checks are Kafka's, in its order: name, collision of names,
// existence, settings, assignment or numbers; so is the answer to the first that fails. There is one broker, so that
// the replication factor can only be 1. More partitions than the options allow are a POLICY_VIOLATION.
//
// Different from Kafka: the timeout plays no part, since the response says what happened. Topics of one request collide
// with each other as well. A topic that is only validated has no id.

// Where a setting comes from; Kafka's DescribeConfigsResponse.ConfigSource.
const (
	sourceTopic   int8 = 1 // set on the topic
	sourceServer  int8 = 4 // by the server's configuration
	sourceDefault int8 = 5
)

func (h *Handler) createTopics(c *Call, q *wire.CreateTopicsRequest, r *wire.CreateTopicsResponse) error {
	if err := h.checkCount(len(q.Topics), "topics"); err != nil {
		return err
	}
	named := map[string]int{}
	for i := range q.Topics {
		named[q.Topics[i].Name]++
	}
	s := creation{handler: h, call: c}
	for i := range q.Topics {
		in := &q.Topics[i]
		times := named[in.Name]
		if times == 0 {
			continue // answered before
		}
		named[in.Name] = 0
		out := kbin.Add(&r.Topics)
		out.Name, out.ErrorMessage = in.Name, nil
		err := errDuplicateTopic
		if times == 1 {
			err = s.createTopic(in, q.ValidateOnly, out)
		}
		if err != nil {
			out.ErrorCode, out.ErrorMessage = int16(kerr.Of(err)), message(err)
		}
	}
	return nil
}

var errDuplicateTopic = fmt.Errorf("the topic is named more than once: %w", kerr.InvalidRequest)

// createTopic creates one topic, or only says whether it could be.
func (s *creation) createTopic(in *wire.CreateTopicsRequestCreatableTopic, validateOnly bool, out *wire.CreateTopicsResponseCreatableTopicResult) error {
	if in.Name == clusterMetadataTopic {
		return fmt.Errorf("topic '%s' is Kafka's own: %w", in.Name, kerr.InvalidRequest)
	}
	if err := s.checkName(in.Name); err != nil {
		return err
	}
	config, err := s.checkConfig(in.Configs)
	if err != nil {
		return err
	}
	partitions, err := s.wanted(in)
	if err == nil {
		err = s.checkRoom(0, partitions)
	}
	if err != nil {
		return err
	}
	if validateOnly {
		s.add(in.Name, partitions)
	} else if out.TopicID, err = s.create(in.Name, partitions, config); err != nil {
		return err
	}
	out.NumPartitions, out.ReplicationFactor = partitions, 1
	s.tellConfig(config, out)
	return nil
}

// checkConfig returns the settings of a topic sorted by name, the last of each name.
func (s *creation) checkConfig(in []wire.CreateTopicsRequestCreatableTopicConfig) ([]state.ConfigEntry, error) {
	var config []state.ConfigEntry
	settings := s.handler.engine.Defaults()
	for i := range in {
		if in[i].Value == nil {
			return nil, fmt.Errorf("topic config %s has no value: %w", in[i].Name, kerr.InvalidConfig)
		}
	}
	for i := len(in) - 1; i >= 0; i-- {
		if slices.ContainsFunc(config, func(c state.ConfigEntry) bool { return c.Name == in[i].Name }) {
			continue
		}
		if err := settings.Set(in[i].Name, *in[i].Value); err != nil {
			return nil, err
		}
		config = append(config, state.ConfigEntry{Name: in[i].Name, Value: *in[i].Value})
	}
	slices.SortFunc(config, func(a, b state.ConfigEntry) int { return strings.Compare(a.Name, b.Name) })
	return config, settings.Check()
}

// wanted returns how many partitions a topic is to have.
func (s *creation) wanted(in *wire.CreateTopicsRequestCreatableTopic) (int32, error) {
	switch {
	case len(in.Assignments) > 0:
		return assigned(in)
	case in.ReplicationFactor == 0 || in.ReplicationFactor < -1:
		return 0, fmt.Errorf("replication factor %d: %w", in.ReplicationFactor, kerr.InvalidReplicationFactor)
	case in.NumPartitions == 0 || in.NumPartitions < -1:
		return 0, fmt.Errorf("%d partitions: %w", in.NumPartitions, kerr.InvalidPartitions)
	case in.ReplicationFactor > 1:
		return 0, fmt.Errorf("replication factor %d, but there is one broker: %w", in.ReplicationFactor, kerr.InvalidReplicationFactor)
	case in.NumPartitions == -1:
		return s.handler.options.NumPartitions, nil
	}
	return in.NumPartitions, nil
}

// assigned returns how many partitions a topic has whose client says where they lie.
func assigned(in *wire.CreateTopicsRequestCreatableTopic) (int32, error) {
	if in.ReplicationFactor != -1 || in.NumPartitions != -1 {
		return 0, fmt.Errorf("with an assignment, partitions and replication factor must be -1: %w", kerr.InvalidRequest)
	}
	seen := make(map[int32]bool, len(in.Assignments))
	for i := range in.Assignments {
		a := &in.Assignments[i]
		if seen[a.PartitionIndex] {
			return 0, fmt.Errorf("partition %d is assigned more than once: %w", a.PartitionIndex, kerr.InvalidReplicaAssignment)
		}
		seen[a.PartitionIndex] = true
		if err := checkReplicas(a.BrokerIDs); err != nil {
			return 0, err
		}
	}
	for i := range int32(len(seen)) {
		if !seen[i] {
			return 0, fmt.Errorf("partition %d of %d is not assigned: %w", i, len(seen), kerr.InvalidReplicaAssignment)
		}
	}
	return int32(len(seen)), nil
}

// tellConfig lists all settings of a new topic, by name: those set on it as they were set, and the server's.
func (s *creation) tellConfig(config []state.ConfigEntry, out *wire.CreateTopicsResponseCreatableTopicResult) {
	server, kafka := s.handler.engine.Defaults(), topic.Defaults()
	for d := range topic.All() {
		c := kbin.Add(&out.Configs)
		value := d.Value(&server)
		c.Name, c.Value, c.ConfigSource = d.Name, &value, sourceDefault
		if value != d.Value(&kafka) {
			c.ConfigSource = sourceServer
		}
		byName := func(c state.ConfigEntry, name string) int { return cmp.Compare(c.Name, name) }
		if i, ok := slices.BinarySearchFunc(config, d.Name, byName); ok {
			c.Value, c.ConfigSource = &config[i].Value, sourceTopic
		}
	}
}
