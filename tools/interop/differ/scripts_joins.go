package differ

import (
	"strings"

	"github.com/heraclitus/heraclitus/pkg/wire"
)

// refusedJoins are joins that a server can refuse by looking at them, whether the group is new or not.
var refusedJoins = []struct {
	what  string
	from  int16 // version
	spoil func(*joinRequest)
}{
	{"no group id", 0, func(q *joinRequest) { q.GroupID = "" }},
	{"no session timeout", 0, func(q *joinRequest) { q.SessionTimeoutMs = 0 }},
	{"a session timeout below zero", 0, func(q *joinRequest) { q.SessionTimeoutMs = -1 }},
	{"a session timeout too short", 0, func(q *joinRequest) { q.SessionTimeoutMs = 5_999 }},
	{"a session timeout too long", 0, func(q *joinRequest) { q.SessionTimeoutMs = 1_800_001 }},
	{"no protocol type", 0, func(q *joinRequest) { q.ProtocolType = "" }},
	{"no protocols", 0, func(q *joinRequest) { q.Protocols = nil }},
	{"another protocol type", 0, func(q *joinRequest) { q.ProtocolType = "connect" }},
	{"another protocol", 0, func(q *joinRequest) { q.Protocols = []joinProtocol{{Name: "other"}} }},
	{"an unknown member", 0, func(q *joinRequest) { q.MemberID = "other" }},
	{"an unknown member without protocols", 0, func(q *joinRequest) { q.MemberID, q.Protocols = "other", nil }},
	{"an unknown instance with a member id", 5, func(q *joinRequest) { other := "other"; q.MemberID, q.GroupInstanceID = other, &other }},
	{"an empty instance id", 5, func(q *joinRequest) { empty := ""; q.MemberID, q.GroupInstanceID = "other", &empty }},
	{"an instance id with a slash", 5, func(q *joinRequest) { odd := "a/b"; q.MemberID, q.GroupInstanceID = "other", &odd }},
	{"an instance id that is two dots", 5, func(q *joinRequest) { odd := ".."; q.MemberID, q.GroupInstanceID = "other", &odd }},
	{"an instance id too long", 5, func(q *joinRequest) { odd := strings.Repeat("i", 250); q.MemberID, q.GroupInstanceID = "other", &odd }},
}

// oddJoins are joins that are unusual, and good.
var oddJoins = []struct {
	name, what string
	spoil      func(*joinRequest)
}{
	{"1", "the shortest session", func(q *joinRequest) { q.SessionTimeoutMs = 6_000 }},
	{"2", "the longest session", func(q *joinRequest) { q.SessionTimeoutMs = 1_800_000 }},
	{"3", "a connector", func(q *joinRequest) { q.ProtocolType = "connect" }},
	{"4", "a schema registry", func(q *joinRequest) { q.ProtocolType, q.Protocols = "sr", []joinProtocol{says("v0", "{}")} }},
	{"5", "nothing said", func(q *joinRequest) { q.Protocols = []joinProtocol{{Name: "range"}} }},
	{"6", "a connector's garbage", func(q *joinRequest) {
		q.ProtocolType, q.Protocols = "connect", []joinProtocol{says("range", "garbage")}
	}},
	{"7", "a protocol without a name", func(q *joinRequest) { q.Protocols = []joinProtocol{{}} }},
}

// firstJoin records how somebody joins who has no member id, in versions that give one back at first (KIP-394) and in
// others.
func (c *Conversation) firstJoin(step string, q *joinRequest) *wire.JoinGroupResponse {
	r := c.Ask(step, q).(*wire.JoinGroupResponse)
	if c.Version >= 4 && q.GroupInstanceID == nil {
		q.MemberID = r.MemberID
		r = c.Ask(step+", with the id given", q).(*wire.JoinGroupResponse)
	}
	return r
}

