// Shown here: what the kernel says of a process is read right, and a server that fails says why.
package main

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/heraclitus/heraclitus/pkg/freeport"
)

func TestProcessorTimeIsRead(t *testing.T) {
	stat := "7 (a ) b) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 5 0 100 1000 10"
	if got, err := parseCPU(stat); err != nil || got != 3*time.Second {
		t.Errorf("processor time %v, %v, want 3s", got, err)
	}
	for _, bad := range []string{"", "7 (a) S 1 2", strings.Replace(stat, "250", "x", 1)} {
		if _, err := parseCPU(bad); err == nil {
			t.Errorf("processor time of %q is no error", bad)
		}
	}
}

func TestResidentMemoryIsRead(t *testing.T) {
	if got, err := parseResident("Name:\ta\nVmHWM:\t    2048 kB\nVmRSS:\t 1024 kB\n"); err != nil || got != 2<<20 {
		t.Errorf("resident %d, %v, want 2 MiB", got, err)
	}
	if _, err := parseResident("Name:\ta\n"); err == nil {
		t.Error("a status without memory is no error")
	}
}

func TestServerThatEndsSaysWhy(t *testing.T) {
	port, err := freeport.Get()
	if err != nil {
		t.Fatal(err)
	}
	l, err := self(context.Background(), "bare", "-port", "-1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = start(context.Background(), l.cmd, addrOf(port)); err == nil || !strings.Contains(err.Error(), "listen") {
		t.Errorf("error %v, want the server's own", err)
	}
}

func TestServerThatNeverListensIsEnded(t *testing.T) {
	port, err := freeport.Get()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	cmd := exec.Command("sleep", "1000")
	if _, err := start(ctx, cmd, addrOf(port)); err == nil {
		t.Fatal("no error")
	}
	if cmd.ProcessState == nil {
		t.Error("the process is left behind")
	}
}

func TestOnlyTheLastOutputIsKept(t *testing.T) {
	var out tail
	out.Write([]byte(strings.Repeat("a", outputKeepMax)))
	out.Write([]byte("the end"))
	if out.Len() != outputKeepMax || !strings.HasSuffix(out.String(), "the end") {
		t.Errorf("%d bytes kept", out.Len())
	}
}
