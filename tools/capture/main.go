// Command capture records what Kafka clients and Apache Kafka say to each other, frame by frame, as testdata/frames has it:
//
//	go run ./tools/capture -client java-4.3
//	go run ./tools/capture -client 'franz-go|sarama' -scenario 'sasl-.*'
//
// For each scenario it starts a broker, and a relay before it, and has the client's program in tools/interop/clients make a
// check through the relay. It takes Java and Maven, which brings the broker, and whatever the client is written in.
//
// One frame goes this way: a connection (relay.go) reads it, adds it to the tape as it is (tape.go), changes what
// would lead the client around the relay (rewrite.go), and passes it on. At the end what adds nothing is left out
// (thin.go), and package frames writes the rest.
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/heraclitus/heraclitus/tools/capture/frames"
)

func main() {
	which := flag.String("client", "", "record the clients whose names match this regular expression as a whole")
	what := flag.String("scenario", ".*", "record the scenarios whose names match this regular expression as a whole")
	root := flag.String("root", ".", "top folder of the checkout")
	into := flag.String("into", "", "folder to write to; testdata/frames of the checkout if empty")
	flag.Parse()
	if *into == "" {
		*into = filepath.Join(*root, "testdata", "frames")
	}
	if err := record(*which, *what, *root, *into); err != nil {
		fmt.Fprintln(os.Stderr, "capture:", err)
		os.Exit(1)
	}
}

// record records the chosen scenarios of the chosen clients, as many as it can.
func record(which, what, root, into string) error {
	chosen, err := matcher(which)
	if err != nil {
		return fmt.Errorf("-client: %w", err)
	}
	wanted, err := matcher(what)
	if err != nil {
		return fmt.Errorf("-scenario: %w", err)
	}
	all := slices.DeleteFunc(recorded(), func(c client) bool { return !chosen(c.name) })
	if len(all) == 0 {
		return fmt.Errorf("-client %q: there are %s", which, names())
	}
	var failed error
	for _, c := range all {
		scenarios := slices.DeleteFunc(slices.Clone(c.scenarios), func(s scenario) bool { return !wanted(s.name) })
		failed = cmp.Or(failed, c.record(root, into, scenarios))
	}
	return errors.Join(failed, writeCovered(into))
}

// coveredName is the file that says what is recorded.
const coveredName = "covered.md"

func writeCovered(into string) error {
	all, err := frames.ReadAll(into)
	if err != nil {
		return err
	}
	text := "# What is recorded\n\nWritten by tools/capture.\n\n" + frames.Covered(all)
	return os.WriteFile(filepath.Join(into, coveredName), []byte(text), 0o644)
}

// matcher matches whole texts.
func matcher(pattern string) (func(string) bool, error) {
	p, err := regexp.Compile("^(?:" + pattern + ")$")
	if err != nil {
		return nil, err
	}
	return p.MatchString, nil
}

func names() (all []string) {
	for _, c := range recorded() {
		all = append(all, c.name)
	}
	return all
}
