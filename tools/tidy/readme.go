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

// tables are the parts of the README that are written by this tool, by the name in their markers.
var tables = map[string]func() string{
	"apis":    apiTable,
	"metrics": metricsTable,
}

// readmeTables compares the README's tables with what they are written from, or writes them.
func readmeTables(root string, fix bool) ([]string, error) {
	name := filepath.Join(root, "README.md")
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var findings []string
	updated := string(text)
	for table, write := range tables {
		between := regexp.MustCompile(`(?s)(<!-- ` + table + ` -->\n).*?(<!-- /` + table + ` -->)`)
		if !between.MatchString(updated) {
			findings = append(findings, fmt.Sprintf("README.md: no place for the table %q", table))
			continue
		}
		updated = between.ReplaceAllStringFunc(updated, func(s string) string {
			m := between.FindStringSubmatch(s)
			return m[1] + write() + m[2]
		})
	}
	if updated == string(text) {
		return findings, nil
	}
	if fix {
		return findings, os.WriteFile(name, []byte(updated), 0o644)
	}
	return append(findings, "README.md: a table is out of date: run make fix"), nil
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
