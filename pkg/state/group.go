package state

import (
	"iter"
	"maps"
	"slices"
)

// Group is what lasts of a group: its last settled generation, and the offsets committed in its name. Who is in it at this
// moment, and how far a rebalance has come, is known to package group alone. Its fields are read-only outside this package.
type Group struct {
	ID string
	Generation
	offsets map[ID]map[int32]Offset // by topic and partition
	shared  bool                    // a clone of the state has it too: it is copied before it is changed
}

// Generation is a generation of a group whose members have their assignments, or one without members. The slices in it
// never change. It is zero in a group that only has offsets.
type Generation struct {
	Number       int32
	ProtocolType string // such as "consumer"; empty when the group never had members
	Protocol     string // that the members agreed on; empty without members
	Leader       string // member id; empty without members
	SinceMs      int64  // when it was settled
	Members      []Member
}

// Member is a member of a settled generation.
type Member struct {
	ID                 string
	InstanceID         string // of a static member (KIP-345), else empty
	ClientID           string
	ClientHost         string
	RebalanceTimeoutMs int32
	SessionTimeoutMs   int32
	Subscription       []byte // what it said for the generation's protocol
	Assignment         []byte
}

// Offset is a committed offset.
type Offset struct {
	Offset      int64
	LeaderEpoch int32  // of the record before it, as the client says; -1 when it does not
	Metadata    string // the client's own
	CommitMs    int64
	ExpireMs    int64 // when it expires, if the client said so (OffsetCommit v2 to v4); else -1
}

// StoreGroup settles a generation of a group, which is created if need be. Its offsets stay.
type StoreGroup struct {
	GroupID string
	Generation
}

// DeleteGroup deletes a group with its offsets. It is no error if there is none.
type DeleteGroup struct {
	GroupID string
}

// CommitOffsets commits offsets of a group, which is created if need be. Those of topics that are gone are left out, as if they
// had been committed just before the deletion.
type CommitOffsets struct {
	GroupID string
	Offsets []PartitionOffset
}

// PartitionOffset is an offset committed for a partition.
type PartitionOffset struct {
	Topic     ID
	Partition int32
	Offset
}

// DeleteOffsets forgets committed offsets of a group.
type DeleteOffsets struct {
	GroupID    string
	Partitions []TopicPartition
}

// TopicPartition names a partition.
type TopicPartition struct {
	Topic     ID
	Partition int32
}

// ExpireOffsets forgets the committed offsets of a group that have been of no use for too long. An offset with an ExpireMs goes
// when that is not after NowMs. The others go, all of them, when SinceMs is not after BeforeMs; where SinceMs is -1, each goes
// that was committed not after BeforeMs. Offsets of topics in Subscribed stay.
type ExpireOffsets struct {
	GroupID    string
	NowMs      int64
	BeforeMs   int64
	SinceMs    int64
	Subscribed []string
}

func (StoreGroup) kind() byte    { return kindStoreGroup }
func (DeleteGroup) kind() byte   { return kindDeleteGroup }
func (CommitOffsets) kind() byte { return kindCommitOffsets }
func (DeleteOffsets) kind() byte { return kindDeleteOffsets }
func (ExpireOffsets) kind() byte { return kindExpireOffsets }

func (c StoreGroup) append(b []byte) []byte  { return c.Generation.append(appendString(b, c.GroupID)) }
func (c *StoreGroup) decode(d *decoder)      { c.GroupID, c.Generation = d.string(), d.generation() }
func (c DeleteGroup) append(b []byte) []byte { return appendString(b, c.GroupID) }
func (c *DeleteGroup) decode(d *decoder)     { c.GroupID = d.string() }

func (c CommitOffsets) append(b []byte) []byte {
	b = appendString(b, c.GroupID)
	b = appendUvarint(b, len(c.Offsets))
	for i := range c.Offsets {
		o := &c.Offsets[i]
		b = o.Offset.append(appendInt32(append(b, o.Topic[:]...), o.Partition))
	}
	return b
}

func (c *CommitOffsets) decode(d *decoder) {
	c.GroupID = d.string()
	for range d.count(partitionBytes + offsetBytesMin) {
		c.Offsets = append(c.Offsets, PartitionOffset{d.id(), d.int32(), d.offset()})
	}
}

func (c DeleteOffsets) append(b []byte) []byte {
	b = appendString(b, c.GroupID)
	b = appendUvarint(b, len(c.Partitions))
	for _, p := range c.Partitions {
		b = appendInt32(append(b, p.Topic[:]...), p.Partition)
	}
	return b
}

