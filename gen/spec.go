package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// spec is one file of Kafka's message specs, as it is written there.
type spec struct {
	APIKey                int16             `json:"apiKey"`
	Type                  string            `json:"type"`
	Name                  string            `json:"name"`
	Listeners             []string          `json:"listeners"`
	ValidVersions         *versions         `json:"validVersions"`
	DeprecatedVersions    string            `json:"deprecatedVersions"`
	FlexibleVersions      *versions         `json:"flexibleVersions"`
	LatestVersionUnstable bool              `json:"latestVersionUnstable"`
	RawFields             []json.RawMessage `json:"fields"`
	RawCommonStructs      []json.RawMessage `json:"commonStructs"`

	file          string
	fields        []*fieldSpec
	commonStructs []*structSpec
}

// structSpec is an entry of commonStructs.
type structSpec struct {
	Name      string            `json:"name"`
	Versions  versions          `json:"versions"`
	RawFields []json.RawMessage `json:"fields"`

	fields []*fieldSpec
}

// fieldSpec is a field of a message or a struct. What carries no bytes (about, ignorable, entityType, mapKey, zeroCopy) is
// named so that it is known, and then not used: Append leaves out what a version lacks, ignorable or not, map keys are
// ordinary fields, and every byte slice is a view.
type fieldSpec struct {
	Name             string            `json:"name"`
	Type             string            `json:"type"`
	Versions         *versions         `json:"versions"`
	NullableVersions versions          `json:"nullableVersions"`
	TaggedVersions   versions          `json:"taggedVersions"`
	FlexibleVersions *versions         `json:"flexibleVersions"`
	Tag              *number           `json:"tag"`
	Default          json.RawMessage   `json:"default"`
	RawFields        []json.RawMessage `json:"fields"`
	About            string            `json:"about"`
	Ignorable        bool              `json:"ignorable"`
	EntityType       string            `json:"entityType"`
	MapKey           bool              `json:"mapKey"`
	ZeroCopy         bool              `json:"zeroCopy"`

	fields []*fieldSpec
}

// number is a number that some specs write as a string.
type number int

// UnmarshalJSON reads 1 and "1".
func (n *number) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(bytes.Trim(b, `"`), (*int)(n))
}

// readSpecs reads all specs of a folder, in the order of their names. One whose validVersions are "none" is a message that
// Kafka no longer has, and is left out.
func readSpecs(dir string) ([]*spec, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no *.json in %s", dir)
	}
	slices.Sort(files)
	var specs []*spec
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		s, err := parseSpec(filepath.Base(file), b)
		if err != nil {
			return nil, err
		}
		if !s.ValidVersions.empty() {
			specs = append(specs, s)
		}
	}
	return specs, nil
}

// parseSpec reads one spec. Errors name the file and the field.
func parseSpec(file string, b []byte) (*spec, error) {
	s := &spec{file: file}
	err := decodeStrict(blankComments(b), s)
	if err == nil && (s.Name == "" || s.ValidVersions == nil) {
		err = errors.New("has no name or no validVersions")
	}
	if err == nil {
		s.fields, err = parseFields(s.RawFields)
	}
	for _, raw := range s.RawCommonStructs {
		var c *structSpec
		if err == nil {
			c, err = parseStruct(raw)
			s.commonStructs = append(s.commonStructs, c)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

func parseStruct(raw json.RawMessage) (*structSpec, error) {
	c := &structSpec{Versions: none}
	err := decodeStrict(raw, c)
	if err == nil {
		c.fields, err = parseFields(c.RawFields)
	}
	if err != nil {
		return nil, fmt.Errorf("struct %s: %w", nameIn(raw), err)
	}
	return c, nil
}

func parseFields(raws []json.RawMessage) ([]*fieldSpec, error) {
	var fields []*fieldSpec
	for _, raw := range raws {
		f, err := parseField(raw)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", nameIn(raw), err)
		}
		fields = append(fields, f)
	}
	return fields, nil
}

func parseField(raw json.RawMessage) (*fieldSpec, error) {
	f := &fieldSpec{NullableVersions: none, TaggedVersions: none}
	if err := decodeStrict(raw, f); err != nil {
		return nil, err
	}
	if f.Name == "" || f.Type == "" || f.Versions == nil {
		return nil, errors.New("has not all of name, type and versions")
	}
	var err error
	f.fields, err = parseFields(f.RawFields)
	return f, err
}

// decodeStrict is json.Unmarshal, but a key that v does not have is an error: it could mean something on the wire.
func decodeStrict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// nameIn is the name of a field or struct that may not be readable otherwise.
func nameIn(raw json.RawMessage) string {
	var named struct{ Name string }
	if err := json.Unmarshal(raw, &named); err != nil || named.Name == "" {
		return "without a name"
	}
	return named.Name
}

// blankComments turns comments from // to the end of the line into spaces, so that positions in errors stay right. A // in a
// string is none.
func blankComments(b []byte) []byte {
	b = bytes.Clone(b)
	var inString, inComment bool
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '\n':
			inComment, inString = false, false
		case inComment:
			b[i] = ' '
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case !inString && bytes.HasPrefix(b[i:], []byte("//")):
			inComment = true
			b[i] = ' '
		}
	}
	return b
}

// defaultText is a default as text, whichever way JSON has it: -1, "-1", false, "null", "".
func (f *fieldSpec) defaultText() string {
	return strings.Trim(string(f.Default), `"`)
}
