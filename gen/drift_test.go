// Shown here: pkg/wire is what schemas/ says, so that drift fails the build; and drift is seen.

package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestPackageIsWhatSpecsSay(t *testing.T) {
	if err := run("../schemas", "../pkg/wire", true); err != nil {
		t.Error(err)
	}
}

func TestDrift(t *testing.T) {
	dir := t.TempDir()
	files := map[string][]byte{"a_gen.go": []byte("a"), "b_gen.go": []byte("b")}
	f := func(want ...string) {
		t.Helper()
		if got, err := drift(dir, files); err != nil || !slices.Equal(got, want) {
			t.Errorf("stale are %v, %v, not %v", got, err, want)
		}
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f("a_gen.go", "b_gen.go")
	write("a_gen.go", "a")
	write("b_gen.go", "other")
	write("c_gen.go", "no longer generated")
	write("wire.go", "written by hand")
	f("b_gen.go", "c_gen.go")
	if err := update(dir, []string{"b_gen.go", "c_gen.go"}, files); err != nil {
		t.Fatal(err)
	}
	f()
}

func TestDeterministic(t *testing.T) {
	specs, err := readSpecs("../schemas")
	if err != nil {
		t.Fatal(err)
	}
	first, err := generate(specs)
	if err != nil {
		t.Fatal(err)
	}
	second, err := generate(specs)
	if err != nil || !maps.EqualFunc(first, second, slices.Equal) {
		t.Errorf("a second run differs, %v", err)
	}
}
