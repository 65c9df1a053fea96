package differ

import "github.com/heraclitus/heraclitus/pkg/wire"

var syncGroupScripts = []Script{
	{Name: "a leader", Key: wire.KeySyncGroup, Hold: func(c *Conversation) {
		c.AwaitGroups()
		m := c.JoinOnly("g", nil)
		q := c.sync(m, "all")
		q.Assignments = append(q.Assignments, wire.SyncGroupRequestAssignment{MemberID: "other", Assignment: []byte("nothing")})
		c.Ask("its assignment, and a stranger's", q)
		c.Ask("again", c.sync(m, "something else"))
		c.Ask("without one", c.sync(m, ""))
		c.describeGroup("afterwards", "g")
	}},
	{Name: "a leader that assigns nothing", Key: wire.KeySyncGroup, Hold: func(c *Conversation) {
		c.AwaitGroups()
		c.Ask("sync", c.sync(c.JoinOnly("g", nil), ""))
		c.describeGroup("afterwards", "g")
	}},
	{Name: "refusals before the sync", Key: wire.KeySyncGroup, Hold: func(c *Conversation) {
		c.AwaitGroups()
		m := c.JoinOnly("g", nil)
		c.refusedSyncs(m)
		c.describeGroup("afterwards", "g")
	}},
	{Name: "refusals after the sync", Key: wire.KeySyncGroup, Hold: func(c *Conversation) {
		i := "i"
		m := c.Join("g", &i)
		c.refusedSyncs(m)
		c.describeGroup("afterwards", "g")
	}},
	{Name: "no group id", Key: wire.KeySyncGroup, Hold: func(c *Conversation) {
		c.AwaitGroups()
		q := c.sync(member{group: "g", id: "other"}, "all")
		q.GroupID = ""
		c.Ask("sync", q)
	}},
	{Name: "a group without members", Key: wire.KeySyncGroup, Hold: func(c *Conversation) {
		m := c.Join("g", nil)
		c.Leave(m)
		c.Ask("who has left", c.sync(m, "all"))
	}},
	{Name: "a follower", Key: wire.KeySyncGroup, Hold: func(c *Conversation) {
		a := c.Join("g", nil)
		b := c.pair(&a)
		q := c.sync(a, "the leader's")
		q.Assignments = append(q.Assignments, wire.SyncGroupRequestAssignment{MemberID: b.id, Assignment: []byte("the follower's")})
		c.As("b")
		waiting := c.Start("the follower", c.sync(b, ""))
		c.As("a")
		c.Ask("the leader", q)
		waiting()
		c.describeGroup("afterwards", "g")
		third := c.invited("g")
		c.As("c")
		joining := c.StartAt("a third one", joinGroupVersion, c.rejoin(third))
		c.AwaitState("g", "PreparingRebalance")
		c.As("b")
		c.Ask("in the middle of a rebalance", c.sync(b, ""))
		c.Leave(a)
		c.Leave(b)
		joining()
	}},
	{Name: "a follower whose leader never comes", Key: wire.KeySyncGroup, Hold: func(c *Conversation) {
		a := c.Join("g", nil)
		b := c.pair(&a)
		c.As("b")
		waiting := c.Start("the follower", c.sync(b, ""))
		c.Leave(a)
		waiting()
	}},
}

// pair adds a second member to a's group, which then waits for a's assignment.
func (c *Conversation) pair(a *member) member {
	b := c.invited(a.group)
	c.As("b")
	waiting := c.StartAt("the second joins", joinGroupVersion, c.rejoin(b))
	c.AwaitState(a.group, "PreparingRebalance")
	c.As("a")
	c.AskAt("the first joins", joinGroupVersion, c.rejoin(*a))
	waiting()
	a.generation++
	b.generation = a.generation
	return b
}

// refusedSyncs records syncs that are not m's.
func (c *Conversation) refusedSyncs(m member) {
	for _, s := range wrongs(m, 3) {
		if c.Version >= s.from {
			c.Ask(s.what, c.sync(s.of, "all"))
		}
	}
	if c.Version < 5 {
		return
	}
	other := "other"
	for _, s := range []struct {
		what  string
		spoil func(*syncRequest)
	}{
		{"another protocol", func(q *syncRequest) { q.ProtocolName = &other }},
		{"another protocol type", func(q *syncRequest) { q.ProtocolType = &other }},
		{"no protocol", func(q *syncRequest) { q.ProtocolName = nil }},
		{"no protocol type", func(q *syncRequest) { q.ProtocolType = nil }},
		{"no protocol of an unknown member", func(q *syncRequest) { q.MemberID, q.ProtocolName = other, nil }},
	} {
		q := c.sync(m, "all")
		s.spoil(q)
		c.Ask(s.what, q)
	}
}

