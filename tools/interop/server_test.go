package interop

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// binary is the server, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "heraclitus-interop-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "heraclitus")
	build := exec.Command("go", "build", "-o", binary, "./cmd/heraclitus")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the server: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// server is a running heraclitus.
type server struct {
	t       *testing.T
	storage string
	config  string // more of heraclitus.toml
	kafka   int
	http    int
	wrapper []string // what the server is run by, such as strace with its arguments
	cmd     *exec.Cmd
	output  bytes.Buffer
	exited  chan error
}

// start runs a server with its data in storage, and stops it when the test ends.
func start(t *testing.T, storage, config string) *server {
	return startUnder(t, nil, storage, config)
}

// startUnder is start with the server run by another program.
func startUnder(t *testing.T, wrapper []string, storage, config string) *server {
	s := &server{t: t, wrapper: wrapper, storage: storage, config: config, kafka: freePort(t), http: freePort(t)}
	s.run()
	t.Cleanup(func() {
		s.signal(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("server said:\n%s", tail(s.output.String(), 60))
		}
	})
	return s
}

// run starts the process and waits until it is ready.
func (s *server) run() {
	s.t.Helper()
	config := filepath.Join(s.t.TempDir(), "heraclitus.toml")
	text := fmt.Sprintf("kafka_port = %d\nhttp_port = %d\n%s\n", s.kafka, s.http, s.config)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
	args := append(slices.Clone(s.wrapper), binary, "serve", "--config", config, "--storage-path", s.storage)
	s.cmd = exec.Command(args[0], args[1:]...)
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that signals reach what the wrapper runs as well
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.exited = make(chan error, 1)
	go func() { s.exited <- s.cmd.Wait() }()
	s.await()
}

// await asks /readyz until it says yes.
func (s *server) await() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		r, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/readyz", s.http))
		if err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case err := <-s.exited:
			s.exited <- err
			s.t.Fatalf("server ended: %v\n%s", err, s.output.String())
		case <-time.After(2 * time.Millisecond):
		}
	}
	s.t.Fatalf("server is not ready:\n%s", s.output.String())
}

// signal sends a signal and waits for the end of the process.
func (s *server) signal(sig syscall.Signal) {
	syscall.Kill(-s.cmd.Process.Pid, sig)
	select {
	case <-s.exited:
		s.exited <- nil
	case <-time.After(30 * time.Second):
		s.t.Errorf("server did not end on %v", sig)
		syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	}
}

// restart kills the server as a power cut would kill its process, and starts it again on the same data and ports.
func (s *server) restart() {
	s.t.Helper()
	s.signal(syscall.SIGKILL)
	s.run()
}

func (s *server) addr() string { return fmt.Sprintf("127.0.0.1:%d", s.kafka) }

func freePort(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func tail(s string, lines int) string {
	all := strings.Split(s, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// onEachStorage runs a test on memory and on a folder.
func onEachStorage(t *testing.T, f func(t *testing.T, s *server)) {
	t.Run("memory", func(t *testing.T) { f(t, start(t, "memory://", "")) })
	t.Run("disk", func(t *testing.T) { f(t, start(t, t.TempDir(), "")) })
}
