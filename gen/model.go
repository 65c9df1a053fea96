package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// message is a spec with its types resolved: what is emitted.
type message struct {
	file     string
	kind     string // request, response, header or data
	name     string // the spec's
	key      int16  // of a request or response
	versions versions
	flexible versions
	types    []*structType // the message itself, then its structs in the order of their first use
}

func (m *message) root() *structType { return m.types[0] }

// api is the name of the API a request or response belongs to.
func (m *message) api() string {
	return strings.TrimSuffix(strings.TrimSuffix(m.name, "Request"), "Response")
}

// structType is a struct to emit: a message or a part of one.
type structType struct {
	name       string // in Go
	about      string // the comment above it, without the name
	versions   versions
	flexible   versions
	fields     []*field
	isTagged   bool // it stands in a tagged field, which is written only when it is not its default
	hasRecords bool // it or a struct in it holds records
	hasErrors  bool // it or a struct in it has an error code
}

// field is a field to emit.
type field struct {
	name     string // in Go
	kind     kind
	array    bool
	strct    *structType // the type, or the type of the elements, when kind is kindStruct
	versions versions
	nullable versions
	tagged   versions
	tag      int
	rigid    bool   // flexibleVersions are none: written as before KIP-482 in flexible messages, too
	def      string // the default as the spec has it: "" or "null" or a literal
}

// kind is a primitive type by its name in the specs, or kindStruct.
type kind string

const (
	kindStruct  kind = "struct"
	kindString  kind = "string"
	kindBytes   kind = "bytes"
	kindRecords kind = "records"
	kindBool    kind = "bool"
	kindFloat64 kind = "float64"
	kindUUID    kind = "uuid"
)

// integers are the kinds that are Go integers of the same name, with their bits.
var integers = map[kind]int{"int8": 8, "int16": 16, "int32": 32, "int64": 64, "uint16": 16, "uint32": 32}

// arrayKinds are the kinds pkg/kbin has arrays of.
var arrayKinds = map[kind]bool{
	kindStruct: true, kindString: true, kindUUID: true, "int8": true, "int16": true, "int32": true, "int64": true,
}

func (k kind) known() bool {
	switch k {
	case kindString, kindBytes, kindRecords, kindBool, kindFloat64, kindUUID:
		return true
	}
	return integers[k] != 0
}

// canBeNull is what the spec language lets be null.
func (f *field) canBeNull() bool {
	return f.array || f.kind == kindString || f.kind == kindBytes || f.kind == kindRecords || f.kind == kindStruct
}

// isError says whether the field is an error code, which specs say by its name alone.
func (f *field) isError() bool {
	return f.kind == "int16" && !f.array && strings.HasSuffix(f.name, "ErrorCode")
}

// isNullable says whether the field is null in any version, which decides its Go type.
func (f *field) isNullable() bool { return !f.nullable.empty() }

// resolver turns one spec into a message.
type resolver struct {
	spec   *spec
	msg    *message
	common map[string]*structSpec
	done   map[string]*structType // by the spec's name
}

// resolve gives the structs of a spec their Go names and checks everything the emitter relies on. Errors name the file and
// the field.
func resolve(s *spec) (*message, error) {
	if s.FlexibleVersions == nil {
		return nil, fmt.Errorf("%s: flexibleVersions are missing", s.file)
	}
	m := &message{
		file: s.file, kind: s.Type, name: s.Name, key: s.APIKey,
		versions: *s.ValidVersions, flexible: s.FlexibleVersions.and(*s.ValidVersions),
	}
	r := &resolver{spec: s, msg: m, common: map[string]*structSpec{}, done: map[string]*structType{}}
	for _, c := range s.commonStructs {
		r.common[c.Name] = c
	}
	about, err := aboutMessage(m)
	if err == nil {
		_, err = r.structType(s.Name, about, *s.ValidVersions, s.fields)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.file, err)
	}
	return m, nil
}

func aboutMessage(m *message) (string, error) {
	flexible := "never flexible"
	switch {
	case m.flexible == m.versions:
		flexible = "flexible"
	case !m.flexible.empty():
		flexible = fmt.Sprintf("flexible from %d", m.flexible.lo)
	}
	switch m.kind {
	case "request", "response":
		return fmt.Sprintf("is the %s of %s, API %d: %s, %s.", m.kind, m.api(), m.key, m.versions.words(), flexible), nil
	case "header", "data":
		return fmt.Sprintf("has %s, %s.", m.versions.words(), flexible), nil
	}
	return "", fmt.Errorf("type %q is unknown", m.kind)
}

// structType emits a struct once; in is the versions in which it can occur.
func (r *resolver) structType(name, about string, in versions, specs []*fieldSpec) (*structType, error) {
	if r.done[name] != nil {
		return nil, fmt.Errorf("struct %s is declared twice", name)
	}
	t := &structType{name: nestedName(r.spec.Name, name), about: about, versions: in, flexible: r.msg.flexible.and(in)}
	r.done[name] = t
	r.msg.types = append(r.msg.types, t)
	tags := map[int]bool{}
	for _, s := range specs {
		if s.Versions.and(in).empty() {
			continue // of versions that Kafka no longer has
		}
		f, err := r.field(t, s)
		if err == nil && !f.tagged.empty() && tags[f.tag] {
			err = fmt.Errorf("tag %d is used twice", f.tag)
		}
		if err != nil {
			return nil, fmt.Errorf("field %s.%s: %w", name, s.Name, err)
		}
		tags[f.tag] = tags[f.tag] || !f.tagged.empty()
		t.fields = append(t.fields, f)
		t.hasRecords = t.hasRecords || f.kind == kindRecords || f.strct != nil && f.strct.hasRecords
		t.hasErrors = t.hasErrors || f.isError() || f.strct != nil && f.strct.hasErrors
	}
	return t, nil
}

