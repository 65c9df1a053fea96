// Command sarama runs the checks of ../README.md with github.com/IBM/sarama.
package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/IBM/sarama"

	"github.com/heraclitus/heraclitus/tools/interop/clients/internal/contract"
)

var codecs = map[string]sarama.CompressionCodec{
	"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy,
	"lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
}

func main() {
	checks := map[string]contract.Check{
		"admin": admin, "positions": positions, "group": group, "resume": resume, "static": static, "secure": secure, "denied": denied,
	}
	for name, codec := range codecs {
		checks[name] = func(ctx context.Context, s contract.Settings) error { return roundTrip(ctx, s, codec) }
	}
	contract.Main(checks)
}

// configure are the client's settings, with whatever it takes to come in.
func configure(s contract.Settings) (*sarama.Config, error) {
	c := sarama.NewConfig()
	c.Version = sarama.MaxVersion
	if s.Release != "" {
		var err error
		if c.Version, err = sarama.ParseKafkaVersion(s.Release); err != nil {
			return nil, err
		}
	}
	c.Producer.Return.Successes = true
	c.Producer.Partitioner = sarama.NewManualPartitioner
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	config, err := s.TLS()
	if err != nil {
		return nil, err
	}
	c.Net.TLS.Enable, c.Net.TLS.Config = config != nil, config
	if s.SASL() {
		c.Net.SASL.Enable = true
		c.Net.SASL.Mechanism = sarama.SASLMechanism(s.Mechanism)
		c.Net.SASL.User, c.Net.SASL.Password = s.Username, s.Password
		c.Net.SASL.SCRAMClientGeneratorFunc = scramClient(s.Mechanism)
	}
	return c, nil
}

// connect makes a client that can send and read, and creates the check's topic.
func connect(s contract.Settings, c *sarama.Config, partitions int32) (sarama.Client, error) {
	client, err := sarama.NewClient([]string{s.Bootstrap}, c)
	if err != nil {
		return nil, err
	}
	admin, err := sarama.NewClusterAdminFromClient(client)
	if err == nil {
		err = admin.CreateTopic(s.Topic, &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1}, false)
	}
	return client, err
}

// produce sends messages and waits for the answers.
func produce(client sarama.Client, messages ...*sarama.ProducerMessage) error {
	producer, err := sarama.NewSyncProducerFromClient(client)
	if err != nil {
		return err
	}
	defer producer.Close()
	return producer.SendMessages(messages)
}

// read reads n messages of a partition, from an offset on.
func read(ctx context.Context, client sarama.Client, topic string, partition int32, offset int64, n int) (all []*sarama.ConsumerMessage, err error) {
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		return nil, err
	}
	defer consumer.Close()
	messages, err := consumer.ConsumePartition(topic, partition, offset)
	if err != nil {
		return nil, err
	}
	defer messages.Close()
	for len(all) < n {
		select {
		case m := <-messages.Messages():
			all = append(all, m)
		case <-ctx.Done():
			return nil, fmt.Errorf("after %d of %d messages: %w", len(all), n, ctx.Err())
		}
	}
	return all, nil
}

func admin(ctx context.Context, s contract.Settings) error {
	config, err := configure(s)
	if err != nil {
		return err
	}
	admin, err := sarama.NewClusterAdmin([]string{s.Bootstrap}, config)
	if err != nil {
		return err
	}
	defer admin.Close()
	hour := "3600000"
	detail := &sarama.TopicDetail{NumPartitions: 3, ReplicationFactor: 1, ConfigEntries: map[string]*string{"retention.ms": &hour}}
	if err := admin.CreateTopic(s.Topic, detail, false); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	partitions := func() (int, error) {
		topics, err := admin.DescribeTopics([]string{s.Topic})
		if err != nil {
			return 0, err
		}
		return len(topics[0].Partitions), nil
	}
	if err := contract.Await(ctx, "it is described with its partitions", partitions, 3); err != nil {
		return err
	}
	settings, err := admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: s.Topic, ConfigNames: []string{"retention.ms"}})
	if err != nil || len(settings) != 1 || settings[0].Value != hour {
		return fmt.Errorf("describe the settings: %v, %w", settings, err)
	}
	if err := admin.CreateTopic(s.Topic, detail, false); !errors.Is(err, sarama.ErrTopicAlreadyExists) {
		return fmt.Errorf("create it again: %v", err)
	}
	if err := admin.DeleteTopic(s.Topic); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	return contract.Await(ctx, "it is gone", partitions, 0)
}

