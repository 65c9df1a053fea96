package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// merge makes one spec of an older and a newer release's, right for every version that either describes.
// Either may be nil. Where both describe a version they must agree on its bytes; in notes that carry none
// (struct names, mapKey, ignorable, entityType, zeroCopy, listeners) the newer wins.
func merge(older, newer *spec) (*spec, error) {
	m := merger{}
	older, newer = orEmpty(older), orEmpty(newer)
	m.older, m.newer = older.ValidVersions, newer.ValidVersions
	var whole bool
	if m.all, whole = m.older.union(m.newer); !whole {
		return nil, fmt.Errorf("validVersions: %s and %s leave a gap", m.older, m.newer)
	}
	out := *newer
	if m.newer.empty() {
		out = *older
	}
	out.ValidVersions = m.all
	var err error
	if out.FlexibleVersions, err = m.versions("flexibleVersions", older.FlexibleVersions, newer.FlexibleVersions); err != nil {
		return nil, err
	}
	if out.CommonStructs, err = m.fields("", older.CommonStructs, newer.CommonStructs, always, always); err != nil {
		return nil, err
	}
	if out.Fields, err = m.fields("", older.Fields, newer.Fields, always, always); err != nil {
		return nil, err
	}
	return &out, nil
}

func orEmpty(s *spec) *spec {
	if s == nil {
		return &spec{}
	}
	return s
}

// merger holds the versions each release describes, and their union, while one message is merged.
type merger struct {
	older, newer, all versions
}

// versions merges one range: a version that the newer release describes is the newer's to decide, any other the
// older's. What both describe must be the same in both, and the outcome must be one range again.
func (m *merger) versions(what string, older, newer versions) (versions, error) {
	var got versions
	for v := m.all.from; v < m.all.until; v++ {
		in := newer.contains(v)
		switch {
		case !m.newer.contains(v):
			in = older.contains(v)
		case m.older.contains(v) && in != older.contains(v):
			return got, fmt.Errorf("%s: %s in the older release, %s in the newer: they differ at version %d", what, older, newer, v)
		}
		switch {
		case !in:
			continue
		case got.empty():
			got.from = v
		case got.until < v:
			return got, fmt.Errorf("%s: %s in the older release, %s in the newer: not one range", what, older, newer)
		}
		got.until = v + 1
	}
	if got.until == m.all.until && m.atTop(older, newer).open() {
		got.until = forever
	}
	return got, nil
}

// atTop is the range of the release that describes the highest version.
func (m *merger) atTop(older, newer versions) versions {
	if m.newer.until == m.all.until {
		return newer
	}
	return older
}

// fields merges the fields of one struct. inOlder and inNewer are the versions in which each release has the struct:
// a field's own range may say more than that, but means no more.
func (m *merger) fields(path string, older, newer []field, inOlder, inNewer versions) ([]field, error) {
	var out []field
	for _, p := range pair(older, newer) {
		f, err := m.field(path, p, inOlder, inNewer)
		if err != nil {
			return nil, err
		}
		if !f.Versions.empty() {
			out = append(out, f)
		}
	}
	return out, nil
}

// twins are what two releases say of one field. A release that does not have it has a twin without a name.
type twins struct {
	older, newer field
}

// pair puts fields of one name together, in the newer's order; a field only the older has goes behind the one that it
// follows there. That this order is right in every version, verify shows afterwards.
func pair(older, newer []field) []twins {
	var pairs []twins
	for _, f := range newer {
		pairs = append(pairs, twins{newer: f})
	}
	next := 0
	for _, f := range older {
		at := slices.IndexFunc(pairs, func(p twins) bool { return p.newer.Name == f.Name })
		if at < 0 {
			at = next
			pairs = slices.Insert(pairs, at, twins{})
		}
		pairs[at].older = f
		next = at + 1
	}
	return pairs
}

// field merges one field, and the fields of its struct.
func (m *merger) field(path string, p twins, inOlder, inNewer versions) (field, error) {
	o, n, out := &p.older, &p.newer, p.newer
	if n.Name == "" {
		out = p.older
	}
	path += out.Name
	if err := p.agree(); err != nil {
		return out, fmt.Errorf("%s: %w", path, err)
	}
	inOlder, inNewer = inOlder.intersect(o.Versions), inNewer.intersect(n.Versions)
	ranges := []struct {
		what         string
		out          *versions
		older, newer versions
	}{
		{"versions", &out.Versions, o.Versions, n.Versions},
		{"nullableVersions", &out.NullableVersions, o.NullableVersions, n.NullableVersions},
		{"taggedVersions", &out.TaggedVersions, o.TaggedVersions, n.TaggedVersions},
	}
	var err error
	for _, r := range ranges {
		older, newer := r.older.intersect(inOlder), r.newer.intersect(inNewer)
		if *r.out, err = m.versions(path+": "+r.what, older, newer); err != nil {
			return out, err
		}
	}
	switch {
	case out.TaggedVersions.empty():
		out.Tag = scalar{}
	case !out.Tag.set():
		out.Tag = o.Tag
	}
	out.Fields, err = m.fields(path+".", o.Fields, n.Fields, inOlder, inNewer)
	return out, err
}

// agree says where two releases contradict each other about one field, apart from its version ranges.
func (p *twins) agree() error {
	o, n := &p.older, &p.newer
	if o.Name == "" || n.Name == "" {
		return nil
	}
	if (len(o.Fields) == 0) != (len(n.Fields) == 0) {
		return fmt.Errorf("fields: a common struct in one release, not in the other")
	}
	type claim struct{ key, older, newer string }
	claims := []claim{
		{"type", shape(o.Type), shape(n.Type)},
		{"default", o.Default.String(), n.Default.String()},
		{"flexibleVersions", o.FlexibleVersions, n.FlexibleVersions},
	}
	if o.Tag.set() && n.Tag.set() {
		claims = append(claims, claim{"tag", o.Tag.String(), n.Tag.String()})
	}
	for _, c := range claims {
		if c.older != c.newer {
			return fmt.Errorf("%s: %q in the older release, %q in the newer", c.key, c.older, c.newer)
		}
	}
	return nil
}

// shape is a type as far as it decides bytes: struct names do not.
func shape(typ string) string {
	if isStruct(typ) {
		return strings.TrimSuffix(typ, elem(typ)) + "struct"
	}
	return typ
}

// mergeReleases merges every message a client may meet.
func mergeReleases(older, newer release) (map[id]*spec, error) {
	merged := map[id]*spec{}
	for _, id := range union(older.specs, newer.specs) {
		s, err := merge(older.specs[id], newer.specs[id])
		if err != nil {
			named := cmp.Or(newer.specs[id], older.specs[id])
			return nil, fmt.Errorf("merge %s.json: %w", named.Name, err)
		}
		if !s.ValidVersions.empty() {
			merged[id] = s
		}
	}
	return merged, nil
}