func (r *resolver) field(t *structType, s *fieldSpec) (*field, error) {
	f := &field{
		name: goName(s.Name), kind: kind(strings.TrimPrefix(s.Type, "[]")), array: strings.HasPrefix(s.Type, "[]"),
		versions: s.Versions.and(t.versions), tagged: s.TaggedVersions.and(t.versions), def: s.defaultText(),
		rigid: s.FlexibleVersions != nil,
	}
	f.nullable = s.NullableVersions.and(f.versions)
	if s.Tag != nil {
		f.tag = int(*s.Tag)
	}
	if err := r.resolveStruct(t, f, s); err != nil {
		return nil, err
	}
	return f, f.check(t, s)
}

// resolveStruct finds or makes the struct of a field whose type is no primitive.
func (r *resolver) resolveStruct(t *structType, f *field, s *fieldSpec) (err error) {
	if f.kind.known() {
		return nil
	}
	name, common := string(f.kind), r.common[string(f.kind)]
	switch {
	case common != nil && s.RawFields != nil:
		return fmt.Errorf("struct %s is declared twice", name)
	case common != nil && r.done[name] != nil:
		f.strct = r.done[name]
	case common != nil:
		f.strct, err = r.structType(name, "is shared by fields of "+r.msg.root().name+".", common.Versions.and(r.msg.versions), common.fields)
	case s.RawFields != nil:
		f.strct, err = r.structType(name, aboutField(t, f), f.versions, s.fields)
	default:
		return fmt.Errorf("type %q is unknown", s.Type)
	}
	f.kind = kindStruct
	return err
}

func aboutField(t *structType, f *field) string {
	if f.array {
		return fmt.Sprintf("is an element of %s.%s.", t.name, f.name)
	}
	return fmt.Sprintf("is the type of %s.%s.", t.name, f.name)
}

// check refuses what the specs do not use and the emitter therefore does not know.
func (f *field) check(t *structType, s *fieldSpec) error {
	switch {
	case s.FlexibleVersions != nil && !s.FlexibleVersions.empty():
		return fmt.Errorf("flexibleVersions of a field can only be none, not %s", s.FlexibleVersions)
	case f.array && !arrayKinds[f.kind]:
		return fmt.Errorf("arrays of %s are not supported", f.kind)
	case f.isNullable() && !f.canBeNull():
		return fmt.Errorf("%s cannot be null", s.Type)
	case f.isNullable() && f.isStruct() && (f.nullable != f.versions || f.def != "null"):
		return errors.New("a nullable struct that is not so in all its versions, or not null by default, is not supported")
	case f.isNullable() && f.kind == kindRecords && f.nullable != f.versions:
		return errors.New("records that are nullable in some versions only are not supported")
	case f.name == "Reset" || f.name == "Decode" || f.name == "Append" || f.name == "EachRecords" || f.name == "EachError":
		return errors.New("the name is that of a method")
	}
	if (s.Tag == nil) != s.TaggedVersions.empty() {
		return errors.New("tag and taggedVersions come together or not at all")
	}
	if err := f.checkTag(t); err != nil {
		return err
	}
	return f.checkDefault()
}

func (f *field) checkTag(t *structType) error {
	switch {
	case f.tagged.empty():
		return nil
	case f.tag < 0 || f.tag > 126:
		return fmt.Errorf("tag %d is not in 0-126", f.tag)
	case f.tagged != f.versions:
		return fmt.Errorf("tagged in versions %s of %s is not supported", f.tagged, f.versions)
	case !t.flexible.covers(f.tagged):
		return fmt.Errorf("tagged in versions %s, flexible only in %s", f.tagged, t.flexible)
	case f.kind == kindRecords || f.strct != nil && f.strct.hasRecords:
		return errors.New("records in a tagged field are not supported") // the hole's place moves when the field is closed
	case f.isStruct() && f.isNullable():
		return errors.New("a nullable struct in a tagged field is not supported")
	case f.isStruct() && !f.strct.comparable():
		return errors.New("a tagged struct that holds arrays, bytes or pointers is not supported")
	}
	if f.isStruct() {
		f.strct.isTagged = true
	}
	return nil
}

// isStruct says whether the field is one struct, not an array of them.
func (f *field) isStruct() bool { return f.kind == kindStruct && !f.array }

// comparable says whether == of two such structs says whether they are equal.
func (t *structType) comparable() bool {
	for _, f := range t.fields {
		if f.array || f.isNullable() || f.kind == kindBytes || f.kind == kindRecords || f.kind == kindStruct && !f.strct.comparable() {
			return false
		}
	}
	return true
}

func (f *field) checkDefault() error {
	bad := fmt.Errorf("default %q is not one of %s", f.def, f.kind)
	switch {
	case f.def == "":
		return nil
	case f.def == "null" && (f.isNullable() || f.kind == kindRecords):
		return nil
	case f.def == "null" || f.array || f.isNullable():
		return fmt.Errorf("default %q is not supported here", f.def)
	case f.kind == kindString:
		return nil
	case f.kind == kindBool && (f.def == "true" || f.def == "false"):
		return nil
	case integers[f.kind] == 0:
		return bad
	}
	if !f.holdsDefault() {
		return bad
	}
	return nil
}

// holdsDefault says whether the default of an integer field is one that its bits can hold.
func (f *field) holdsDefault() bool {
	var err error
	if bits := integers[f.kind]; strings.HasPrefix(string(f.kind), "u") {
		_, err = strconv.ParseUint(f.def, 0, bits)
	} else {
		_, err = strconv.ParseInt(f.def, 0, bits)
	}
	return err == nil
}
