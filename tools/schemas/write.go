package main

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// format writes a spec in the one form that schemas/ knows: keys in a fixed order, one field a line, the fields of a
// struct below it.
func (s *spec) format() []byte {
	var head attributes
	if s.APIKey != nil {
		head.add("apiKey", strconv.Itoa(*s.APIKey))
	}
	head.text("type", s.Type)
	head.text("name", s.Name)
	if s.Listeners != nil {
		head.add("listeners", "["+quoteAll(s.Listeners)+"]")
	}
	head.text("validVersions", s.ValidVersions.String())
	head.text("flexibleVersions", s.FlexibleVersions.String())
	head.flag("latestVersionUnstable", s.LatestVersionUnstable)

	var b bytes.Buffer
	b.WriteString("{\n  " + strings.Join(head, ",\n  "))
	if len(s.CommonStructs) > 0 {
		b.WriteString(",\n  ")
		writeFields(&b, "commonStructs", s.CommonStructs, "  ")
	}
	b.WriteString(",\n  ")
	writeFields(&b, "fields", s.Fields, "  ")
	b.WriteString("\n}\n")
	return b.Bytes()
}

// writeFields writes a list of fields under a key; indent is that of the line the key stands on.
func writeFields(b *bytes.Buffer, key string, fields []field, indent string) {
	b.WriteString(quote(key) + ": [")
	for i := range fields {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n" + indent + "  ")
		fields[i].write(b, indent+"  ")
	}
	if len(fields) > 0 {
		b.WriteString("\n" + indent)
	}
	b.WriteString("]")
}

func (f *field) write(b *bytes.Buffer, indent string) {
	b.WriteString("{ " + strings.Join(f.attributes(), ", "))
	if len(f.Fields) > 0 {
		b.WriteString(", ")
		writeFields(b, "fields", f.Fields, indent)
	}
	b.WriteString(" }")
}

// attributes are all keys of a field but its fields, in the order in which they are written.
func (f *field) attributes() attributes {
	var a attributes
	a.text("name", f.Name)
	a.text("type", f.Type)
	a.text("versions", f.Versions.String())
	a.versions("nullableVersions", f.NullableVersions)
	a.versions("taggedVersions", f.TaggedVersions)
	if f.Tag.set() {
		a.add("tag", f.Tag.String())
	}
	a.text("flexibleVersions", f.FlexibleVersions)
	if f.Default.set() {
		a.add("default", quote(f.Default.String()))
	}
	a.flag("mapKey", f.MapKey)
	a.flag("ignorable", f.Ignorable)
	a.text("entityType", f.EntityType)
	a.flag("zeroCopy", f.ZeroCopy)
	return a
}

// attributes are the keys of one JSON object with their values, in order. What is empty or false is left out.
type attributes []string

func (a *attributes) add(key, value string) { *a = append(*a, quote(key)+": "+value) }

func (a *attributes) text(key, value string) {
	if value != "" {
		a.add(key, quote(value))
	}
}

func (a *attributes) flag(key string, value bool) {
	if value {
		a.add(key, "true")
	}
}

func (a *attributes) versions(key string, value versions) {
	if !value.empty() {
		a.text(key, value.String())
	}
}

func quote(s string) string {
	b, _ := json.Marshal(s) // a string always has a JSON form
	return string(b)
}

func quoteAll(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = quote(s)
	}
	return strings.Join(quoted, ", ")
}
