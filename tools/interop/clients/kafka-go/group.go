package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/heraclitus/heraclitus/tools/interop/clients/internal/contract"
)

// join makes a member that reads until it is closed. kafka-go's Reader does not say which partitions it holds, so
// this is the ConsumerGroup below it, with a Reader for each partition.
func (k *kafkaGo) join(m *contract.Member) (leave func() error, err error) {
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: k.Group, Brokers: []string{k.Bootstrap}, Dialer: k.dialer, Topics: []string{k.Topic}, StartOffset: kafka.FirstOffset,
		HeartbeatInterval: 500 * time.Millisecond,
	})
	if err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- k.generations(group, m) }()
	return func() error {
		if err := group.Close(); err != nil {
			return err
		}
		return <-ended
	}, nil
}

// generations follows the group from one to the next, until it is closed.
func (k *kafkaGo) generations(group *kafka.ConsumerGroup, m *contract.Member) error {
	for {
		generation, err := group.Next(context.Background())
		if errors.Is(err, kafka.ErrGroupClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		m.RevokedAll()
		for _, partition := range generation.Assignments[k.Topic] {
			m.Assigned(int32(partition.ID))
			generation.Start(func(ctx context.Context) { k.read(ctx, generation, partition, m) })
		}
	}
}

// read reads a partition until the generation ends, and commits how far it came.
func (k *kafkaGo) read(ctx context.Context, generation *kafka.Generation, partition kafka.PartitionAssignment, m *contract.Member) {
	reader, err := k.reader(partition.ID, partition.Offset)
	if err != nil {
		return
	}
	defer reader.Close()
	next := partition.Offset
	for {
		message, err := reader.ReadMessage(ctx)
		if err != nil {
			break
		}
		m.Read(message.Value)
		next = message.Offset + 1
	}
	if next > partition.Offset {
		generation.CommitOffsets(map[string]map[int]int64{k.Topic: {partition.ID: next}})
	}
}

func group(ctx context.Context, s contract.Settings) error {
	k, err := connect(s)
	if err != nil {
		return err
	}
	if err := k.create(ctx, contract.GroupPartitions); err != nil {
		return err
	}
	produce := func(ctx context.Context, from, to int) error {
		return k.write(ctx, 0, numbered(from, to, contract.GroupPartitions)...)
	}
	return contract.Rebalance(ctx, produce, func(_ context.Context, m *contract.Member) (func() error, error) { return k.join(m) })
}

func static(context.Context, contract.Settings) error {
	return contract.Lacks("kafka-go has no static members (group.instance.id)")
}

func resume(ctx context.Context, s contract.Settings) error {
	k, err := connect(s)
	if err != nil {
		return err
	}
	if err := k.create(ctx, 1); err != nil {
		return err
	}
	if err := k.write(ctx, 0, numbered(0, 100, 1)...); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	if err := k.readHalf(ctx, 0); err != nil {
		return fmt.Errorf("the first member: %w", err)
	}
	committed, err := k.client().ConsumerOffsets(ctx, kafka.TopicAndGroup{Topic: s.Topic, GroupId: s.Group})
	if err != nil || committed[0] != 50 {
		return fmt.Errorf("committed: %v, want 50: %w", committed, err)
	}
	if err := k.readHalf(ctx, 50); err != nil {
		return fmt.Errorf("the second member: %w", err)
	}
	return nil
}

// readHalf has a member read fifty messages, which must be those that begin with number from, and commit them.
func (k *kafkaGo) readHalf(ctx context.Context, from int) error {
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: []string{k.Bootstrap}, Dialer: k.dialer, GroupID: k.Group, Topic: k.Topic, StartOffset: kafka.FirstOffset, MaxWait: 100 * time.Millisecond,
	})
	defer reader.Close()
	return contract.InOrder(func() ([]byte, error) {
		m, err := reader.FetchMessage(ctx)
		if err != nil {
			return nil, err
		}
		return m.Value, reader.CommitMessages(ctx, m)
	}, from, from+50)
}
