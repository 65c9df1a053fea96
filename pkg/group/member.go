package group

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/heraclitus/heraclitus/pkg/state"
)

// Protocol is a way of assigning that a member knows, such as "range", with what the member says for it.
type Protocol struct {
	Name     string
	Metadata []byte // borrowed by requests, and copied where it is kept
}

// member is a member of a group, guarded by the group's lock.
type member struct {
	id         string
	instanceID string // of a static member, else empty
	clientID   string
	clientHost string
	order      int64         // in which members came
	session    time.Duration // after which a silent member is out
	rebalance  time.Duration // that it may take to join again
	protocols  []Protocol    // in the order of its liking; never changed in place
	assignment []byte        // likewise
	fresh      bool          // it has not been in a generation yet
	synced     bool          // it has asked for its assignment of this generation
	deadline   time.Time     // when it is out unless it is heard of
	join       chan Joined   // where its join waits, if it does
	sync       chan Synced   // likewise
}

// restored is a member as it was stored.
func restored(s *state.Member, protocol string) *member {
	return &member{
		id: s.ID, instanceID: s.InstanceID, clientID: s.ClientID, clientHost: s.ClientHost, synced: true,
		session: time.Duration(s.SessionTimeoutMs) * time.Millisecond, rebalance: time.Duration(s.RebalanceTimeoutMs) * time.Millisecond,
		protocols: []Protocol{{protocol, s.Subscription}}, assignment: s.Assignment,
	}
}

// stored is what is to last of a member with this assignment.
func (m *member) stored(protocol string, assignment []byte) state.Member {
	return state.Member{
		ID: m.id, InstanceID: m.instanceID, ClientID: m.clientID, ClientHost: m.clientHost,
		RebalanceTimeoutMs: int32(m.rebalance.Milliseconds()), SessionTimeoutMs: int32(m.session.Milliseconds()),
		Subscription: m.metadata(protocol), Assignment: assignment,
	}
}

// update takes over what a join says. The group counts its bytes.
func (m *member) update(q *JoinRequest) {
	m.session, m.rebalance = q.SessionTimeout, q.RebalanceTimeout
	m.clientID, m.clientHost = q.ClientID, q.ClientHost
	m.protocols = nil
	for _, p := range q.Protocols {
		m.protocols = append(m.protocols, Protocol{p.Name, bytes.Clone(p.Metadata)})
	}
}

// memberBytes is what a member takes beside what it says, in the command that settles its generation.
const memberBytes = 64

// size is how many bytes of memory the member accounts for.
func (m *member) size() int {
	n := memberBytes + len(m.id) + len(m.instanceID) + len(m.clientID) + len(m.clientHost) + len(m.assignment)
	for i := range m.protocols {
		n += len(m.protocols[i].Name) + len(m.protocols[i].Metadata)
	}
	return n
}

// size is how many bytes of memory the request's member would account for, but for its id.
func (q *JoinRequest) size() int {
	n := memberBytes + len(q.InstanceID) + 2*len(q.ClientID) + len(q.ClientHost)
	for i := range q.Protocols {
		n += len(q.Protocols[i].Name) + len(q.Protocols[i].Metadata)
	}
	return n
}

// metadata is what the member says for a protocol.
func (m *member) metadata(protocol string) []byte {
	if i := m.indexOf(protocol); i >= 0 {
		return m.protocols[i].Metadata
	}
	return nil
}

// indexOf is where a protocol stands in the member's liking; negative if the member does not know it.
func (m *member) indexOf(protocol string) int {
	return slices.IndexFunc(m.protocols, func(p Protocol) bool { return p.Name == protocol })
}

// says whether a member says nothing new with these protocols.
func (m *member) says(protocols []Protocol) bool {
	return slices.EqualFunc(m.protocols, protocols, func(a, b Protocol) bool {
		return a.Name == b.Name && bytes.Equal(a.Metadata, b.Metadata)
	})
}

// waits says whether the member is waiting for the group, so that its silence is no fault of its own. Of one that has not
// been in a generation yet nobody knows whether it still is there.
func (m *member) waits() bool { return !m.fresh && (m.join != nil || m.sync != nil) }

func (m *member) answerSync(r Synced) {
	if m.sync != nil {
		m.sync <- r // which has room for it
		m.sync = nil
	}
}

// newMemberID returns a member id that nobody else has; as Kafka's, it begins with what its operators know it by.
func newMemberID(q *JoinRequest) string {
	name := q.InstanceID
	if name == "" {
		name = q.ClientID
	}
	var id [16]byte
	rand.Read(id[:])
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // RFC 9562, version 4
	return fmt.Sprintf("%s-%x-%x-%x-%x-%x", name, id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