var joinGroupScripts = []Script{
	{Name: "a member alone", Key: wire.KeyJoinGroup, Hold: func(c *Conversation) {
		c.AwaitGroups()
		r := c.firstJoin("join", c.join("g", ""))
		m := member{group: "g", id: r.MemberID, generation: r.GenerationID}
		c.Ask("join again before the sync", c.rejoin(m))
		c.Ask("with something new before the sync", c.rejoin(m, subscribing("u")...))
		m.generation++
		c.syncAll(m)
		c.Ask("the leader again", c.rejoin(m, subscribing("u")...))
		c.Leave(m)
		c.describeGroup("after it has left", "g")
		c.firstJoin("another", c.join("g", ""))
	}},
	{Name: "refusals of a new group", Key: wire.KeyJoinGroup, Hold: func(c *Conversation) {
		c.AwaitGroups()
		for _, s := range refusedJoins {
			if q := c.join("g", ""); c.Version >= s.from && !strings.HasPrefix(s.what, "another") {
				s.spoil(q)
				c.Ask(s.what, q)
			}
		}
		c.describeGroup("the group", "g")
	}},
	{Name: "refusals of a stable group", Key: wire.KeyJoinGroup, Hold: func(c *Conversation) {
		m := c.Join("g", nil)
		for _, s := range refusedJoins {
			if q := c.join("g", ""); c.Version >= s.from {
				s.spoil(q)
				c.Ask(s.what, q)
			}
		}
		for _, s := range refusedJoins {
			if q := c.rejoin(m); s.from == 0 && s.what != "another protocol" { // by which the one member may go
				s.spoil(q)
				c.Ask(s.what+", of a member", q)
			}
		}
		c.describeGroup("the group", "g")
	}},
	{Name: "a group that is not there", Key: wire.KeyJoinGroup, Hold: func(c *Conversation) {
		c.AwaitGroups()
		c.Ask("a member", c.join("g", "other"))
		q := c.join("g", "other")
		q.Protocols = nil
		c.Ask("a member without protocols", q)
		q.ProtocolType = ""
		c.Ask("a member without protocol type", q)
		c.describeGroup("the group", "g")
	}},
	{Name: "odd but good", Key: wire.KeyJoinGroup, Hold: func(c *Conversation) {
		c.AwaitGroups()
		for _, s := range oddJoins {
			q := c.join("g"+s.name, "")
			s.spoil(q)
			c.firstJoin(s.what, q)
			c.describeGroup(s.what+", described", "g"+s.name)
		}
	}},
	{Name: "two members", Key: wire.KeyJoinGroup, Hold: func(c *Conversation) {
		a := c.Join("g", nil)
		c.Ask("the only one again", c.rejoin(a))
		b := c.second(&a)
		c.describeGroup("before the sync", "g")
		c.syncAll(a)
		c.Ask("the follower again, stable", c.rejoin(b))
		c.Ask("the follower without a protocol of the others", c.rejoin(b, joinProtocol{Name: "other"}))
		c.As("b")
		waiting := c.Start("the follower with something new", c.rejoin(b, subscribing("u")...))
		c.AwaitState("g", "PreparingRebalance")
		c.As("a")
		c.Ask("the leader again", c.rejoin(a))
		waiting()
		c.describeGroup("afterwards", "g")
	}},
	{Name: "a vote", Key: wire.KeyJoinGroup, Hold: func(c *Conversation) {
		x, y, z := says("x", "for x"), says("y", "for y"), says("z", "for z")
		a := c.Join("g", nil, x, y, z)
		a.generation = c.Ask("alone", c.rejoin(a, z, y, x)).(*wire.JoinGroupResponse).GenerationID
		b := c.invited("g", y, x)
		c.As("b")
		waiting := c.Start("another, that knows less", c.rejoin(b, y, x))
		c.AwaitState("g", "PreparingRebalance")
		c.As("a")
		c.Ask("who leads", c.rejoin(a, z, y, x))
		waiting()
	}},
	{Name: "more than fit", Key: wire.KeyJoinGroup, Hold: func(c *Conversation) {
		a := c.Join("g", nil)
		b := c.second(&a)
		c.syncAll(a)
		third := c.invited("g")
		c.As("c")
		waiting := c.Start("the third", c.rejoin(third))
		c.AwaitState("g", "PreparingRebalance")
		c.As("a")
		first := c.Start("the first once more", c.rejoin(a))
		c.As("b")
		c.Ask("the second again", c.rejoin(b))
		first()
		waiting()
		c.As("d")
		c.Ask("the fourth", c.join("g", ""))
		c.Ask("the fourth, with an id", c.join("g", "other"))
		c.As("c")
		c.Ask("the third again", c.rejoin(third))
		c.describeGroup("afterwards", "g")
	}},
	{Name: "a static member that comes back to a full group", Key: wire.KeyJoinGroup, From: 5, Hold: func(c *Conversation) {
		i := "i"
		a := c.Join("g", &i)
		b := c.second(&a)
		c.syncAll(a)
		third := c.invited("g")
		c.As("c")
		waiting := c.Start("the third", c.rejoin(third))
		c.AwaitState("g", "PreparingRebalance")
		c.As("a")
		first := c.Start("the first once more", c.rejoin(a))
		c.As("b")
		a.generation = c.Ask("the second again", c.rejoin(b)).(*wire.JoinGroupResponse).GenerationID
		first()
		waiting()
		c.syncAll(a)
		a.id = ""
		c.Ask("the static one", c.rejoin(a))
	}},
	{Name: "a follower with something new before the sync", Key: wire.KeyJoinGroup, Hold: func(c *Conversation) {
		a := c.Join("g", nil)
		b := c.pair(&a)
		c.As("b")
		waiting := c.Start("the follower", c.rejoin(b, subscribing("u")...))
		c.AwaitState("g", "PreparingRebalance")
		c.As("a")
		c.AskAt("the leader brings its assignment", syncGroupVersion, c.sync(a, "all"))
		c.Ask("the leader", c.rejoin(a))
		waiting()
	}},
	{Name: "who leaves or falls behind while others wait", Key: wire.KeyJoinGroup, Hold: func(c *Conversation) {
		a := c.Join("g", nil)
		c.As("b")
		id := c.invitation("g")
		waiting := c.Start("who waits", c.join("g", id))
		c.AwaitState("g", "PreparingRebalance")
		c.Leave(a)
		waiting()
		c.As("a")
		c.Ask("who has left", c.rejoin(a))
		c.As("b")
		c.syncAll(member{group: "g", id: id, generation: a.generation + 1})
		c.AskAt("who waited", heartbeatVersion, c.beat(member{group: "g", id: id, generation: a.generation + 1}))
	}},
}

// invitation is a member id to join a group with (KIP-394).
func (c *Conversation) invitation(group string, protocols ...joinProtocol) string {
	return call[*wire.JoinGroupResponse](c, joinGroupVersion, c.join(group, "", protocols...)).MemberID
}

// invited is a member that may join a group for the first time.
func (c *Conversation) invited(group string, protocols ...joinProtocol) member {
	return member{group: group, id: c.invitation(group, protocols...)}
}

// second records how a second member joins a's group, and a again. The group is not stable then.
func (c *Conversation) second(a *member) member {
	b := c.invited(a.group)
	c.As("b")
	waiting := c.Start("a second one", c.rejoin(b))
	c.AwaitState(a.group, "PreparingRebalance")
	c.As("a")
	a.generation = c.Ask("the first again", c.rejoin(*a)).(*wire.JoinGroupResponse).GenerationID
	b.generation = a.generation
	waiting()
	return b
}