func (c *DeleteOffsets) decode(d *decoder) {
	c.GroupID = d.string()
	for range d.count(partitionBytes) {
		c.Partitions = append(c.Partitions, TopicPartition{d.id(), d.int32()})
	}
}

func (c ExpireOffsets) append(b []byte) []byte {
	b = appendString(b, c.GroupID)
	b = appendInt64(appendInt64(appendInt64(b, c.NowMs), c.BeforeMs), c.SinceMs)
	b = appendUvarint(b, len(c.Subscribed))
	for _, name := range c.Subscribed {
		b = appendString(b, name)
	}
	return b
}

func (c *ExpireOffsets) decode(d *decoder) {
	c.GroupID, c.NowMs, c.BeforeMs, c.SinceMs = d.string(), d.int64(), d.int64(), d.int64()
	for range d.count(1) {
		c.Subscribed = append(c.Subscribed, d.string())
	}
}

// Group returns the group with an id, or nil.
func (s *State) Group(id string) *Group { return s.groups[id] }

// GroupCount returns how many groups there are.
func (s *State) GroupCount() int { return len(s.groups) }

// Groups yields all groups, by id.
func (s *State) Groups() iter.Seq[*Group] {
	return func(yield func(*Group) bool) {
		for _, id := range slices.Sorted(maps.Keys(s.groups)) {
			if !yield(s.groups[id]) {
				return
			}
		}
	}
}

// Committed returns the offset that the group committed for a partition.
func (g *Group) Committed(topic ID, partition int32) (Offset, bool) {
	o, ok := g.offsets[topic][partition]
	return o, ok
}

// Offsets yields all offsets committed, by topic id and partition.
func (g *Group) Offsets() iter.Seq2[TopicPartition, Offset] {
	return func(yield func(TopicPartition, Offset) bool) {
		for _, id := range sortedIDs(g.offsets) {
			partitions := g.offsets[id]
			for _, p := range slices.Sorted(maps.Keys(partitions)) {
				if !yield(TopicPartition{id, p}, partitions[p]) {
					return
				}
			}
		}
	}
}

// HasOffsets says whether the group has any committed offset.
func (g *Group) HasOffsets() bool { return len(g.offsets) > 0 }

// Expiring says whether an ExpireOffsets would forget any offset now.
func (s *State) Expiring(c *ExpireOffsets) bool {
	g := s.groups[c.GroupID]
	if g == nil {
		return false
	}
	for id, partitions := range g.offsets {
		if s.subscribed(c, id) {
			continue
		}
		for _, o := range partitions {
			if c.expired(&o) {
				return true
			}
		}
	}
	return false
}

func (s *State) subscribed(c *ExpireOffsets, id ID) bool {
	t := s.topics[id]
	return t != nil && slices.Contains(c.Subscribed, t.Name)
}

func (c *ExpireOffsets) expired(o *Offset) bool {
	switch {
	case o.ExpireMs != -1:
		return o.ExpireMs <= c.NowMs
	case c.SinceMs != -1:
		return c.SinceMs <= c.BeforeMs
	}
	return o.CommitMs <= c.BeforeMs
}

// group returns the group with an id, to be changed; it is created if it does not exist.
func (s *State) group(id string) *Group {
	if s.groups[id] == nil {
		s.groups[id] = &Group{ID: id, offsets: map[ID]map[int32]Offset{}}
	}
	return s.own(id)
}

// own returns a group to be changed, or nil when there is none.
func (s *State) own(id string) *Group {
	g := s.groups[id]
	if g != nil && g.shared {
		g = g.clone()
		s.groups[id] = g
	}
	return g
}

func (s *State) storeGroup(c *StoreGroup, _ *Result) { s.group(c.GroupID).Generation = c.Generation }

func (s *State) deleteGroup(c *DeleteGroup, _ *Result) { delete(s.groups, c.GroupID) }

func (s *State) commitOffsets(c *CommitOffsets, _ *Result) {
	g := s.group(c.GroupID)
	for _, o := range c.Offsets {
		if s.Partition(o.Topic, o.Partition) == nil {
			continue
		}
		if g.offsets[o.Topic] == nil {
			g.offsets[o.Topic] = map[int32]Offset{}
		}
		g.offsets[o.Topic][o.Partition] = o.Offset
	}
}

