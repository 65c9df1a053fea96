// Command confluent-kafka-go runs the checks of ../README.md with github.com/confluentinc/confluent-kafka-go, which
// is librdkafka below. It is a module of its own because it needs cgo.
package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/heraclitus/heraclitus/tools/interop/clients/internal/contract"
)

// pollTime bounds each wait for a message, after which the check's own time is looked at.
const pollTime = 100 * time.Millisecond

func main() {
	checks := map[string]contract.Check{
		"admin": admin, "positions": positions, "group": group, "resume": resume, "static": static, "secure": secure, "denied": denied,
	}
	for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		checks[codec] = func(ctx context.Context, s contract.Settings) error { return roundTrip(ctx, s, codec) }
	}
	contract.Main(checks)
}

// settings are a client's, with whatever it takes to come in, and more.
func settings(s contract.Settings, more kafka.ConfigMap) *kafka.ConfigMap {
	c := kafka.ConfigMap{"bootstrap.servers": s.Bootstrap, "security.protocol": s.Security}
	if strings.HasSuffix(s.Security, "SSL") {
		c["ssl.ca.location"] = s.CAFile
	}
	if s.CertFile != "" {
		c["ssl.certificate.location"], c["ssl.key.location"] = s.CertFile, s.KeyFile
	}
	if s.SASL() {
		c["sasl.mechanism"], c["sasl.username"], c["sasl.password"] = s.Mechanism, s.Username, s.Password
	}
	for name, value := range more {
		c[name] = value
	}
	return &c
}

// create makes the check's topic.
func create(ctx context.Context, s contract.Settings, partitions int) error {
	admin, err := kafka.NewAdminClient(settings(s, nil))
	if err != nil {
		return err
	}
	defer admin.Close()
	return createTopic(ctx, admin, kafka.TopicSpecification{Topic: s.Topic, NumPartitions: partitions, ReplicationFactor: 1})
}

func createTopic(ctx context.Context, admin *kafka.AdminClient, topic kafka.TopicSpecification) error {
	created, err := admin.CreateTopics(ctx, []kafka.TopicSpecification{topic})
	if err != nil {
		return err
	}
	return failure(created[0].Error)
}

// failure is an error of the client as an error of Go's: its own kind is never nil.
func failure(err kafka.Error) error {
	if err.Code() == kafka.ErrNoError {
		return nil
	}
	return err
}

// produce sends messages and waits until all are delivered.
func produce(s contract.Settings, codec string, messages ...*kafka.Message) error {
	producer, err := kafka.NewProducer(settings(s, kafka.ConfigMap{"compression.type": codec}))
	if err != nil {
		return err
	}
	defer producer.Close()
	delivered := make(chan kafka.Event, len(messages))
	for _, m := range messages {
		if err := producer.Produce(m, delivered); err != nil {
			return err
		}
	}
	for range messages {
		if err := (<-delivered).(*kafka.Message).TopicPartition.Error; err != nil {
			return err
		}
	}
	return nil
}

// numbered are messages with the numbers from..to-1 for values, dealt out to so many partitions.
func numbered(topic string, from, to, partitions int) (all []*kafka.Message) {
	for i := from; i < to; i++ {
		at := kafka.TopicPartition{Topic: &topic, Partition: int32(i % partitions)}
		all = append(all, &kafka.Message{TopicPartition: at, Value: fmt.Append(nil, i), Timestamp: contract.Time(i)})
	}
	return all
}

// consumer makes a reader, in the check's group.
func consumer(s contract.Settings, more kafka.ConfigMap) (*kafka.Consumer, error) {
	c := settings(s, kafka.ConfigMap{
		"group.id": s.Group, "auto.offset.reset": "earliest", "session.timeout.ms": 10000, "heartbeat.interval.ms": 500, "fetch.wait.max.ms": 100,
	})
	for name, value := range more {
		(*c)[name] = value
	}
	return kafka.NewConsumer(c)
}

// read reads the next message.
func read(ctx context.Context, c *kafka.Consumer) (*kafka.Message, error) {
	for ctx.Err() == nil {
		m, err := c.ReadMessage(pollTime)
		if e, ok := err.(kafka.Error); ok && e.IsTimeout() {
			continue
		}
		return m, err
	}
	return nil, ctx.Err()
}

// values reads on, a value at a time.
func values(ctx context.Context, c *kafka.Consumer) contract.Next {
	return func() ([]byte, error) {
		m, err := read(ctx, c)
		if err != nil {
			return nil, err
		}
		return m.Value, nil
	}
}

