package interop

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// quickGroups lets the first member of a group begin at once.
const quickGroups = "[groups]\ninitial_rebalance_delay_ms = 0\n"

// TestFranzGoGroup shows that two members share a topic, that killing and restarting the server neither rebalances their
// group nor loses what they committed, and that who takes over goes on behind the last commit.
func TestFranzGoGroup(t *testing.T) {
	s := start(t, t.TempDir(), quickGroups)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	const topic, group, partitions = "shared", "readers", 4
	admin := kadm.NewClient(franz(t, s))
	if _, err := admin.CreateTopic(ctx, partitions, 1, nil, topic); err != nil {
		t.Fatal(err)
	}
	producer := franz(t, s, kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	produce := func(from, to int) {
		for i := from; i < to; i++ {
			k := &kgo.Record{Partition: int32(i % partitions), Value: fmt.Append(nil, i)}
			if err := producer.ProduceSync(ctx, k).FirstErr(); err != nil {
				t.Fatalf("produce %d: %v", i, err)
			}
		}
	}
	member := func() *kgo.Client {
		return franz(t, s, kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
			kgo.Balancers(kgo.CooperativeStickyBalancer()), kgo.HeartbeatInterval(200*time.Millisecond))
	}
	produce(0, 100)
	a, b := member(), member()
	// Both have to have partitions before anything is read, so that all is read in one generation.
	before := awaitMembers(ctx, t, admin, group, 2)
	read := map[string]int{}
	consumeBoth(ctx, t, read, 100, a, b)
	commitAll(ctx, t, a, b)

	s.restart()
	produce(100, 200)
	consumeBoth(ctx, t, read, 200, a, b)
	commitAll(ctx, t, a, b)
	if after := awaitMembers(ctx, t, admin, group, 2); !slices.Equal(after, before) {
		t.Errorf("members and assignments before the restart %v, after it %v", before, after)
	}
	for value, times := range read {
		if times != 1 {
			t.Errorf("record %s was read %d times", value, times)
		}
	}
	a.Close()
	b.Close()
	produce(200, 204)
	heir := member()
	rest := map[string]int{}
	consumeBoth(ctx, t, rest, partitions, heir)
	if got := slices.Sorted(maps.Keys(rest)); !slices.Equal(got, []string{"200", "201", "202", "203"}) {
		t.Errorf("who took over read %v", got)
	}
}

// awaitMembers waits until a group is stable with so many members, each with partitions, and says who has what.
func awaitMembers(ctx context.Context, t *testing.T, admin *kadm.Client, group string, n int) []string {
	t.Helper()
	for ctx.Err() == nil {
		described, err := admin.DescribeGroups(ctx, group)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, m := range described[group].Members {
			if assigned, ok := m.Assigned.AsConsumer(); ok && len(assigned.Topics) > 0 {
				all = append(all, fmt.Sprint(m.MemberID, assigned.Topics[0].Partitions))
			}
		}
		if described[group].State == "Stable" && len(all) == n {
			slices.Sort(all)
			return all
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Fatalf("%s does not come to have %d members", group, n)
	return nil
}

// consumeBoth reads with several clients until so many different values have been read.
func consumeBoth(ctx context.Context, t *testing.T, read map[string]int, n int, clients ...*kgo.Client) {
	t.Helper()
	for i := 0; len(read) < n; i++ {
		poll, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		clients[i%len(clients)].PollFetches(poll).EachRecord(func(k *kgo.Record) { read[string(k.Value)]++ })
		cancel()
		if ctx.Err() != nil {
			t.Fatalf("%d of %d records read", len(read), n)
		}
	}
}

func commitAll(ctx context.Context, t *testing.T, clients ...*kgo.Client) {
	t.Helper()
	for _, c := range clients {
		if err := c.CommitUncommittedOffsets(ctx); err != nil {
			t.Fatalf("commit: %v", err)
		}
	}
}

// TestKafkaGoGroup shows that a reader of segmentio/kafka-go, which speaks old versions, commits and resumes.
func TestKafkaGoGroup(t *testing.T) {
	s := start(t, "memory://", quickGroups)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client := franz(t, s, kgo.DefaultProduceTopic("old"), kgo.AllowAutoTopicCreation())
	for i := range 6 {
		if err := client.ProduceSync(ctx, &kgo.Record{Value: fmt.Append(nil, i)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	for from := range 2 {
		r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{s.addr()}, GroupID: "g", Topic: "old", StartOffset: kafka.FirstOffset, MaxWait: 100 * time.Millisecond})
		for i := range 3 {
			m, err := r.ReadMessage(ctx)
			if err != nil || string(m.Value) != fmt.Sprint(3*from+i) {
				t.Fatalf("reader %d, message %d: %q, %v", from, i, m.Value, err)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// claimer is a sarama consumer that marks what it reads, until it has read enough.
type claimer struct {
	want   int
	values []string
	enough context.CancelFunc
}

func (*claimer) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (*claimer) Cleanup(sarama.ConsumerGroupSession) error { return nil }
func (c *claimer) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for m := range claim.Messages() {
		c.values = append(c.values, string(m.Value))
		session.MarkMessage(m, "")
		if len(c.values) == c.want {
			session.Commit()
			c.enough()
			return nil
		}
	}
	return nil
}

// TestSaramaGroup shows that a consumer group of sarama, at its newest and at its default version, commits and resumes.
func TestSaramaGroup(t *testing.T) {
	s := start(t, "memory://", quickGroups)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client := franz(t, s, kgo.DefaultProduceTopic("claims"), kgo.AllowAutoTopicCreation())
	for i := range 6 {
		if err := client.ProduceSync(ctx, &kgo.Record{Value: fmt.Append(nil, i)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	for _, version := range []sarama.KafkaVersion{sarama.MaxVersion, sarama.DefaultVersion} {
		var got []string
		for range 2 {
			config := sarama.NewConfig()
			config.Version = version
			config.Consumer.Offsets.Initial = sarama.OffsetOldest
			g, err := sarama.NewConsumerGroup([]string{s.addr()}, "g-"+version.String(), config)
			if err != nil {
				t.Fatal(err)
			}
			session, enough := context.WithCancel(ctx)
			c := &claimer{want: 3, enough: enough}
			if err := g.Consume(session, []string{"claims"}, c); err != nil {
				t.Fatal(err)
			}
			enough()
			g.Close()
			got = append(got, c.values...)
		}
		if want := []string{"0", "1", "2", "3", "4", "5"}; !slices.Equal(got, want) {
			t.Errorf("version %s read %v", version, got)
		}
	}
}
