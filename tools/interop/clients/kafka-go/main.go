// Command kafka-go runs the checks of ../README.md with github.com/segmentio/kafka-go.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"

	"github.com/heraclitus/heraclitus/tools/interop/clients/internal/contract"
)

var codecs = map[string]kafka.Compression{
	"none": 0, "gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd,
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

// kafkaGo makes the client's parts, each with whatever it takes to come in.
type kafkaGo struct {
	contract.Settings
	addr      net.Addr
	transport *kafka.Transport // of clients and writers
	dialer    *kafka.Dialer    // of readers and groups
}

func connect(s contract.Settings) (*kafkaGo, error) {
	config, err := s.TLS()
	if err != nil {
		return nil, err
	}
	mechanism, err := login(s)
	if err != nil {
		return nil, err
	}
	return &kafkaGo{s, kafka.TCP(s.Bootstrap), &kafka.Transport{TLS: config, SASL: mechanism}, &kafka.Dialer{TLS: config, SASLMechanism: mechanism, DualStack: true}}, nil
}

func login(s contract.Settings) (sasl.Mechanism, error) {
	switch {
	case !s.SASL():
		return nil, nil
	case s.Mechanism == "SCRAM-SHA-256":
		return scram.Mechanism(scram.SHA256, s.Username, s.Password)
	case s.Mechanism == "SCRAM-SHA-512":
		return scram.Mechanism(scram.SHA512, s.Username, s.Password)
	}
	return plain.Mechanism{Username: s.Username, Password: s.Password}, nil
}

func (k *kafkaGo) client() *kafka.Client { return &kafka.Client{Addr: k.addr, Transport: k.transport} }

// create makes the check's topic.
func (k *kafkaGo) create(ctx context.Context, partitions int, settings ...kafka.ConfigEntry) error {
	topic := kafka.TopicConfig{Topic: k.Topic, NumPartitions: partitions, ReplicationFactor: 1, ConfigEntries: settings}
	created, err := k.client().CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{topic}})
	if err != nil {
		return err
	}
	return created.Errors[k.Topic]
}

// write sends messages, each to the partition that is its WriterData, and waits for the answers.
func (k *kafkaGo) write(ctx context.Context, codec kafka.Compression, messages ...kafka.Message) error {
	to := kafka.BalancerFunc(func(m kafka.Message, _ ...int) int { return m.WriterData.(int) })
	w := &kafka.Writer{Addr: k.addr, Transport: k.transport, Topic: k.Topic, Balancer: to, Compression: codec, RequiredAcks: kafka.RequireAll, BatchTimeout: 10 * time.Millisecond}
	defer w.Close()
	return w.WriteMessages(ctx, messages...)
}

// reader reads a partition from an offset on.
func (k *kafkaGo) reader(partition int, offset int64) (*kafka.Reader, error) {
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{k.Bootstrap}, Dialer: k.dialer, Topic: k.Topic, Partition: partition, MaxWait: 100 * time.Millisecond, MaxBytes: 10 << 20})
	return r, r.SetOffset(offset)
}

// numbered are messages with the numbers from..to-1 for values, dealt out to so many partitions.
func numbered(from, to, partitions int) (all []kafka.Message) {
	for i := from; i < to; i++ {
		all = append(all, kafka.Message{Value: fmt.Append(nil, i), Time: contract.Time(i), WriterData: i % partitions})
	}
	return all
}

// values reads on, a value at a time.
func values(ctx context.Context, r *kafka.Reader) contract.Next {
	return func() ([]byte, error) {
		m, err := r.ReadMessage(ctx)
		return m.Value, err
	}
}

func admin(ctx context.Context, s contract.Settings) error {
	k, err := connect(s)
	if err != nil {
		return err
	}
	const setting, hour = "retention.ms", "3600000"
	if err := k.create(ctx, 3, kafka.ConfigEntry{ConfigName: setting, ConfigValue: hour}); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	partitions := func() (int, error) {
		all, err := k.client().Metadata(ctx, &kafka.MetadataRequest{})
		if err != nil {
			return 0, err
		}
		for _, t := range all.Topics {
			if t.Name == s.Topic {
				return len(t.Partitions), nil
			}
		}
		return 0, nil
	}
	if err := contract.Await(ctx, "it is listed with its partitions", partitions, 3); err != nil {
		return err
	}
	resource := kafka.DescribeConfigRequestResource{ResourceType: kafka.ResourceTypeTopic, ResourceName: s.Topic, ConfigNames: []string{setting}}
	settings, err := k.client().DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{Resources: []kafka.DescribeConfigRequestResource{resource}})
	if err != nil {
		return fmt.Errorf("describe the settings: %w", err)
	}
	if got := settings.Resources[0]; got.Error != nil || len(got.ConfigEntries) != 1 || got.ConfigEntries[0].ConfigValue != hour {
		return fmt.Errorf("describe the settings: %+v", got)
	}
	if err := k.create(ctx, 3); !errors.Is(err, kafka.TopicAlreadyExists) {
		return fmt.Errorf("create it again: %v", err)
	}
	deleted, err := k.client().DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{s.Topic}})
	if err != nil || deleted.Errors[s.Topic] != nil {
		return fmt.Errorf("delete: %v, %v", deleted, err)
	}
	return contract.Await(ctx, "it is gone", partitions, 0)
}