func admin(ctx context.Context, s contract.Settings) error {
	admin, err := kafka.NewAdminClient(settings(s, nil))
	if err != nil {
		return err
	}
	defer admin.Close()
	const setting, hour = "retention.ms", "3600000"
	topic := kafka.TopicSpecification{Topic: s.Topic, NumPartitions: 3, ReplicationFactor: 1, Config: map[string]string{setting: hour}}
	if err := createTopic(ctx, admin, topic); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	partitions := func() (int, error) {
		all, err := admin.GetMetadata(nil, true, 5000)
		if err != nil {
			return 0, err
		}
		return len(all.Topics[s.Topic].Partitions), nil
	}
	if err := contract.Await(ctx, "it is listed with its partitions", partitions, 3); err != nil {
		return err
	}
	described, err := admin.DescribeConfigs(ctx, []kafka.ConfigResource{{Type: kafka.ResourceTopic, Name: s.Topic}})
	if err != nil || described[0].Config[setting].Value != hour {
		return fmt.Errorf("describe the settings: %v: %w", described, err)
	}
	if err, ok := createTopic(ctx, admin, topic).(kafka.Error); !ok || err.Code() != kafka.ErrTopicAlreadyExists {
		return fmt.Errorf("create it again: %v", err)
	}
	deleted, err := admin.DeleteTopics(ctx, []string{s.Topic})
	if err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	if err := failure(deleted[0].Error); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	return contract.Await(ctx, "it is gone", partitions, 0)
}

func roundTrip(ctx context.Context, s contract.Settings, codec string) error {
	if err := create(ctx, s, contract.Partitions); err != nil {
		return err
	}
	sent := contract.Records()
	if err := produce(s, codec, native(s.Topic, sent)...); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	c, err := consumer(s, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Subscribe(s.Topic, nil); err != nil {
		return err
	}
	var got []contract.Record
	for len(got) < len(sent) {
		m, err := read(ctx, c)
		if err != nil {
			return fmt.Errorf("after %d messages: %w", len(got), err)
		}
		got = append(got, common(m))
	}
	return contract.Compare(got, sent)
}

// native are records as librdkafka sends them, common is one it read as the contract has it.
func native(topic string, records []contract.Record) (all []*kafka.Message) {
	for _, r := range records {
		m := &kafka.Message{TopicPartition: kafka.TopicPartition{Topic: &topic, Partition: r.Partition}, Key: r.Key, Value: r.Value, Timestamp: r.Time}
		for _, h := range r.Headers {
			m.Headers = append(m.Headers, kafka.Header{Key: h.Name, Value: h.Value})
		}
		all = append(all, m)
	}
	return all
}

func common(m *kafka.Message) contract.Record {
	r := contract.Record{Partition: m.TopicPartition.Partition, Key: m.Key, Value: m.Value, Time: m.Timestamp}
	for _, h := range m.Headers {
		r.Headers = append(r.Headers, contract.Header{Name: h.Key, Value: h.Value})
	}
	return r
}

func positions(ctx context.Context, s contract.Settings) error {
	if err := create(ctx, s, 1); err != nil {
		return err
	}
	if err := produce(s, "none", numbered(s.Topic, 0, 30, 1)...); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	c, err := consumer(s, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	from := func(offset kafka.Offset) error {
		return c.Assign([]kafka.TopicPartition{{Topic: &s.Topic, Partition: 0, Offset: offset}})
	}
	if err := from(kafka.OffsetBeginning); err != nil {
		return err
	}
	if err := contract.InOrder(values(ctx, c), 0, 30); err != nil {
		return fmt.Errorf("from the beginning: %w", err)
	}
	moment := kafka.TopicPartition{Topic: &s.Topic, Partition: 0, Offset: kafka.Offset(contract.Time(15).UnixMilli())}
	middle, err := c.OffsetsForTimes([]kafka.TopicPartition{moment}, 5000)
	if err != nil {
		return fmt.Errorf("the offset of a timestamp: %w", err)
	}
	if err := from(middle[0].Offset); err != nil {
		return err
	}
	if err := contract.InOrder(values(ctx, c), 15, 30); err != nil {
		return fmt.Errorf("from a timestamp: %w", err)
	}
	if err := from(kafka.OffsetEnd); err != nil {
		return err
	}
	send := func(i int) error { return produce(s, "none", numbered(s.Topic, i, i+1, 1)...) }
	if err := contract.OnlyNew(send, values(ctx, c), 30); err != nil {
		return fmt.Errorf("from the end: %w", err)
	}
	return nil
}

func secure(ctx context.Context, s contract.Settings) error {
	if err := create(ctx, s, 1); err != nil {
		return err
	}
	if err := produce(s, "none", numbered(s.Topic, 0, 1, 1)...); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	c, err := consumer(s, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Subscribe(s.Topic, nil); err != nil {
		return err
	}
	return contract.InOrder(values(ctx, c), 0, 1)
}

func denied(ctx context.Context, s contract.Settings) error {
	producer, err := kafka.NewProducer(settings(s, nil))
	if err != nil {
		return err
	}
	defer producer.Close()
	for {
		select {
		case event := <-producer.Events():
			if err, ok := event.(kafka.Error); ok && err.Code() == kafka.ErrAuthentication {
				return nil
			}
		case <-ctx.Done():
			return fmt.Errorf("with a wrong password: no failure to authenticate: %w", ctx.Err())
		}
	}
}
