package handler

import (
	"github.com/heraclitus/heraclitus/pkg/engine"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/topic"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// Metadata: key 3, versions 0 to 13.
//
//   - v0: brokers and topics; no topics asked for means all.
//   - v1: null means all topics, an empty list none; controller, racks (KIP-36), internal topics.
//   - v2: cluster id (KIP-78).
//   - v3: throttle time (KIP-124).
//   - v4: whether topics may be created by asking for them; before, they always may.
//   - v5: offline replicas (KIP-112).
//   - v6: clients expect throttling after the response (KIP-219).
//   - v7: leader epochs (KIP-320).
//   - v8: what the client may do to topics and cluster (KIP-430).
//   - v9: flexible (KIP-482).
//   - v10: topic ids in the response (KIP-516); in the request they must be zero, and names must not be null, up to v11.
//   - v11: what may be done to the cluster has moved to DescribeCluster (KIP-700).
//   - v12: topics asked for by id (KIP-516). If one is, those asked for by name are left out, as in Kafka.
//   - v13: an error of the whole response (KIP-1102), by which a client starts over with its bootstrap servers; not sent.
//
// A topic that does not exist is created, if both the server and the request allow it, and described at once; Kafka answers
// UNKNOWN_TOPIC_OR_PARTITION first and creates it meanwhile. A topic asked for twice is described once.

func (h *Handler) metadata(c *Call, q *wire.MetadataRequest, r *wire.MetadataResponse) error {
	if code := checkMetadata(q, c.Version); code != kerr.None {
		refuseMetadata(q, r, code)
		return nil
	}
	id := h.engine.ClusterID()
	r.ClusterID, r.ControllerID = &id, nodeID
	b := kbin.Add(&r.Brokers)
	b.NodeID, b.Host, b.Port = nodeID, c.Conn.AdvertisedHost, c.Conn.AdvertisedPort
	if q.IncludeClusterAuthorizedOperations {
		r.ClusterAuthorizedOperations = clusterOperations
	}
	switch all := q.Topics == nil || c.Version == 0 && len(q.Topics) == 0; {
	case all:
		h.describeAll(q, r)
	case byID(q):
		h.describeByID(q, r)
	default:
		h.describeByName(c, q, r)
	}
	return nil
}

// checkMetadata refuses requests that no version of the protocol allows.
func checkMetadata(q *wire.MetadataRequest, version int16) kerr.Code {
	ids := version >= 12 // KIP-516
	for i := range q.Topics {
		t := &q.Topics[i]
		if !ids && !t.TopicID.IsZero() || t.Name == nil && t.TopicID.IsZero() || !ids && t.Name == nil {
			return kerr.InvalidRequest
		}
	}
	return kerr.None
}

// refuseMetadata answers all topics with a code, and tells nothing else.
func refuseMetadata(q *wire.MetadataRequest, r *wire.MetadataResponse, code kerr.Code) {
	r.ErrorCode = int16(code)
	for i := range q.Topics {
		t := kbin.Add(&r.Topics)
		t.ErrorCode, t.TopicID = int16(code), q.Topics[i].TopicID
		if q.Topics[i].Name != nil {
			t.Name = q.Topics[i].Name
		}
	}
}

func byID(q *wire.MetadataRequest) bool {
	for i := range q.Topics {
		if !q.Topics[i].TopicID.IsZero() {
			return true
		}
	}
	return false
}

func (h *Handler) describeAll(q *wire.MetadataRequest, r *wire.MetadataResponse) {
	topics := h.engine.Topics()
	for i := range topics {
		describe(&topics[i], q, kbin.Add(&r.Topics))
	}
}

func (h *Handler) describeByID(q *wire.MetadataRequest, r *wire.MetadataResponse) {
	seen := map[kbin.UUID]bool{{}: true}
	for i := range q.Topics {
		id := q.Topics[i].TopicID
		if seen[id] {
			continue
		}
		seen[id] = true
		out := kbin.Add(&r.Topics)
		if t, ok := h.engine.TopicByID(id); ok {
			describe(&t, q, out)
			continue
		}
		out.ErrorCode, out.Name, out.TopicID = int16(kerr.UnknownTopicID), nil, id
	}
}

func (h *Handler) describeByName(c *Call, q *wire.MetadataRequest, r *wire.MetadataResponse) {
	seen := map[string]bool{}
	s := creation{handler: h, call: c}
	for i := range q.Topics {
		name := *q.Topics[i].Name
		if seen[name] {
			continue
		}
		seen[name] = true
		out := kbin.Add(&r.Topics)
		t, code := s.named(name, q.AllowAutoTopicCreation)
		if code == kerr.None {
			describe(&t, q, out)
			continue
		}
		out.ErrorCode, out.Name, out.IsInternal = int16(code), q.Topics[i].Name, topic.IsInternal(name)
		out.TopicAuthorizedOperations = operations(q)
	}
}

// named returns a topic, which is created if that is allowed and it does not exist. Internal topics are not.
func (s *creation) named(name string, mayCreate bool) (engine.Topic, kerr.Code) {
	if t, ok := s.handler.engine.Topic(name); ok {
		return t, kerr.None
	}
	if err := topic.CheckName(name); err != nil {
		return engine.Topic{}, kerr.Of(err)
	}
	if !mayCreate || !s.handler.options.AutoCreateTopics || topic.IsInternal(name) || name == clusterMetadataTopic {
		return engine.Topic{}, kerr.UnknownTopicOrPartition
	}
	if err := s.autoCreate(name); err != nil && kerr.Of(err) != kerr.TopicAlreadyExists {
		return engine.Topic{}, kerr.Of(err)
	}
	t, ok := s.handler.engine.Topic(name)
	return t, unless(ok, kerr.UnknownTopicOrPartition)
}

func (s *creation) autoCreate(name string) error {
	partitions := s.handler.options.NumPartitions
	err := s.checkName(name)
	if err == nil {
		err = s.checkRoom(0, partitions)
	}
	if err == nil {
		_, err = s.create(name, partitions, nil)
	}
	return err
}

// describe describes a topic and its partitions.
func describe(t *engine.Topic, q *wire.MetadataRequest, out *wire.MetadataResponseTopic) {
	name := t.Name
	out.Name, out.TopicID, out.IsInternal = &name, t.ID, topic.IsInternal(name)
	out.TopicAuthorizedOperations = operations(q)
	for i := range t.Partitions {
		p := kbin.Add(&out.Partitions)
		p.PartitionIndex, p.LeaderID, p.LeaderEpoch = i, nodeID, leaderEpoch
		p.ReplicaNodes = append(p.ReplicaNodes, nodeID)
		p.IsrNodes = append(p.IsrNodes, nodeID)
	}
}

// operations is what may be done to a topic, for those who asked; also of topics that do not exist, as in Kafka.
func operations(q *wire.MetadataRequest) int32 {
	if q.IncludeTopicAuthorizedOperations {
		return topicOperations
	}
	return operationsUntold
}
