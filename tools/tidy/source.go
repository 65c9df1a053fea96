package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// functionLinesMax is how long a function may be.
const functionLinesMax = 70

// source is one Go file written by hand that is not a test.
type source struct {
	name string // path from the top folder, with slashes
	fset *token.FileSet
	file *ast.File
}

// sources parses every Go file below root, those of other modules included, except tests and generated files.
func sources(root string) ([]source, error) {
	var all []source
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, p)
		name := filepath.ToSlash(rel)
		if d.IsDir() && (name != "." && strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, p, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		if !ast.IsGenerated(file) {
			all = append(all, source{name, fset, file})
		}
		return nil
	})
	return all, err
}

// lengths names the functions that are too long.
func (s source) lengths() []string {
	var findings []string
	for _, d := range s.file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		first, last := s.fset.Position(f.Pos()).Line, s.fset.Position(f.End()).Line
		if n := last - first + 1; n > functionLinesMax {
			findings = append(findings, fmt.Sprintf("%s:%d: function %s has %d lines, more than %d: a name is missing in it", s.name, first, f.Name.Name, n, functionLinesMax))
		}
	}
	return findings
}

// imports names the imports that the tables do not allow.
func (s source) imports() []string {
	var findings []string
	say := func(i *ast.ImportSpec, why string) {
		findings = append(findings, fmt.Sprintf("%s:%d: %s", s.name, s.fset.Position(i.Pos()).Line, why))
	}
	folder := path.Dir(s.name)
	for _, i := range s.file.Imports {
		imported, _ := strconv.Unquote(i.Path.Value)
		if own, ok := strings.CutPrefix(imported, module+"/pkg/"); ok {
			if why := refusedOwn(folder, own); why != "" {
				say(i, why)
			}
		} else if why := refusedForeign(folder, imported); why != "" {
			say(i, why)
		}
	}
	return findings
}
