package group

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// Listed is a group as lists show it.
type Listed struct {
	ID           string
	ProtocolType string
	State        string // Kafka's name of it
}

// List returns all groups, by id.
func (c *Coordinator) List() []Listed {
	groups := map[string]Listed{}
	c.engine.View(func(s *state.State) {
		for g := range s.Groups() {
			groups[g.ID] = Listed{g.ID, g.ProtocolType, phaseOf(&g.Generation).String()}
		}
	})
	for _, g := range c.present() {
		g.mu.Lock()
		if g.state != dead {
			groups[g.id] = Listed{g.id, g.protocolType, g.state.String()}
		}
		g.mu.Unlock()
	}
	all := make([]Listed, 0, len(groups))
	for _, l := range groups {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b Listed) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// phaseOf is the state of a group that is not in memory.
func phaseOf(g *state.Generation) phase {
	if len(g.Members) > 0 {
		return stable
	}
	return empty
}

// Described is a group with its members.
type Described struct {
	Listed
	Protocol string // of a stable group
	Members  []DescribedMember
}

// DescribedMember is a member. The slices must not be changed. In a group that is not stable, Metadata is nil and Assignment
// that of the last generation, as Kafka has it.
type DescribedMember struct {
	ID         string
	InstanceID string
	ClientID   string
	ClientHost string
	Metadata   []byte
	Assignment []byte
}

// Describe describes a group. One that does not exist is Dead, and GroupIDNotFound.
func (c *Coordinator) Describe(groupID string) (Described, kerr.Code) {
	g, _ := c.find(groupID, false)
	if g == nil {
		return Described{Listed: Listed{ID: groupID, State: dead.String()}}, kerr.GroupIDNotFound
	}
	defer g.unlock()
	d := Described{Listed: Listed{groupID, g.protocolType, g.state.String()}}
	if g.state == stable {
		d.Protocol = g.protocol
	}
	for _, m := range g.ordered() {
		shown := DescribedMember{ID: m.id, InstanceID: m.instanceID, ClientID: m.clientID, ClientHost: m.clientHost, Assignment: m.assignment}
		if g.state == stable {
			shown.Metadata = m.metadata(g.protocol)
		}
		d.Members = append(d.Members, shown)
	}
	return d, kerr.None
}

// Delete deletes groups that have no members, with their offsets, and returns what came of each.
func (c *Coordinator) Delete(groupIDs []string) []kerr.Code {
	codes := make([]kerr.Code, len(groupIDs))
	together(len(groupIDs), func(i int) { codes[i] = c.delete(groupIDs[i]) })
	return codes
}

func (c *Coordinator) delete(groupID string) (outcome kerr.Code) {
	g, _ := c.find(groupID, false)
	if g == nil {
		return kerr.GroupIDNotFound
	}
	defer g.unlock()
	if g.state != empty {
		return kerr.NonEmptyGroup
	}
	for id := range g.invited {
		g.uninvite(id)
	}
	g.write(state.DeleteGroup{GroupID: g.id}, func(code kerr.Code) {
		if code != kerr.None {
			outcome = kerr.CoordinatorNotAvailable
		}
	})
	return outcome
}

// togetherMax is how many groups of one request are changed at a time.
const togetherMax = 64

// together calls f with each i below n, some of them at a time, so that what they write is committed together.
func together(n int, f func(i int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(n, togetherMax) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	workers.Wait()
}
