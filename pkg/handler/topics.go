package handler

import (
	"fmt"
	"time"

	"github.com/heraclitus/heraclitus/pkg/engine"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/topic"
)

// clusterMetadataTopic is the name of a topic that Kafka keeps for itself, and that nobody may create.
const clusterMetadataTopic = "__cluster_metadata"

// creation creates topics and partitions for one request, and knows how many there are: they are counted once, when that is
// first needed. Concurrent requests do not see each other's: each may reach the limits, as in Kafka each may create what collides
// with the other's.
type creation struct {
	handler    *Handler
	call       *Call // the request
	counted    bool
	partitions int
	unified    map[string]string // names that may collide, by unified name
}

func (s *creation) count() {
	if s.counted {
		return
	}
	s.counted, s.unified = true, map[string]string{}
	for _, t := range s.handler.engine.Topics() {
		s.add(t.Name, t.Partitions)
	}
}

// add notes that a topic has this many more partitions.
func (s *creation) add(name string, partitions int32) {
	s.partitions += int(partitions)
	if topic.MayCollide(name) {
		s.unified[topic.Unified(name)] = name
	}
}

// checkName says why no topic of this name can be created.
func (s *creation) checkName(name string) error {
	if err := topic.CheckName(name); err != nil {
		return err
	}
	s.count()
	if _, exists := s.handler.engine.Topic(name); exists {
		return fmt.Errorf("topic '%s' already exists: %w", name, kerr.TopicAlreadyExists)
	}
	if other, collides := s.unified[topic.Unified(name)]; collides && topic.MayCollide(name) {
		return fmt.Errorf("topic '%s' collides with topic '%s', as '.' and '_' count as the same: %w", name, other, kerr.InvalidTopicException)
	}
	return nil
}

// checkRoom says why a topic that has so many partitions cannot have that many more.
func (s *creation) checkRoom(has, more int32) error {
	s.count()
	o := &s.handler.options
	switch {
	case more > o.TopicPartitionsMax-has:
		return fmt.Errorf("a topic may have %d partitions: %w", o.TopicPartitionsMax, kerr.PolicyViolation)
	case int(more) > o.PartitionsMax-s.partitions:
		return fmt.Errorf("%d of the %d partitions that there may be are in use: %w", s.partitions, o.PartitionsMax, kerr.PolicyViolation)
	}
	return nil
}

// create creates a topic that has passed the checks.
func (s *creation) create(name string, partitions int32, config []state.ConfigEntry) (kbin.UUID, error) {
	cmd := state.CreateTopic{ID: engine.NewID(), Name: name, Partitions: partitions, Config: config, NowMs: time.Now().UnixMilli()}
	if _, err := s.handler.engine.Do(cmd); err != nil {
		return kbin.UUID{}, kerr.Of(err)
	}
	s.add(name, partitions)
	s.handler.logChange(s.call, "topic created", "topic", name, "partitions", partitions)
	return cmd.ID, nil
}

// checkReplicas says why the nodes that a client assigns a partition to are not the one there is.
func checkReplicas(nodes []int32) error {
	if len(nodes) == 0 {
		return fmt.Errorf("an assignment names no broker: %w", kerr.InvalidReplicaAssignment)
	}
	for i, id := range nodes {
		if id != nodeID {
			return fmt.Errorf("an assignment names broker %d, which does not exist: %w", id, kerr.InvalidReplicaAssignment)
		}
		if i > 0 {
			return fmt.Errorf("an assignment names broker %d more than once: %w", id, kerr.InvalidReplicaAssignment)
		}
	}
	return nil
}
