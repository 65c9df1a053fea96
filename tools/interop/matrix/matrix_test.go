package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/tools/internal/clients"
)

// shell is a client whose program is a line for sh.
func shell(name, line string) program {
	return program{name, clients.Program{Version: "1", Command: []string{"sh", "-c", line}}}
}

// TestVerdicts shows what comes of a program by how it ends, and that its words are kept when it fails.
func TestVerdicts(t *testing.T) {
	s := &server{doors: map[door]string{open: "localhost:1"}}
	f := func(line string, want verdict, why string) {
		t.Helper()
		r := job{shell("c", line), check{name: "group"}}
		r.check.door = open
		got := r.run(t.Context(), s, t.TempDir())
		if got.verdict != want || got.why != why {
			t.Errorf("%s: %q, %q; want %q, %q", line, got.verdict, got.why, want, why)
		}
		if text, err := os.ReadFile(got.file); (want == fails) != (err == nil) || !strings.Contains(string(text), why) && want == fails {
			t.Errorf("%s: kept %q, %v", line, text, err)
		}
	}
	f("exit 0", holds, "")
	f("echo no such thing; exit 3", lacks, "no such thing")
	f("echo first >&2; echo last >&2; exit 1", fails, "last")
	f("exit 2", fails, "exit status 2")
}

// TestEnvironment shows what a program is told, by the door it has to come in by, and that a door that is not there
// is skipped.
func TestEnvironment(t *testing.T) {
	s := &server{user: "u", password: "p", files: tlsFiles{authority: "ca", clientCert: "cert", clientKey: "key"}}
	f := func(name string, want ...string) {
		t.Helper()
		i := slices.IndexFunc(checks, func(c check) bool { return c.name == name })
		got := job{shell("c", ""), checks[i]}.environment(s, "h:1")
		got = slices.DeleteFunc(got, func(e string) bool {
			return strings.HasPrefix(e, "TOPIC=c-"+name) || strings.HasPrefix(e, "GROUP=c-"+name)
		})
		if want = append([]string{"BOOTSTRAP=h:1"}, want...); !slices.Equal(got, want) {
			t.Errorf("%s: told %q, want %q", name, got, want)
		}
	}
	f("zstd", "SECURITY=PLAINTEXT")
	f("scram-512", "SECURITY=SASL_PLAINTEXT", "MECHANISM=SCRAM-SHA-512", "USERNAME=u", "PASSWORD=p")
	f("denied", "SECURITY=SASL_PLAINTEXT", "MECHANISM=PLAIN", "USERNAME=u", "PASSWORD=not p")
	f("tls", "SECURITY=SSL", "CA_FILE=ca")
	f("mutual-tls", "SECURITY=SSL", "CA_FILE=ca", "CERT_FILE=cert", "KEY_FILE=key")
	f("sasl-tls", "SECURITY=SASL_SSL", "MECHANISM=SCRAM-SHA-512", "USERNAME=u", "PASSWORD=p", "CA_FILE=ca")
	if r := (job{shell("c", "exit 1"), check{name: "tls", door: encrypted}}).run(t.Context(), s, t.TempDir()); r.verdict != skipped {
		t.Errorf("without a door: %q", r.verdict)
	}
}

// TestReadme shows the table as it is written into a file: a check that fails on one storage has failed, and features
// that clients lack are named once each.
func TestReadme(t *testing.T) {
	a, b := shell("a", ""), shell("b", "")
	x, y := check{name: "x"}, check{name: "y"}
	table := newTable([]program{a, b}, []check{x, y})
	table.add("memory", []result{{job: job{a, x}, verdict: fails}, {job: job{a, y}, verdict: lacks, why: "no y"}, {job: job{b, x}, verdict: holds}, {job: job{b, y}, verdict: lacks, why: "no y"}})
	if table.good() {
		t.Error("a table with a failure is good")
	}
	table.add("disk", []result{{job: job{a, x}, verdict: holds}, {job: job{a, y}, verdict: lacks, why: "no y"}, {job: job{b, x}, verdict: holds}, {job: job{b, y}, verdict: lacks, why: "no y"}})
	name := filepath.Join(t.TempDir(), "README.md")
	if err := os.WriteFile(name, []byte("before\n<!-- interop -->\nold\n<!-- /interop -->\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := table.writeReadme(name); err != nil {
		t.Fatal(err)
	}
	const want = `before
<!-- interop -->
| client | x | y |
|---|---|---|
| a 1 | failed | –<sup>1</sup> |
| b 1 | ok | –<sup>1</sup> |

<sup>1</sup> no y  
<!-- /interop -->
after
`
	if got, err := os.ReadFile(name); err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, got)
	}
	if err := os.WriteFile(name, []byte("no place"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := table.writeReadme(name); err == nil || !strings.Contains(err.Error(), "<!-- interop -->") {
		t.Errorf("without a place: %v", err)
	}
}
