package main

import (
	"slices"
	"strings"
	"testing"
)

// A round is right when every test has passed, but for those that are named and were skipped; all else is found.
// (Each case is a broken twin of the first.)
func TestWrong(t *testing.T) {
	const good = "=== RUN   TestA\n=== PAUSE TestA\n=== RUN   TestA/b\n    --- PASS: TestA/b (0.00s)\n--- PASS: TestA (0.01s)\n" +
		"=== RUN   TestGroupSimple/848\n    --- SKIP: TestGroupSimple/848 (0.00s)\n"
	f := func(old, new string, want ...string) {
		t.Helper()
		tests, err := parse(strings.NewReader(strings.Replace(good, old, new, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if got := (results{tests: tests}).wrong(false); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f("", "")
	f("--- PASS: TestA (", "--- FAIL: TestA (", "TestA failed")
	f("    --- PASS: TestA/b (0.00s)\n", "panic: oh\n", "TestA/b did not end")
	f("--- PASS: TestA/b", "--- SKIP: TestA/b", "TestA/b was skipped, and unserved.go does not say why")
	f("--- SKIP", "--- PASS", "TestGroupSimple/848 passed, but unserved.go says it cannot")
	f(good, "", "no test was run")
}

// When all tests were run, one that is named and does not exist is found.
func TestNamedWithoutReason(t *testing.T) {
	tests := map[string]outcome{}
	for name := range unserved {
		tests[name] = skipped
	}
	if got := (results{tests: tests}).wrong(true); len(got) > 0 {
		t.Errorf("got %q", got)
	}
	delete(tests, "TestShareGroup")
	if got := (results{tests: tests}).wrong(true); len(got) != 1 {
		t.Errorf("got %q", got)
	}
}
