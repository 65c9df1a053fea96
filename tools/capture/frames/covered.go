package frames

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/heraclitus/heraclitus/pkg/wire"
)

// row is what was recorded of one version of an API.
type row struct {
	key, version        int16
	requests, responses int
	clients             []string
}

// Covered is a Markdown table of what was recorded: which clients speak which APIs in which versions. Answers that refuse a
// version of ApiVersions count with version 0, in which they are written.
func Covered(all []Conversation) string {
	rows := map[[2]int16]*row{}
	for _, c := range all {
		for _, f := range c.Frames {
			if f.Key == Token {
				continue
			}
			r := rows[[2]int16{f.Key, f.Version}]
			if r == nil {
				r = &row{key: f.Key, version: f.Version}
				rows[[2]int16{f.Key, f.Version}] = r
			}
			r.count(f, c.Client)
		}
	}
	text := "| API | version | requests | responses | clients |\n|---|---:|---:|---:|---|\n"
	for _, r := range inOrder(rows) {
		text += fmt.Sprintf("| %s | %d | %d | %d | %s |\n", wire.Name(r.key), r.version, r.requests, r.responses, strings.Join(r.clients, ", "))
	}
	return text
}

func (r *row) count(f Frame, client string) {
	if f.Response {
		r.responses++
	} else {
		r.requests++
	}
	if !slices.Contains(r.clients, client) {
		r.clients = append(r.clients, client)
	}
}

func inOrder(rows map[[2]int16]*row) (all []*row) {
	for _, r := range rows {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *row) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.version, b.version)) })
	return all
}
