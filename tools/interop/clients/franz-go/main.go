// Command franz-go runs the checks of ../README.md with github.com/twmb/franz-go.
package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/heraclitus/heraclitus/tools/interop/clients/internal/contract"
)

var codecs = map[string]kgo.CompressionCodec{
	"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
	"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
}

func main() {
	checks := map[string]contract.Check{
		"admin": admin, "positions": positions, "group": group, "resume": resume, "static": static, "groups": groups, "secure": secure, "denied": denied,
	}
	for name, codec := range codecs {
		checks[name] = func(ctx context.Context, s contract.Settings) error { return roundTrip(ctx, s, codec) }
	}
	contract.Main(checks)
}

// connect makes a client, with whatever it takes to come in.
func connect(s contract.Settings, opts ...kgo.Opt) (*kgo.Client, error) {
	opts = append(opts, kgo.SeedBrokers(s.Bootstrap))
	config, err := s.TLS()
	if err != nil {
		return nil, err
	}
	if config != nil {
		opts = append(opts, kgo.DialTLSConfig(config))
	}
	if s.SASL() {
		switch s.Mechanism {
		case "PLAIN":
			opts = append(opts, kgo.SASL(plain.Auth{User: s.Username, Pass: s.Password}.AsMechanism()))
		case "SCRAM-SHA-256":
			opts = append(opts, kgo.SASL(scram.Auth{User: s.Username, Pass: s.Password}.AsSha256Mechanism()))
		case "SCRAM-SHA-512":
			opts = append(opts, kgo.SASL(scram.Auth{User: s.Username, Pass: s.Password}.AsSha512Mechanism()))
		}
	}
	return kgo.NewClient(opts...)
}

// create makes a topic.
func create(ctx context.Context, client *kgo.Client, topic string, partitions int32) error {
	_, err := kadm.NewClient(client).CreateTopic(ctx, partitions, 1, nil, topic)
	return err
}

// createFirst makes a topic before there is a client that reads it: in old versions of Metadata, who asks about a
// topic makes it.
func createFirst(ctx context.Context, s contract.Settings, partitions int32) error {
	client, err := connect(s)
	if err != nil {
		return err
	}
	defer client.Close()
	return create(ctx, client, s.Topic, partitions)
}

// read reads n records.
func read(ctx context.Context, client *kgo.Client, n int) ([]*kgo.Record, error) {
	var all []*kgo.Record
	for len(all) < n {
		fetches := client.PollRecords(ctx, n-len(all))
		if err := fetches.Err(); err != nil {
			return nil, fmt.Errorf("after %d of %d records: %w", len(all), n, err)
		}
		all = append(all, fetches.Records()...)
	}
	return all, nil
}

func admin(ctx context.Context, s contract.Settings) error {
	client, err := connect(s)
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	hour := "3600000"
	if _, err := admin.CreateTopic(ctx, 3, 1, map[string]*string{"retention.ms": &hour}, s.Topic); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	partitions := func() (int, error) {
		topics, err := admin.ListTopics(ctx)
		return len(topics[s.Topic].Partitions), err
	}
	if err := contract.Await(ctx, "it is listed with its partitions", partitions, 3); err != nil {
		return err
	}
	configs, err := admin.DescribeTopicConfigs(ctx, s.Topic)
	if err != nil {
		return fmt.Errorf("describe the settings: %w", err)
	}
	settings, err := configs.On(s.Topic, nil)
	i := slices.IndexFunc(settings.Configs, func(c kadm.Config) bool { return c.Key == "retention.ms" })
	if err != nil || i < 0 || settings.Configs[i].MaybeValue() != hour {
		return fmt.Errorf("retention.ms is not among the settings, or another: %v, %v", settings, err)
	}
	if _, err := admin.CreateTopic(ctx, 3, 1, nil, s.Topic); !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("create it again: %v", err)
	}
	if _, err := admin.DeleteTopic(ctx, s.Topic); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	return contract.Await(ctx, "it is gone", partitions, 0)
}

