package state

import (
	"encoding/binary"
)

// Kinds of commands. A kind, once released, keeps its number and its bytes; a changed command is a new kind.
const (
	kindProduce            = 1
	kindCreateCluster      = 2
	kindCreateTopic        = 3
	kindDeleteTopic        = 4
	kindAddPartitions      = 5
	kindAllocateProducerID = 6
	kindMoveLogStart       = 7
	kindExpireProducers    = 8
	kindReplaceSegments    = 9
	kindStoreGroup         = 16
	kindDeleteGroup        = 17
	kindCommitOffsets      = 18
	kindDeleteOffsets      = 19
	kindExpireOffsets      = 20
	kindConfigureTopic     = 24
	kindUpsertCredential   = 32
	kindDeleteCredential   = 33
	kindCreateSecret       = 34
)

// commandHeaderBytes is the length (uint32, of what follows it) and the kind (one byte) before every command's body.
const commandHeaderBytes = 5

// Command is a change to the state, ready to be written into an entry.
type Command interface {
	kind() byte
	append(b []byte) []byte
}

// CreateCluster gives the cluster its id. It is the first command of a journal; any later one changes nothing.
type CreateCluster struct {
	ClusterID string
}

// CreateTopic creates a topic. Refused with TopicAlreadyExists when the name or the id is taken, and with InvalidPartitions when
// Partitions is not 1 to [PartitionsMax].
type CreateTopic struct {
	ID         ID
	Name       string
	Partitions int32
	Config     []ConfigEntry // sorted by name, each name once
	NowMs      int64
}

// ConfigEntry is one configuration that was set on a topic, by Kafka's name.
type ConfigEntry struct{ Name, Value string }

// DeleteTopic deletes a topic with all its records. Refused with UnknownTopicID.
type DeleteTopic struct {
	ID ID
}

// AddPartitions raises a topic's number of partitions to Count. Refused with UnknownTopicID, or with InvalidPartitions
// when Count is not larger than the number there is, or larger than [PartitionsMax].
type AddPartitions struct {
	ID    ID
	Count int32
}

// AllocateProducerID hands out the next producer id, with epoch 0.
type AllocateProducerID struct{}

// MoveLogStart raises a partition's log start offset to Offset, at most to its high watermark. A lower Offset changes nothing.
type MoveLogStart struct {
	ID        ID
	Partition int32
	Offset    int64
}

// ExpireProducers forgets the producers that appended nothing since BeforeMs; Kafka's producer.id.expiration.ms.
type ExpireProducers struct {
	BeforeMs int64
}

func (CreateCluster) kind() byte      { return kindCreateCluster }
func (CreateTopic) kind() byte        { return kindCreateTopic }
func (DeleteTopic) kind() byte        { return kindDeleteTopic }
func (AddPartitions) kind() byte      { return kindAddPartitions }
func (AllocateProducerID) kind() byte { return kindAllocateProducerID }
func (MoveLogStart) kind() byte       { return kindMoveLogStart }
func (ExpireProducers) kind() byte    { return kindExpireProducers }

func (c CreateCluster) append(b []byte) []byte    { return appendString(b, c.ClusterID) }
func (c *CreateCluster) decode(d *decoder)        { c.ClusterID = d.string() }
func (c DeleteTopic) append(b []byte) []byte      { return append(b, c.ID[:]...) }
func (c *DeleteTopic) decode(d *decoder)          { c.ID = d.id() }
func (c ExpireProducers) append(b []byte) []byte  { return appendInt64(b, c.BeforeMs) }
func (c *ExpireProducers) decode(d *decoder)      { c.BeforeMs = d.int64() }
func (c AddPartitions) append(b []byte) []byte    { return appendInt32(append(b, c.ID[:]...), c.Count) }
func (c *AddPartitions) decode(d *decoder)        { c.ID, c.Count = d.id(), d.int32() }
func (AllocateProducerID) append(b []byte) []byte { return b }
func (*AllocateProducerID) decode(*decoder)       {}

func (c CreateTopic) append(b []byte) []byte {
	b = append(b, c.ID[:]...)
	b = appendString(b, c.Name)
	b = appendInt32(b, c.Partitions)
	b = appendConfig(b, c.Config)
	return appendInt64(b, c.NowMs)
}

func (c *CreateTopic) decode(d *decoder) {
	c.ID = d.id()
	c.Name = d.string()
	c.Partitions = d.int32()
	c.Config = d.config()
	c.NowMs = d.int64()
}

func (c MoveLogStart) append(b []byte) []byte {
	b = append(b, c.ID[:]...)
	b = appendInt32(b, c.Partition)
	return appendInt64(b, c.Offset)
}

func (c *MoveLogStart) decode(d *decoder) {
	c.ID, c.Partition, c.Offset = d.id(), d.int32(), d.int64()
}

// AppendCommand appends a command to an entry. Commands of produced batches are written by [AppendProduce].
func AppendCommand(b []byte, c Command) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0, c.kind())
	b = c.append(b)
	binary.BigEndian.PutUint32(b[start:], uint32(len(b)-start-4))
	return b
}

// ProduceHeaderBytes is what lies before a produced batch in an entry: command header, topic id, partition, time.
const ProduceHeaderBytes = commandHeaderBytes + 16 + 4 + 8

// AppendProduce appends a command that appends one batch to a partition. The batch has been checked (package record), and
// its base offset is of no account: the one that Apply assigns takes its place when the batch is read.
func AppendProduce(b []byte, id ID, partition int32, nowMs int64, batch []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(ProduceHeaderBytes-4+len(batch)))
	b = append(b, kindProduce)
	b = append(b, id[:]...)
	b = appendInt32(b, partition)
	b = appendInt64(b, nowMs)
	return append(b, batch...)
}
