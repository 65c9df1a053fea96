package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The command "rest" measures what becomes of records after they were acknowledged: how fast they are archived and rebuilt, what
// memory that takes beside producers at full speed, and how soon a server starts on much of them.

const restCommand = "rest"

// restSettings are its command line.
type restSettings struct {
	only       string
	mib        int64
	seconds    float64
	segments   int64
	journal    int64
	dir        string
	root       string
	heraclitus string
	cold       bool
	markdown   bool
}

// restEffort is what the command line does not say.
type restEffort struct {
	loop      time.Duration // processor time of each loop, at least
	loopBytes int64         // of rows that go through it at once, as they do into a segment
	pause     time.Duration // after which a server that has nothing to do is at rest
}

// usualRest waits for as long as it takes until the Go runtime has given back what is free.
var usualRest = restEffort{2 * time.Second, 128 << 20, 3 * time.Minute}

func parseRest(args []string, messages io.Writer) (*restSettings, error) {
	s := &restSettings{}
	f := flag.NewFlagSet("bench "+restCommand, flag.ContinueOnError)
	f.SetOutput(messages)
	f.StringVar(&s.only, "only", "", "measurements, separated by commas: "+strings.Join(names(studies(), studyName), ", ")+" (default all)")
	f.Int64Var(&s.mib, "mib", 384, "rates: MiB of records that are archived and rebuilt")
	f.Float64Var(&s.seconds, "seconds", 60, "memory: how long producers go on")
	f.Int64Var(&s.segments, "segments", 10_000, "start: 10^6 bytes of segments to start on")
	f.Int64Var(&s.journal, "journal", 1000, "start: 10^6 bytes of records in the journal beside them, at most 1500")
	f.StringVar(&s.root, "root", "../..", "the repository, to build Heraclitus from")
	f.StringVar(&s.heraclitus, "heraclitus", "", "a Heraclitus binary to use instead of building one")
	f.StringVar(&s.dir, "dir", "", "where to make a temporary directory; it should be on a disk (default .tmp in the repository)")
	f.BoolVar(&s.cold, "cold", false, "start: have the system forget the files it keeps in memory before the first one of each kind (needs root)")
	f.BoolVar(&s.markdown, "md", false, "print Markdown")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	switch {
	case f.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case s.mib < 1 || s.seconds <= 0 || s.segments < 1 || s.journal < 1 || s.journal > 1500:
		return nil, errors.New("-mib, -seconds, -segments and -journal have to be positive, -journal at most 1500")
	}
	if s.dir == "" {
		s.dir = filepath.Join(s.root, ".tmp")
	}
	return s, nil
}

// study is one thing to measure. What it returns is printed.
type study struct {
	name  string
	title string
	run   func(r *rest, ctx context.Context) (table, error)
}

func studyName(s study) string { return s.name }

func studies() []study {
	return []study{
		{"rates", "rows per second of processor time, without keys, lines of a log as values", (*rest).rates},
		{"memory", "resident memory while producers send 1-KiB records as fast as they can", (*rest).memory},
		{"start", "from the start of the process until it says that it is ready", (*rest).starts},
	}
}

// rest is one invocation.
type rest struct {
	*restSettings
	effort   restEffort
	binary   string
	scratch  string
	progress io.Writer
}

// measureRest is the whole command.
func measureRest(ctx context.Context, args []string, effort restEffort, out, messages io.Writer) (err error) {
	s, err := parseRest(args, messages)
	if err != nil {
		return err
	}
	picked, err := pick("measurement", s.only, studies(), studyName)
	if err != nil {
		return err
	}
	r := &rest{restSettings: s, effort: effort, binary: s.heraclitus, progress: messages}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return fmt.Errorf("make a temporary directory: %w", err)
	}
	if r.scratch, err = os.MkdirTemp(s.dir, "rest-"); err != nil {
		return fmt.Errorf("make a temporary directory: %w", err)
	}
	defer os.RemoveAll(r.scratch)
	if r.binary == "" {
		if r.binary, err = buildHeraclitus(ctx, s.root, r.scratch); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, machine(r.scratch))
	for _, study := range picked {
		if err := r.print(ctx, study, out); err != nil {
			return fmt.Errorf("%s: %w", study.name, err)
		}
	}
	return nil
}

// print carries a study out and prints what it found.
func (r *rest) print(ctx context.Context, s study, out io.Writer) error {
	t, err := s.run(r, ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s: %s\n\n", s.name, s.title)
	write := table.text
	if r.markdown {
		write = table.markdown
	}
	write(t, out)
	return nil
}

// note tells how far it is.
func (r *rest) note(format string, args ...any) { fmt.Fprintf(r.progress, format+"\n", args...) }