func roundTrip(ctx context.Context, s contract.Settings, codec kgo.CompressionCodec) error {
	if err := createFirst(ctx, s, contract.Partitions); err != nil {
		return err
	}
	client, err := connect(s, kgo.ProducerBatchCompression(codec), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DefaultProduceTopic(s.Topic),
		kgo.ConsumeTopics(s.Topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer client.Close()
	sent := contract.Records()
	if err := client.ProduceSync(ctx, native(sent)...).FirstErr(); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	got, err := read(ctx, client, len(sent))
	if err != nil {
		return err
	}
	return contract.Compare(common(got), sent)
}

// native are records as franz-go has them, common as the contract has them.
func native(records []contract.Record) (all []*kgo.Record) {
	for _, r := range records {
		k := &kgo.Record{Partition: r.Partition, Key: r.Key, Value: r.Value, Timestamp: r.Time}
		for _, h := range r.Headers {
			k.Headers = append(k.Headers, kgo.RecordHeader{Key: h.Name, Value: h.Value})
		}
		all = append(all, k)
	}
	return all
}

func common(records []*kgo.Record) (all []contract.Record) {
	for _, k := range records {
		r := contract.Record{Partition: k.Partition, Key: k.Key, Value: k.Value, Time: k.Timestamp}
		for _, h := range k.Headers {
			r.Headers = append(r.Headers, contract.Header{Name: h.Key, Value: h.Value})
		}
		all = append(all, r)
	}
	return all
}

func positions(ctx context.Context, s contract.Settings) error {
	producer, err := connect(s, kgo.DefaultProduceTopic(s.Topic))
	if err != nil {
		return err
	}
	defer producer.Close()
	if err := create(ctx, producer, s.Topic, 1); err != nil {
		return err
	}
	produce := func(i int) error {
		return producer.ProduceSync(ctx, &kgo.Record{Value: fmt.Append(nil, i), Timestamp: contract.Time(i)}).FirstErr()
	}
	for i := range 30 {
		if err := produce(i); err != nil {
			return err
		}
	}
	start := kgo.NewOffset().AtStart()
	if err := readFrom(ctx, s, start, func(next contract.Next) error { return contract.InOrder(next, 0, 30) }); err != nil {
		return fmt.Errorf("from earliest: %w", err)
	}
	middle := kgo.NewOffset().AfterMilli(contract.Time(15).UnixMilli())
	if err := readFrom(ctx, s, middle, func(next contract.Next) error { return contract.InOrder(next, 15, 30) }); err != nil {
		return fmt.Errorf("from a timestamp: %w", err)
	}
	end := kgo.NewOffset().AtEnd()
	if err := readFrom(ctx, s, end, func(next contract.Next) error { return contract.OnlyNew(produce, next, 30) }); err != nil {
		return fmt.Errorf("from latest: %w", err)
	}
	return nil
}

// readFrom has check read the topic from an offset.
func readFrom(ctx context.Context, s contract.Settings, offset kgo.Offset, check func(contract.Next) error) error {
	client, err := connect(s, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{s.Topic: {0: offset}}))
	if err != nil {
		return err
	}
	defer client.Close()
	return check(func() ([]byte, error) {
		records, err := read(ctx, client, 1)
		if err != nil {
			return nil, err
		}
		return records[0].Value, nil
	})
}

// inGroup are the options of a member of a group, which tells m what it comes to hold.
func inGroup(s contract.Settings, m *contract.Member) []kgo.Opt {
	revoked := func(_ context.Context, _ *kgo.Client, lost map[string][]int32) { m.Revoked(lost[s.Topic]...) }
	return []kgo.Opt{
		kgo.ConsumerGroup(s.Group), kgo.ConsumeTopics(s.Topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.SessionTimeout(10 * time.Second), kgo.HeartbeatInterval(500 * time.Millisecond),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, got map[string][]int32) { m.Assigned(got[s.Topic]...) }),
		kgo.OnPartitionsRevoked(revoked), kgo.OnPartitionsLost(revoked),
	}
}