func roundTrip(ctx context.Context, s contract.Settings, codec kafka.Compression) error {
	k, err := connect(s)
	if err != nil {
		return err
	}
	if err := k.create(ctx, contract.Partitions); err != nil {
		return err
	}
	sent := contract.Records()
	if err := k.write(ctx, codec, native(sent)...); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	var got []contract.Record
	for p := range contract.Partitions {
		reader, err := k.reader(p, kafka.FirstOffset)
		if err != nil {
			return err
		}
		defer reader.Close()
		for range len(sent) / contract.Partitions {
			m, err := reader.ReadMessage(ctx)
			if err != nil {
				return fmt.Errorf("after %d messages: %w", len(got), err)
			}
			got = append(got, common(m))
		}
	}
	return contract.Compare(got, contract.EmptyAsNull(sent)) // its reader does not tell them apart
}

// native are records as kafka-go writes them, common is one it read as the contract has it.
func native(records []contract.Record) (all []kafka.Message) {
	for _, r := range records {
		m := kafka.Message{Key: r.Key, Value: r.Value, Time: r.Time, WriterData: int(r.Partition)}
		for _, h := range r.Headers {
			m.Headers = append(m.Headers, kafka.Header{Key: h.Name, Value: h.Value})
		}
		all = append(all, m)
	}
	return all
}

func common(m kafka.Message) contract.Record {
	r := contract.Record{Partition: int32(m.Partition), Key: m.Key, Value: m.Value, Time: m.Time}
	for _, h := range m.Headers {
		r.Headers = append(r.Headers, contract.Header{Name: h.Key, Value: h.Value})
	}
	return r
}

func positions(ctx context.Context, s contract.Settings) error {
	k, err := connect(s)
	if err != nil {
		return err
	}
	if err := k.create(ctx, 1); err != nil {
		return err
	}
	if err := k.write(ctx, 0, numbered(0, 30, 1)...); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	reader, err := k.reader(0, kafka.FirstOffset)
	if err != nil {
		return err
	}
	defer reader.Close()
	if err := contract.InOrder(values(ctx, reader), 0, 30); err != nil {
		return fmt.Errorf("from the first: %w", err)
	}
	if err := reader.SetOffsetAt(ctx, contract.Time(15)); err != nil {
		return fmt.Errorf("the offset of a timestamp: %w", err)
	}
	if err := contract.InOrder(values(ctx, reader), 15, 30); err != nil {
		return fmt.Errorf("from a timestamp: %w", err)
	}
	last, err := k.reader(0, kafka.LastOffset)
	if err != nil {
		return err
	}
	defer last.Close()
	produce := func(i int) error { return k.write(ctx, 0, numbered(i, i+1, 1)...) }
	if err := contract.OnlyNew(produce, values(ctx, last), 30); err != nil {
		return fmt.Errorf("from the last: %w", err)
	}
	return nil
}

func secure(ctx context.Context, s contract.Settings) error {
	k, err := connect(s)
	if err != nil {
		return err
	}
	if err := k.create(ctx, 1); err != nil {
		return err
	}
	if err := k.write(ctx, 0, numbered(0, 1, 1)...); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	reader, err := k.reader(0, kafka.FirstOffset)
	if err != nil {
		return err
	}
	defer reader.Close()
	return contract.InOrder(values(ctx, reader), 0, 1)
}

func denied(ctx context.Context, s contract.Settings) error {
	k, err := connect(s)
	if err != nil {
		return err
	}
	if _, err := k.client().Metadata(ctx, &kafka.MetadataRequest{}); !errors.Is(err, kafka.SASLAuthenticationFailed) {
		return fmt.Errorf("with a wrong password: %v", err)
	}
	return nil
}
