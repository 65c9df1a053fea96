package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/heraclitus/heraclitus/pkg/handler"
	"github.com/heraclitus/heraclitus/pkg/metrics"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// handlerFiles compares the files of pkg/handler with the keys of its table.
func handlerFiles(root string) []string {
	var findings []string
	keys := map[int16]string{}
	names, _ := filepath.Glob(filepath.Join(root, "pkg/handler/[0-9]*_*.go"))
	for _, name := range names {
		number, _, _ := strings.Cut(filepath.Base(name), "_")
		key, err := strconv.ParseInt(number, 10, 16)
		if err == nil && !strings.HasSuffix(name, "_test.go") {
			keys[int16(key)] = filepath.Base(name)
		}
	}
	for _, row := range handler.Table() {
		if keys[row.Key] == "" {
			findings = append(findings, fmt.Sprintf("pkg/handler: %s is in the table, but no file begins with %02d_", wire.Name(row.Key), row.Key))
		}
		delete(keys, row.Key)
	}
	for key, name := range keys {
		findings = append(findings, fmt.Sprintf("pkg/handler/%s: key %d is not in the table", name, key))
	}
	slices.Sort(findings)
	return findings
}

// table is a part of a README that is written by this tool, between markers with its name.
type table struct {
	name, file string
	write      func() string
}

var tables = []table{
	{"apis", "README.md", apiTable},
	{"metrics", "pkg/metrics/README.md", metricsTable},
}

// readmeTables compares the tables with what they are written from, or writes them.
func readmeTables(root string, fix bool) (findings []string, err error) {
	for _, t := range tables {
		found, err := t.compare(filepath.Join(root, t.file), fix)
		if err != nil {
			return findings, err
		}
		findings = append(findings, found...)
	}
	return findings, nil
}

func (t *table) compare(name string, fix bool) ([]string, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	between := regexp.MustCompile(`(?s)(<!-- ` + t.name + ` -->\n).*?(<!-- /` + t.name + ` -->)`)
	if !between.Match(text) {
		return []string{fmt.Sprintf("%s: no place for the table %q", t.file, t.name)}, nil
	}
	updated := between.ReplaceAllStringFunc(string(text), func(s string) string {
		m := between.FindStringSubmatch(s)
		return m[1] + t.write() + m[2]
	})
	switch {
	case updated == string(text):
		return nil, nil
	case fix:
		return nil, os.WriteFile(name, []byte(updated), 0o644)
	}
	return []string{t.file + ": a table is out of date: run make fix"}, nil
}

// apiTable lists the APIs served, from the handler table.
func apiTable() string {
	var b strings.Builder
	b.WriteString("| key | API | versions |\n|---:|---|---|\n")
	for _, row := range handler.Table() {
		fmt.Fprintf(&b, "| %d | %s | %d–%d |\n", row.Key, wire.Name(row.Key), row.Min, row.Max)
	}
	return b.String()
}

// metricsTable lists the metrics exported.
func metricsTable() string {
	var b strings.Builder
	metrics.New(metrics.DefaultPrefix).WriteTable(&b)
	return b.String()
}
