package run

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/heraclitus/heraclitus/pkg/freeport"
)

// Build builds the heraclitus binary into dir and returns its path. root is the top folder of the repository.
func Build(root, dir string) (string, error) {
	binary := filepath.Join(dir, "heraclitus")
	build := exec.Command("go", "build", "-o", binary, "./cmd/heraclitus")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the server: %w\n%s", err, out)
	}
	return binary, nil
}

// Heraclitus is a server that can be started again on the same data and ports.
type Heraclitus struct {
	Binary  string
	Wrapper []string // what the server is run by, such as strace with its arguments; mostly nil
	Env     []string // variables beside those of the test
	Dir     string   // a folder of the test's, for the settings
	Storage string   // memory://, a path, or a place in a bucket
	Config  string   // more of heraclitus.toml
	Kafka   int      // port, set by the first Start
	HTTP    int      // likewise
	*Process
}

// Start starts the server and waits until it is ready.
func (s *Heraclitus) Start() (err error) {
	if s.Kafka == 0 {
		if s.Kafka, err = freeport.Get(); err != nil {
			return err
		}
		if s.HTTP, err = freeport.Get(); err != nil {
			return err
		}
	}
	config := filepath.Join(s.Dir, "heraclitus.toml")
	text := fmt.Sprintf("kafka_port = %d\nhttp_port = %d\n%s\n", s.Kafka, s.HTTP, s.Config)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return err
	}
	args := append(slices.Clone(s.Wrapper), s.Binary, "serve", "--config", config, "--storage-path", s.Storage)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), s.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: s.Wrapper != nil} // so that signals reach what the wrapper runs as well
	if s.Process, err = Start(cmd); err != nil {
		return err
	}
	return s.Await(s.ready)
}

// Addr is where clients connect.
func (s *Heraclitus) Addr() string { return fmt.Sprintf("127.0.0.1:%d", s.Kafka) }

// ready asks /readyz.
func (s *Heraclitus) ready(ctx context.Context) bool {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/readyz", s.HTTP), nil)
	if err != nil {
		return false
	}
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		return false
	}
	r.Body.Close()
	return r.StatusCode == http.StatusOK
}
