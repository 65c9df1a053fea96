package main

import (
	"context"
	"fmt"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/heraclitus/heraclitus/tools/interop/clients/internal/contract"
)

// join makes a member that reads until it is closed.
func join(s contract.Settings, m *contract.Member, more kafka.ConfigMap) (leave func() error, err error) {
	c, err := consumer(s, more)
	if err != nil {
		return nil, err
	}
	if err := c.Subscribe(s.Topic, rebalanced(m)); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			if message, err := read(ctx, c); err == nil {
				m.Read(message.Value)
			}
		}
	}()
	return func() error {
		cancel()
		<-ended
		return c.Close()
	}, nil
}

// rebalanced tells a member of what it comes to hold.
func rebalanced(m *contract.Member) kafka.RebalanceCb {
	return func(_ *kafka.Consumer, event kafka.Event) error {
		switch e := event.(type) {
		case kafka.AssignedPartitions:
			m.Assigned(numbers(e.Partitions)...)
		case kafka.RevokedPartitions:
			m.Revoked(numbers(e.Partitions)...)
		}
		return nil
	}
}

func numbers(partitions []kafka.TopicPartition) (all []int32) {
	for _, p := range partitions {
		all = append(all, p.Partition)
	}
	return all
}

func group(ctx context.Context, s contract.Settings) error {
	if err := create(ctx, s, contract.GroupPartitions); err != nil {
		return err
	}
	send := func(_ context.Context, from, to int) error {
		return produce(s, "none", numbered(s.Topic, from, to, contract.GroupPartitions)...)
	}
	return contract.Rebalance(ctx, send, func(_ context.Context, m *contract.Member) (func() error, error) { return join(s, m, nil) })
}

func static(ctx context.Context, s contract.Settings) error {
	if err := create(ctx, s, contract.GroupPartitions); err != nil {
		return err
	}
	return contract.Static(ctx, func(_ context.Context, instance string, m *contract.Member) (func() error, error) {
		return join(s, m, kafka.ConfigMap{"group.instance.id": instance})
	})
}

func resume(ctx context.Context, s contract.Settings) error {
	if err := create(ctx, s, 1); err != nil {
		return err
	}
	if err := produce(s, "none", numbered(s.Topic, 0, 100, 1)...); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	if err := readHalf(ctx, s, 0); err != nil {
		return fmt.Errorf("the first member: %w", err)
	}
	if err := readHalf(ctx, s, 50); err != nil {
		return fmt.Errorf("the second member: %w", err)
	}
	return nil
}

// readHalf has a member read fifty messages, which must be those that begin with number from, and commit them.
func readHalf(ctx context.Context, s contract.Settings, from int) error {
	c, err := consumer(s, kafka.ConfigMap{"enable.auto.commit": false})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Subscribe(s.Topic, nil); err != nil {
		return err
	}
	if err := contract.InOrder(values(ctx, c), from, from+50); err != nil {
		return err
	}
	if _, err := c.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	committed, err := c.Committed([]kafka.TopicPartition{{Topic: &s.Topic, Partition: 0}}, 5000)
	if err != nil || committed[0].Offset != kafka.Offset(from+50) {
		return fmt.Errorf("committed: %v, want %d: %w", committed, from+50, err)
	}
	return nil
}
