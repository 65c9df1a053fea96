package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// run runs the command line and returns what it printed and its error.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	a := app()
	a.Writer, a.ErrWriter = &out, &out
	err := a.RunContext(t.Context(), append([]string{"heraclitus"}, args...))
	return out.String(), err
}

// TestVersion shows that the version names the program.
func TestVersion(t *testing.T) {
	for _, how := range []string{"version", "--version"} {
		if out, err := run(t, how); err != nil || !strings.HasPrefix(out, "heraclitus ") || strings.Count(out, "\n") != 1 {
			t.Errorf("%s prints %q, %v", how, out, err)
		}
	}
}

// TestHelp shows that without a command, and on request, the help lists what there is.
func TestHelp(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		if out, err := run(t, args...); err != nil || !strings.Contains(out, want) {
			t.Errorf("%q: %v, and %q is not in\n%s", args, err, want, out)
		}
	}
	f("serve Kafka clients")
	f("serve Kafka clients", "--help")
	f("(default: 9092)", "serve", "--help")
	f("(default: 9092)", "help", "serve")
	f("--password-file FILE", "help", "users", "set")
	f("serve Kafka clients", "help")
}

// TestRefusals shows that what is wrong with a command line is said in one sentence that names it.
func TestRefusals(t *testing.T) {
	config := filepath.Join(t.TempDir(), "heraclitus.toml")
	if err := os.WriteFile(config, []byte("[storage]\npaht = \"x\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(want string, args ...string) {
		t.Helper()
		out, err := run(t, args...)
		if err == nil || !strings.Contains(err.Error(), want) || out != "" {
			t.Errorf("%q: printed %q, error %v; want an error with %q", args, out, err, want)
		}
	}
	f(`"srve" is not a command: see heraclitus --help`, "srve")
	f("there is no flag --frob: see heraclitus --help", "--frob")
	f("there is no flag --kafka-prot; did you mean --kafka-port?: see heraclitus serve --help", "serve", "--kafka-prot", "1")
	f(`"x" is no value for --kafka-port: see heraclitus serve --help`, "serve", "--kafka-port", "x")
	f(`what is "extra"?`, "serve", "extra")
	f("kafka_port = 70000: should be from 0 to 65535", "serve", "--kafka-port", "70000")
	f(`storage.path = "s3://"`, "serve", "--storage-path", "s3://")
	f(config+": line 2: unknown setting storage.paht; did you mean storage.path?", "serve", "--config", config)
	f("no such file", "serve", "--config", config+"x")
}

// TestServe shows a server's life: the line that says what it serves, health, profiles when debugging, and an end by
// signal that is no error. The command line goes over the file.
func TestServe(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "heraclitus.toml")
	if err := os.WriteFile(config, []byte("kafka_port = 1\nhttp_port = 0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	lines, out := io.Pipe()
	a := app()
	a.ErrWriter = out
	ended := make(chan error, 1)
	go func() {
		ended <- a.RunContext(context.Background(), []string{"heraclitus", "serve", "--config", config, "--kafka-port", "0", "--storage-path", filepath.Join(dir, "data"), "--debug"})
		out.Close()
	}()
	ready := regexp.MustCompile(`msg=ready .*kafka=localhost:(\d+) http=(\S+) data=(\S+)`)
	var said []string
	scanner := bufio.NewScanner(lines)
	for scanner.Scan() && !ready.MatchString(scanner.Text()) {
		said = append(said, scanner.Text())
	}
	m := ready.FindStringSubmatch(scanner.Text())
	if m == nil {
		t.Fatalf("no line says that it is ready: %v\n%s", <-ended, strings.Join(said, "\n"))
	}
	go io.Copy(io.Discard, lines)
	if m[1] == "1" || m[3] != filepath.Join(dir, "data") {
		t.Errorf("serves port %s, data in %s", m[1], m[3])
	}
	for _, path := range []string{"/readyz", "/debug/pprof/cmdline"} {
		r, err := http.Get(m[2] + path)
		if err != nil {
			t.Fatal(err)
		}
		if r.Body.Close(); r.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", path, r.StatusCode)
		}
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the end by signal: %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the signal did not end it")
	}
}

// TestStoppedBeforeReady shows that a server ends when it is told to while its bucket keeps it waiting.
func TestStoppedBeforeReady(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	t.Setenv("AWS_ENDPOINT_URL", "http://"+silent.Addr().String())
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	ctx, stop := context.WithCancel(t.Context())
	a := app()
	a.ErrWriter = io.Discard
	ended := make(chan error, 1)
	go func() {
		ended <- a.RunContext(ctx, []string{"heraclitus", "serve", "--kafka-port", "0", "--http-port", "0", "--storage-path", "s3://bucket"})
	}()
	asking, err := silent.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer asking.Close()
	stop()
	if err := <-ended; err != nil {
		t.Errorf("it ends in %v", err)
	}
}
