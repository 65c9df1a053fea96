package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	readyWithin   = 20 * time.Second // a server that does not listen by then has failed to start
	stopWithin    = 5 * time.Second  // nor has one that outlives this a reason to live on
	ticksASecond  = 100              // of /proc/PID/stat, on every Linux Go runs on
	outputKeepMax = 8 << 10          // last bytes of a child's output that are kept for an error
)

// child is a server in a process of its own.
type child struct {
	cmd    *exec.Cmd
	addr   string
	exited chan struct{} // closed once the process is gone
	output tail
}

// start runs cmd and waits until it listens on addr.
func start(ctx context.Context, cmd *exec.Cmd, addr string) (*child, error) {
	c := &child{cmd: cmd, addr: addr, exited: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &c.output, &c.output
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start server: %w", err)
	}
	go func() {
		_ = cmd.Wait() // how it ended is in its output
		close(c.exited)
	}()
	if err := c.ready(ctx); err != nil {
		c.stop()
		return nil, fmt.Errorf("%w; its output:\n%s", err, c.output.String())
	}
	return c, nil
}

// ready waits until the server accepts a connection.
func (c *child) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	retry := time.NewTicker(5 * time.Millisecond)
	defer retry.Stop()
	for {
		if nc, err := net.Dial("tcp", c.addr); err == nil {
			return nc.Close()
		}
		select {
		case <-c.exited:
			return fmt.Errorf("the server ended before it listened")
		case <-ctx.Done():
			return fmt.Errorf("wait for the server to listen: %w", ctx.Err())
		case <-retry.C:
		}
	}
}

// stop ends the process and waits for it.
func (c *child) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // it may be gone
	select {
	case <-c.exited:
	case <-time.After(stopWithin):
		_ = c.cmd.Process.Kill()
		<-c.exited
	}
}

// cpu returns the processor time the server has used so far, in user and kernel mode.
func (c *child) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read the server's processor time: %w", err)
	}
	return parseCPU(string(text))
}

// parseCPU reads /proc/PID/stat: the name of the program, in parentheses, may itself hold spaces and parentheses.
func parseCPU(stat string) (time.Duration, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	const user, system = 14 - 3, 15 - 3 // counted as in proc(5), which begins with pid and name
	if len(fields) <= system {
		return 0, fmt.Errorf("read processor time: %q is too short", stat)
	}
	var ticks int64
	for _, field := range []string{fields[user], fields[system]} {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read processor time: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksASecond, nil
}

// resident returns the most memory the server has had resident, in bytes.
func (c *child) resident() (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read the server's memory: %w", err)
	}
	return parseResident(string(text))
}

// parseResident finds the peak in /proc/PID/status.
func parseResident(status string) (int64, error) {
	_, rest, _ := strings.Cut(status, "VmHWM:")
	line, _, _ := strings.Cut(rest, "kB")
	n, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read resident memory: %w", err)
	}
	return n << 10, nil
}

// tail keeps the last of what is written to it. Only the goroutine of one exec.Cmd writes, and it is read once the
// process has ended.
type tail struct{ bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	n, err := t.Buffer.Write(p)
	t.Next(max(t.Len()-outputKeepMax, 0))
	return n, err
}

// addrOf returns the address of a port of this machine.
func addrOf(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
