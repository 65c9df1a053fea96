package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"time"
)

// options are the command's.
type options struct {
	root    string // of this repository
	rounds  int
	records int
	storage string
	run     string
	timeout time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.root, "root", "../..", "root of this repository")
	flag.IntVar(&o.rounds, "rounds", 1, "how often the tests run, each time against a server of its own")
	flag.IntVar(&o.records, "records", 50_000, "records that the tests of groups send (KGO_TEST_RECORDS)")
	flag.StringVar(&o.storage, "storage", "memory", "where the server keeps its data: memory or disk")
	flag.StringVar(&o.run, "run", "", "run only the tests that match this regular expression, and do not ask whether others were skipped")
	flag.DurationVar(&o.timeout, "timeout", 15*time.Minute, "of one round")
	flag.Parse()
	if err := o.main(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (o *options) main() error {
	s, err := prepare(o.root)
	if err != nil {
		return err
	}
	failed := 0
	for n := range o.rounds {
		begin := time.Now()
		r, err := s.round(o, n)
		if err != nil {
			return fmt.Errorf("round %d: %w", n+1, err)
		}
		wrong := r.wrong(o.run == "")
		fmt.Printf("round %d: %d tests passed, %d failed, %d skipped, in %v\n",
			n+1, r.count(passed), r.count(failedTest), r.count(skipped), time.Since(begin).Round(time.Second))
		for _, w := range wrong {
			fmt.Println("  " + w)
		}
		if len(wrong) > 0 {
			failed++
			fmt.Println("  see " + r.log)
		}
	}
	listUnserved()
	if failed > 0 {
		return errors.New("not all rounds passed")
	}
	return nil
}
