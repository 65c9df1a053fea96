package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// verify shows that merged says, for every message and every version of a release, exactly what the release says. It
// returns how many pairs of message and version were compared.
func verify(r release, merged map[id]*spec) (compared int, err error) {
	for id, s := range r.specs {
		if s.ValidVersions.empty() {
			continue
		}
		m := merged[id]
		if m == nil {
			return compared, fmt.Errorf("%s.json: the merged specs do not have it", s.Name)
		}
		for v := s.ValidVersions.from; v < s.ValidVersions.until; v++ {
			if err := sameLayout(s, m, v); err != nil {
				return compared, fmt.Errorf("%s.json: %w", m.Name, err)
			}
			compared++
		}
	}
	return compared, nil
}

// sameLayout compares what two specs put on the wire in one version.
func sameLayout(claimed, merged *spec, version int) error {
	if !merged.ValidVersions.contains(version) {
		return fmt.Errorf("version %d: not among the merged %s", version, merged.ValidVersions)
	}
	want, got := flatten(claimed, version), flatten(merged, version)
	for i := range max(len(want), len(got)) {
		if w, g := line(want, i), line(got, i); w != g {
			return fmt.Errorf("version %d: the release has %q, the merged spec %q", version, w, g)
		}
	}
	return nil
}

func line(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "nothing more"
}

// flatten lists what a message is on the wire in one version: a line for each field in wire order, with its path and
// all that decides its bytes. Structs are resolved, their names left out.
func flatten(s *spec, version int) []string {
	lines := []string{"fixed"}
	if s.FlexibleVersions.contains(version) {
		lines[0] = "flexible"
	}
	return flattenFields(lines, s, s.Fields, "", version)
}

func flattenFields(lines []string, s *spec, fields []field, path string, version int) []string {
	for _, f := range wireOrder(fields, version) {
		at := path + f.Name
		lines = append(lines, strings.Join(append([]string{at}, f.wire(version)...), " "))
		if isStruct(f.Type) {
			lines = flattenFields(lines, s, s.fieldsOf(f), at+".", version)
		}
	}
	return lines
}

// wireOrder is the fields of a struct that exist in a version, as they follow each other on the wire: tagged ones
// come last, by tag.
func wireOrder(fields []field, version int) []*field {
	var order []*field
	for i := range fields {
		if fields[i].Versions.contains(version) {
			order = append(order, &fields[i])
		}
	}
	rank := func(f *field) int {
		if !f.TaggedVersions.contains(version) {
			return -1
		}
		return f.Tag.number()
	}
	slices.SortStableFunc(order, func(a, b *field) int { return cmp.Compare(rank(a), rank(b)) })
	return order
}

// wire is what decides the bytes of one field in one version, or the value when it is not sent.
func (f *field) wire(version int) []string {
	words := []string{shape(f.Type)}
	if f.NullableVersions.contains(version) {
		words = append(words, "nullable")
	}
	if f.TaggedVersions.contains(version) {
		words = append(words, "tag="+f.Tag.String())
	}
	if f.FlexibleVersions != "" {
		words = append(words, "flexibleVersions="+f.FlexibleVersions)
	}
	if f.Default.set() {
		words = append(words, "default="+f.Default.String())
	}
	return words
}

// fieldsOf are the fields of a struct-typed field, its own or those of the common struct it names.
func (s *spec) fieldsOf(f *field) []field {
	if len(f.Fields) > 0 {
		return f.Fields
	}
	at := indexOf(s.CommonStructs, elem(f.Type))
	if at < 0 {
		return nil
	}
	return s.CommonStructs[at].Fields
}
