package main

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// diff says what changed between two sets of specs, a line each, in order of API key and with requests before
// responses; requests and responses of one API gain their versions together, so mostly the request's line is read.
func diff(before, after map[id]*spec) []string {
	var lines []string
	for _, id := range union(before, after) {
		if change := change(before[id], after[id]); change != "" {
			lines = append(lines, change)
		}
	}
	return lines
}

func change(before, after *spec) string {
	switch {
	case after == nil:
		return fmt.Sprintf("%-40s gone, was %s", before.Name, before.ValidVersions)
	case before == nil:
		return fmt.Sprintf("%-40s new, %s%s", after.Name, after.ValidVersions, stability(after))
	case bytes.Equal(before.format(), after.format()):
		return ""
	case before.ValidVersions == after.ValidVersions:
		return fmt.Sprintf("%-40s %s: other fields or notes, same versions%s", after.Name, after.ValidVersions, stability(after))
	}
	return fmt.Sprintf("%-40s %s, was %s%s", after.Name, after.ValidVersions, before.ValidVersions, stability(after))
}

func stability(s *spec) string {
	if s.LatestVersionUnstable {
		return fmt.Sprintf(" (%d is unstable)", s.ValidVersions.last())
	}
	return ""
}

// union is the ids of both sets: requests and responses by key, then headers and data.
func union(a, b map[id]*spec) []id {
	ids := make([]id, 0, len(b))
	for id := range b {
		ids = append(ids, id)
	}
	for id := range a {
		if b[id] == nil {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(x, y id) int {
		return cmp.Or(strings.Compare(x.name, y.name), cmp.Compare(x.key, y.key), strings.Compare(x.kind, y.kind))
	})
	return ids
}
