package differ

import (
	"fmt"
	"math"

	"github.com/heraclitus/heraclitus/pkg/wire"
)

// idempotenceScripts are about producers whose batches are numbered (KIP-98, KIP-360).
var idempotenceScripts = []Script{
	{Name: "sequence numbers", Key: wire.KeyProduce, From: 3, Hold: func(c *Conversation) {
		c.Create("t", 2)
		id := c.NewProducer()
		send := func(step string, partition int32, epoch int16, sequence int32, values ...string) {
			c.Ask(step, c.produce(-1, "t", partition, newBatch(c.Base(), values...).by(id, epoch, sequence).bytes()))
		}
		send("the first", 0, 0, 0, "a", "b")
		send("the next", 0, 0, 2, "c")
		send("the first again", 0, 0, 0, "a", "b")
		send("the next again", 0, 0, 2, "c")
		send("a gap", 0, 0, 5, "x")
		send("part of the first", 0, 0, 0, "a")
		send("from within the first", 0, 0, 1, "b")
		send("going on", 0, 0, 3, "d")
		send("another partition", 1, 0, 0, "a")
		send("another partition, a gap", 1, 0, 7, "x")
		c.fetchAll("what is there", "t", 0)
	}},
	{Name: "duplicates of long ago", Key: wire.KeyProduce, From: 3, Hold: func(c *Conversation) {
		c.Create("t", 1)
		id := c.NewProducer()
		for n := range int32(7) {
			c.Ask(fmt.Sprintf("batch %d", n), c.produce(-1, "t", 0, newBatch(c.Base(), "v").by(id, 0, n).bytes()))
		}
		for n := range int32(7) {
			c.Ask(fmt.Sprintf("batch %d again", n), c.produce(-1, "t", 0, newBatch(c.Base(), "v").by(id, 0, n).bytes()))
		}
	}},
	{Name: "epochs of a producer", Key: wire.KeyProduce, From: 3, Hold: func(c *Conversation) {
		c.Create("t", 1)
		id := c.NewProducer()
		send := func(step string, epoch int16, sequence int32) {
			c.Ask(step, c.produce(-1, "t", 0, newBatch(c.Base(), "v").by(id, epoch, sequence).bytes()))
		}
		send("epoch 0", 0, 0)
		send("epoch 1 that goes on with its sequence", 1, 1)
		send("epoch 1 from 0", 1, 0)
		send("epoch 0 is over", 0, 1)
		send("epoch 3", 3, 0)
		send("epoch 2 was skipped", 2, 0)
		send("epoch 3 again", 3, 0)
		send("epoch below zero", -1, 1)
	}},
	{Name: "producers nobody knows", Key: wire.KeyProduce, From: 3, Hold: func(c *Conversation) {
		c.Create("t", 1)
		send := func(step string, id int64, epoch int16, sequence int32) {
			c.Ask(step, c.produce(-1, "t", 0, newBatch(c.Base(), "v").by(id, epoch, sequence).bytes()))
		}
		send("from the start", 1_000_001, 0, 0)
		send("from the middle", 1_000_002, 0, 17)
		send("the middle goes on", 1_000_002, 0, 18)
		send("the middle leaves a gap", 1_000_002, 0, 20)
		send("in epoch 5", 1_000_003, 5, 0)
		send("in epoch 5, from the middle", 1_000_004, 5, 3)
		send("without an epoch", 1_000_005, -1, 0)
		send("without a sequence", 1_000_006, 0, -1)
		send("with a sequence of minus two", 1_000_007, 0, -2)
	}},
	{Name: "sequence numbers that wrap", Key: wire.KeyProduce, From: 3, Hold: func(c *Conversation) {
		c.Create("t", 1)
		id := c.NewProducer()
		send := func(step string, sequence int32, values ...string) {
			c.Ask(step, c.produce(-1, "t", 0, newBatch(c.Base(), values...).by(id, 0, sequence).bytes()))
		}
		send("near the end", math.MaxInt32-2, "a", "b")
		send("across the end", math.MaxInt32, "c", "d")
		send("across the end again", math.MaxInt32, "c", "d")
		send("going on", 1, "e")
	}},
	{Name: "idempotent with fewer acks", Key: wire.KeyProduce, From: 3, Hold: func(c *Conversation) {
		c.Create("t", 1)
		id := c.NewProducer()
		c.Ask("of the leader", c.produce(1, "t", 0, newBatch(c.Base(), "a").by(id, 0, 0).bytes()))
		c.Ask("of the leader, a gap", c.produce(1, "t", 0, newBatch(c.Base(), "b").by(id, 0, 5).bytes()))
		c.Tell("none", c.produce(0, "t", 0, newBatch(c.Base(), "b").by(id, 0, 1).bytes()))
		c.AwaitEnd("t", 0, 2)
		c.Tell("none, a duplicate", c.produce(0, "t", 0, newBatch(c.Base(), "b").by(id, 0, 1).bytes()))
		c.Tell("none, a gap", c.produce(0, "t", 0, newBatch(c.Base(), "x").by(id, 0, 9).bytes()))
		c.Ask("what is there", c.produce(-1, "t", 0, newBatch(c.Base(), "c").by(id, 0, 2).bytes()))
	}},
	{Name: "wrong sequence beside good ones", Key: wire.KeyProduce, From: 3, Hold: func(c *Conversation) {
		c.Create("t", 3)
		id := c.NewProducer()
		c.Ask("first", produceTo(-1, produceTopic{Name: c.Topic("t"), PartitionData: []producePartition{
			partOf(0, newBatch(c.Base(), "a").by(id, 0, 0).bytes()), partOf(1, newBatch(c.Base(), "b").by(id, 0, 0).bytes()),
		}}))
		c.Ask("second", produceTo(-1, produceTopic{Name: c.Topic("t"), PartitionData: []producePartition{
			partOf(0, newBatch(c.Base(), "c").by(id, 0, 1).bytes()), partOf(1, newBatch(c.Base(), "d").by(id, 0, 9).bytes()),
			partOf(2, newBatch(c.Base(), "e").by(id, 0, 0).bytes()),
		}}))
	}},
}
