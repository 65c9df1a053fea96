package main

import (
	"bytes"
	"encoding/pem"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/broker/brokertest"
	"github.com/heraclitus/heraclitus/pkg/config"
)

// These tests show that users are listed, given passwords and deleted on storage and through a running server alike, that
// the passwords work, and what is said of wrong command lines.

// users runs heraclitus users with a standard input.
func users(t *testing.T, in string, args ...string) (string, error) {
	t.Helper()
	var out, errs bytes.Buffer
	a := app()
	a.Reader, a.Writer, a.ErrWriter = strings.NewReader(in), &out, &errs
	err := a.RunContext(t.Context(), append([]string{"heraclitus", "users"}, args...))
	if errs.Len() > 0 {
		t.Errorf("%q: said %s", args, errs.String())
	}
	return out.String(), err
}

// file writes a file and returns its name.
func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// onlyScram has a server in a directory ask its clients who they are.
func onlyScram(dir string) func(*config.Config) {
	return func(c *config.Config) {
		c.Storage.Path, c.Auth.Enabled, c.Auth.Mechanism = dir, true, "SCRAM-SHA-256,SCRAM-SHA-512"
	}
}

// TestOthersReadNothing shows that what is stored, the keys of users among it, is for the user who stores it and its
// group alone.
func TestOthersReadNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "data")
	if _, err := users(t, "password", "set", "al", "--storage-path", dir); err != nil {
		t.Fatal(err)
	}
	files := 0
	err := filepath.WalkDir(filepath.Dir(dir), func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if others := info.Mode().Perm() & 0o007; others != 0 && runtime.GOOS != "windows" {
			t.Errorf("%s is open to others: %v", name, info.Mode())
		}
		if !d.IsDir() {
			files++
		}
		return err
	})
	if err != nil || files < 3 {
		t.Errorf("%d files, %v", files, err)
	}
}

// TestListShowsNamesAsTheyAre shows that a name which would move the cursor, or look like another line, is shown in quotes.
func TestListShowsNamesAsTheyAre(t *testing.T) {
	where := []string{"--storage-path", t.TempDir()}
	for _, name := range []string{"a b", "evil\x1b[2J", "new\nal  SCRAM-SHA-256", "tab\tbed", "\"quoted\"", "größe", "\xff"} {
		if _, err := users(t, "password", append([]string{"set", "--mechanism", "SCRAM-SHA-256", name}, where...)...); err != nil {
			t.Fatal(err)
		}
	}
	out, err := users(t, "", append([]string{"list"}, where...)...)
	want := []string{`"\"quoted\""`, `a b`, `"evil\x1b[2J"`, `größe`, `"new\nal  SCRAM-SHA-256"`, `"tab\tbed"`, `"\xff"`}
	for i, line := range strings.Split(strings.TrimSpace(out), "\n") {
		name, rest, _ := strings.Cut(line, "  SCRAM-SHA-256 (4096 iterations)")
		if i >= len(want) || strings.TrimSpace(name) != want[i] || rest != "" {
			t.Errorf("line %d is %q", i, line)
		}
	}
	if err != nil || strings.Count(out, "\n") != len(want) {
		t.Errorf("%q, %v", out, err)
	}
}

func TestUsers(t *testing.T) {
	dir := t.TempDir()
	offline := []string{"--storage-path", dir}
	step := func(where []string, in, want string, args ...string) {
		t.Helper()
		if out, err := users(t, in, append(args, where...)...); err != nil || out != want {
			t.Errorf("%q: printed %q, %v; want %q", args, out, err, want)
		}
	}
	step(offline, "", "", "list")
	step(offline, "", "", "set", "al", "--password-file", file(t, "the password\r\nand more"))
	step(offline, "piped\n", "", "set", "bo", "--mechanism", "SCRAM-SHA-256", "--iterations", "5000")
	step(offline, "", "al  SCRAM-SHA-256 (4096 iterations)  SCRAM-SHA-512 (4096 iterations)\nbo  SCRAM-SHA-256 (5000 iterations)\n", "list")

	b := brokertest.Start(t, onlyScram(dir))
	al := []string{"--bootstrap-server", b.Address(), "--login-user", "al", "--login-password-file", file(t, "the password")}
	bo := []string{"--bootstrap-server", b.Address(), "--login-user", "bo", "--login-password-file", file(t, "piped"), "--login-mechanism", "SCRAM-SHA-256"}
	step(al, "", "", "delete", "bo")
	step(al, "cy's", "", "set", "--mechanism", "SCRAM-SHA-512", "--iterations=16384", "cy")
	step(al, "", "al  SCRAM-SHA-256 (4096 iterations)  SCRAM-SHA-512 (4096 iterations)\ncy  SCRAM-SHA-512 (16384 iterations)\n", "list")
	refused := func(where []string, want string, args ...string) {
		t.Helper()
		if out, err := users(t, "", append(args, where...)...); err == nil || !strings.Contains(err.Error(), want) || out != "" {
			t.Errorf("%q: printed %q, %v; want %q", args, out, err, want)
		}
	}
	refused(bo, "due to invalid credentials with SASL mechanism SCRAM-SHA-256: SASL_AUTHENTICATION_FAILED", "list")
	refused(append(bo, "--login-mechanism", "PLAIN"), `the server offers "SCRAM-SHA-256,SCRAM-SHA-512", not PLAIN`, "list")
	refused(al, `user "bo": Attempt to describe a user credential that does not exist`, "delete", "bo")
	refused(al[:2], "the server closed the connection: does it want a login, or TLS?", "list")
	refused(offline, "in use by process", "list")
	refused(offline, "--bootstrap-server", "list")

	b.Stop(t)
	step(offline, "", "", "delete", "cy")
	step(offline, "", "al  SCRAM-SHA-256 (4096 iterations)  SCRAM-SHA-512 (4096 iterations)\n", "list")
}

