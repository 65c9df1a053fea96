package differ

import "github.com/heraclitus/heraclitus/pkg/wire"

// asking is a request for a producer id of somebody who has none.
func asking(transactionalID *string, timeoutMs int32) *wire.InitProducerIDRequest {
	return &wire.InitProducerIDRequest{TransactionalID: transactionalID, TransactionTimeoutMs: timeoutMs, ProducerID: -1, ProducerEpoch: -1}
}

var initProducerIDScripts = []Script{
	{Name: "idempotent", Key: wire.KeyInitProducerID, Hold: func(c *Conversation) {
		c.NewProducer()
		c.Ask("one", asking(nil, 60_000))
		c.Ask("another", asking(nil, 60_000))
		c.Ask("no timeout", asking(nil, 0))
		c.Ask("a timeout below zero", asking(nil, -1))
		c.Ask("a long timeout", asking(nil, 1<<30))
	}},
	{Name: "idempotent with an id already", Key: wire.KeyInitProducerID, From: 3, Hold: func(c *Conversation) {
		id := c.NewProducer()
		for _, s := range []struct {
			what  string
			id    int64
			epoch int16
		}{
			{"id and epoch", id, 0}, {"id without epoch", id, -1}, {"epoch without id", -1, 0}, {"an id nobody has", 1_000_100, 5},
			{"an id below zero", -2, 0}, {"the last epoch", id, 32767},
		} {
			q := asking(nil, 60_000)
			q.ProducerID, q.ProducerEpoch = s.id, s.epoch
			c.Ask(s.what, q)
		}
	}},
	{Name: "transactional", Key: wire.KeyInitProducerID, Hold: func(c *Conversation) {
		name, empty := c.Topic("transactional"), ""
		c.AwaitCoordinator()
		c.Ask("the first", asking(&name, 60_000))
		c.Ask("again", asking(&name, 60_000))
		c.Ask("an empty id", asking(&empty, 60_000))
		c.Ask("no timeout", asking(&name, 0))
		c.Ask("a timeout below zero", asking(&name, -1))
		c.Ask("a timeout too long", asking(&name, 1<<30))
	}},
	{Name: "transactional with an id already", Key: wire.KeyInitProducerID, From: 3, Hold: func(c *Conversation) {
		name := c.Topic("transactional")
		c.AwaitCoordinator()
		q := asking(&name, 60_000)
		q.ProducerID, q.ProducerEpoch = 4242, 3
		c.Ask("of a transactional id never seen", q)
		q.ProducerID, q.ProducerEpoch = 4343, 3
		c.Ask("another than before", q)
		q.ProducerID, q.ProducerEpoch = 4242, -1
		c.Ask("id without epoch", q)
	}},
}
