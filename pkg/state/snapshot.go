package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
)

// snapshotMagic begins every snapshot: four letters and the version of the format.
const snapshotMagic = "HSNP\x00\x00\x00\x01"

// ErrSnapshot says that bytes are not a whole, undamaged snapshot of a version we know.
var ErrSnapshot = errors.New("not a valid snapshot")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Clone returns a copy that later entries applied to s do not change. It takes time for each topic, partition, producer, group
// and user, but not for each extent, so that it can be made under the owner's read lock, by one at a time, and encoded outside
// it.
func (s *State) Clone() *State {
	c := New()
	c.clusterID, c.next, c.nextProducerID = s.clusterID, s.next, s.nextProducerID
	for _, t := range s.topics {
		copied := *t
		copied.Partitions = make([]*Partition, len(t.Partitions))
		for i, p := range t.Partitions {
			copied.Partitions[i] = p.clone()
		}
		c.add(&copied)
	}
	for id, g := range s.groups {
		g.shared = true
		c.groups[id] = g
	}
	c.users, c.hashings, c.secret = maps.Clone(s.users), maps.Clone(s.hashings), s.secret
	return c
}

func (p *Partition) clone() *Partition {
	c := *p
	c.extents = slices.Clip(p.extents)
	c.producers = nil
	if len(p.producers) > 0 {
		c.producers = make(map[int64]*producer, len(p.producers))
	}
	for id, k := range p.producers {
		copied := *k
		copied.recent = slices.Clone(k.recent)
		c.producers[id] = &copied
	}
	return &c
}

// AppendSnapshot appends the whole state as bytes, which [Restore] reads. Equal states have equal snapshots.
func (s *State) AppendSnapshot(b []byte) []byte {
	start := len(b)
	b = append(b, snapshotMagic...)
	b = binary.BigEndian.AppendUint64(b, s.next)
	b = appendString(b, s.clusterID)
	b = appendInt64(b, s.nextProducerID)
	b = appendUvarint(b, len(s.topics))
	for t := range s.Topics() {
		b = t.append(b)
	}
	b = appendUvarint(b, len(s.groups))
	for g := range s.Groups() {
		b = g.append(b)
	}
	b = appendUvarint(b, len(s.users))
	for u := range s.Users() {
		b = u.append(b)
	}
	b = appendBytes(b, s.secret)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

func (t *Topic) append(b []byte) []byte {
	b = append(b, t.ID[:]...)
	b = appendString(b, t.Name)
	b = appendConfig(b, t.Config)
	b = appendInt64(b, t.CreatedMs)
	b = appendUvarint(b, len(t.Partitions))
	for _, p := range t.Partitions {
		b = p.append(b)
	}
	return b
}

func (p *Partition) append(b []byte) []byte {
	b = appendInt64(b, p.LogStart)
	b = appendInt64(b, p.HighWatermark)
	b = appendInt64(b, p.CleanedTo)
	b = appendSegments(b, p.segments)
	b = appendUvarint(b, len(p.extents))
	for _, e := range p.extents {
		b = e.append(b)
	}
	b = p.open.append(b)
	b = appendUvarint(b, len(p.producers))
	for _, id := range slices.Sorted(maps.Keys(p.producers)) {
		b = p.producers[id].append(appendInt64(b, id))
	}
	return b
}

// extentBytes is the size of an extent in a snapshot.
const extentBytes = 8 + 8 + 4 + 4 + 8 + 8

func (e Extent) append(b []byte) []byte {
	b = appendInt64(b, e.Base)
	b = binary.BigEndian.AppendUint64(b, e.Slot)
	b = binary.BigEndian.AppendUint32(b, e.Pos)
	b = binary.BigEndian.AppendUint32(b, e.Bytes)
	return appendInt64(appendInt64(b, e.MaxTimestamp), e.CameMs)
}

// producerBytesMin and appendedBytes are sizes in a snapshot, of a producer without batches and of one batch.
const (
	producerBytesMin = 8 + 2 + 8 + 1
	appendedBytes    = 4 + 4 + 8 + 8
)

func (k *producer) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(k.epoch))
	b = appendInt64(b, k.lastMs)
	b = appendUvarint(b, len(k.recent))
	for _, a := range k.recent {
		b = appendInt32(b, a.firstSeq)
		b = appendInt32(b, a.lastSeq)
		b = appendInt64(b, a.offset)
		b = appendInt64(b, a.appendMs)
	}
	return b
}