// TestUsersByPlain shows the other login.
func TestUsersByPlain(t *testing.T) {
	b := brokertest.Start(t, func(c *config.Config) { c.Auth.Enabled, c.Auth.PlainUsername, c.Auth.PlainPassword = true, "u", "p" })
	if out, err := users(t, "", "list", "--bootstrap-server", b.Address(), "--login-user", "u", "--login-password-file", file(t, "p"), "--login-mechanism", "PLAIN"); err != nil || out != "" {
		t.Errorf("printed %q, %v", out, err)
	}
}

// TestUsersByTLS shows that a server's certificate is checked, against the authorities given.
func TestUsersByTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(nil)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	authority := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	list := func(flags ...string) string {
		_, err := users(t, "", append([]string{"list", "--bootstrap-server", s.Listener.Addr().String()}, flags...)...)
		if err == nil {
			t.Fatal("something that is no Kafka server has answered")
		}
		return err.Error()
	}
	if said := list("--tls"); !strings.Contains(said, "certificate") {
		t.Errorf("an unknown authority: %s", said)
	}
	if said := list("--tls-ca", file(t, authority)); strings.Contains(said, "certificate") {
		t.Errorf("a known authority: %s", said)
	}
}

func TestUsersRefusals(t *testing.T) {
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close()
	f := func(want, in string, args ...string) {
		t.Helper()
		if out, err := users(t, in, args...); err == nil || !strings.Contains(err.Error(), want) || out != "" {
			t.Errorf("%q: printed %q, error %v; want an error with %q", args, out, err, want)
		}
	}
	f(`"frob" is not a command`, "", "frob")
	f("it is heraclitus users set [options] NAME: see heraclitus users set --help", "", "set")
	f("it is heraclitus users set [options] NAME", "", "set", "a", "b")
	f("it is heraclitus users list [options]", "", "list", "a")
	f("-frob: see heraclitus users set --help", "", "set", "a", "--frob")
	f("--iterations 4095: should be from 4096 to 16384", "x", "set", "a", "--storage-path", dir, "--iterations", "4095")
	f(`--mechanism "x": should be SCRAM-SHA-256, SCRAM-SHA-512 or both`, "x", "set", "a", "--storage-path", dir, "--mechanism", "x")
	f("standard input: the first line is empty", "", "set", "a", "--storage-path", dir)
	f("the first line has more than 4096 bytes", strings.Repeat("x", 5000), "set", "a", "--storage-path", dir)
	f("--password-file: the first line is empty", "x", "set", "a", "--storage-path", dir, "--password-file", file(t, "\nx"))
	f("--password-file: open", "x", "set", "a", "--storage-path", dir, "--password-file", filepath.Join(dir, "none"))
	f("Username must not be longer than 255 bytes: UNACCEPTABLE_CREDENTIAL", "x", "set", strings.Repeat("n", 256), "--storage-path", dir)
	f("memory://, which exists only inside a running server", "", "list", "--storage-path", "memory://")
	f("or add --take-over if none does", "", "list", "--storage-path", "s3://bucket/prefix")
	f("connection refused", "", "list", "--bootstrap-server", nobody)
	f("--login-password-file: open", "", "list", "--bootstrap-server", nobody, "--login-user", "a")
	f("--tls-ca: open", "", "list", "--bootstrap-server", nobody, "--tls-ca", filepath.Join(dir, "none"))
	f("has no certificate in PEM", "", "list", "--bootstrap-server", nobody, "--tls-ca", file(t, "x"))
	f("--tls-cert and --tls-key: open", "", "list", "--bootstrap-server", nobody, "--tls-cert", filepath.Join(dir, "none"))
}
