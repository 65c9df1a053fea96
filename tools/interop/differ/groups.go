package differ

import (
	"encoding/binary"
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// What scripts about groups do besides what they record, in versions that every server in question serves.
const (
	joinGroupVersion      = 5
	syncGroupVersion      = 3
	leaveGroupVersion     = 3
	describeGroupsVersion = 4
	heartbeatVersion      = 3
	offsetCommitVersion   = 7
	offsetFetchVersion    = 7

	sessionTimeoutMs   = 60_000
	rebalanceTimeoutMs = 60_000
)

// Aliases of names too long for scripts.
type (
	joinRequest   = wire.JoinGroupRequest
	joinProtocol  = wire.JoinGroupRequestProtocol
	syncRequest   = wire.SyncGroupRequest
	leaveRequest  = wire.LeaveGroupRequest
	leaving       = wire.LeaveGroupRequestMemberIdentity
	commitRequest = wire.OffsetCommitRequest
	commitTopic   = wire.OffsetCommitRequestTopic
	committed     = wire.OffsetCommitRequestPartition
)

// member is a member of a group's generation.
type member struct {
	group      string // as scripts call it
	id         string
	instance   *string // of a static member
	generation int32
}

// AwaitGroups waits until a server coordinates groups. Kafka makes the topic that holds them when it is asked for the first
// time, and for a while forgets what it has answered.
func (c *Conversation) AwaitGroups() {
	c.t.groups.Do(func() {
		c.await("the coordinator of groups", func() bool {
			found := call[*wire.FindCoordinatorResponse](c, findCoordVersion, &wire.FindCoordinatorRequest{Key: c.Group("any")})
			return found.ErrorCode == 0 && c.tryJoin(c.join("any", "")).ErrorCode == 0
		})
	})
}

// AwaitState waits until a group is in a state, by Kafka's name of it.
func (c *Conversation) AwaitState(group, state string) {
	c.await(fmt.Sprintf("group %s to be %s", group, state), func() bool {
		r := call[*wire.DescribeGroupsResponse](c, describeGroupsVersion, &wire.DescribeGroupsRequest{Groups: []string{c.Group(group)}})
		return len(r.Groups) == 1 && r.Groups[0].GroupState == state
	})
}

// AwaitMembers waits until a group has so many members.
func (c *Conversation) AwaitMembers(group string, members int) {
	c.await(fmt.Sprintf("group %s to have %d members", group, members), func() bool {
		r := call[*wire.DescribeGroupsResponse](c, describeGroupsVersion, &wire.DescribeGroupsRequest{Groups: []string{c.Group(group)}})
		return len(r.Groups) == 1 && len(r.Groups[0].Members) == members
	})
}

// Join makes a stable group of one member, static if it has an instance id, that is assigned "all".
func (c *Conversation) Join(group string, instance *string, protocols ...joinProtocol) member {
	c.AwaitGroups()
	m := c.JoinOnly(group, instance, protocols...)
	c.syncAll(m)
	return m
}

// JoinOnly makes a group whose one member has not brought its assignment yet.
func (c *Conversation) JoinOnly(group string, instance *string, protocols ...joinProtocol) member {
	q := c.join(group, "", protocols...)
	q.GroupInstanceID = instance
	r := c.tryJoin(q)
	c.must("join "+group, r.ErrorCode)
	return member{group: group, id: r.MemberID, instance: instance, generation: r.GenerationID}
}

// tryJoin joins a group, in two steps if need be (KIP-394). Kafka 3.9 at times forgets between them whom it has invited.
func (c *Conversation) tryJoin(q *joinRequest) (r *wire.JoinGroupResponse) {
	for range 3 {
		q.MemberID = ""
		r = call[*wire.JoinGroupResponse](c, joinGroupVersion, q)
		if kerr.Code(r.ErrorCode) == kerr.MemberIDRequired {
			q.MemberID = r.MemberID
			r = call[*wire.JoinGroupResponse](c, joinGroupVersion, q)
		}
		if kerr.Code(r.ErrorCode) != kerr.UnknownMemberID {
			return r
		}
	}
	return r
}

// syncAll brings the assignment of a group with one member.
func (c *Conversation) syncAll(m member) {
	c.must("sync "+m.group, call[*wire.SyncGroupResponse](c, syncGroupVersion, c.sync(m, "all")).ErrorCode)
}

// Leave takes a member out of its group.
func (c *Conversation) Leave(m member) {
	q := &leaveRequest{GroupID: c.Group(m.group), Members: []leaving{{MemberID: m.id, GroupInstanceID: m.instance}}}
	c.must("leave "+m.group, call[*wire.LeaveGroupResponse](c, leaveGroupVersion, q).ErrorCode)
}

// Commit commits offsets for the first partitions of a topic, as somebody who is no member.
func (c *Conversation) Commit(group, topic string, offsets ...int64) {
	c.AwaitGroups()
	r := call[*wire.OffsetCommitResponse](c, offsetCommitVersion, c.commit(group, topic, offsets...))
	for _, t := range r.Topics {
		for _, p := range t.Partitions {
			c.must("commit to "+group, p.ErrorCode)
		}
	}
}

// must fails a conversation whose preparation does not work.
func (c *Conversation) must(what string, code int16) {
	if code != 0 {
		c.fail(fmt.Errorf("%s: %w", what, kerr.Code(code)))
	}
}

// subscribing are the protocols of a consumer that subscribes to topics, by their full names.
func subscribing(topics ...string) []joinProtocol {
	return []joinProtocol{{Name: "range", Metadata: subscription(topics...)}, {Name: "roundrobin", Metadata: subscription(topics...)}}
}

// says is a protocol with what a member says for it.
func says(name, metadata string) joinProtocol {
	return joinProtocol{Name: name, Metadata: []byte(metadata)}
}

// subscription is what a consumer says for a protocol, in version 0 of the consumers' own.
func subscription(topics ...string) []byte {
	b := binary.BigEndian.AppendUint16(nil, 0)
	return (&wire.ConsumerProtocolSubscription{Topics: topics}).Append(b, 0)
}

// join asks for a place in a group; with no protocols given, as a consumer of a topic t.
func (c *Conversation) join(group, id string, protocols ...joinProtocol) *joinRequest {
	if len(protocols) == 0 {
		protocols = subscribing(c.Topic("t"))
	}
	return &joinRequest{
		GroupID: c.Group(group), MemberID: id, ProtocolType: "consumer", Protocols: protocols,
		SessionTimeoutMs: sessionTimeoutMs, RebalanceTimeoutMs: rebalanceTimeoutMs,
	}
}

// rejoin joins a generation that follows the member's.
func (c *Conversation) rejoin(m member, protocols ...joinProtocol) *joinRequest {
	q := c.join(m.group, m.id, protocols...)
	q.GroupInstanceID = m.instance
	return q
}

// sync asks for a member's assignment, as a consumer that assigns by range. It brings its own, unless that is empty.
func (c *Conversation) sync(m member, assignment string) *syncRequest {
	consumer, byRange := "consumer", "range"
	q := &syncRequest{
		GroupID: c.Group(m.group), GenerationID: m.generation, MemberID: m.id, GroupInstanceID: m.instance, ProtocolType: &consumer, ProtocolName: &byRange,
	}
	if assignment != "" {
		q.Assignments = []wire.SyncGroupRequestAssignment{{MemberID: m.id, Assignment: []byte(assignment)}}
	}
	return q
}

// beat is a member's heartbeat.
func (c *Conversation) beat(m member) *wire.HeartbeatRequest {
	return &wire.HeartbeatRequest{GroupID: c.Group(m.group), GenerationID: m.generation, MemberID: m.id, GroupInstanceID: m.instance}
}

// commit commits offsets for the first partitions of a topic, for nobody's generation.
func (c *Conversation) commit(group, topic string, offsets ...int64) *commitRequest {
	t := commitTopic{Name: c.Topic(topic)}
	for i, offset := range offsets {
		t.Partitions = append(t.Partitions, committing(int32(i), offset))
	}
	return &commitRequest{GroupID: c.Group(group), GenerationIDOrMemberEpoch: -1, RetentionTimeMs: -1, Topics: []commitTopic{t}}
}

// committing is an offset to commit, without metadata.
func committing(partition int32, offset int64) committed {
	none := ""
	return committed{PartitionIndex: partition, CommittedOffset: offset, CommittedLeaderEpoch: -1, CommitTimestamp: -1, CommittedMetadata: &none}
}

// commitOf is commit in a member's name.
func (c *Conversation) commitOf(m member, topic string, offsets ...int64) *commitRequest {
	q := c.commit(m.group, topic, offsets...)
	q.GenerationIDOrMemberEpoch, q.MemberID, q.GroupInstanceID = m.generation, m.id, m.instance
	return q
}

// offsetsOf records what a group has committed, without saying of what.
func (c *Conversation) offsetsOf(step, group string) {
	c.AskAt(step, offsetFetchVersion, &wire.OffsetFetchRequest{GroupID: c.Group(group)})
}

// describeGroup records what a group is.
func (c *Conversation) describeGroup(step, group string) {
	c.AskAt(step, describeGroupsVersion, &wire.DescribeGroupsRequest{Groups: []string{c.Group(group)}})
}

// wrong are ways in which a request can be from nobody, for APIs that name group, member and generation.
type wrong struct {
	what string
	of   member
	from int16 // version
}

// wrongs spoil m in all of them.
func wrongs(m member, instances int16) []wrong {
	other, odd := "other", "no instance"
	with := func(spoil func(*member)) member {
		spoiled := m
		spoil(&spoiled)
		return spoiled
	}
	return []wrong{
		{"an older generation", with(func(m *member) { m.generation-- }), 0},
		{"a newer generation", with(func(m *member) { m.generation++ }), 0},
		{"a generation below zero", with(func(m *member) { m.generation = -1 }), 0},
		{"an unknown member", with(func(m *member) { m.id = other }), 0},
		{"no member", with(func(m *member) { m.id = "" }), 0},
		{"an unknown member of another generation", with(func(m *member) { m.id, m.generation = other, 99 }), 0},
		{"an unknown group", with(func(m *member) { m.group = "none" }), 0},
		{"an unknown instance", with(func(m *member) { m.instance = &odd }), instances},
	}
}
