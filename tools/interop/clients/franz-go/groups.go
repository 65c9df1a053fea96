package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/heraclitus/heraclitus/tools/interop/clients/internal/contract"
)

// groups is about what an administrator does with groups: list them, describe one while it has a member and when it
// has none, commit an offset for it and delete that, and delete the group.
func groups(ctx context.Context, s contract.Settings) error {
	client, err := connect(s, kgo.DefaultProduceTopic(s.Topic))
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	if err := create(ctx, client, s.Topic, 2); err != nil {
		return err
	}
	if err := client.ProduceSync(ctx, kgo.StringRecord("read once")).FirstErr(); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	if err := whileRead(ctx, s, func() error { return described(ctx, admin, s.Group, "Stable", 1) }); err != nil {
		return err
	}
	if err := described(ctx, admin, s.Group, "Empty", 0); err != nil {
		return err
	}
	if err := commitAndDelete(ctx, admin, s); err != nil {
		return err
	}
	if _, err := admin.DeleteGroup(ctx, s.Group); err != nil {
		return fmt.Errorf("delete the group: %w", err)
	}
	if _, err := admin.DeleteGroup(ctx, s.Group); !errors.Is(err, kerr.GroupIDNotFound) {
		return fmt.Errorf("delete it again: %v", err)
	}
	return nil
}

// commitAndDelete commits offsets of both partitions and deletes one of them: without any, the group would be gone.
func commitAndDelete(ctx context.Context, admin *kadm.Client, s contract.Settings) error {
	var offsets kadm.Offsets
	offsets.AddOffset(s.Topic, 0, 0, -1)
	offsets.AddOffset(s.Topic, 1, 0, -1)
	if err := admin.CommitAllOffsets(ctx, s.Group, offsets); err != nil {
		return fmt.Errorf("commit offsets: %w", err)
	}
	var one kadm.TopicsSet
	one.Add(s.Topic, 0)
	deleted, err := admin.DeleteOffsets(ctx, s.Group, one)
	if err == nil {
		err = deleted.Error()
	}
	if err != nil {
		return fmt.Errorf("delete an offset: %w", err)
	}
	return nil
}

// whileRead has a member read a record, commit it, and calls check before it leaves.
func whileRead(ctx context.Context, s contract.Settings, check func() error) error {
	member, err := connect(s, append(inGroup(s, &contract.Member{}), kgo.DisableAutoCommit())...)
	if err != nil {
		return err
	}
	defer member.Close()
	records, err := read(ctx, member, 1)
	if err != nil {
		return err
	}
	if err := member.CommitRecords(ctx, records...); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return check()
}

// described wants the group to be listed, and to be in that state with that many members.
func described(ctx context.Context, admin *kadm.Client, group, state string, members int) error {
	listed, err := admin.ListGroups(ctx)
	if _, ok := listed[group]; err != nil || !ok {
		return fmt.Errorf("list groups: %v, %v", listed, err)
	}
	all, err := admin.DescribeGroups(ctx, group)
	if err != nil {
		return fmt.Errorf("describe the group: %w", err)
	}
	if g := all[group]; g.Err != nil || g.State != state || len(g.Members) != members {
		return fmt.Errorf("the group is described as %+v, want %d members and state %s", g, members, state)
	}
	return nil
}
