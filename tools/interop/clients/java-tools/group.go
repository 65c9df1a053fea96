package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/heraclitus/heraclitus/tools/interop/clients/internal/contract"
)

// event is what VerifiableConsumer prints of what happens to it, a line each.
type event struct {
	Name       string
	Partitions []struct{ Partition int32 }
	Value      string
}

// member runs a VerifiableConsumer as a member of the group.
func (t *tools) member(ctx context.Context, m *contract.Member, more ...string) (stop func() error, err error) {
	args := append([]string{"--topic", t.Topic, "--group-id", t.Group, "--verbose", "--session-timeout", "15000"}, more...)
	return t.start(ctx, func(line string) { tell(m, line) }, verConsumer, args...)
}

// tell tells a member of an event.
func tell(m *contract.Member, line string) {
	var e event
	if json.Unmarshal([]byte(line), &e) != nil {
		return // a word of another kind
	}
	var partitions []int32
	for _, p := range e.Partitions {
		partitions = append(partitions, p.Partition)
	}
	switch e.Name {
	case "partitions_assigned":
		m.Assigned(partitions...)
	case "partitions_revoked":
		m.Revoked(partitions...)
	case "record_data":
		m.Read([]byte(e.Value))
	}
}

func group(ctx context.Context, t *tools) error {
	if err := t.create(ctx, contract.GroupPartitions); err != nil {
		return err
	}
	feed, end, err := t.feed(ctx, t.reader, "parse.key=true")
	if err != nil {
		return err
	}
	produce := func(_ context.Context, from, to int) error {
		for i := from; i < to; i++ {
			if _, err := fmt.Fprintf(feed, "%d\t%d\n", i, i); err != nil { // the key spreads them
				return err
			}
		}
		return nil
	}
	err = contract.Rebalance(ctx, produce, func(ctx context.Context, m *contract.Member) (func() error, error) { return t.member(ctx, m) })
	return errors.Join(err, end())
}

func static(ctx context.Context, t *tools) error {
	if err := t.create(ctx, contract.GroupPartitions); err != nil {
		return err
	}
	return contract.Static(ctx, func(ctx context.Context, instance string, m *contract.Member) (func() error, error) {
		return t.member(ctx, m, "--group-instance-id", instance)
	})
}

// resume goes on where the group has committed, moves that, and deletes the group.
func resume(ctx context.Context, t *tools) error {
	if err := t.create(ctx, 1); err != nil {
		return err
	}
	all := numbered("", 100)
	if err := t.produce(ctx, all); err != nil {
		return err
	}
	half := strings.Index(all, "50\n")
	if err := t.consume(ctx, all[:half], "--group", t.Group, "--from-beginning", "--max-messages", "50"); err != nil {
		return err
	}
	if err := t.committed(ctx, "50"); err != nil {
		return err
	}
	if err := t.consume(ctx, all[half:], "--group", t.Group, "--max-messages", "50"); err != nil {
		return err
	}
	return t.steps(ctx, []say{
		{class: groups, args: []string{"--reset-offsets", "--group", t.Group, "--topic", t.Topic, "--to-offset", "7", "--execute"}, words: []string{"7"}},
		{class: groups, args: []string{"--delete", "--group", t.Group}, words: []string{"successful"}},
	})
}

// committed checks what ConsumerGroupCommand says the group has committed.
func (t *tools) committed(ctx context.Context, want string) error {
	out, err := t.run(ctx, "", groups, "--describe", "--group", t.Group)
	if err != nil {
		return err
	}
	rows := strings.Split(strings.TrimSpace(out), "\n")
	for i, title := range strings.Fields(rows[max(0, len(rows)-2)]) {
		if title == "CURRENT-OFFSET" && strings.Fields(rows[len(rows)-1])[i] == want {
			return nil
		}
	}
	return fmt.Errorf("want %s as committed:\n%s", want, out)
}
