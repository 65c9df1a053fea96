// Command gen writes the Go of pkg/wire from the message specs in schemas/.
//
//	go run ./gen -schemas schemas -out pkg/wire          writes
//	go run ./gen -schemas schemas -out pkg/wire -check   compares, and fails if there is something to write
//
// It reads Kafka's own format, with or without comments (spec.go), resolves structs and checks everything it is about
// to rely on (model.go), and emits with jennifer: the type, Reset, Decode and Append (emit*.go), and the registry of
// all APIs (emit_registry.go). Above each jennifer chain stands the Go it emits. What a spec says and gen does not
// know is an error that names file and field: it could be something on the wire.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	schemas := flag.String("schemas", "schemas", "folder of the message specs")
	out := flag.String("out", "pkg/wire", "folder of the generated package")
	check := flag.Bool("check", false, "write nothing; fail if the package is not what the specs say")
	flag.Parse()
	if err := run(*schemas, *out, *check); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(schemas, out string, check bool) error {
	specs, err := readSpecs(schemas)
	if err != nil {
		return err
	}
	files, err := generate(specs)
	if err != nil {
		return err
	}
	stale, err := drift(out, files)
	if err != nil {
		return err
	}
	if check && len(stale) > 0 {
		return fmt.Errorf("not what %s says: %s (make generate)", schemas, strings.Join(stale, ", "))
	}
	return update(out, stale, files)
}

// generate is all files of the package that are generated, by name.
func generate(specs []*spec) (map[string][]byte, error) {
	var messages []*message
	for _, s := range specs {
		m, err := resolve(s)
		if err != nil {
			return nil, err
		}
		messages = append(messages, m)
	}
	apis, rest, err := pairs(messages)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, a := range apis {
		name := fmt.Sprintf("%02d_%s_gen.go", a.request.key, fileName(a.request.api()))
		if files[name], err = emitFile([]*message{a.request, a.response}); err != nil {
			return nil, err
		}
	}
	for _, m := range rest {
		if files[fileName(m.name)+"_gen.go"], err = emitFile([]*message{m}); err != nil {
			return nil, err
		}
	}
	files["registry_gen.go"], err = emitRegistry(apis)
	return files, err
}

// drift names the generated files in a folder that are missing, different or no longer generated, in order.
func drift(dir string, files map[string][]byte) ([]string, error) {
	present, err := filepath.Glob(filepath.Join(dir, "*_gen.go"))
	if err != nil {
		return nil, err
	}
	stale := map[string]bool{}
	for _, path := range present {
		stale[filepath.Base(path)] = true
	}
	for name, want := range files {
		have, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		stale[name] = !bytes.Equal(have, want)
	}
	maps.DeleteFunc(stale, func(_ string, is bool) bool { return !is })
	return slices.Sorted(maps.Keys(stale)), nil
}

// update writes the stale files, and removes those that are no longer generated.
func update(dir string, stale []string, files map[string][]byte) error {
	for _, name := range stale {
		path := filepath.Join(dir, name)
		if files[name] == nil {
			if err := os.Remove(path); err != nil {
				return err
			}
			continue
		}
		if err := os.WriteFile(path, files[name], 0o644); err != nil {
			return err
		}
	}
	return nil
}
