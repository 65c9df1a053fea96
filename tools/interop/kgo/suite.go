package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/heraclitus/heraclitus/pkg/freeport"

	"github.com/heraclitus/heraclitus/tools/internal/run"
)

// module is whose tests these are.
const module = "github.com/twmb/franz-go"

// The user that the tests come in as by SCRAM, where they are asked.
const (
	user     = "kgo"
	password = "kgo-secret"
)

// suite is what all rounds share.
type suite struct {
	dir    string // in .tmp
	source string // the copy of the module
	tests  string // the compiled tests
	server string // the compiled server
}

// prepare copies the module out of Go's cache, and compiles its tests and the server.
func prepare(root string) (*suite, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("find the root: %w", err)
	}
	version, cached, err := located()
	if err != nil {
		return nil, err
	}
	s := &suite{dir: filepath.Join(root, ".tmp", "kgo")}
	s.source, s.tests = filepath.Join(s.dir, "franz-go@"+version), filepath.Join(s.dir, "kgo.test")
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return nil, err
	}
	if err := copyOnce(s.source, cached); err != nil {
		return nil, fmt.Errorf("copy %s: %w", module, err)
	}
	compile := exec.Command("go", "test", "-c", "-o", s.tests, "./pkg/kgo")
	compile.Dir = s.source
	if out, err := compile.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("compile the tests: %w\n%s", err, out)
	}
	s.server, err = run.Build(root, s.dir)
	return s, err
}

// copyOnce copies a folder, unless it is there already. A copy that was interrupted is not taken for one.
func copyOnce(to, from string) error {
	if _, err := os.Stat(to); err == nil {
		return nil
	}
	part := to + ".part"
	if err := os.RemoveAll(part); err != nil {
		return err
	}
	if err := os.CopyFS(part, os.DirFS(from)); err != nil {
		return err
	}
	return os.Rename(part, to)
}

// located asks go where the module lies that this one is pinned to.
func located() (version, dir string, err error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}} {{.Dir}}", module).Output()
	if err != nil {
		return "", "", fmt.Errorf("find %s: %w", module, err)
	}
	version, dir, ok := strings.Cut(strings.TrimSpace(string(out)), " ")
	if !ok {
		return "", "", fmt.Errorf("%s %s is not in the module cache: run go mod download", module, version)
	}
	return version, dir, nil
}

// settings are the server's: a second listener asks who comes.
const settings = `advertised_host = "127.0.0.1"
[auth]
enabled = true
mechanism = "SCRAM-SHA-256"
[[listeners]]
protocol = "PLAINTEXT"
port = %d
advertised_host = "127.0.0.1"
`

// round runs the tests once.
func (s *suite) round(o *options, n int) (r results, err error) {
	dir, err := os.MkdirTemp(s.dir, "round-")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	open, err := freeport.Get()
	if err != nil {
		return r, err
	}
	storage := "memory://"
	if o.storage == "disk" {
		storage = filepath.Join(dir, "data")
	}
	server := &run.Heraclitus{Binary: s.server, Dir: dir, Storage: storage, Config: fmt.Sprintf(settings, open)}
	if err := server.Start(); err != nil {
		return r, err
	}
	defer server.Signal(syscall.SIGTERM)
	seed := fmt.Sprintf("127.0.0.1:%d", open)
	set := exec.Command(s.server, "users", "set", "--bootstrap-server", seed, user)
	set.Stdin = strings.NewReader(password + "\n")
	if out, err := set.CombinedOutput(); err != nil {
		return r, fmt.Errorf("make a user: %w\n%s", err, out)
	}
	log := filepath.Join(s.dir, fmt.Sprintf("round-%d.log", n+1))
	err = s.test(o, log, "KGO_SEEDS="+seed, "KGO_TEST_SCRAM="+user+":"+password+":256", "KGO_TEST_SCRAM_SEEDS="+server.Addr())
	if err != nil {
		return r, err
	}
	return readResults(log)
}

// test runs the tests, with their output in a file. That some fail is no error.
func (s *suite) test(o *options, log string, environment ...string) error {
	f, err := os.Create(log)
	if err != nil {
		return err
	}
	defer f.Close()
	cmd := exec.Command(s.tests, "-test.v", "-test.timeout", o.timeout.String(), "-test.run", o.run, "-test.skip", "^("+strings.Join(notRun, "|")+")$")
	cmd.Dir = filepath.Join(s.source, "pkg", "kgo")
	cmd.Env = append(os.Environ(), "KGO_TEST_RF=1", "KGO_LOG_LEVEL=none", fmt.Sprint("KGO_TEST_RECORDS=", o.records))
	cmd.Env = append(cmd.Env, environment...)
	cmd.Stdout, cmd.Stderr = f, f
	if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		return fmt.Errorf("run the tests: %w", err)
	}
	return nil
}
