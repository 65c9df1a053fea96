package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
)

// table is what came of a run: a row for each client, a column for each check.
type table struct {
	programs []program
	checks   []check
	storages []string
	results  map[string]map[cell]result // by storage
}

// cell is a place in the table.
type cell struct{ client, check string }

func newTable(programs []program, checks []check) *table {
	return &table{programs: programs, checks: checks, results: map[string]map[cell]result{}}
}

// add takes the results of a storage in.
func (t *table) add(storage string, results []result) {
	t.storages = append(t.storages, storage)
	t.results[storage] = map[cell]result{}
	for _, r := range results {
		t.results[storage][cell{r.program.name, r.check.name}] = r
	}
}

// good says whether no check failed.
func (t *table) good() bool {
	for _, results := range t.results {
		for _, r := range results {
			if r.verdict == fails {
				return false
			}
		}
	}
	return true
}

// print writes the table of a storage for a terminal, and beneath it what failed, and why.
func (t *table) print(w io.Writer, storage string) {
	rows := t.rows([]string{storage}, func(footnote int) string { return fmt.Sprintf("-%d", footnote) })
	widths := make([]int, len(rows.cells[0]))
	for _, row := range rows.cells {
		for i, c := range row {
			widths[i] = max(widths[i], len(c))
		}
	}
	fmt.Fprintf(w, "\n%s\n\n", storage)
	for _, row := range rows.cells {
		for i, c := range row {
			fmt.Fprintf(w, "%-*s  ", widths[i], c)
		}
		fmt.Fprintln(w)
	}
	for i, note := range rows.footnotes {
		fmt.Fprintf(w, "-%d %s\n", i+1, note)
	}
	for _, p := range t.programs {
		for _, c := range t.checks {
			if r := t.results[storage][cell{p.name, c.name}]; r.verdict == fails {
				fmt.Fprintf(w, "%s, %s: %s\n    all it said: %s; the server: server.txt beside it\n", p.name, c.name, r.why, r.file)
			}
		}
	}
}

// rows are the table's cells as text, the heading first, with the footnotes that they refer to.
type rows struct {
	cells     [][]string
	footnotes []string
}

// rows puts storages together: a check holds when it holds on each.
func (t *table) rows(storages []string, mark func(footnote int) string) rows {
	var r rows
	r.cells = append(r.cells, append([]string{"client"}, names(t.checks)...))
	for _, p := range t.programs {
		row := []string{p.name + " " + p.Version}
		for _, c := range t.checks {
			row = append(row, r.text(t.worst(storages, cell{p.name, c.name}), mark))
		}
		r.cells = append(r.cells, row)
	}
	return r
}

// text is a result as a cell says it.
func (r *rows) text(of result, mark func(footnote int) string) string {
	if of.verdict != lacks {
		return string(of.verdict)
	}
	i := slices.Index(r.footnotes, of.why)
	if i < 0 {
		i = len(r.footnotes)
		r.footnotes = append(r.footnotes, of.why)
	}
	return mark(i + 1)
}

// worst is the first failure among the storages' results, or the last result.
func (t *table) worst(storages []string, at cell) (worst result) {
	for _, s := range storages {
		if worst = t.results[s][at]; worst.verdict == fails {
			break
		}
	}
	return worst
}

func names(checks []check) (all []string) {
	for _, c := range checks {
		all = append(all, c.name)
	}
	return all
}

// between finds the README's place for the table.
var between = regexp.MustCompile(`(?s)(<!-- interop -->\n).*?(<!-- /interop -->)`)

// writeReadme writes the table into a file, between its markers.
func (t *table) writeReadme(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if !between.Match(text) {
		return fmt.Errorf("%s: no place for the table: lines <!-- interop --> and <!-- /interop -->", name)
	}
	updated := between.ReplaceAllStringFunc(string(text), func(s string) string {
		m := between.FindStringSubmatch(s)
		return m[1] + t.markdown() + m[2]
	})
	return os.WriteFile(name, []byte(updated), 0o644)
}

// markdown is the table of all storages for the README.
func (t *table) markdown() string {
	rows := t.rows(t.storages, func(footnote int) string { return fmt.Sprintf("–<sup>%d</sup>", footnote) })
	var b strings.Builder
	for i, row := range rows.cells {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(row)) + "|\n")
		}
	}
	if len(rows.footnotes) > 0 {
		b.WriteString("\n")
	}
	for i, note := range rows.footnotes {
		fmt.Fprintf(&b, "<sup>%d</sup> %s  \n", i+1, note)
	}
	return b.String()
}
