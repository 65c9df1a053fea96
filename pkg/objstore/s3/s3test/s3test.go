// Package s3test runs a real S3 server for tests: versitygw over a temporary directory, or the MinIO binary that the
// variable MINIO names.
//
// versitygw is built from its module the first time, which takes a minute or two, and kept in the user's cache folder. Any
// number of test processes may come at the same time: the first one builds, the others wait.
package s3test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/heraclitus/heraclitus/pkg/freeport"
	"github.com/heraclitus/heraclitus/pkg/objstore/s3"
)

// version is the release of versitygw that tests run against.
const version = "v1.8.0"

// Who we are to the servers, which live in temporary directories.
const (
	AccessKey = "heraclitus"
	SecretKey = "for tests only"
	Region    = "us-east-1"
	Bucket    = "journal-of-tests"
)

// A Server is an S3 server with one empty bucket.
type Server struct {
	// Endpoint is its URL.
	Endpoint string

	dir     string
	address string
	process *os.Process
	ended   chan error // of one place: how the process ended
}

// Start starts a server that runs until the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	s, err := Run(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// Run starts a server that keeps its data in dir and runs until it is stopped, for programs that are no tests.
func Run(ctx context.Context, dir string) (*Server, error) {
	s := &Server{dir: dir}
	if err := s.restart(ctx); err != nil {
		return nil, err
	}
	if err := s.makeBucket(ctx); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// Options are those of a store below a prefix of the server's bucket.
func (s *Server) Options(prefix string) s3.Options {
	return s3.Options{Bucket: Bucket, Prefix: prefix, Endpoint: s.Endpoint, Region: Region, AccessKey: AccessKey, SecretKey: SecretKey}
}

// Open opens a store below a prefix of the server's bucket.
func (s *Server) Open(t testing.TB, prefix string) *s3.Store {
	t.Helper()
	store, err := s3.Open(t.Context(), s.Options(prefix))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// Env are the variables by which programs find the server as they would find one of the user's.
func (s *Server) Env() []string {
	return []string{"AWS_ENDPOINT_URL=" + s.Endpoint, "AWS_ENDPOINT_URL_S3=", "AWS_REGION=" + Region,
		"AWS_ACCESS_KEY_ID=" + AccessKey, "AWS_SECRET_ACCESS_KEY=" + SecretKey, "AWS_SESSION_TOKEN="}
}

// Setenv sets them in the environment of the test.
func (s *Server) Setenv(t testing.TB) {
	for _, variable := range s.Env() {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
}

// startTries is how often a server is started on another port, when somebody was faster.
const startTries = 5

// Restart starts a server that was stopped, on the port it had.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if err := s.restart(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (s *Server) restart(ctx context.Context) error {
	binary, err := serverBinary()
	if err != nil {
		return err
	}
	for range startTries {
		if s.Endpoint == "" {
			if s.address, err = freeAddress(); err != nil {
				return err
			}
		}
		if err = s.start(ctx, binary); err == nil {
			s.Endpoint = "http://" + s.address
			return nil
		}
	}
	return fmt.Errorf("start an S3 server: %w", err)
}

// Stop kills the server. What it has acknowledged stays.
func (s *Server) Stop() {
	if s.process != nil {
		s.process.Kill()
		<-s.ended
		s.process = nil
	}
}

// serverBinary is the server to run: MinIO's if one is named, else versitygw, built if need be.
func serverBinary() (string, error) {
	if minio := os.Getenv("MINIO"); minio != "" {
		return minio, nil
	}
	binary, err := versitygw()
	if err != nil {
		return "", fmt.Errorf("build versitygw: %w", err)
	}
	return binary, nil
}

// command is how a server is started that keeps its data in s.dir.
func (s *Server) command(binary string) *exec.Cmd {
	data := filepath.Join(s.dir, "data")
	if os.Getenv("MINIO") != "" {
		c := exec.Command(binary, "server", "--quiet", "--address", s.address, data)
		c.Env = append(os.Environ(), "MINIO_ROOT_USER="+AccessKey, "MINIO_ROOT_PASSWORD="+SecretKey)
		return c
	}
	// Its metadata goes beside the files, since not every file system has extended attributes. And files that are
	// being written have to be elsewhere, or listings show some of them.
	meta := filepath.Join(s.dir, "meta")
	return exec.Command(binary, "--port", s.address, "--access", AccessKey, "--secret", SecretKey, "--region", Region,
		"--quiet", "--keep-alive", "posix", "--disableotmp", "--sidecar", meta, data)
}

// start starts the server and waits until it answers.
func (s *Server) start(ctx context.Context, binary string) error {
	for _, dir := range []string{"data", "meta"} {
		if err := os.MkdirAll(filepath.Join(s.dir, dir), 0o755); err != nil {
			return err
		}
	}
	c := s.command(binary)
	dieWithParent(c)
	var said strings.Builder
	c.Stdout, c.Stderr = &said, &said
	if err := c.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	s.process, s.ended = c.Process, ended
	for !answers(ctx, s.address) {
		select {
		case err := <-ended:
			s.process = nil
			return fmt.Errorf("%s ended: %w: %s", binary, err, said.String())
		case <-ctx.Done():
			s.Stop()
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// answers tells whether something speaks HTTP at an address.
func answers(ctx context.Context, address string) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/", nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	answer.Body.Close()
	return true
}

// freeAddress is one where nothing listens just now.
func freeAddress() (string, error) {
	port, err := freeport.Get()
	return fmt.Sprintf("127.0.0.1:%d", port), err
}

func (s *Server) makeBucket(ctx context.Context) error {
	c, err := minio.New(s.address, &minio.Options{Creds: credentials.NewStaticV4(AccessKey, SecretKey, ""), Region: Region})
	if err == nil {
		err = c.MakeBucket(ctx, Bucket, minio.MakeBucketOptions{Region: Region})
	}
	if err != nil {
		return fmt.Errorf("make the bucket of the tests: %w", err)
	}
	return nil
}

// versitygw returns the server's binary, and builds it when nobody has yet.
func versitygw() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "heraclitus", "versitygw-"+version)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	unlock, err := lock(filepath.Join(dir, "LOCK"))
	if err != nil {
		return "", err
	}
	defer unlock()
	binary := filepath.Join(dir, "versitygw")
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	return binary, build(dir, binary)
}

// build builds the server in a folder of its own, so that a build that was cut short is not taken for one.
func build(dir, binary string) error {
	building, err := os.MkdirTemp(dir, "building-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(building)
	c := exec.Command("go", "install", "github.com/versity/versitygw/cmd/versitygw@"+version)
	c.Env = append(os.Environ(), "GOBIN="+building, "GOFLAGS=")
	c.Dir = building // outside of our module
	if said, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, lastLine(string(said)))
	}
	return os.Rename(filepath.Join(building, filepath.Base(binary)), binary)
}

func lastLine(s string) (last string) {
	for lines := bufio.NewScanner(strings.NewReader(s)); lines.Scan(); {
		last = lines.Text()
	}
	return last
}
