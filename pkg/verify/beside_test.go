package verify

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/heraclitus/heraclitus/pkg/broker/brokertest"
	"github.com/heraclitus/heraclitus/pkg/client"
	"github.com/heraclitus/heraclitus/pkg/config"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/objstore"
	"github.com/heraclitus/heraclitus/pkg/objstore/mem"
	"github.com/heraclitus/heraclitus/pkg/objstore/s3/s3test"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// These tests show that there are no false alarms beside a server that takes records, archives, compacts, deletes and trims
// while it is looked at, that it does not notice, and that nothing is found once it has stopped: in a directory, and in a
// bucket of a real S3 server.

func TestBesideAServerInADirectory(t *testing.T) {
	besideAServer(t, t.TempDir())
}

func TestBesideAServerInABucket(t *testing.T) {
	s3test.Start(t).Setenv(t)
	besideAServer(t, config.Bucket+s3test.Bucket+"/beside")
}

// besideFor is how long storage is looked at, again and again: some rounds of the archiver.
const besideFor = 3 * time.Second

func besideAServer(t *testing.T, path string) {
	b := brokertest.Start(t, brokertest.In(path), func(c *config.Config) {
		c.Storage.JournalFileBytes, c.Storage.CheckpointBytes = 1<<20, 64<<10
		c.Batching.MaxBatchSize, c.Topics.MaxMessageBytes = 64<<10, 64<<10
	})
	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	clients.Go(func() { produceAll(ctx, t, b.Address()) })
	check := func(when string) Summary {
		t.Helper()
		s, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		found, _, sum := verified(t, s, Options{})
		if found != "" {
			t.Fatalf("%s: found\n%s", when, found)
		}
		return sum
	}
	looks := 0
	for until := time.Now().Add(besideFor); time.Now().Before(until); looks++ {
		check("beside the server")
	}
	stop()
	clients.Wait()
	if err := b.Ready(); err != nil {
		t.Errorf("the server is not ready any more: %v", err)
	}
	b.Stop(t)
	if sum := check("after it has stopped"); sum.Segments == 0 || sum.Records == 0 {
		t.Errorf("there was not much to look at: %+v", sum)
	}
	t.Logf("looked %d times", looks)
}

// produceAll makes topics and produces to them, and deletes one now and then, until ctx ends.
func produceAll(ctx context.Context, t *testing.T, address string) {
	c, err := client.Dial(t.Context(), client.Options{Address: address})
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	atOnce := [2]string{"segment.ms", "1"}
	create(t, c, "orders", atOnce)
	create(t, c, "users", atOnce, [2]string{"cleanup.policy", "compact"}, [2]string{"min.cleanable.dirty.ratio", "0"}, [2]string{"delete.retention.ms", "0"})
	create(t, c, "few", atOnce, [2]string{"retention.bytes", "20000"})
	create(t, c, "kept")
	for n := 0; ctx.Err() == nil; n++ {
		gone := fmt.Sprintf("gone-%d", n/100)
		if n%100 == 0 {
			create(t, c, gone, atOnce)
		}
		for _, topic := range []string{"orders", "users", "few", "kept", gone} {
			produceTo(t, c, topic, n)
		}
		if n%100 == 99 {
			ask(t, c, wire.KeyDeleteTopics, 1, &wire.DeleteTopicsRequest{TopicNames: []string{gone}, TimeoutMs: 10_000})
			ask(t, c, wire.KeyOffsetCommit, 2, &wire.OffsetCommitRequest{GroupID: "readers", GenerationIDOrMemberEpoch: -1, RetentionTimeMs: -1, Topics: []wire.OffsetCommitRequestTopic{
				{Name: "orders", Partitions: []wire.OffsetCommitRequestPartition{{CommittedOffset: int64(n), CommittedMetadata: kbin.EmptyString()}}},
			}})
		}
	}
}

func ask(t *testing.T, c *client.Client, key, version int16, q wire.Message) wire.Message {
	t.Helper()
	m, err := c.Ask(key, version, q)
	if err != nil {
		t.Error(err)
	}
	return m
}

func create(t *testing.T, c *client.Client, name string, settings ...[2]string) {
	t.Helper()
	topic := wire.CreateTopicsRequestCreatableTopic{Name: name, NumPartitions: 1, ReplicationFactor: 1}
	for _, s := range settings {
		topic.Configs = append(topic.Configs, wire.CreateTopicsRequestCreatableTopicConfig{Name: s[0], Value: &s[1]})
	}
	ask(t, c, wire.KeyCreateTopics, 2, &wire.CreateTopicsRequest{Topics: []wire.CreateTopicsRequestCreatableTopic{topic}, TimeoutMs: 10_000})
}

func produceTo(t *testing.T, c *client.Client, topic string, n int) {
	t.Helper()
	var records []record.Record
	for i := range 5 {
		records = append(records, record.Record{Offset: int64(i), Timestamp: time.Now().UnixMilli(), Key: fmt.Appendf(nil, "%d", (n+i)%11), Value: make([]byte, n*i%300)})
	}
	batch, err := record.Build(record.Options{}, records...)
	if err != nil {
		t.Error(err)
		return
	}
	m := ask(t, c, wire.KeyProduce, 7, &wire.ProduceRequest{Acks: -1, TimeoutMs: 10_000, TopicData: []wire.ProduceRequestTopicProduceData{
		{Name: topic, PartitionData: []wire.ProduceRequestPartitionProduceData{{Records: kbin.Records{Bytes: batch}}}},
	}})
	if r, ok := m.(*wire.ProduceResponse); ok && r.Responses[0].PartitionResponses[0].ErrorCode != 0 {
		t.Errorf("produce to %s: %v", topic, kerr.Code(r.Responses[0].PartitionResponses[0].ErrorCode))
	}
}

// changing is a store that changes when all of it is listed: between the first look and what is compared with it.
type changing struct {
	objstore.Store
	change func()
}

func (c changing) List(ctx context.Context, prefix string) ([]objstore.Object, error) {
	if prefix == "" {
		c.change()
	}
	return c.Store.List(ctx, prefix)
}

// TestSecondLook shows that segments which a server drops while it is looked at are no damage; and that they are where no entry
// says so.
func TestSecondLook(t *testing.T) {
	b := bucket()
	whole := b.make(t)
	orders := must(state.Restore(whole[whole.keys("checkpoints/")[0]])).TopicNamed("orders").ID
	moved := b.append(t, whole, state.AppendCommand(nil, state.MoveLogStart{ID: orders, Offset: 120}))
	f := func(what string, after stored, damage int) {
		t.Helper()
		store := mem.Open()
		put := func(s stored) {
			for key, bytes := range s {
				if err := store.Put(t.Context(), key, bytes); err != nil {
					t.Fatal(err)
				}
			}
		}
		put(whole)
		found, _, sum := verified(t, inStore(changing{store, func() {
			put(after)
			for _, key := range whole.keys("topics/orders/") {
				store.Delete(t.Context(), key)
			}
		}}, func() {}), Options{})
		if sum.Findings != damage {
			t.Errorf("%s: found\n%s", what, found)
		}
	}
	f("a log start that was moved", moved, 0)
	f("nothing but lost segments", whole, len(whole.keys("topics/orders/")))
}
