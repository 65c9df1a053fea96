package main

import (
	"slices"

	. "github.com/dave/jennifer/jen"
)

// emitDecode reads a type: the untagged fields in their order, then the tagged ones as they come.
//
// Reset comes first where a version may leave a field as it was.
//
//	func (m *FetchRequest) Decode(r *kbin.Reader, version int16) {
//		flexible := version >= 12
//		m.Reset()
//		if version <= 14 {
//			m.ReplicaID = r.Int32()
//		}
//		m.Topics = kbin.Structs(r, r.ArrayLen(flexible), m.Topics, version)
//		if flexible {
//			…
//		}
//	}
func emitDecode(t *structType) Code {
	reader := Id("r").Op("*").Qual(kbin, "Reader")
	return method(t, "Decode").Params(reader, Id(version).Int16()).BlockFunc(func(g *Group) {
		defineFlexible(g, t)
		if !t.readsAll() {
			g.Id("m").Dot("Reset").Call()
		}
		eachVersioned(g, t, (*field).decode)
		inFlexible(g, t, decodeTags(t))
	})
}

// readsAll says whether every field is read in every version, so that nothing of what the type held before can be left.
func (t *structType) readsAll() bool {
	return !slices.ContainsFunc(t.fields, func(f *field) bool {
		return !f.tagged.empty() || f.versions != t.versions
	})
}

// decodeTags reads the tagged fields a type knows and skips all others.
//
//	for n := r.Tags(); n > 0; n-- {
//		tag, end := r.OpenTag()
//		switch tag {
//		case 0:
//			m.ClusterID = r.NullableString(flexible)
//		case 1:
//			if version >= 15 {
//				m.ReplicaState.Decode(r, version)
//			}
//		}
//		r.CloseTag(end)
//	}
func decodeTags(t *structType) Code {
	fields := t.tagged()
	if len(fields) == 0 {
		return Id("r").Dot("SkipTags").Call()
	}
	return For(Id("n").Op(":=").Id("r").Dot("Tags").Call(), Id("n").Op(">").Lit(0), Id("n").Op("--")).Block(
		List(Id("tag"), Id("end")).Op(":=").Id("r").Dot("OpenTag").Call(),
		Switch(Id("tag")).BlockFunc(func(g *Group) {
			for _, f := range fields {
				g.Case(Lit(f.tag)).BlockFunc(func(g *Group) { onlyIn(g, when(f.versions, t.flexible), f.decode()) })
			}
		}),
		Id("r").Dot("CloseTag").Call(Id("end")),
	)
}

// decode reads one field.
//
//	m.ReplicaState.Decode(r, version)
//	m.MaxWaitMs = r.Int32()
func (f *field) decode() Code {
	if f.isStruct() && !f.isNullable() {
		return mine(f).Dot("Decode").Call(Id("r"), Id(version))
	}
	return mine(f).Op("=").Add(f.decoded())
}

// decoded is a field's value as it is read.
//
//	kbin.Structs(r, r.ArrayLen(flexible), m.Topics, version)
//	r.Strings(r.ArrayLen(flexible), m.Names, flexible)
//	r.Int32s(r.ArrayLen(flexible), m.Partitions)
//	kbin.NullableStruct[DescribeTopicPartitionsRequestCursor](r, version)
//	r.NullableString(flexible)
//	r.Int32()
func (f *field) decoded() Code {
	reader := Id("r")
	switch {
	case f.array && f.kind == kindStruct:
		return Qual(kbin, "Structs").Call(reader, f.read("ArrayLen"), mine(f), Id(version))
	case f.array && f.kind == kindString:
		return reader.Dot("Strings").Call(f.read("ArrayLen"), mine(f), f.flexible())
	case f.array:
		return reader.Dot(f.primitive()+"s").Call(f.read("ArrayLen"), mine(f))
	case f.kind == kindStruct:
		return Qual(kbin, "NullableStruct").Types(Id(f.strct.name)).Call(reader, Id(version))
	case f.canBeNull():
		return f.read(f.primitive())
	}
	return reader.Dot(f.primitive()).Call()
}

// read calls the method of the reader for something that may be null.
//
//	r.ArrayLen(flexible)
//	r.NullableArrayLen(flexible)
//	r.NullableArrayLenIf(version >= 1, flexible)
func (f *field) read(what string) Code {
	switch {
	case !f.isNullable():
		return Id("r").Dot(what).Call(f.flexible())
	case f.nullable == f.versions:
		return Id("r").Dot("Nullable" + what).Call(f.flexible())
	}
	return Id("r").Dot("Nullable"+what+"If").Call(when(f.nullable, f.versions), f.flexible())
}

// primitive is what pkg/kbin calls the kind: Int32, UUID.
func (f *field) primitive() string {
	if f.kind == kindUUID {
		return "UUID"
	}
	return goName(string(f.kind))
}