// Restore returns the state of a snapshot. Its error is [ErrSnapshot] when the bytes are damaged or of another version.
func Restore(b []byte) (*State, error) {
	sum := len(b) - crc32.Size
	if sum < len(snapshotMagic) || string(b[:len(snapshotMagic)]) != snapshotMagic {
		return nil, fmt.Errorf("%w: it does not begin as one of version 1 does", ErrSnapshot)
	}
	if crc32.Checksum(b[:sum], castagnoli) != binary.BigEndian.Uint32(b[sum:]) {
		return nil, fmt.Errorf("%w: its checksum does not match", ErrSnapshot)
	}
	d := decoder{b: b[len(snapshotMagic):sum]}
	s := d.state()
	if err := d.end(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	return s, nil
}

func (d *decoder) state() *State {
	s := New()
	s.next = uint64(d.int64())
	s.clusterID = d.string()
	s.nextProducerID = d.int64()
	for range d.count(16) {
		s.add(d.topic())
	}
	for range d.count(groupBytesMin) {
		g := d.group()
		s.groups[g.ID] = g
	}
	for range d.count(userBytesMin) {
		u := d.user()
		s.setCredentials(u.Name, u.Credentials)
	}
	s.secret = d.bytes()
	return s
}

func (d *decoder) topic() *Topic {
	t := &Topic{ID: d.id(), Name: d.string(), Config: d.config(), CreatedMs: d.int64()}
	for range d.count(16 + 8 + 1 + extentBytes) {
		t.Partitions = append(t.Partitions, d.partition())
	}
	return t
}

func (d *decoder) partition() *Partition {
	p := &Partition{LogStart: d.int64(), HighWatermark: d.int64(), CleanedTo: d.int64(), segments: d.segments()}
	for _, g := range p.segments {
		p.Bytes += g.Bytes
	}
	extents := d.count(extentBytes)
	p.extents = make([]Extent, 0, extents)
	for range extents {
		p.extents = append(p.extents, d.extent())
	}
	p.open = d.extent()
	for _, e := range p.extents {
		p.Bytes += int64(e.Bytes)
	}
	p.Bytes += int64(p.open.Bytes)
	producers := d.count(producerBytesMin)
	if producers > 0 {
		p.producers = make(map[int64]*producer, producers)
	}
	for range producers {
		id := d.int64()
		p.producers[id] = d.producer()
	}
	return p
}

func (d *decoder) extent() Extent {
	return Extent{d.int64(), uint64(d.int64()), uint32(d.int32()), uint32(d.int32()), d.int64(), d.int64()}
}

func (d *decoder) producer() *producer {
	k := &producer{epoch: d.int16(), lastMs: d.int64()}
	k.recent = make([]appended, 0, recentBatches)
	for range d.count(appendedBytes) {
		k.recent = append(k.recent, appended{d.int32(), d.int32(), d.int64(), d.int64()})
	}
	return k
}

// Equal says whether two states are the same in everything that Apply's results and readers can depend on.
func (s *State) Equal(other *State) bool {
	return bytes.Equal(s.AppendSnapshot(nil), other.AppendSnapshot(nil))
}

// IsSnapshot says whether bytes begin as a snapshot of any version does.
func IsSnapshot(head []byte) bool { return bytes.HasPrefix(head, []byte(snapshotMagic[:4])) }
