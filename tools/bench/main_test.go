// Shown here: every workload runs, checked, against every server the program brings with it; the command line says what
// is wrong with it; and the whole command prints its tables. How fast anything was decides nothing.
package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary be the servers, as the program itself is.
func TestMain(m *testing.M) {
	if isServer, err := serve(os.Args[1:]); isServer {
		if err != nil {
			io.WriteString(os.Stderr, err.Error())
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

var tiny = sizes{hold: 16 << 20, journal: 16 << 20}

func TestEveryWorkloadRunsOnEveryServer(t *testing.T) {
	servers, err := pick("server", bareDisk+","+bareMemory+","+kfakeName, targets("", tiny), targetName)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{
		targets:  servers,
		rounds:   1,
		dir:      t.TempDir(),
		progress: io.Discard,
	}
	bytes := map[string]int64{"big": 1 << 20, "small": 200 << 10, "lone": 20 << 10, "paced": 1 << 20, "fetch": 5 << 20, "consume": 1 << 20}
	for _, w := range workloads() {
		b.effort = effort{d: time.Minute, bytes: bytes[w.name]}
		for _, target := range servers {
			s, err := b.measure(context.Background(), w, target)
			if err != nil {
				t.Errorf("%s on %s: %v", w.name, target.name, err)
				continue
			}
			if s.MBps <= 0 || s.RequestsPerSecond <= 0 || s.ResidentMB <= 0 {
				t.Errorf("%s on %s: %+v", w.name, target.name, s)
			}
			if timed := w.name != "consume"; timed && (s.P50 <= 0 || s.P50 > s.P99 || s.P99 > s.P999) {
				t.Errorf("%s on %s: latencies %+v", w.name, target.name, s)
			}
		}
	}
}

func TestCommandPrintsItsTables(t *testing.T) {
	var out, progress bytes.Buffer
	args := []string{"-targets", bareMemory, "-only", "lone,big", "-rounds", "2", "-seconds", "60", "-mib", "1", "-md", "-dir", t.TempDir()}
	if err := measure(context.Background(), args, &out, &progress); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| big | bare-memory | 1.00 |", "| lone | bare-memory | 1.00 |", "| hot fetch, throughput ÷ bare | - |", "2 rounds of 1m0s"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if n := strings.Count(progress.String(), "\n"); n != 4 {
		t.Errorf("%d lines of progress, want 4", n)
	}
}

func TestFailedRunsAreShownAndEndInAnError(t *testing.T) {
	var out bytes.Buffer
	args := []string{"-targets", heraclitusMemory, "-heraclitus", "/bin/false", "-only", "lone", "-rounds", "1", "-dir", t.TempDir()}
	err := measure(context.Background(), args, &out, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "runs failed: 1") {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(out.String(), "1 FAILED") {
		t.Errorf("no failed run in\n%s", out.String())
	}
}

func TestCommandLineIsChecked(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		err := measure(context.Background(), append(args, "-dir", t.TempDir()), io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want %q", args, err, want)
		}
	}
	f(`there is no workload "bgi", only big, small`, "-targets", kfakeName, "-only", "bgi")
	f(`there is no server "kafka", only heraclitus-disk`, "-targets", "kafka")
	f("have to be positive", "-rounds", "0")
	f("not defined", "-color")
	f("build heraclitus", "-targets", heraclitusDisk, "-root", t.TempDir())
}

func TestExtraServersHaveToBeNamed(t *testing.T) {
	f := func(list string, want int) {
		t.Helper()
		if picked, err := (&settings{targets: list}).pickTargets(""); err != nil || len(picked) != want {
			t.Errorf("%q picks %v, %v, want %d", list, names(picked, targetName), err, want)
		}
	}
	f("", len(targets("", usual))-2)
	f(bareGrowing+","+heraclitusFresh, 2)
}

func TestInterruptEndsTheRun(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	args := []string{"-targets", kfakeName, "-only", "lone", "-dir", t.TempDir()}
	if err := measure(ctx, args, io.Discard, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
