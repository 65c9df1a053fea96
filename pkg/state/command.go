package state

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
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

// raw is one command as it lies in an entry.
type raw struct {
	kind byte
	body []byte // borrowed from the entry
}

// next cuts the first command off b and returns how many bytes it takes.
func next(b []byte) (raw, int, error) {
	if len(b) < commandHeaderBytes {
		return raw{}, 0, errShort
	}
	n := 4 + int64(binary.BigEndian.Uint32(b))
	if n < commandHeaderBytes || n > int64(len(b)) {
		return raw{}, 0, fmt.Errorf("command of %d bytes where %d are left", n, len(b))
	}
	return raw{b[4], b[commandHeaderBytes:n:n]}, int(n), nil
}

var errShort = errors.New("ends in the middle of a field")

func appendInt32(b []byte, v int32) []byte { return binary.BigEndian.AppendUint32(b, uint32(v)) }
func appendInt64(b []byte, v int64) []byte { return binary.BigEndian.AppendUint64(b, uint64(v)) }

func appendUvarint(b []byte, v int) []byte { return binary.AppendUvarint(b, uint64(v)) }

func appendString(b []byte, s string) []byte { return append(appendUvarint(b, len(s)), s...) }

func appendConfig(b []byte, config []ConfigEntry) []byte {
	b = appendUvarint(b, len(config))
	for _, c := range config {
		b = appendString(appendString(b, c.Name), c.Value)
	}
	return b
}

// decoder reads fields off a command or a snapshot; its error sticks.
type decoder struct {
	b   []byte
	err error
}

// take returns the next n bytes, or zeroes once the input has ended.
func (d *decoder) take(n int) []byte {
	if d.err != nil || n > len(d.b) {
		d.err = cmp.Or(d.err, errShort)
		return make([]byte, min(n, 16))
	}
	head := d.b[:n:n]
	d.b = d.b[n:]
	return head
}

func (d *decoder) int8() int8   { return int8(d.take(1)[0]) }
func (d *decoder) int16() int16 { return int16(binary.BigEndian.Uint16(d.take(2))) }
func (d *decoder) int32() int32 { return int32(binary.BigEndian.Uint32(d.take(4))) }
func (d *decoder) int64() int64 { return int64(binary.BigEndian.Uint64(d.take(8))) }
func (d *decoder) id() ID       { return ID(d.take(16)) }

// count reads a number of things that take at least minBytes each, so that it can be believed.
func (d *decoder) count(minBytes int) int {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || v > uint64(len(d.b)-n)/uint64(minBytes) {
		d.err = cmp.Or(d.err, errShort)
		return 0
	}
	d.b = d.b[n:]
	return int(v)
}

func (d *decoder) string() string {
	n := d.count(1)
	if d.err != nil {
		return ""
	}
	return string(d.take(n))
}

func (d *decoder) config() []ConfigEntry {
	var config []ConfigEntry
	for range d.count(2) {
		config = append(config, ConfigEntry{d.string(), d.string()})
	}
	return slices.Clip(config)
}

// end says whether the input was read to its end, no less and no more.
func (d *decoder) end() error {
	if d.err == nil && len(d.b) > 0 {
		return fmt.Errorf("%d bytes too many", len(d.b))
	}
	return d.err
}
