package differ

import (
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

type (
	alterUsers = wire.AlterUserScramCredentialsRequest
	upsertion  = wire.AlterUserScramCredentialsRequestScramCredentialUpsertion
	deletion   = wire.AlterUserScramCredentialsRequestScramCredentialDeletion
)

// userScripts are about users of SCRAM (KIP-554).
var userScripts = []Script{
	{Name: "credentials", Key: wire.KeyAlterUserScramCredentials, Hold: func(c *Conversation) {
		user, other := c.Group("user"), c.Group("other")
		c.NewUser(other, scram512)
		upsert := func(step string, all ...upsertion) { c.Ask(step, &alterUsers{Upsertions: all}) }
		remove := func(step string, all ...deletion) { c.Ask(step, &alterUsers{Deletions: all}) }
		unsalted := upserting(user, scram256, scramIterations)
		unsalted.Salt = nil
		unknown := upserting(user, scram256, scramIterations)
		unknown.Mechanism = 3
		upsert("too few iterations", upserting(user, scram256, 4095))
		upsert("too many iterations", upserting(user, scram256, 16385))
		upsert("no name", upserting("", scram256, scramIterations))
		upsert("an unknown mechanism", unknown)
		upsert("twice", upserting(user, scram256, scramIterations), upserting(user, scram512, scramIterations))
		c.Ask("twice, in other ways", &alterUsers{Upsertions: []upsertion{upserting(other, scram256, scramIterations)}, Deletions: []deletion{{Name: other, Mechanism: scram512}}})
		remove("of nobody", deletion{Name: user, Mechanism: scram256})
		remove("of another mechanism", deletion{Name: other, Mechanism: scram256})
		remove("of an unknown mechanism", deletion{Name: other})
		c.Ask("nothing", &alterUsers{})
		upsert("good and bad", upserting(user, scram256, 8192), upserting(other, scram256, 1))
		c.awaitUser(user, kerr.None)
		remove("good", deletion{Name: user, Mechanism: scram256})
		c.awaitUser(user, kerr.ResourceNotFound)
		remove("good, again", deletion{Name: user, Mechanism: scram256})
		upsert("no salt", unsalted)
	}},
	{Name: "users", Key: wire.KeyDescribeUserScramCredentials, Hold: func(c *Conversation) {
		a, b := c.Group("a"), c.Group("b")
		c.NewUser(a, scram256)
		c.NewUser(b, scram512)
		ask := func(step string, names ...string) {
			q := &wire.DescribeUserScramCredentialsRequest{}
			for _, name := range names {
				q.Users = append(q.Users, wire.DescribeUserScramCredentialsRequestUserName{Name: name})
			}
			c.Ask(step, q)
		}
		ask("one", a)
		ask("two", b, a)
		ask("one twice", a, a, b)
		ask("unknown", c.Group("nobody"), a)
		ask("unknown twice", c.Group("nobody"), c.Group("nobody"))
		ask("without a name", "")
		ask("all")
		c.Ask("all, by an empty list", &wire.DescribeUserScramCredentialsRequest{Users: []wire.DescribeUserScramCredentialsRequestUserName{}})
	}},
}

var deleteRecordsScripts = []Script{
	{Name: "records", Key: wire.KeyDeleteRecords, Hold: func(c *Conversation) {
		c.Create("t", 2)
		c.Create("compacted", 1, "cleanup.policy", "compact")
		c.Produce("t", 0, newBatch(c.Base(), "a", "b", "c").bytes(), newBatch(c.Base(), "d").bytes())
		ask := func(step, topic string, partition int32, offset int64) {
			c.Ask(step, &wire.DeleteRecordsRequest{TimeoutMs: 10_000, Topics: []wire.DeleteRecordsRequestDeleteRecordsTopic{{
				Name: c.Topic(topic), Partitions: []wire.DeleteRecordsRequestDeleteRecordsPartition{{PartitionIndex: partition, Offset: offset}}}}})
		}
		ask("before the first", "t", 0, 0)
		ask("in the middle of a batch", "t", 0, 2)
		ask("backwards", "t", 0, 1)
		ask("beyond the end", "t", 0, 5)
		ask("below zero", "t", 0, -2)
		ask("to the end", "t", 0, -1)
		ask("to the end again", "t", 0, 4)
		ask("of an empty partition", "t", 1, -1)
		ask("of an unknown partition", "t", 9, 0)
		ask("of an unknown topic", "none", 0, 0)
		ask("of a compacted topic", "compacted", 0, 0)
		c.Ask("no topics", &wire.DeleteRecordsRequest{TimeoutMs: 10_000})
		c.Ask("no partitions", &wire.DeleteRecordsRequest{Topics: []wire.DeleteRecordsRequestDeleteRecordsTopic{{Name: c.Topic("t")}}})
		c.fetchAll("what is left", "t", 0)
	}},
}
