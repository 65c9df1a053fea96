package differ

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Exception is a row of testdata/differences.md: a difference, or a family of them, that has a reason. Its texts may
// contain *, which stands for any text.
type Exception struct {
	Difference
	Why string
}

// columns of the table.
const exceptionColumns = 7

// ReadExceptions reads the rows of every table in a Markdown text.
func ReadExceptions(in io.Reader) ([]Exception, error) {
	var all []Exception
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		row, ok := strings.CutPrefix(lines.Text(), "| ")
		if !ok || strings.HasPrefix(row, "script |") {
			continue
		}
		e, err := parseException(row)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		all = append(all, e)
	}
	return all, lines.Err()
}

func parseException(row string) (e Exception, err error) {
	const bar = "\x00"
	cells := strings.Split(strings.ReplaceAll(row, `\|`, bar), "|")
	if len(cells) != exceptionColumns+1 {
		return e, fmt.Errorf("%d columns instead of %d", len(cells)-1, exceptionColumns)
	}
	for i := range cells {
		cells[i] = strings.ReplaceAll(strings.TrimSpace(cells[i]), bar, "|")
	}
	e.Script, e.Step, e.Field, e.Kafka, e.Ours, e.Why = cells[0], cells[1], cells[2], cells[4], cells[5], cells[6]
	if e.Why == "" {
		return e, fmt.Errorf("no reason is given for %s, %s, %s", e.Script, e.Step, e.Field)
	}
	e.Versions, err = ParseVersions(cells[3])
	return e, err
}

// covers says whether d is one of the exception's.
func (e Exception) covers(d Difference) bool {
	return like(e.Script, d.Script) && like(e.Step, d.Step) && like(e.Field, d.Field) && like(e.Kafka, d.Kafka) && like(e.Ours, d.Ours) &&
		e.Versions.Covers(d.Versions)
}

// like matches text with a pattern in which * stands for any text.
func like(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	rest, ok := strings.CutPrefix(text, parts[0])
	if !ok || len(parts) == 1 {
		return ok && rest == ""
	}
	last := parts[len(parts)-1]
	for _, p := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(rest, p)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, last)
}

// Unexplained compares what was found with what is excepted: the differences that no exception covers, and the
// exceptions that cover nothing, or claim versions that do not differ.
func Unexplained(found []Difference, excepted []Exception) (differences []Difference, stale []string) {
	used := make([]Versions, len(excepted))
	for _, d := range found {
		i := slices.IndexFunc(excepted, func(e Exception) bool { return e.covers(d) })
		if i < 0 {
			differences = append(differences, d)
			continue
		}
		for _, v := range d.Versions {
			used[i] = used[i].Add(v)
		}
	}
	for i, e := range excepted {
		if !slices.Equal(used[i], e.Versions) {
			stale = append(stale, fmt.Sprintf("%s\n  occurs in versions %q", e.Difference, used[i]))
		}
	}
	return differences, stale
}
