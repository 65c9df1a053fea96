package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/heraclitus/heraclitus/tools/capture/frames"
	"github.com/heraclitus/heraclitus/tools/internal/clients"
	"github.com/heraclitus/heraclitus/tools/internal/run"
)

const (
	programTimeout = 90 * time.Second
	noSuchFeature  = 3   // status of a program whose client lacks what a check is about
	largeBytes     = 300 // of the largest values; the checks mean 100 KiB
	attemptsMax    = 5   // to record a conversation in which the broker is not still busy with itself
)

// errNotAll is the error of recordings some of which went wrong, which was printed.
var errNotAll = errors.New("not all could be recorded")

// errLacks is a client that lacks what a scenario is about.
var errLacks = errors.New("the client has no such feature")

// properties are lines of the broker's settings: with one partition, the topic of offsets is soon there.
var properties = []string{"offsets.topic.num.partitions=1"}

// record records scenarios of a client, each with a broker of its own, below into.
func (c client) record(root, into string, scenarios []scenario) error {
	i := slices.IndexFunc(clients.All(), func(p clients.Client) bool { return p.Name == c.program })
	if i < 0 {
		return fmt.Errorf("%s: there is no program %s", c.name, c.program)
	}
	program, err := clients.All()[i].Prepare(context.Background(), root, filepath.Join(root, ".tmp", "interop", "cache"))
	if err != nil {
		return err
	}
	program.Env = slices.Concat(program.Env, c.env)
	var failed error
	for _, s := range scenarios {
		conversation, err := c.settled(s, program)
		switch {
		case errors.Is(err, errLacks):
			fmt.Printf("%s/%s: %v\n", c.name, s.name, err)
			continue
		case err != nil:
			fmt.Printf("%s/%s: %v\n", c.name, s.name, err)
			failed = errNotAll
			continue
		}
		if err := conversation.Write(into); err != nil {
			return err
		}
		fmt.Printf("%s: %d frames\n", conversation, len(conversation.Frames))
	}
	return failed
}

// settled records a conversation until the broker was not busy with itself, which says nothing about client or server.
func (c client) settled(s scenario, program clients.Program) (said frames.Conversation, err error) {
	for range attemptsMax {
		if said, err = c.hold(s, program); err != nil || !busy(said.Frames) {
			break
		}
	}
	return said, err
}

// hold has the program make one check, and returns what was said.
func (c client) hold(s scenario, program clients.Program) (said frames.Conversation, err error) {
	dir, err := os.MkdirTemp("", "capture-")
	if err != nil {
		return said, err
	}
	defer os.RemoveAll(dir)
	broker, err := run.StartKafka(c.broker, dir, properties...)
	if err != nil {
		return said, err
	}
	defer broker.Signal(syscall.SIGKILL) // its data is thrown away
	if err := prime(broker.Addr()); err != nil {
		return said, err
	}
	server := broker.Addr()
	if s.mechanism != "" {
		server = broker.SASLAddr()
	}
	r, err := startRelay(server, c.limit)
	if err != nil {
		return said, err
	}
	errProgram := s.run(program, r.addr())
	all, err := r.stop()
	if err := errors.Join(errProgram, err); err != nil {
		return said, err
	}
	return frames.Conversation{Client: c.name, Scenario: s.name, Frames: thin(all)}, nil
}

// run has the program make the check.
func (s scenario) run(program clients.Program, server string) error {
	ctx, cancel := context.WithTimeout(context.Background(), programTimeout)
	defer cancel()
	command := append(slices.Clone(program.Command), s.check)
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir = program.Dir
	cmd.Env = append(append(os.Environ(), program.Env...), s.environment(server)...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	err := cmd.Run()
	var status *exec.ExitError
	if errors.As(err, &status) && status.ExitCode() == noSuchFeature {
		return fmt.Errorf("%w: %s", errLacks, bytes.TrimSpace(output.Bytes()))
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, output.Bytes())
	}
	return nil
}

// environment is what the program is told.
func (s scenario) environment(server string) []string {
	env := []string{"BOOTSTRAP=" + server, "TOPIC=capture", "GROUP=capture-group", "SECURITY=PLAINTEXT", fmt.Sprintf("LARGE_BYTES=%d", largeBytes)}
	if s.mechanism != "" {
		env = append(env, "SECURITY=SASL_PLAINTEXT", "MECHANISM="+s.mechanism, "USERNAME="+run.KafkaUser, "PASSWORD="+s.password)
	}
	return env
}
