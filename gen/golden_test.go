// Shown here: small specs and the exact Go they become, which is also type-checked; for every feature of the spec language
// there is one in testdata. After a wanted change: go test ./gen -update, and read the difference.

package main

import (
	"bytes"
	"flag"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var updateGolden = flag.Bool("update", false, "write the golden files")

func TestGolden(t *testing.T) {
	specs, err := filepath.Glob("testdata/*.json")
	if err != nil || len(specs) < 6 {
		t.Fatalf("%d specs, %v", len(specs), err)
	}
	for _, path := range specs {
		t.Run(filepath.Base(path), func(t *testing.T) {
			golden(t, strings.TrimSuffix(path, ".json")+".go", emitted(t, path))
		})
	}
}

func emitted(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := parseSpec(filepath.Base(path), b)
	if err != nil {
		t.Fatal(err)
	}
	m, err := resolve(s)
	if err != nil {
		t.Fatal(err)
	}
	code, err := emitFile([]*message{m})
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *updateGolden {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what is emitted:\n%s", path, got)
	}
}

func TestGoldenCompiles(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.go")
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, path := range paths {
		if filepath.Base(path) == "registry.go" {
			continue // it needs the rest of package wire
		}
		f, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	config := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	if _, err := config.Check(wire, fset, files, nil); err != nil {
		t.Error(err)
	}
}

func TestGoldenRegistry(t *testing.T) {
	a := func(name string, key int16, versions, flexible versions) api {
		half := func(kind, suffix string) *message {
			m := &message{kind: kind, name: name + suffix, key: key, versions: versions, flexible: flexible}
			m.types = []*structType{{name: goName(m.name)}}
			return m
		}
		return api{half("request", "Request"), half("response", "Response")}
	}
	code, err := emitRegistry([]api{
		a("Produce", 0, versions{0, 13}, versions{9, 13}),
		a("SaslHandshake", 17, versions{0, 1}, none),
		a("InitProducerId", 22, versions{0, 5}, versions{2, 5}),
	})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/registry.go", code)
}
