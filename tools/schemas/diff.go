package main

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// diff says what changed between two sets of specs, a line for each API in order of key, then headers and data. A
// response has a line of its own only if it changed in another way than its request.
func diff(before, after map[id]*spec) []string {
	var lines []string
	for _, id := range union(before, after) {
		what := change(before[id], after[id])
		if what == "" || id.kind == "response" && what == change(before[id.request()], after[id.request()]) {
			continue
		}
		s := cmp.Or(after[id], before[id])
		lines = append(lines, fmt.Sprintf("%-38s %s%s", strings.TrimSuffix(s.Name, "Request"), what, stability(after[id])))
	}
	return lines
}

// change is "" when nothing changed. What is in neither set did not.
func change(before, after *spec) string {
	switch {
	case before == after:
		return ""
	case after == nil:
		return fmt.Sprintf("gone, was %s", before.ValidVersions)
	case before == nil:
		return fmt.Sprintf("new, %s", after.ValidVersions)
	case bytes.Equal(before.format(), after.format()):
		return ""
	case before.ValidVersions == after.ValidVersions:
		return fmt.Sprintf("%s as before, but other fields or notes", after.ValidVersions)
	}
	return fmt.Sprintf("%s, was %s", after.ValidVersions, before.ValidVersions)
}

func stability(s *spec) string {
	if s == nil || !s.LatestVersionUnstable {
		return ""
	}
	return fmt.Sprintf(" (%d is unstable)", s.ValidVersions.last())
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
