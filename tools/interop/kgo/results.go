package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// outcome is how a test ended, in the word that go test has for it.
type outcome string

const (
	passed     outcome = "PASS"
	failedTest outcome = "FAIL"
	skipped    outcome = "SKIP"
	begun      outcome = "RUN" // and did not end
)

// results are a round's tests.
type results struct {
	log   string // file with what they printed
	tests map[string]outcome
}

func readResults(log string) (results, error) {
	f, err := os.Open(log)
	if err != nil {
		return results{}, err
	}
	defer f.Close()
	tests, err := parse(f)
	return results{log, tests}, err
}

// parse reads what go test -v prints. A test that was begun and did not end has hung, or was cut off by another's panic.
func parse(in io.Reader) (map[string]outcome, error) {
	tests := map[string]outcome{}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if name, ok := strings.CutPrefix(line, "=== RUN "); ok {
			tests[strings.TrimSpace(name)] = begun
			continue
		}
		words := strings.Fields(line)
		if len(words) >= 3 && words[0] == "---" && tests[words[2]] == begun {
			tests[words[2]] = outcome(strings.TrimSuffix(words[1], ":"))
		}
	}
	return tests, lines.Err()
}

func (r results) count(how outcome) (n int) {
	for _, o := range r.tests {
		if o == how {
			n++
		}
	}
	return n
}

// wrong is what must not be. Only if all tests were run can it be said what was named without reason.
func (r results) wrong(all bool) (wrong []string) {
	if len(r.tests) == 0 {
		return []string{"no test was run"}
	}
	for _, name := range slices.Sorted(maps.Keys(r.tests)) {
		switch _, named := unserved[name]; {
		case r.tests[name] == begun:
			wrong = append(wrong, name+" did not end")
		case r.tests[name] == failedTest:
			wrong = append(wrong, name+" failed")
		case r.tests[name] == skipped && !named:
			wrong = append(wrong, name+" was skipped, and unserved.go does not say why")
		case r.tests[name] == passed && named:
			wrong = append(wrong, name+" passed, but unserved.go says it cannot")
		}
	}
	for name := range maps.Keys(unserved) {
		if _, known := r.tests[name]; all && !known && !slices.Contains(notRun, name) {
			wrong = append(wrong, name+" is in unserved.go, but there is no such test")
		}
	}
	return wrong
}

// listUnserved prints what is not run, and why.
func listUnserved() {
	fmt.Println("not served, test by test:")
	for _, name := range slices.Sorted(maps.Keys(unserved)) {
		fmt.Printf("  %-40s %s\n", name, unserved[name])
	}
}