func roundTrip(ctx context.Context, s contract.Settings, codec sarama.CompressionCodec) error {
	config, err := configure(s)
	if err != nil {
		return err
	}
	config.Producer.Compression = codec
	client, err := connect(s, config, contract.Partitions)
	if err != nil {
		return err
	}
	defer client.Close()
	sent := contract.Records()
	if err := produce(client, native(s.Topic, sent)...); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	var got []contract.Record
	for p := range int32(contract.Partitions) {
		messages, err := read(ctx, client, s.Topic, p, sarama.OffsetOldest, len(sent)/contract.Partitions)
		if err != nil {
			return fmt.Errorf("read partition %d: %w", p, err)
		}
		got = append(got, common(messages)...)
	}
	return contract.Compare(got, sent)
}

// native are records as sarama sends them, common are those it read as the contract has them.
func native(topic string, records []contract.Record) (all []*sarama.ProducerMessage) {
	for _, r := range records {
		m := &sarama.ProducerMessage{Topic: topic, Partition: r.Partition, Timestamp: r.Time}
		if r.Key != nil {
			m.Key = sarama.ByteEncoder(r.Key)
		}
		if r.Value != nil {
			m.Value = sarama.ByteEncoder(r.Value)
		}
		for _, h := range r.Headers {
			m.Headers = append(m.Headers, sarama.RecordHeader{Key: []byte(h.Name), Value: h.Value})
		}
		all = append(all, m)
	}
	return all
}

func common(messages []*sarama.ConsumerMessage) (all []contract.Record) {
	for _, m := range messages {
		r := contract.Record{Partition: m.Partition, Key: m.Key, Value: m.Value, Time: m.Timestamp}
		for _, h := range m.Headers {
			r.Headers = append(r.Headers, contract.Header{Name: string(h.Key), Value: h.Value})
		}
		all = append(all, r)
	}
	return all
}

// numbered are messages with the numbers from..to-1 for values, dealt out to so many partitions.
func numbered(topic string, from, to, partitions int) (all []*sarama.ProducerMessage) {
	for i := from; i < to; i++ {
		value := sarama.StringEncoder(fmt.Sprint(i))
		all = append(all, &sarama.ProducerMessage{Topic: topic, Partition: int32(i % partitions), Value: value, Timestamp: contract.Time(i)})
	}
	return all
}

func positions(ctx context.Context, s contract.Settings) error {
	config, err := configure(s)
	if err != nil {
		return err
	}
	client, err := connect(s, config, 1)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := produce(client, numbered(s.Topic, 0, 30, 1)...); err != nil {
		return err
	}
	if err := expect(ctx, client, s.Topic, sarama.OffsetOldest, 0, 30); err != nil {
		return fmt.Errorf("from the oldest: %w", err)
	}
	middle, err := client.GetOffset(s.Topic, 0, contract.Time(15).UnixMilli())
	if err != nil {
		return fmt.Errorf("the offset of a timestamp: %w", err)
	}
	if err := expect(ctx, client, s.Topic, middle, 15, 30); err != nil {
		return fmt.Errorf("from a timestamp: %w", err)
	}
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		return err
	}
	defer consumer.Close()
	newest, err := consumer.ConsumePartition(s.Topic, 0, sarama.OffsetNewest)
	if err != nil {
		return err
	}
	defer newest.Close()
	send := func(i int) error { return produce(client, numbered(s.Topic, i, i+1, 1)...) }
	next := func() ([]byte, error) {
		select {
		case m := <-newest.Messages():
			return m.Value, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if err := contract.OnlyNew(send, next, 30); err != nil {
		return fmt.Errorf("from the newest: %w", err)
	}
	return nil
}

// expect reads from an offset and checks that the messages are the numbers from..to-1.
func expect(ctx context.Context, client sarama.Client, topic string, offset int64, from, to int) error {
	messages, err := read(ctx, client, topic, 0, offset, to-from)
	if err != nil {
		return err
	}
	i := -1
	return contract.InOrder(func() ([]byte, error) { i++; return messages[i].Value, nil }, from, to)
}

func secure(ctx context.Context, s contract.Settings) error {
	config, err := configure(s)
	if err != nil {
		return err
	}
	client, err := connect(s, config, 1)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := produce(client, numbered(s.Topic, 0, 1, 1)...); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	return expect(ctx, client, s.Topic, sarama.OffsetOldest, 0, 1)
}

func denied(ctx context.Context, s contract.Settings) error {
	config, err := configure(s)
	if err != nil {
		return err
	}
	config.Metadata.Retry.Max = 0
	client, err := sarama.NewClient([]string{s.Bootstrap}, config)
	if err == nil {
		client.Close()
	}
	if !errors.Is(err, sarama.ErrSASLAuthenticationFailed) {
		return fmt.Errorf("with a wrong password: %v", err)
	}
	return nil
}
