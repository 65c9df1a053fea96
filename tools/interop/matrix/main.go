// Command matrix runs other people's Kafka clients against Heraclitus and prints what works: a table of clients and
// checks for each storage.
//
//	go run ./matrix                                    every client, every check, on memory and on disk
//	go run ./matrix -client 'aiokafka|sarama' -check group -v
//	go run ./matrix -storage s3                        in a bucket of versitygw, started for it
//	go run ./matrix -storage kafka-4.3.1               the same programs against Apache Kafka, started for it
//	go run ./matrix -storage 127.0.0.1:9092            against whoever listens there, as far as that goes without security
//
// It goes in a straight line: get the clients ready (tools/internal/clients), and for each storage start a server
// (servers.go) and run each check of each client as a process of its own (jobs.go), a few at a time; then print
// (report.go). The checks are listed in checks.go; what a client does in one stands in its program in ../clients.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"

	"github.com/heraclitus/heraclitus/tools/internal/run"
)

// options are the command line.
type options struct {
	root        string
	clients     *regexp.Regexp
	checks      *regexp.Regexp
	storages    []string
	parallel    int
	skipMissing bool
	readme      bool
	verbose     bool
}

// Exit statuses.
const (
	statusFailed = 1 // a check failed
	statusBroken = 2 // the run itself did
)

func main() {
	o, err := parse(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "matrix:", err)
		os.Exit(statusBroken)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ok, err := o.run(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "matrix:", err)
		os.Exit(statusBroken)
	}
	if !ok {
		os.Exit(statusFailed)
	}
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("matrix", flag.ExitOnError)
	flags.StringVar(&o.root, "root", "../..", "top folder of the checkout")
	clients := flags.String("client", "", "run the clients whose names match `RE` as a whole")
	checks := flags.String("check", "", "run the checks whose names match `RE` as a whole")
	storages := flags.String("storage", "memory,disk", "run against these, each of them memory, disk, s3 (a bucket of an S3 server that is started), kafka-VERSION or host:port")
	flags.IntVar(&o.parallel, "parallel", runtime.NumCPU(), "checks at a time; they wait much, but Java takes a processor to start")
	flags.BoolVar(&o.skipMissing, "skip-missing", false, "leave out clients whose tools are not on this machine, instead of failing")
	flags.BoolVar(&o.readme, "readme", false, "write the table into README.md")
	flags.BoolVar(&o.verbose, "v", false, "print each check as it ends")
	flags.Parse(args)
	o.storages = strings.Split(*storages, ",")
	var err error
	if o.clients, err = whole(*clients); err != nil {
		return o, fmt.Errorf("-client: %w", err)
	}
	if o.checks, err = whole(*checks); err != nil {
		return o, fmt.Errorf("-check: %w", err)
	}
	if o.readme && (*clients != "" || *checks != "") {
		return o, fmt.Errorf("-readme writes the whole table: leave out -client and -check")
	}
	return o, nil
}

// whole compiles an expression that names match as a whole; the empty one matches all.
func whole(expression string) (*regexp.Regexp, error) {
	if expression == "" {
		expression = ".*"
	}
	return regexp.Compile("^(?:" + expression + ")$")
}

// scratch is where the run keeps its things, which git ignores.
func (o options) scratch(elements ...string) string {
	return filepath.Join(append([]string{o.root, ".tmp", "interop"}, elements...)...)
}

// run does it all, and says whether every check holds.
func (o options) run(ctx context.Context) (bool, error) {
	unlock, err := run.Lock(o.scratch("lock"), func() { fmt.Println("another run is under way: waiting for its end") })
	if err != nil {
		return false, err
	}
	defer unlock()
	checks := selected(o.checks)
	programs, complete, err := o.programs(ctx)
	if err != nil {
		return false, err
	}
	if len(programs) == 0 || len(checks) == 0 {
		return false, fmt.Errorf("nothing is selected: clients are %s; checks are %s", strings.Join(clientNames(), ", "), strings.Join(checkNames(), ", "))
	}
	table := newTable(programs, checks)
	for _, storage := range o.storages {
		results, err := o.runAgainst(ctx, storage, programs, checks)
		if err != nil {
			return false, fmt.Errorf("%s: %w", storage, err)
		}
		if ctx.Err() != nil {
			return false, ctx.Err() // what was cut short says nothing
		}
		table.add(storage, results)
		table.print(os.Stdout, storage)
	}
	if o.readme {
		if err := table.writeReadme(filepath.Join(o.root, "README.md")); err != nil {
			return false, err
		}
	}
	return complete && table.good(), nil
}
