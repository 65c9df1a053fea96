package differ

import "github.com/heraclitus/heraclitus/pkg/wire"

// staticMemberScripts are about members that keep their place while they are away (KIP-345).
var staticMemberScripts = []Script{
	{Name: "a static member", Key: wire.KeyJoinGroup, From: 5, Hold: func(c *Conversation) {
		c.AwaitGroups()
		i := "i"
		q := c.join("g", "")
		q.GroupInstanceID = &i
		r := c.Ask("join", q).(*wire.JoinGroupResponse)
		m := member{group: "g", id: r.MemberID, instance: &i, generation: r.GenerationID}
		c.syncAll(m)
		back := c.Ask("back without its id", q).(*wire.JoinGroupResponse)
		c.describeGroup("afterwards", "g")
		c.Ask("who was there before", c.rejoin(m))
		c.AskAt("the heartbeat of who was there before", heartbeatVersion, c.beat(m))
		c.AskAt("the sync of who was there before", syncGroupVersion, c.sync(m, ""))
		m.id = back.MemberID
		c.AskAt("its heartbeat", heartbeatVersion, c.beat(m))
		c.AskAt("its sync", syncGroupVersion, c.sync(m, ""))
		m.instance = nil
		c.AskAt("its heartbeat without its instance id", heartbeatVersion, c.beat(m))
		c.Ask("with its id and without its instance id", c.rejoin(m))
	}},
	returning("the same", func(usual, _ string) []joinProtocol {
		return []joinProtocol{says("range", usual), says("roundrobin", usual)}
	}),
	returning("another subscription", func(_, other string) []joinProtocol {
		return []joinProtocol{says("range", other), says("roundrobin", other)}
	}),
	returning("another subscription for what is not used", func(usual, other string) []joinProtocol {
		return []joinProtocol{says("range", usual), says("roundrobin", other)}
	}),
	returning("one protocol less", func(usual, _ string) []joinProtocol { return []joinProtocol{says("range", usual)} }),
	returning("one protocol more", func(usual, _ string) []joinProtocol {
		return []joinProtocol{says("range", usual), says("roundrobin", usual), says("sticky", usual)}
	}),
	returning("another order", func(usual, _ string) []joinProtocol {
		return []joinProtocol{says("roundrobin", usual), says("range", usual)}
	}),
	returning("only the protocol that is not used", func(usual, _ string) []joinProtocol { return []joinProtocol{says("roundrobin", usual)} }),
	returning("the same topics in other words", func(usual, _ string) []joinProtocol {
		return []joinProtocol{says("range", usual+"more"), says("roundrobin", usual)}
	}),
	{Name: "static members of a connector", Key: wire.KeyJoinGroup, From: 5, Hold: func(c *Conversation) {
		c.AwaitGroups()
		i := "i"
		q := c.join("g", "", says("range", "one"))
		q.ProtocolType, q.GroupInstanceID = "connect", &i
		r := c.Ask("join", q).(*wire.JoinGroupResponse)
		s := c.sync(member{group: "g", id: r.MemberID, instance: &i, generation: r.GenerationID}, "all")
		c.AskAt("sync", syncGroupVersion, s)
		c.Ask("back with the same", q)
		c.describeGroup("afterwards", "g")
		q.Protocols[0].Metadata = []byte("two")
		c.Ask("back with something new", q)
		c.describeGroup("in the end", "g")
	}},
	{Name: "a static member beside another", Key: wire.KeyJoinGroup, From: 5, Hold: func(c *Conversation) {
		i, j := "i", "j"
		a := c.Join("g", &i)
		q := c.join("g", "")
		q.GroupInstanceID = &j
		c.As("b")
		waiting := c.Start("the second", q)
		c.AwaitState("g", "PreparingRebalance")
		c.As("a")
		r := c.Ask("the leader again", c.rejoin(a)).(*wire.JoinGroupResponse)
		b := member{group: "g", id: waiting().(*wire.JoinGroupResponse).MemberID, instance: &j, generation: r.GenerationID}
		a.generation = r.GenerationID
		c.syncAll(a)
		c.As("c")
		c.Ask("the second is back", q)
		c.As("b")
		c.Ask("whom it replaces", c.rejoin(b))
		b.instance = &i
		c.Ask("the second as the first", c.rejoin(b))
		q.GroupInstanceID = &i
		c.As("d")
		c.Ask("the leader is back", q)
		c.describeGroup("afterwards", "g")
	}},
	{Name: "a static member that is replaced while it waits", Key: wire.KeyJoinGroup, From: 5, Hold: func(c *Conversation) {
		i, j := "i", "j"
		a := c.Join("g", &i)
		q := c.join("g", "")
		q.GroupInstanceID = &j
		c.As("b")
		first := c.Start("who waits", q)
		c.AwaitState("g", "PreparingRebalance")
		c.As("c")
		second := c.Start("who takes its place", q)
		first()
		c.As("a")
		c.Ask("the leader again", c.rejoin(a))
		second()
	}},
	{Name: "a static member that is replaced before the sync", Key: wire.KeyJoinGroup, From: 5, Hold: func(c *Conversation) {
		c.AwaitGroups()
		i, j := "i", "j"
		a := c.Join("g", &i)
		q := c.join("g", "")
		q.GroupInstanceID = &j
		c.As("b")
		waiting := c.Start("the second", q)
		c.AwaitState("g", "PreparingRebalance")
		c.As("a")
		c.Ask("the leader again", c.rejoin(a))
		b := member{group: "g", id: waiting().(*wire.JoinGroupResponse).MemberID, instance: &j, generation: a.generation + 1}
		c.As("b")
		syncing := c.StartAt("the second waits for the leader", syncGroupVersion, c.sync(b, ""))
		c.As("c")
		back := c.Start("who takes its place", q)
		c.As("b")
		syncing()
		c.AwaitState("g", "PreparingRebalance")
		c.As("a")
		a.generation++
		c.AskAt("the leader's heartbeat", heartbeatVersion, c.beat(a))
		c.Ask("the leader joins", c.rejoin(a))
		back()
	}},
	{Name: "a static member without a name", Key: wire.KeyJoinGroup, From: 5, Hold: func(c *Conversation) {
		c.AwaitGroups()
		empty := ""
		q := c.join("g", "")
		q.GroupInstanceID = &empty
		c.Ask("join", q)
	}},
}

// returning is about a static member that comes back with something to say, by what it has said and might say of
// other topics.
func returning(with string, protocols func(usual, other string) []joinProtocol) Script {
	return Script{Name: "a static member that comes back with " + with, Key: wire.KeyJoinGroup, From: 5, Hold: func(c *Conversation) {
		i := "i"
		usual, other := c.subscription("t"), c.subscription("t", "u")
		m := c.Join("g", &i, says("range", usual), says("roundrobin", usual))
		q := c.join("g", "", protocols(usual, other)...)
		q.GroupInstanceID = &i
		c.Ask("back", q)
		c.describeGroup("afterwards", "g")
		c.AskAt("who was there before", heartbeatVersion, c.beat(m))
	}}
}

// subscription is what a consumer says that subscribes to the conversation's topics of these names.
func (c *Conversation) subscription(topics ...string) string {
	for i := range topics {
		topics[i] = c.Topic(topics[i])
	}
	return string(subscription(topics...))
}
