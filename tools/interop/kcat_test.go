//go:build full

package interop

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// textBytes is how much text goes through kcat.
const textBytes = 50 << 20

// TestKcat sends 50 MB of text, a line a record, with kcat in every codec, and reads it back: identical, and on a folder
// identical again after SIGKILL and restart.
func TestKcat(t *testing.T) {
	file := text(t)
	want := digest(t, file)
	for _, storage := range []string{"memory", "disk"} {
		t.Run(storage, func(t *testing.T) {
			dir := t.TempDir()
			if storage == "memory" {
				dir = "memory://"
			}
			s := start(t, dir, "")
			for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
				kcat(t, "-P", "-b", s.addr(), "-t", codec, "-p", "0", "-z", codec, "-l", file)
				if got := consumeDigest(t, s, codec); got != want {
					t.Errorf("%s: what came back is not what was sent", codec)
				}
			}
			if storage == "memory" {
				return
			}
			s.restart()
			for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
				if got := consumeDigest(t, s, codec); got != want {
					t.Errorf("%s: after SIGKILL, what came back is not what was sent", codec)
				}
			}
		})
	}
}

// text writes the lines of Go's own source, the one large body of text on every machine that runs this, into a file.
// Empty lines are left out: kcat does not send them.
func text(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "text")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	written := 0
	err = filepath.WalkDir(filepath.Join(runtime.GOROOT(), "src"), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(p, ".go") {
			return err
		}
		b, err := os.ReadFile(p)
		for line := range bytes.Lines(b) {
			if line = bytes.TrimRight(line, "\r\n"); len(line) > 0 {
				written += len(line) + 1
				fmt.Fprintf(w, "%s\n", line)
			}
		}
		if written > textBytes {
			return fs.SkipAll
		}
		return err
	})
	if err != nil || w.Flush() != nil || written < textBytes {
		t.Fatalf("%d bytes of text: %v", written, err)
	}
	return name
}

func digest(t *testing.T, file string) string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

func consumeDigest(t *testing.T, s *server, topic string) string {
	t.Helper()
	h := sha256.New()
	cmd := exec.Command("kcat", "-C", "-q", "-e", "-b", s.addr(), "-t", topic, "-p", "0", "-o", "beginning")
	cmd.Stdout = h
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Run(); err != nil || errs.Len() > 0 {
		t.Fatalf("kcat -C of %s: %v\n%s", topic, err, errs.String())
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// kcat runs kcat, which must succeed and complain of nothing.
func kcat(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("kcat", args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil || errs.Len() > 0 {
		t.Fatalf("kcat %s: %v\n%s", strings.Join(args, " "), err, errs.String())
	}
	return out.String()
}