var heartbeatScripts = []Script{
	{Name: "a member", Key: wire.KeyHeartbeat, Hold: func(c *Conversation) {
		c.AwaitGroups()
		m := c.JoinOnly("g", nil)
		c.Ask("before the sync", c.beat(m))
		c.syncAll(m)
		c.Ask("stable", c.beat(m))
		c.refusedBeats(m)
		c.Leave(m)
		c.Ask("who has left", c.beat(m))
	}},
	{Name: "a static member", Key: wire.KeyHeartbeat, From: 3, Hold: func(c *Conversation) {
		i := "i"
		m := c.Join("g", &i)
		c.Ask("stable", c.beat(m))
		c.refusedBeats(m)
		empty := ""
		m.instance = &empty
		c.Ask("an instance id without a name", c.beat(m))
	}},
	{Name: "a member in a rebalance", Key: wire.KeyHeartbeat, Hold: func(c *Conversation) {
		a := c.Join("g", nil)
		b := c.invited("g")
		c.As("b")
		waiting := c.StartAt("the second joins", joinGroupVersion, c.rejoin(b))
		c.AwaitState("g", "PreparingRebalance")
		c.As("a")
		c.Ask("the first", c.beat(a))
		b.generation = a.generation
		c.Ask("the second, which waits", c.beat(b))
		c.refusedBeats(a)
		c.Leave(a)
		waiting()
	}},
	{Name: "a member that was only invited", Key: wire.KeyHeartbeat, Hold: func(c *Conversation) {
		a := c.Join("g", nil)
		b := c.invited("g")
		b.generation = a.generation
		c.Ask("its heartbeat", c.beat(b))
		b.generation = -1
		c.Ask("its heartbeat, of no generation", c.beat(b))
	}},
	{Name: "no group id", Key: wire.KeyHeartbeat, Hold: func(c *Conversation) {
		c.AwaitGroups()
		c.Ask("beat", &wire.HeartbeatRequest{MemberID: "other"})
	}},
}

// refusedBeats records heartbeats that are not m's.
func (c *Conversation) refusedBeats(m member) {
	for _, s := range wrongs(m, 3) {
		if c.Version >= s.from {
			c.Ask(s.what, c.beat(s.of))
		}
	}
}

var leaveGroupScripts = []Script{
	{Name: "a member", Key: wire.KeyLeaveGroup, Hold: func(c *Conversation) {
		m := c.Join("g", nil)
		leave := func(group, id string) *leaveRequest {
			return &leaveRequest{GroupID: group, MemberID: id, Members: []leaving{{MemberID: id}}}
		}
		c.Ask("an unknown member", leave(c.Group("g"), "other"))
		c.Ask("no member", leave(c.Group("g"), ""))
		c.Ask("of an unknown group", leave(c.Group("none"), m.id))
		c.Ask("no group id", leave("", m.id))
		c.describeGroup("the group", "g")
		c.Ask("the member", leave(c.Group("g"), m.id))
		c.Ask("the member again", leave(c.Group("g"), m.id))
		c.describeGroup("the group afterwards", "g")
		c.Ask("an invited one", leave(c.Group("g"), c.invitation("g")))
	}},
	{Name: "several members", Key: wire.KeyLeaveGroup, From: 3, Hold: func(c *Conversation) {
		i, other, empty := "i", "other", ""
		why := "it was time"
		m := c.Join("g", &i)
		leave := func(all ...leaving) *leaveRequest { return &leaveRequest{GroupID: c.Group("g"), Members: all} }
		c.Ask("nobody", leave())
		c.Ask("others", leave(leaving{MemberID: other}, leaving{GroupInstanceID: &other}, leaving{MemberID: other, GroupInstanceID: &other}, leaving{}))
		c.Ask("the instance with another id", leave(leaving{MemberID: other, GroupInstanceID: &i}))
		c.Ask("the id with another instance", leave(leaving{MemberID: m.id, GroupInstanceID: &other}))
		c.describeGroup("the group", "g")
		c.Ask("the instance, twice, beside another", leave(leaving{GroupInstanceID: &i, Reason: &why}, leaving{GroupInstanceID: &i}, leaving{MemberID: other}))
		c.describeGroup("the group afterwards", "g")
		h := c.Join("h", &i)
		c.Ask("the id with an empty instance", &leaveRequest{GroupID: c.Group("h"), Members: []leaving{{MemberID: h.id, GroupInstanceID: &empty}}})
	}},
	{Name: "who waits", Key: wire.KeyLeaveGroup, Hold: func(c *Conversation) {
		a := c.Join("g", nil)
		b := c.invited("g")
		c.As("b")
		joining := c.StartAt("its join", joinGroupVersion, c.rejoin(b))
		c.AwaitState("g", "PreparingRebalance")
		c.As("a")
		c.Ask("it leaves", &leaveRequest{GroupID: c.Group("g"), MemberID: b.id, Members: []leaving{{MemberID: b.id}}})
		joining()
		c.AskAt("who stays", joinGroupVersion, c.rejoin(a))
	}},
	{Name: "who was invited into a stable group", Key: wire.KeyLeaveGroup, Hold: func(c *Conversation) {
		a := c.Join("g", nil)
		id := c.invitation("g")
		c.Ask("it leaves", &leaveRequest{GroupID: c.Group("g"), MemberID: id, Members: []leaving{{MemberID: id}}})
		c.AskAt("who stays", heartbeatVersion, c.beat(a))
	}},
	{Name: "several at once, while others wait", Key: wire.KeyLeaveGroup, From: 3, Hold: func(c *Conversation) {
		a := c.Join("g", nil)
		b := c.pair(&a)
		c.syncAll(a)
		third := c.invited("g")
		c.As("b")
		second := c.StartAt("the second joins again", joinGroupVersion, c.rejoin(b, subscribing("u")...))
		c.AwaitState("g", "PreparingRebalance")
		c.As("c")
		joining := c.StartAt("a third one joins", joinGroupVersion, c.rejoin(third))
		c.AwaitMembers("g", 3)
		c.As("a")
		c.Ask("the first two leave", &leaveRequest{GroupID: c.Group("g"), Members: []leaving{{MemberID: a.id}, {MemberID: b.id}}})
		second()
		joining()
	}},
	{Name: "a static member by its id alone", Key: wire.KeyLeaveGroup, Hold: func(c *Conversation) {
		i := "i"
		m := c.Join("g", &i)
		c.Ask("leave", &leaveRequest{GroupID: c.Group("g"), MemberID: m.id, Members: []leaving{{MemberID: m.id}}})
		c.describeGroup("the group afterwards", "g")
	}},
}
