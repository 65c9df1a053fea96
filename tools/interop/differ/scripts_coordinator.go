package differ

import "github.com/heraclitus/heraclitus/pkg/wire"

// findCoordinatorScripts are about coordinators of groups (kind 0), of transactions (1) and of share groups (2).
var findCoordinatorScripts = []Script{
	{Name: "one key", Key: wire.KeyFindCoordinator, Until: 4, Hold: func(c *Conversation) {
		c.AwaitGroups()
		c.AwaitCoordinator()
		c.Ask("a group", &wire.FindCoordinatorRequest{Key: c.Group("g")})
		c.Ask("no group", &wire.FindCoordinatorRequest{})
		if c.Version < 1 {
			return
		}
		c.Ask("a transactional id", &wire.FindCoordinatorRequest{Key: c.Group("g"), KeyType: 1})
		c.Ask("no transactional id", &wire.FindCoordinatorRequest{KeyType: 1})
		c.Ask("a share group", &wire.FindCoordinatorRequest{Key: c.Group("g"), KeyType: 2})
		c.Ask("a kind there is not", &wire.FindCoordinatorRequest{Key: c.Group("g"), KeyType: 3})
		c.Ask("a kind below zero", &wire.FindCoordinatorRequest{Key: c.Group("g"), KeyType: -1})
	}},
	{Name: "several keys", Key: wire.KeyFindCoordinator, From: 4, Hold: func(c *Conversation) {
		c.AwaitGroups()
		c.AwaitCoordinator()
		ask := func(step string, kind int8, keys ...string) {
			c.Ask(step, &wire.FindCoordinatorRequest{KeyType: kind, CoordinatorKeys: keys})
		}
		ask("one group", 0, c.Group("g"))
		ask("two groups", 0, c.Group("g"), c.Group("h"))
		ask("a group twice", 0, c.Group("g"), c.Group("g"))
		ask("a group and none", 0, c.Group("g"), "")
		ask("nothing", 0)
		ask("two transactional ids", 1, c.Group("g"), c.Group("h"))
		ask("no transactional id", 1, "")
		ask("a share group that is no key", 2, c.Group("g"))
		ask("a kind there is not", 3, c.Group("g"), c.Group("h"))
		ask("a kind there is not, and no keys", 3)
		ask("a kind below zero", -1, c.Group("g"))
	}},
}

var describeGroupsScripts = []Script{
	{Name: "states", Key: wire.KeyDescribeGroups, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.Commit("g", "t", 7)
		ask := func(step string) { c.Ask(step, &wire.DescribeGroupsRequest{Groups: []string{c.Group("g")}}) }
		ask("with offsets only")
		a := c.JoinOnly("g", nil)
		ask("before the sync")
		c.syncAll(a)
		ask("stable")
		b := c.invited("g")
		ask("stable, with one more invited")
		c.As("b")
		waiting := c.StartAt("a second one joins", joinGroupVersion, c.rejoin(b))
		c.AwaitState("g", "PreparingRebalance")
		c.As("a")
		ask("in a rebalance")
		c.Leave(a)
		b.generation = waiting().(*wire.JoinGroupResponse).GenerationID
		c.Leave(b)
		ask("when all have left")
	}},
	{Name: "several", Key: wire.KeyDescribeGroups, Hold: func(c *Conversation) {
		i := "i"
		c.Join("g", nil)
		c.Join("static", &i)
		ask := func(step string, groups ...string) {
			c.Ask(step, &wire.DescribeGroupsRequest{Groups: groups, IncludeAuthorizedOperations: c.Version >= 3 && step != "two"})
		}
		ask("two", c.Group("g"), c.Group("static"))
		ask("what is allowed", c.Group("g"), c.Group("none"))
		ask("unknown", c.Group("none"))
		ask("one twice", c.Group("g"), c.Group("g"))
		ask("none")
	}},
	{Name: "a connector", Key: wire.KeyDescribeGroups, Hold: func(c *Conversation) {
		c.AwaitGroups()
		q := c.join("g", "", says("sessioned", "worker"))
		q.ProtocolType = "connect"
		id := call[*wire.JoinGroupResponse](c, joinGroupVersion, q).MemberID
		q.MemberID = id
		r := c.AskAt("it joins", joinGroupVersion, q).(*wire.JoinGroupResponse)
		c.AskAt("its sync", syncGroupVersion, c.sync(member{group: "g", id: id, generation: r.GenerationID}, "tasks"))
		c.Ask("describe", &wire.DescribeGroupsRequest{Groups: []string{c.Group("g")}})
	}},
}

var listGroupsScripts = []Script{
	{Name: "groups", Key: wire.KeyListGroups, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.Commit("offsets", "t", 7)
		c.Join("stable", nil)
		c.JoinOnly("completing", nil)
		c.Leave(c.Join("left", nil))
		c.invited("invited")
		ask := func(step string, states, types []string) {
			c.Ask(step, &wire.ListGroupsRequest{StatesFilter: states, TypesFilter: types})
		}
		ask("all", nil, nil)
		if c.Version >= 4 { // KIP-518
			ask("empty ones", []string{"Empty"}, nil)
			ask("empty and stable ones", []string{"Stable", "Empty"}, nil)
			ask("in small letters", []string{"stable"}, nil)
			ask("in capital letters", []string{"COMPLETINGREBALANCE"}, nil)
			ask("a state there is not", []string{"Odd"}, nil)
			ask("a state there is not beside another", []string{"Odd", "Stable"}, nil)
			ask("a state without a name", []string{""}, nil)
			ask("dead ones", []string{"Dead"}, nil)
		}
		if c.Version >= 5 { // KIP-848
			ask("classic ones", nil, []string{"classic"})
			ask("in capital letters, by type", nil, []string{"CLASSIC"})
			ask("of the newer protocol", nil, []string{"consumer"})
			ask("shares", nil, []string{"share"})
			ask("a type there is not", nil, []string{"odd"})
			ask("state and type", []string{"Stable"}, []string{"classic"})
			ask("state and another type", []string{"Stable"}, []string{"consumer"})
		}
	}},
}

var deleteGroupsScripts = []Script{
	{Name: "groups", Key: wire.KeyDeleteGroups, Hold: func(c *Conversation) {
		c.Create("t", 1)
		c.Commit("offsets", "t", 7)
		c.Commit("twice", "t", 7)
		c.Join("stable", nil)
		c.JoinOnly("completing", nil)
		c.Leave(c.Join("left", nil))
		invited := c.invited("invited")
		ask := func(step string, groups ...string) {
			q := &wire.DeleteGroupsRequest{}
			for _, g := range groups {
				q.GroupsNames = append(q.GroupsNames, c.Group(g))
			}
			c.Ask(step, q)
		}
		ask("unknown", "none")
		ask("stable", "stable")
		ask("before the sync", "completing")
		ask("who was invited", "invited")
		c.describeGroup("who was invited, afterwards", "invited")
		c.AskAt("who was invited joins", joinGroupVersion, c.rejoin(invited))
		ask("with offsets", "offsets")
		ask("with offsets, again", "offsets")
		c.offsetsOf("what is left", "offsets")
		c.describeGroup("the group", "offsets")
		ask("who has left, one twice, and others", "left", "twice", "twice", "none", "stable")
		ask("none")
		c.Commit("offsets", "t")
		c.offsetsOf("the group made again", "offsets")
	}},
}
