// Command schemas writes schemas/: Kafka's message specs, merged from two releases and normalised.
//
//	go run ./tools/schemas            writes schemas/ from the pinned releases
//	go run ./tools/schemas -newer V   writes it from another newer release, and prints which APIs gained versions
//	go run ./tools/schemas -check     compares schemas/ with both releases, and writes nothing
//
// Two releases, because none describes all versions that clients speak: Kafka 4 has dropped the oldest (KIP-896), and
// what it has added since, no 3.x knows. The way through the program is run: read both (release.go, spec.go), merge
// them message by message (merge.go), show that the outcome says what each release says in every version (verify.go),
// write it (write.go).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
)

// The pinned releases. schemas/README.md says how to move on.
const (
	pinnedOlder = "3.9.2"
	pinnedNewer = "4.4.0"
)

// options is the command line.
type options struct {
	older, newer string // a version, a kafka-clients jar, or a Kafka source tree
	repo         string // the local Maven repository, where a version's jar is looked for
	dir          string // the folder of the merged specs
	check        bool
	renames      map[string]string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	home, _ := os.UserHomeDir() // without one the default is relative, and the flag is there to be set
	o := options{renames: pinnedRenames}
	flag.StringVar(&o.older, "older", pinnedOlder, "the release that describes the oldest versions: a version, jar or source tree")
	flag.StringVar(&o.newer, "newer", pinnedNewer, "the release that describes the newest versions: a version, jar or source tree")
	flag.StringVar(&o.repo, "repo", filepath.Join(home, ".m2", "repository"), "the local Maven repository")
	flag.StringVar(&o.dir, "dir", "schemas", "the folder of the merged specs")
	flag.BoolVar(&o.check, "check", false, "compare the folder with both releases, write nothing")
	flag.Parse()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "schemas:", err)
		os.Exit(1)
	}
}

// run reads both releases, merges, verifies, and then writes or compares.
func run(ctx context.Context, o options, out io.Writer) error {
	older, err := load(ctx, o.older, o.repo)
	if err != nil {
		return err
	}
	newer, err := load(ctx, o.newer, o.repo)
	if err != nil {
		return err
	}
	older.dropUnstable()
	older.adoptNames(newer, o.renames)
	merged, err := mergeReleases(older, newer)
	if err != nil {
		return err
	}
	present, err := readSpecs(os.DirFS(o.dir))
	if err != nil {
		return err
	}
	if o.check {
		return check(out, older, newer, merged, present)
	}
	if err := verifyBoth(out, older, newer, merged); err != nil {
		return err
	}
	for _, line := range diff(present, merged) {
		fmt.Fprintln(out, line)
	}
	return writeDir(o.dir, present, merged)
}

func load(ctx context.Context, where, repo string) (release, error) {
	specs, done, err := openRelease(ctx, where, repo)
	if err != nil {
		return release{}, err
	}
	r, err := readRelease(specs)
	if err != nil {
		err = fmt.Errorf("release %s: %w", where, err)
	}
	return r, errors.Join(err, done())
}

// check compares what is present with both releases directly, and then with what a new merge would write.
func check(out io.Writer, older, newer release, merged, present map[id]*spec) error {
	if err := verifyBoth(out, older, newer, present); err != nil {
		return err
	}
	if lines := diff(present, merged); len(lines) > 0 {
		return fmt.Errorf("the folder is not what the releases make: %s", lines[0])
	}
	return nil
}

// verifyBoth verifies both releases' claims and says how much that was.
func verifyBoth(out io.Writer, older, newer release, specs map[id]*spec) error {
	fromOlder, err := verify(older, specs)
	if err != nil {
		return fmt.Errorf("verify against the older release: %w", err)
	}
	fromNewer, err := verify(newer, specs)
	if err != nil {
		return fmt.Errorf("verify against the newer release: %w", err)
	}
	fmt.Fprintf(out, "%d messages; layouts verified: %d of the older release, %d of the newer\n", len(specs), fromOlder, fromNewer)
	if len(older.unstable) > 0 {
		fmt.Fprintf(out, "left to the newer release, because the older calls them unstable: %s\n", strings.Join(older.unstable, ", "))
	}
	return nil
}

// writeDir writes one file per message and removes the files of messages that are gone or have another name now.
func writeDir(dir string, present, merged map[id]*spec) error {
	written := map[string]bool{}
	for _, s := range merged {
		if err := os.WriteFile(s.file(dir), s.format(), 0o644); err != nil {
			return err
		}
		written[s.file(dir)] = true
	}
	for _, s := range present {
		if written[s.file(dir)] {
			continue
		}
		if err := os.Remove(s.file(dir)); err != nil {
			return err
		}
	}
	return nil
}

func (s *spec) file(dir string) string { return filepath.Join(dir, s.Name+".json") }
