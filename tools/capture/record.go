package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/heraclitus/heraclitus/tools/capture/frames"
	"github.com/heraclitus/heraclitus/tools/internal/run"
)

const (
	programTimeout = 90 * time.Second
	noSuchFeature  = 3   // status of a program whose client lacks what a check is about
	largeBytes     = 300 // of the largest values; the checks mean 100 KiB
)

// errLacks is a client that lacks what a scenario is about.
var errLacks = errors.New("the client has no such feature")

// properties are lines of the broker's settings: with one partition, the topic of offsets is soon there.
var properties = []string{"offsets.topic.num.partitions=1"}

// record records scenarios of a client, each with a broker of its own, below into.
func (c client) record(root, into string, scenarios []scenario) error {
	dir, err := os.MkdirTemp("", "capture-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	folder, err := filepath.Abs(filepath.Join(root, programs, c.folder))
	if err != nil {
		return err
	}
	command, err := c.prepare(folder, dir)
	if err != nil {
		return fmt.Errorf("prepare %s: %w", c.name, err)
	}
	var failed error
	for _, s := range scenarios {
		conversation, err := c.hold(s, command, folder)
		switch {
		case errors.Is(err, errLacks):
			fmt.Printf("%s/%s: %v\n", c.name, s.name, err)
			continue
		case err != nil:
			failed = errors.Join(failed, fmt.Errorf("%s/%s: %w", c.name, s.name, err))
			continue
		}
		if err := conversation.Write(into); err != nil {
			return err
		}
		fmt.Printf("%s: %d frames\n", conversation, len(conversation.Frames))
	}
	return failed
}

// hold has the program make one check, and returns what was said.
func (c client) hold(s scenario, command []string, folder string) (said frames.Conversation, err error) {
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
	errProgram := c.run(s, command, folder, r.addr())
	all, err := r.stop()
	if err := errors.Join(errProgram, err); err != nil {
		return said, err
	}
	return frames.Conversation{Client: c.name, Scenario: s.name, Frames: thin(all)}, nil
}

// run runs the program.
func (c client) run(s scenario, command []string, folder, server string) error {
	ctx, cancel := context.WithTimeout(context.Background(), programTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], append(command[1:len(command):len(command)], s.check)...)
	cmd.Dir = folder
	cmd.Env = append(append(os.Environ(), s.environment(server)...), c.env...)
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
