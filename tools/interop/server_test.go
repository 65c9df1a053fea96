package interop

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/storagetest"
	"github.com/heraclitus/heraclitus/tools/internal/run"
)

// binary is the server, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	if settings := os.Getenv(childVariable); settings != "" {
		os.Exit(beChild(settings))
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "heraclitus-interop-")
	if err == nil {
		defer os.RemoveAll(dir)
		binary, err = run.Build("../..", dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// server is a running heraclitus.
type server struct {
	t *testing.T
	run.Heraclitus
}

// start runs a server with its data in storage, or where package storagetest is told, and stops it when the test ends.
func start(t *testing.T, storage, config string) *server {
	return startAt(t, nil, storagetest.For(t, storage), config)
}

// startAt runs a server with its data exactly there, by another program if there is a wrapper.
func startAt(t *testing.T, wrapper []string, place storagetest.Place, config string) *server {
	t.Helper()
	s := &server{t, run.Heraclitus{Binary: binary, Wrapper: wrapper, Env: place.Env, Dir: t.TempDir(), Storage: place.Path, Config: config}}
	s.run()
	t.Cleanup(func() {
		s.signal(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("server said:\n%s", s.Output(60))
		}
	})
	return s
}

// run starts the process and waits until it is ready.
func (s *server) run() {
	s.t.Helper()
	if err := s.Start(); err != nil {
		s.t.Fatal(err)
	}
}

// signal sends a signal and waits for the end of the process.
func (s *server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.Signal(sig); err != nil {
		s.t.Error(err)
	}
}

// restart kills the server as a power cut would kill its process, and starts it again on the same data and ports.
func (s *server) restart() {
	s.t.Helper()
	s.signal(syscall.SIGKILL)
	s.run()
}

func (s *server) addr() string { return s.Addr() }

func tail(s string, lines int) string {
	all := strings.Split(s, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// onEachStorage runs a test on memory and on a folder, or twice where package storagetest is told.
func onEachStorage(t *testing.T, f func(t *testing.T, s *server)) {
	t.Run("memory", func(t *testing.T) { f(t, start(t, "memory://", "")) })
	t.Run("disk", func(t *testing.T) { f(t, start(t, t.TempDir(), "")) })
}
