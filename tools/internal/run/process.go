// Package run starts servers for tests, as their users do: as processes of their own, on free ports, with their data in a
// folder of their own. It knows the heraclitus binary and Apache Kafka, whose artefacts it has Maven fetch.
package run

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	readyTimeout = 3 * time.Minute
	stopTimeout  = 30 * time.Second
	pollInterval = 2 * time.Millisecond
)

// Process is a program under way. Its output is kept.
type Process struct {
	cmd    *exec.Cmd
	output output
	exited chan struct{} // closed once err is set
	err    error
}

// Start starts a program.
func Start(cmd *exec.Cmd) (*Process, error) {
	p := &Process{cmd: cmd, exited: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.output, &p.output
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// Await polls until ready says so, the program ends, or three minutes are over.
func (p *Process) Await(ready func(context.Context) bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	for {
		if ready(ctx) {
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("%s ended before it was ready: %v\n%s", p.cmd.Path, p.err, p.Output(60))
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready after %v\n%s", p.cmd.Path, readyTimeout, p.Output(60))
		case <-time.After(pollInterval):
		}
	}
}

// Signal sends a signal, to all of the program's process group if it has one of its own, and waits for the program's end. It
// is killed if the signal does not end it.
func (p *Process) Signal(sig syscall.Signal) error {
	p.kill(sig)
	select {
	case <-p.exited:
		return nil
	case <-time.After(stopTimeout):
		p.kill(syscall.SIGKILL)
		<-p.exited
		return fmt.Errorf("%s did not end within %v of %v", p.cmd.Path, stopTimeout, sig)
	}
}

// kill sends a signal. That there is nobody left to get it is no error.
func (p *Process) kill(sig syscall.Signal) {
	pid := p.cmd.Process.Pid
	if a := p.cmd.SysProcAttr; a != nil && a.Setpgid {
		pid = -pid
	}
	syscall.Kill(pid, sig)
}

// Output is the end of what the program has printed, at most so many lines.
func (p *Process) Output(lines int) string {
	all := strings.Split(p.output.String(), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// output is a buffer that may be read while a program writes into it.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