func (s *State) deleteOffsets(c *DeleteOffsets, _ *Result) {
	g := s.own(c.GroupID)
	if g == nil {
		return
	}
	for _, p := range c.Partitions {
		delete(g.offsets[p.Topic], p.Partition)
		if len(g.offsets[p.Topic]) == 0 {
			delete(g.offsets, p.Topic)
		}
	}
}

func (s *State) expireOffsets(c *ExpireOffsets, _ *Result) {
	g := s.own(c.GroupID)
	if g == nil {
		return
	}
	for id, partitions := range g.offsets {
		if s.subscribed(c, id) {
			continue
		}
		maps.DeleteFunc(partitions, func(_ int32, o Offset) bool { return c.expired(&o) })
		if len(partitions) == 0 {
			delete(g.offsets, id)
		}
	}
}

// forgetOffsets forgets what groups committed for a topic that is gone.
func (s *State) forgetOffsets(topic ID) {
	for id, g := range s.groups {
		if g.offsets[topic] != nil {
			delete(s.own(id).offsets, topic)
		}
	}
}

func (g *Group) clone() *Group {
	c := *g
	c.shared = false
	c.offsets = make(map[ID]map[int32]Offset, len(g.offsets))
	for id, partitions := range g.offsets {
		c.offsets[id] = maps.Clone(partitions)
	}
	return &c
}

// Sizes in commands and snapshots: of a partition's name, and the least of an offset, a member and a group.
const (
	partitionBytes = 16 + 4
	offsetBytesMin = 8 + 4 + 1 + 8 + 8
	memberBytesMin = 6 + 4 + 4
	groupBytesMin  = 1 + 4 + 3 + 8 + 1 + 1
)

func (g *Group) append(b []byte) []byte {
	b = g.Generation.append(appendString(b, g.ID))
	b = appendUvarint(b, len(g.offsets))
	for _, id := range sortedIDs(g.offsets) {
		partitions := g.offsets[id]
		b = appendUvarint(append(b, id[:]...), len(partitions))
		for _, p := range slices.Sorted(maps.Keys(partitions)) {
			b = partitions[p].append(appendInt32(b, p))
		}
	}
	return b
}

func (d *decoder) group() *Group {
	g := &Group{ID: d.string(), Generation: d.generation()}
	topics := d.count(16 + 1)
	g.offsets = make(map[ID]map[int32]Offset, topics)
	for range topics {
		id := d.id()
		partitions := d.count(4 + offsetBytesMin)
		g.offsets[id] = make(map[int32]Offset, partitions)
		for range partitions {
			p := d.int32()
			g.offsets[id][p] = d.offset()
		}
	}
	return g
}

func (g Generation) append(b []byte) []byte {
	b = appendInt32(b, g.Number)
	b = appendString(appendString(appendString(b, g.ProtocolType), g.Protocol), g.Leader)
	b = appendInt64(b, g.SinceMs)
	b = appendUvarint(b, len(g.Members))
	for i := range g.Members {
		b = g.Members[i].append(b)
	}
	return b
}

func (d *decoder) generation() Generation {
	g := Generation{Number: d.int32(), ProtocolType: d.string(), Protocol: d.string(), Leader: d.string(), SinceMs: d.int64()}
	for range d.count(memberBytesMin) {
		g.Members = append(g.Members, d.member())
	}
	return g
}

func (m *Member) append(b []byte) []byte {
	b = appendString(appendString(b, m.ID), m.InstanceID)
	b = appendString(appendString(b, m.ClientID), m.ClientHost)
	b = appendInt32(appendInt32(b, m.RebalanceTimeoutMs), m.SessionTimeoutMs)
	return appendBytes(appendBytes(b, m.Subscription), m.Assignment)
}

func (d *decoder) member() Member {
	return Member{
		ID: d.string(), InstanceID: d.string(), ClientID: d.string(), ClientHost: d.string(),
		RebalanceTimeoutMs: d.int32(), SessionTimeoutMs: d.int32(), Subscription: d.bytes(), Assignment: d.bytes(),
	}
}

func (o Offset) append(b []byte) []byte {
	b = appendInt32(appendInt64(b, o.Offset), o.LeaderEpoch)
	b = appendString(b, o.Metadata)
	return appendInt64(appendInt64(b, o.CommitMs), o.ExpireMs)
}

func (d *decoder) offset() Offset {
	return Offset{d.int64(), d.int32(), d.string(), d.int64(), d.int64()}
}
