// Command java-tools makes the contract's checks with the command-line tools that come with Kafka, of the release that the
// environment variable KAFKA_VERSION names: what an operator types.
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/heraclitus/heraclitus/tools/interop/clients/internal/contract"
)

func main() {
	contract.Main(map[string]contract.Check{
		"admin": with(admin), "none": with(codec("none")), "gzip": with(codec("gzip")), "snappy": with(codec("snappy")),
		"lz4": with(codec("lz4")), "zstd": with(codec("zstd")), "positions": with(positions), "group": with(group),
		"resume": with(resume), "static": with(static), "secure": with(secure), "denied": with(denied),
	})
}

// with opens the tools for a check.
func with(check func(context.Context, *tools) error) contract.Check {
	return func(ctx context.Context, s contract.Settings) error {
		t, err := open(s)
		if err != nil {
			return err
		}
		defer t.close()
		return check(ctx, t)
	}
}

// create makes the check's topic.
func (t *tools) create(ctx context.Context, partitions int, more ...string) error {
	args := []string{"--create", "--topic", t.Topic, "--partitions", fmt.Sprint(partitions), "--replication-factor", "1"}
	_, err := t.run(ctx, "", topics, append(args, more...)...)
	return err
}

// say is a step of a check: what a tool prints, or the error it ends with, must have some words in it.
type say struct {
	class string
	args  []string
	words []string
	fails bool // the tool must end with an error that has them
}

func (t *tools) steps(ctx context.Context, steps []say) error {
	for _, s := range steps {
		out, err := t.run(ctx, "", s.class, s.args...)
		if s.fails && err != nil {
			out, err = err.Error(), nil
		}
		if err != nil {
			return err
		}
		for _, w := range s.words {
			if !strings.Contains(out, w) {
				return fmt.Errorf("%s %s: want %q in what it says:\n%s", s.class, strings.Join(s.args, " "), w, out)
			}
		}
	}
	return nil
}

func admin(ctx context.Context, t *tools) error {
	entity := []string{"--entity-type", "topics", "--entity-name", t.Topic}
	if err := t.create(ctx, 3, "--config", "retention.ms=3600000"); err != nil {
		return err
	}
	err := t.steps(ctx, []say{
		{class: topics, args: []string{"--create", "--topic", t.Topic}, words: []string{"already exists"}, fails: true},
		{class: configs, args: append([]string{"--describe"}, entity...), words: []string{"retention.ms=3600000"}},
		{class: configs, args: append([]string{"--alter", "--add-config", "retention.ms=7200000"}, entity...)},
		{class: topics, args: []string{"--describe", "--topic", t.Topic}, words: []string{"PartitionCount: 3", "retention.ms=7200000"}},
		{class: topics, args: []string{"--delete", "--topic", t.Topic}},
	})
	if err != nil {
		return err
	}
	return contract.Await(ctx, "the topic is gone", func() (int, error) {
		out, err := t.run(ctx, "", topics, "--list")
		return strings.Count("\n"+out, "\n"+t.Topic+"\n"), err
	}, 0)
}

func secure(ctx context.Context, t *tools) error {
	if err := t.create(ctx, 1); err != nil {
		return err
	}
	if err := t.produce(ctx, "only\n"); err != nil {
		return err
	}
	return t.consume(ctx, "only\n", "--from-beginning", "--max-messages", "1")
}

func denied(ctx context.Context, t *tools) error {
	_, err := t.run(ctx, "", topics, "--list")
	if err == nil {
		return errors.New("let in with a wrong password")
	}
	if !strings.Contains(err.Error(), "SaslAuthenticationException") {
		return err
	}
	return nil
}
