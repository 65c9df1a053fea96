package differ

import (
	"fmt"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// What scripts do besides what they record. All of it is sent in versions that every server in question serves.
const (
	createTopicsVersion = 4
	deleteTopicsVersion = 4
	metadataVersion     = 9
	metadataIDVersion   = 12
	listOffsetsVersion  = 5
	produceVersion      = 7
	findCoordVersion    = 2
	initProducerVersion = 1

	awaitTimeout  = 20 * time.Second
	awaitInterval = 5 * time.Millisecond
)

// Create creates a topic, with settings as pairs of name and value, and waits until all of its partitions are led.
func (c *Conversation) Create(name string, partitions int32, settings ...string) {
	t := wire.CreateTopicsRequestCreatableTopic{Name: c.Topic(name), NumPartitions: partitions, ReplicationFactor: 1}
	for i := 0; i+1 < len(settings); i += 2 {
		t.Configs = append(t.Configs, wire.CreateTopicsRequestCreatableTopicConfig{Name: settings[i], Value: &settings[i+1]})
	}
	r := call[*wire.CreateTopicsResponse](c, createTopicsVersion, &wire.CreateTopicsRequest{
		Topics: []wire.CreateTopicsRequestCreatableTopic{t}, TimeoutMs: 10_000,
	})
	for _, topic := range r.Topics {
		if topic.ErrorCode != 0 {
			c.fail(fmt.Errorf("create topic %s: %w: %s", name, kerr.Code(topic.ErrorCode), text(topic.ErrorMessage)))
		}
	}
	c.AwaitTopic(name, partitions)
}

// AwaitTopic waits until a topic, which a step has created, has so many partitions, and a leader answers for each.
func (c *Conversation) AwaitTopic(name string, partitions int32) {
	c.created = append(c.created, c.Topic(name))
	c.await(fmt.Sprintf("topic %s with %d partitions", name, partitions), func() bool {
		t := c.describe(name)
		return t.ErrorCode == 0 && len(t.Partitions) == int(partitions) && c.led(name, partitions)
	})
}

// AwaitGone waits until a topic, which a step has deleted, is not there any more.
func (c *Conversation) AwaitGone(name string) {
	c.await("the end of topic "+name, func() bool {
		return kerr.Code(c.describe(name).ErrorCode) == kerr.UnknownTopicOrPartition
	})
}

// led says whether a leader answers for every partition.
func (c *Conversation) led(name string, partitions int32) bool {
	for p := range partitions {
		if _, code := c.logEnd(name, p); code != kerr.None {
			return false
		}
	}
	return true
}

// AwaitEnd waits until a partition ends at an offset: after a produce that is not answered.
func (c *Conversation) AwaitEnd(name string, partition int32, offset int64) {
	c.await(fmt.Sprintf("offset %d of %s", offset, name), func() bool {
		end, _ := c.logEnd(name, partition)
		return end == offset
	})
}

// await asks until it is answered yes.
func (c *Conversation) await(what string, yes func() bool) {
	for deadline := time.Now().Add(awaitTimeout); c.err == nil && !yes(); {
		if time.Now().After(deadline) {
			c.fail(fmt.Errorf("waited in vain for %s", what))
		}
		time.Sleep(awaitInterval)
	}
}

// logEnd is where a partition ends.
func (c *Conversation) logEnd(name string, partition int32) (int64, kerr.Code) {
	r := call[*wire.ListOffsetsResponse](c, listOffsetsVersion, &wire.ListOffsetsRequest{ReplicaID: -1,
		Topics: []wire.ListOffsetsRequestListOffsetsTopic{{Name: c.Topic(name), Partitions: []wire.ListOffsetsRequestListOffsetsPartition{
			{PartitionIndex: partition, CurrentLeaderEpoch: -1, Timestamp: -1}}}}})
	for _, t := range r.Topics {
		for _, p := range t.Partitions {
			return p.Offset, kerr.Code(p.ErrorCode)
		}
	}
	return -1, kerr.UnknownServerError
}

// describe is what the server says of a topic.
func (c *Conversation) describe(name string) wire.MetadataResponseTopic {
	topic := c.Topic(name)
	q := &wire.MetadataRequest{Topics: []wire.MetadataRequestTopic{{Name: &topic}}}
	version := int16(metadataVersion)
	if c.t.versions[wire.KeyMetadata].Has(metadataIDVersion) {
		version = metadataIDVersion
	}
	for _, t := range call[*wire.MetadataResponse](c, version, q).Topics {
		c.names.introduce(t.TopicID, name)
		return t
	}
	return wire.MetadataResponseTopic{ErrorCode: int16(kerr.UnknownServerError)}
}

// TopicID is the id of a topic that exists.
func (c *Conversation) TopicID(name string) kbin.UUID { return c.describe(name).TopicID }

// Produce adds record batches to a partition, each in a request of its own.
func (c *Conversation) Produce(name string, partition int32, batches ...[]byte) {
	for _, b := range batches {
		c.produceAt(produceVersion, name, partition, b)
	}
}

func (c *Conversation) produceAt(version int16, name string, partition int32, records []byte) {
	r := call[*wire.ProduceResponse](c, version, c.produce(-1, name, partition, records))
	for _, t := range r.Responses {
		for _, p := range t.PartitionResponses {
			if p.ErrorCode != 0 {
				c.fail(fmt.Errorf("produce to %s: %w: %s", name, kerr.Code(p.ErrorCode), text(p.ErrorMessage)))
			}
		}
	}
}

// produce is a request to add records to one partition.
func (c *Conversation) produce(acks int16, name string, partition int32, records []byte) *wire.ProduceRequest {
	return &wire.ProduceRequest{Acks: acks, TimeoutMs: 10_000, TopicData: []wire.ProduceRequestTopicProduceData{{
		Name: c.Topic(name), PartitionData: []wire.ProduceRequestPartitionProduceData{{Index: partition, Records: kbin.Records{Bytes: records}}},
	}}}
}

// NewProducer is the id of an idempotent producer, whose epoch is 0. A server may have to be asked more than once.
func (c *Conversation) NewProducer() (id int64) {
	c.await("a producer id", func() bool {
		r := call[*wire.InitProducerIDResponse](c, initProducerVersion, &wire.InitProducerIDRequest{TransactionTimeoutMs: 60_000})
		id = r.ProducerID
		return r.ErrorCode == 0
	})
	return id
}

// AwaitCoordinator waits until a server that has transactions coordinates them. It finds out with a transactional id
// of its own.
func (c *Conversation) AwaitCoordinator() {
	if _, ok := c.t.versions[wire.KeyAddPartitionsToTxn]; !ok {
		return
	}
	other := c.Topic("another")
	c.await("the coordinator of transactions", func() bool {
		found := call[*wire.FindCoordinatorResponse](c, findCoordVersion, &wire.FindCoordinatorRequest{Key: other, KeyType: 1})
		return found.ErrorCode == 0 && call[*wire.InitProducerIDResponse](c, initProducerVersion, asking(&other, 60_000)).ErrorCode == 0
	})
}

// Tick lets the servers' clocks go on, so that what comes has a later time than what was.
func (c *Conversation) Tick() { time.Sleep(10 * time.Millisecond) }

// clean deletes the conversation's topics, so that a server does not fill with them.
func (c *Conversation) clean() {
	if len(c.created) > 0 {
		call[*wire.DeleteTopicsResponse](c, deleteTopicsVersion, &wire.DeleteTopicsRequest{TopicNames: c.created, TimeoutMs: 10_000})
	}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
