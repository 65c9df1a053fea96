package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// spec is one message in Kafka's message format, reduced to what decides bytes and to the few notes a generator reads.
type spec struct {
	APIKey                *int     `json:"apiKey"` // nil for headers and data
	Type                  string   `json:"type"`   // request, response, header or data
	Name                  string   `json:"name"`
	Listeners             []string `json:"listeners"` // requests only: who serves it
	ValidVersions         versions `json:"validVersions"`
	FlexibleVersions      versions `json:"flexibleVersions"`
	LatestVersionUnstable bool     `json:"latestVersionUnstable"` // the last version is not to be advertised
	CommonStructs         []field  `json:"commonStructs"`
	Fields                []field  `json:"fields"`

	DeprecatedVersions dropped `json:"deprecatedVersions"`
}

// field is one field of a message or of a struct in it. A common struct is a field without a type.
type field struct {
	Name             string   `json:"name"`
	Type             string   `json:"type"`
	Versions         versions `json:"versions"`
	NullableVersions versions `json:"nullableVersions"`
	TaggedVersions   versions `json:"taggedVersions"`
	Tag              scalar   `json:"tag"`
	FlexibleVersions string   `json:"flexibleVersions"` // "" unless it differs from the message's
	Default          scalar   `json:"default"`
	MapKey           bool     `json:"mapKey"`
	Ignorable        bool     `json:"ignorable"`
	EntityType       string   `json:"entityType"`
	ZeroCopy         bool     `json:"zeroCopy"`
	Fields           []field  `json:"fields"`

	About dropped `json:"about"`
}

// dropped is a key that is known and left out of what we write. All other unknown keys are errors.
type dropped struct{}

// UnmarshalJSON takes any value and keeps none.
func (dropped) UnmarshalJSON([]byte) error { return nil }

// scalar is a value that Kafka's specs write now as a string, now bare: "0" or 0, "false" or false. Absent is nil.
type scalar struct {
	text *string
}

// UnmarshalJSON brings both spellings to one.
func (s *scalar) UnmarshalJSON(b []byte) error {
	text := string(b)
	if b[0] == '"' {
		if err := json.Unmarshal(b, &text); err != nil {
			return err
		}
	}
	s.text = &text
	return nil
}

func (s scalar) set() bool { return s.text != nil }

// String is the value, or "" when there is none; whether there is one, set tells.
func (s scalar) String() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// number is the value of a tag, which checkFields has found to be one.
func (s scalar) number() int {
	n, _ := strconv.Atoi(s.String())
	return n
}

// unsaid is the range of a key that is not there, where "none" must be said to be meant.
var unsaid = versions{-1, -1}

// parseSpec reads one spec as Kafka publishes it, with // comments, or as we write it.
func parseSpec(text []byte) (*spec, error) {
	s := &spec{ValidVersions: unsaid, FlexibleVersions: unsaid}
	d := json.NewDecoder(bytes.NewReader(stripComments(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(s); err != nil {
		return nil, err
	}
	switch {
	case s.Name == "" || s.Type == "" || s.ValidVersions == unsaid:
		return nil, fmt.Errorf("a message needs a name, a type and validVersions")
	case s.FlexibleVersions == unsaid && !s.ValidVersions.empty():
		return nil, fmt.Errorf("%s: flexibleVersions are not said", s.Name)
	}
	if err := checkFields(s.Name, s.Fields); err != nil {
		return nil, err
	}
	return s, checkFields(s.Name, s.CommonStructs)
}

// checkFields refuses what a merge by name and version could not do right.
func checkFields(path string, fields []field) error {
	seen := map[string]bool{}
	for i := range fields {
		f := &fields[i]
		at := path + "." + f.Name
		if seen[f.Name] {
			return fmt.Errorf("%s: there are two fields of this name", at)
		}
		seen[f.Name] = true
		if f.Name == "" || f.Versions.empty() {
			return fmt.Errorf("%s: a field needs a name and versions", at)
		}
		if _, err := strconv.ParseUint(f.Tag.String(), 10, 31); f.Tag.set() && err != nil {
			return fmt.Errorf("%s: tag %q is not a number", at, f.Tag)
		}
		if f.Tag.set() == f.TaggedVersions.empty() {
			return fmt.Errorf("%s: tag and taggedVersions come together", at)
		}
		if err := checkFields(at, f.Fields); err != nil {
			return err
		}
	}
	return nil
}

// stripComments blanks // comments that stand outside strings.
func stripComments(text []byte) []byte {
	out := bytes.Clone(text)
	inString := false
	for i := 0; i < len(out); i++ {
		switch {
		case inString && out[i] == '\\':
			i++
		case out[i] == '"':
			inString = !inString
		case !inString && bytes.HasPrefix(out[i:], []byte("//")):
			for ; i < len(out) && out[i] != '\n'; i++ {
				out[i] = ' '
			}
		}
	}
	return out
}

// elem is a type without the marks of an array: "[]TopicData" is "TopicData".
func elem(typ string) string { return strings.TrimLeft(typ, "[]") }

// isStruct tells a struct, or an array of one, from Kafka's primitive types, which are all in lower case.
func isStruct(typ string) bool {
	name := elem(typ)
	return name != "" && name[0] >= 'A' && name[0] <= 'Z'
}
