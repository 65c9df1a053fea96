// Command bench measures Heraclitus beside a bare server, the upper bound for Go on this machine, and beside franz-go's
// kfake: the same work for each, interleaved, in one run. README.md says how to read what it prints.
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
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	isServer, err := serve(os.Args[1:])
	if !isServer {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		err = command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// command runs what args ask for: the comparison of servers, or, if the first one says so, what becomes of records at rest.
func command(ctx context.Context, args []string, out, messages io.Writer) error {
	if len(args) > 0 && args[0] == restCommand {
		return measureRest(ctx, args[1:], usualRest, out, messages)
	}
	return measure(ctx, args, out, messages)
}

// settings are the command line.
type settings struct {
	seconds    float64
	rounds     int
	mib        int64
	only       string
	targets    string
	dir        string
	root       string
	heraclitus string
	markdown   bool
}

func parse(args []string, messages io.Writer) (*settings, error) {
	s := &settings{}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(messages)
	f.Float64Var(&s.seconds, "seconds", 2, "measured time of one run")
	f.IntVar(&s.rounds, "rounds", 3, "runs of each workload on each server; medians are shown")
	f.Int64Var(&s.mib, "mib", 2048, "most MiB produced in one run, which ends early then: servers may keep them all in memory")
	f.StringVar(&s.only, "only", "", "workloads, separated by commas: "+strings.Join(names(workloads(), workloadName), ", ")+" (default all)")
	f.StringVar(&s.targets, "targets", "", "servers, separated by commas: "+strings.Join(names(targets("", usual), targetName), ", ")+" (default all but "+bareGrowing+" and "+heraclitusFresh+")")
	f.StringVar(&s.root, "root", "../..", "the repository, to build Heraclitus from")
	f.StringVar(&s.heraclitus, "heraclitus", "", "a Heraclitus binary to use instead of building one")
	f.StringVar(&s.dir, "dir", "", "where to make a temporary directory; it should be on a disk (default .tmp in the repository)")
	f.BoolVar(&s.markdown, "md", false, "print Markdown")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if s.seconds <= 0 || s.rounds < 1 || s.mib < 1 {
		return nil, errors.New("-seconds, -rounds and -mib have to be positive")
	}
	if s.dir == "" {
		s.dir = filepath.Join(s.root, ".tmp")
	}
	return s, nil
}

func workloadName(w workload) string { return w.name }
func targetName(t target) string     { return t.name }

func names[T any](all []T, name func(T) string) []string {
	var list []string
	for _, v := range all {
		list = append(list, name(v))
	}
	return list
}

// pick returns those of all that a list with commas names, all of them if it is empty.
func pick[T any](what, list string, all []T, name func(T) string) ([]T, error) {
	if list == "" {
		return all, nil
	}
	var picked []T
	for _, want := range strings.Split(list, ",") {
		i := slices.IndexFunc(all, func(v T) bool { return name(v) == strings.TrimSpace(want) })
		if i < 0 {
			return nil, fmt.Errorf("there is no %s %q, only %s", what, want, strings.Join(names(all, name), ", "))
		}
		picked = append(picked, all[i])
	}
	return picked, nil
}

// pickTargets returns the servers that are named; if none is, all but the extra ones.
func (s *settings) pickTargets(heraclitus string) ([]target, error) {
	take := usual
	take.memory = max(take.memory, 2*s.mib<<20)
	take.room = s.mib << 20 / 4 * 5 // with what goes before it unmeasured, and the padding of entries
	picked, err := pick("server", s.targets, targets(heraclitus, take), targetName)
	if s.targets == "" {
		picked = slices.DeleteFunc(picked, func(t target) bool { return t.extra })
	}
	return picked, err
}

// measure is the whole command but for the servers: it runs the benchmark and prints its tables to out. A run that
// failed is an error, after the tables.
func measure(ctx context.Context, args []string, out, messages io.Writer) error {
	s, err := parse(args, messages)
	if err != nil {
		return err
	}
	b, err := s.bench(ctx, messages)
	if err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	r, err := b.run(ctx)
	if err != nil {
		return err
	}
	return b.print(out, s.markdown, r)
}

// bench makes ready what the settings ask for. The caller removes its directory.
func (s *settings) bench(ctx context.Context, messages io.Writer) (b *bench, err error) {
	b = &bench{
		rounds:   s.rounds,
		effort:   effort{d: time.Duration(s.seconds * float64(time.Second)), bytes: s.mib << 20},
		progress: messages,
	}
	if b.workloads, err = pick("workload", s.only, workloads(), workloadName); err != nil {
		return nil, err
	}
	if b.targets, err = s.pickTargets(s.heraclitus); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return nil, fmt.Errorf("make a temporary directory: %w", err)
	}
	if b.dir, err = os.MkdirTemp(s.dir, "bench-"); err != nil {
		return nil, fmt.Errorf("make a temporary directory: %w", err)
	}
	own := func(t target) bool { return strings.HasPrefix(t.name, "heraclitus") }
	if s.heraclitus != "" || !slices.ContainsFunc(b.targets, own) {
		return b, nil
	}
	binary, err := buildHeraclitus(ctx, s.root, b.dir)
	if err != nil {
		os.RemoveAll(b.dir)
		return nil, err
	}
	b.targets, err = s.pickTargets(binary)
	return b, err
}

// print writes the report. Its error says how many runs failed.
func (b *bench) print(out io.Writer, markdown bool, r results) error {
	fmt.Fprintln(out, machine(b.dir))
	fmt.Fprintf(out, "%d rounds of %v, at most %d MiB produced in each\n\n", b.rounds, b.effort.d, b.effort.bytes>>20)
	write := table.text
	if markdown {
		write = table.markdown
	}
	write(tableOf(r, b.workloads, b.targets), out)
	fmt.Fprintln(out)
	write(tableOfMarks(r), out)
	fmt.Fprintln(out)
	for _, w := range b.workloads {
		fmt.Fprintf(out, "%-8s %s\n", w.name, w.title)
	}
	if failed := r.failed(); failed > 0 {
		return fmt.Errorf("runs failed: %d", failed)
	}
	return nil
}

// failed returns how many runs failed.
func (r results) failed() int {
	n := 0
	for _, targets := range r {
		for _, samples := range targets {
			for _, s := range samples {
				if s.failed != nil {
					n++
				}
			}
		}
	}
	return n
}
