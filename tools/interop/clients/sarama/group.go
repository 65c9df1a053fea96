package main

import (
	"context"
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"github.com/heraclitus/heraclitus/tools/interop/clients/internal/contract"
)

// reader is a sarama.ConsumerGroupHandler that tells a Member what happens.
type reader struct {
	topic string
	*contract.Member
}

func (r reader) Setup(session sarama.ConsumerGroupSession) error {
	r.Assigned(session.Claims()[r.topic]...)
	return nil
}

func (r reader) Cleanup(sarama.ConsumerGroupSession) error {
	r.RevokedAll()
	return nil
}

func (r reader) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for m := range claim.Messages() {
		r.Read(m.Value)
		session.MarkMessage(m, "")
	}
	return nil
}

// join makes a member that reads until it is closed.
func join(s contract.Settings, config *sarama.Config, m *contract.Member) (leave func() error, err error) {
	config.Consumer.Group.Heartbeat.Interval = 500 * time.Millisecond
	group, err := sarama.NewConsumerGroup([]string{s.Bootstrap}, s.Group, config)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		for ctx.Err() == nil {
			if err := group.Consume(ctx, []string{s.Topic}, reader{s.Topic, m}); err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	}()
	return func() error {
		cancel()
		if err := <-ended; err != nil {
			return err
		}
		return group.Close()
	}, nil
}

func group(ctx context.Context, s contract.Settings) error {
	config, err := configure(s)
	if err != nil {
		return err
	}
	client, err := connect(s, config, contract.GroupPartitions)
	if err != nil {
		return err
	}
	defer client.Close()
	send := func(_ context.Context, from, to int) error {
		return produce(client, numbered(s.Topic, from, to, contract.GroupPartitions)...)
	}
	return contract.Rebalance(ctx, send, func(_ context.Context, m *contract.Member) (func() error, error) {
		return join(s, config, m)
	})
}

func static(ctx context.Context, s contract.Settings) error {
	config, err := configure(s)
	if err != nil {
		return err
	}
	client, err := connect(s, config, contract.GroupPartitions)
	if err != nil {
		return err
	}
	defer client.Close()
	return contract.Static(ctx, func(_ context.Context, instance string, m *contract.Member) (func() error, error) {
		own := *config
		own.Consumer.Group.InstanceId = instance
		return join(s, &own, m)
	})
}

func resume(ctx context.Context, s contract.Settings) error {
	config, err := configure(s)
	if err != nil {
		return err
	}
	config.Consumer.Offsets.AutoCommit.Enable = false
	client, err := connect(s, config, 1)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := produce(client, numbered(s.Topic, 0, 100, 1)...); err != nil {
		return err
	}
	if err := readHalf(ctx, s, config, 0); err != nil {
		return fmt.Errorf("the first member: %w", err)
	}
	admin, err := sarama.NewClusterAdminFromClient(client)
	if err != nil {
		return err
	}
	committed, err := admin.ListConsumerGroupOffsets(s.Group, map[string][]int32{s.Topic: {0}})
	if err != nil || committed.GetBlock(s.Topic, 0).Offset != 50 {
		return fmt.Errorf("committed: %+v, want 50: %w", committed, err)
	}
	if err := readHalf(ctx, s, config, 50); err != nil {
		return fmt.Errorf("the second member: %w", err)
	}
	return nil
}

// half is a sarama.ConsumerGroupHandler that reads fifty messages, commits them, and is done.
type half struct {
	from int
	done chan error
}

func (half) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (half) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (h half) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	err := contract.InOrder(func() ([]byte, error) {
		m, ok := <-claim.Messages()
		if !ok {
			return nil, session.Context().Err()
		}
		session.MarkMessage(m, "")
		return m.Value, nil
	}, h.from, h.from+50)
	session.Commit()
	h.done <- err
	return nil
}

// readHalf has a member read fifty messages, which must be those that begin with number from, and commit them.
func readHalf(ctx context.Context, s contract.Settings, config *sarama.Config, from int) error {
	group, err := sarama.NewConsumerGroup([]string{s.Bootstrap}, s.Group, config)
	if err != nil {
		return err
	}
	defer group.Close()
	h := half{from, make(chan error, 1)}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := group.Consume(ctx, []string{s.Topic}, h); err != nil {
		return err
	}
	return <-h.done
}
