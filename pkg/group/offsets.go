package group

import (
	"cmp"
	"slices"
	"unicode/utf16"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// CommitRequest commits offsets in the name of a group, for a member of its generation. A negative generation and no
// member is a client that only keeps its offsets here.
type CommitRequest struct {
	GroupID    string
	Who        Identity
	Generation int32
	Offsets    []state.PartitionOffset
}

// commitBytesMax is about how large a command of committed offsets grows before the next is begun.
const commitBytesMax = 256 << 10

// Commit makes offsets durable, and returns what came of each: GroupIDNotFound of all when a generation is named of a group
// that does not exist.
func (c *Coordinator) Commit(q *CommitRequest) []kerr.Code {
	codes := make([]kerr.Code, len(q.Offsets))
	g, code := c.find(q.GroupID, q.Generation < 0 && len(q.GroupID) <= groupIDBytesMax)
	if g == nil {
		if code == kerr.None {
			code = kerr.GroupIDNotFound
		}
		return fill(codes, code)
	}
	if code := g.checkCommit(q); code != kerr.None {
		g.unlock()
		return fill(codes, code)
	}
	g.commit(q.Offsets, codes)
	g.unlock()
	return codes
}

// commit appends offsets, in commands of bounded size, and notes what comes of each.
func (g *group) commit(offsets []state.PartitionOffset, codes []kerr.Code) {
	for len(offsets) > 0 {
		n, c := 0, state.CommitOffsets{GroupID: g.id}
		for size := 0; n < len(offsets) && size < commitBytesMax; n++ {
			if longer(offsets[n].Metadata, g.coordinator.options.OffsetMetadataMax) {
				codes[n] = kerr.OffsetMetadataTooLarge
				continue
			}
			c.Offsets = append(c.Offsets, offsets[n])
			size += 64 + len(offsets[n].Metadata)
		}
		if part := codes[:n]; len(c.Offsets) > 0 {
			g.write(c, func(code kerr.Code) {
				if code != kerr.None {
					fill(part, kerr.CoordinatorNotAvailable)
					return
				}
				g.coordinator.options.Metrics.OffsetsCommitted.Add(len(c.Offsets))
			})
		}
		offsets, codes = offsets[n:], codes[n:]
	}
}

// longer says whether metadata is longer than allowed, as Kafka measures it: in UTF-16 code units, of which no text has more
// than bytes.
func longer(metadata string, unitsMax int) bool {
	if len(metadata) <= unitsMax {
		return false
	}
	units := 0
	for _, c := range metadata {
		units += utf16.RuneLen(c)
	}
	return units > unitsMax
}

func fill(codes []kerr.Code, code kerr.Code) []kerr.Code {
	for i := range codes {
		codes[i] = code
	}
	return codes
}

func (g *group) checkCommit(q *CommitRequest) kerr.Code {
	if q.Generation < 0 && g.state == empty {
		return kerr.None
	}
	if q.Generation < 0 && q.Who.MemberID == "" && q.Who.InstanceID == "" {
		return kerr.UnknownMemberID
	}
	m, code := g.member(q.Who.MemberID, q.Who.InstanceID)
	switch {
	case code != kerr.None:
		return code
	case q.Generation != g.generation:
		return kerr.IllegalGeneration
	case g.state == completing:
		return kerr.RebalanceInProgress
	}
	g.keepAlive(m)
	return kerr.None
}

// none is what is said of a partition that nothing was committed for.
var none = state.Offset{Offset: -1, LeaderEpoch: -1, CommitMs: -1, ExpireMs: -1}

// Committed returns the offsets that a group committed for partitions; Offset is -1 where there is none.
func (c *Coordinator) Committed(groupID string, partitions []state.TopicPartition) []state.PartitionOffset {
	found := make([]state.PartitionOffset, len(partitions))
	c.engine.View(func(s *state.State) {
		g := s.Group(groupID)
		for i, p := range partitions {
			found[i] = state.PartitionOffset{Topic: p.Topic, Partition: p.Partition, Offset: none}
			if g == nil {
				continue
			}
			if o, ok := g.Committed(p.Topic, p.Partition); ok {
				found[i].Offset = o
			}
		}
	})
	return found
}

// CommittedTopic is a topic that a group committed offsets for.
type CommittedTopic struct {
	Name    string
	Offsets []state.PartitionOffset // by partition
}

// AllCommitted returns all offsets that a group committed, by topic.
func (c *Coordinator) AllCommitted(groupID string) []CommittedTopic {
	var all []CommittedTopic
	c.engine.View(func(s *state.State) {
		g := s.Group(groupID)
		if g == nil {
			return
		}
		for p, o := range g.Offsets() {
			if last := len(all) - 1; last < 0 || all[last].Offsets[0].Topic != p.Topic {
				all = append(all, CommittedTopic{Name: s.Topic(p.Topic).Name})
			}
			t := &all[len(all)-1]
			t.Offsets = append(t.Offsets, state.PartitionOffset{Topic: p.Topic, Partition: p.Partition, Offset: o})
		}
	})
	slices.SortFunc(all, func(a, b CommittedTopic) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// NamedPartition is a partition with the name of its topic.
type NamedPartition struct {
	Name string
	state.TopicPartition
}

// deletedMax is how many offsets one command forgets.
const deletedMax = 10_000

// DeleteOffsets forgets committed offsets of a group that does not use them, and returns what came of each.
func (c *Coordinator) DeleteOffsets(groupID string, partitions []NamedPartition) ([]kerr.Code, kerr.Code) {
	codes := make([]kerr.Code, len(partitions))
	if !validID(groupID) {
		return codes, kerr.InvalidGroupID
	}
	g, _ := c.find(groupID, false)
	if g == nil {
		return codes, kerr.GroupIDNotFound
	}
	defer g.unlock()
	if g.state != empty && g.protocolType != consumerType {
		return codes, kerr.NonEmptyGroup
	}
	topics, known := g.subscribed()
	var gone []state.TopicPartition
	var deleted []int
	for i, p := range partitions {
		if g.state != empty && (!known || topics[p.Name]) {
			codes[i] = kerr.GroupSubscribedToTopic
			continue
		}
		gone, deleted = append(gone, p.TopicPartition), append(deleted, i)
	}
	for part := range slices.Chunk(gone, deletedMax) {
		g.write(state.DeleteOffsets{GroupID: groupID, Partitions: part}, func(code kerr.Code) {
			if code == kerr.None {
				return
			}
			for _, i := range deleted {
				codes[i] = kerr.CoordinatorNotAvailable
			}
		})
	}
	return codes, kerr.None
}