// join makes a member that reads until it is closed.
func join(s contract.Settings, m *contract.Member, opts ...kgo.Opt) (leave func() error, err error) {
	client, err := connect(s, append(inGroup(s, m), opts...)...)
	if err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			fetches := client.PollFetches(context.Background())
			if fetches.IsClientClosed() {
				return
			}
			fetches.EachRecord(func(k *kgo.Record) { m.Read(k.Value) })
		}
	}()
	return func() error { client.Close(); <-ended; return nil }, nil
}

func group(ctx context.Context, s contract.Settings) error {
	producer, err := connect(s, kgo.DefaultProduceTopic(s.Topic), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return err
	}
	defer producer.Close()
	if err := create(ctx, producer, s.Topic, contract.GroupPartitions); err != nil {
		return err
	}
	produce := func(ctx context.Context, from, to int) error {
		var records []*kgo.Record
		for i := from; i < to; i++ {
			records = append(records, &kgo.Record{Partition: int32(i % contract.GroupPartitions), Value: fmt.Append(nil, i)})
		}
		return producer.ProduceSync(ctx, records...).FirstErr()
	}
	return contract.Rebalance(ctx, produce, func(_ context.Context, m *contract.Member) (func() error, error) { return join(s, m) })
}

func static(ctx context.Context, s contract.Settings) error {
	client, err := connect(s)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := create(ctx, client, s.Topic, contract.GroupPartitions); err != nil {
		return err
	}
	return contract.Static(ctx, func(_ context.Context, instance string, m *contract.Member) (func() error, error) {
		return join(s, m, kgo.InstanceID(instance))
	})
}

func resume(ctx context.Context, s contract.Settings) error {
	producer, err := connect(s, kgo.DefaultProduceTopic(s.Topic))
	if err != nil {
		return err
	}
	defer producer.Close()
	if err := create(ctx, producer, s.Topic, 1); err != nil {
		return err
	}
	var records []*kgo.Record
	for i := range 100 {
		records = append(records, kgo.StringRecord(fmt.Sprint(i)))
	}
	if err := producer.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	if err := readHalf(ctx, s, 0); err != nil {
		return fmt.Errorf("the first member: %w", err)
	}
	committed, err := kadm.NewClient(producer).FetchOffsets(ctx, s.Group)
	if o, ok := committed.Lookup(s.Topic, 0); err != nil || !ok || o.At != 50 {
		return fmt.Errorf("committed: %v, %v, want 50", o, err)
	}
	if err := readHalf(ctx, s, 50); err != nil {
		return fmt.Errorf("the second member: %w", err)
	}
	return nil
}

// readHalf has a member read fifty records, which must be those that begin with number from, and commit them.
func readHalf(ctx context.Context, s contract.Settings, from int) error {
	client, err := connect(s, append(inGroup(s, &contract.Member{}), kgo.DisableAutoCommit())...)
	if err != nil {
		return err
	}
	defer client.Close()
	records, err := read(ctx, client, 50)
	if err != nil {
		return err
	}
	for i, k := range records {
		if want := fmt.Sprint(from + i); string(k.Value) != want {
			return fmt.Errorf("read %q, want %s", k.Value, want)
		}
	}
	return client.CommitRecords(ctx, records...)
}

func secure(ctx context.Context, s contract.Settings) error {
	if err := createFirst(ctx, s, 1); err != nil {
		return err
	}
	client, err := connect(s, kgo.DefaultProduceTopic(s.Topic), kgo.ConsumeTopics(s.Topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.ProduceSync(ctx, kgo.StringRecord("behind the door")).FirstErr(); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	records, err := read(ctx, client, 1)
	if err == nil && string(records[0].Value) != "behind the door" {
		err = fmt.Errorf("read %q", records[0].Value)
	}
	return err
}

func denied(ctx context.Context, s contract.Settings) error {
	client, err := connect(s)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.Ping(ctx); !errors.Is(err, kerr.SaslAuthenticationFailed) {
		return fmt.Errorf("with a wrong password: %v", err)
	}
	return nil
}
