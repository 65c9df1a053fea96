package main

import (
	. "github.com/dave/jennifer/jen"
)

// emitAppend writes a type: the untagged fields in their order, then the tagged ones by their tags.
//
//	func (m *FetchRequest) Append(b []byte, version int16) []byte {
//		flexible := version >= 12
//		if version <= 14 {
//			b = kbin.AppendInt32(b, m.ReplicaID)
//		}
//		b = kbin.AppendStructs(kbin.AppendArrayLen(b, len(m.Topics), flexible), m.Topics, version)
//		if flexible {
//			…
//		}
//		return b
//	}
func emitAppend(t *structType) Code {
	bytes := Id("b").Index().Byte()
	return method(t, "Append").Params(bytes, Id(version).Int16()).Index().Byte().BlockFunc(func(g *Group) {
		defineFlexible(g, t)
		eachVersioned(g, t, (*field).append)
		inFlexible(g, t, appendTags(t)...)
		g.Return(Id("b"))
	})
}

// appendTags writes the tagged fields that are not their defaults.
//
//	var tags kbin.Tags
//	b = tags.Begin(b)
//	if m.ClusterID != nil {
//		b = tags.Open(b, 0)
//		b = kbin.AppendNullableString(b, m.ClusterID, flexible)
//		b = tags.Close(b)
//	}
//	if version >= 15 && !m.ReplicaState.isDefault() {
//		…
//	}
func appendTags(t *structType) []Code {
	fields := t.tagged()
	if len(fields) == 0 {
		return []Code{Id("b").Op("=").Qual(kbin, "AppendNoTags").Call(Id("b"))}
	}
	lines := []Code{
		Var().Id("tags").Qual(kbin, "Tags"),
		Id("b").Op("=").Id("tags").Dot("Begin").Call(Id("b")),
	}
	for _, f := range fields {
		lines = append(lines, If(f.tagCondition(t)).Block(
			Id("b").Op("=").Id("tags").Dot("Open").Call(Id("b"), Lit(f.tag)),
			f.append(),
			Id("b").Op("=").Id("tags").Dot("Close").Call(Id("b")),
		))
	}
	return lines
}

// tagCondition says when a tagged field is written: in its versions, unless it is its default.
//
//	version >= 15 && !m.ReplicaState.isDefault()
func (f *field) tagCondition(t *structType) Code {
	if condition := when(f.versions, t.flexible); condition != nil {
		return condition.Op("&&").Add(f.notDefault())
	}
	return f.notDefault()
}

// append writes one field.
//
//	b = kbin.AppendInt32(b, m.ReplicaID)
func (f *field) append() Code {
	return Id("b").Op("=").Add(f.appended())
}

// appended is b with a field behind it.
//
//	kbin.AppendStructs(kbin.AppendArrayLen(b, len(m.Topics), flexible), m.Topics, version)
//	kbin.AppendStrings(kbin.AppendArrayLen(b, len(m.Names), flexible), m.Names, flexible)
//	kbin.AppendInt32s(kbin.AppendArrayLen(b, len(m.Partitions), flexible), m.Partitions)
//	kbin.AppendNullableStruct(b, m.Cursor, version)
//	m.ReplicaState.Append(b, version)
//	kbin.AppendNullableString(b, m.ClusterID, flexible)
//	kbin.AppendInt32(b, m.MaxWaitMs)
func (f *field) appended() Code {
	b := Id("b")
	switch {
	case f.array && f.kind == kindStruct:
		return Qual(kbin, "AppendStructs").Call(f.appendLen(), mine(f), Id(version))
	case f.array && f.kind == kindString:
		return Qual(kbin, "AppendStrings").Call(f.appendLen(), mine(f), f.flexible())
	case f.array:
		return Qual(kbin, "Append"+f.primitive()+"s").Call(f.appendLen(), mine(f))
	case f.kind == kindStruct && f.isNullable():
		return Qual(kbin, "AppendNullableStruct").Call(b, mine(f), Id(version))
	case f.kind == kindStruct:
		return mine(f).Dot("Append").Call(b, Id(version))
	case f.kind == kindRecords:
		return f.write(f.primitive(), Op("&").Add(mine(f)))
	case f.canBeNull():
		return f.write(f.primitive(), mine(f))
	}
	return Qual(kbin, "Append"+f.primitive()).Call(b, mine(f))
}

// appendLen writes an array's length. Of an array that may be null it is the array that decides.
//
//	kbin.AppendArrayLen(b, len(m.Topics), flexible)
//	kbin.AppendNullableArrayLen(b, m.Topics, flexible)
func (f *field) appendLen() Code {
	if f.isNullable() {
		return f.write("ArrayLen", mine(f))
	}
	return f.write("ArrayLen", Len(mine(f)))
}

// write calls the function that appends something that may be null.
//
//	kbin.AppendString(b, m.RackID, flexible)
//	kbin.AppendNullableString(b, m.ClusterID, flexible)
//	kbin.AppendNullableStringIf(b, m.Name, version >= 10, flexible)
func (f *field) write(what string, value Code) Code {
	switch {
	case !f.isNullable():
		return Qual(kbin, "Append"+what).Call(Id("b"), value, f.flexible())
	case f.nullable == f.versions:
		return Qual(kbin, "AppendNullable"+what).Call(Id("b"), value, f.flexible())
	}
	return Qual(kbin, "AppendNullable"+what+"If").Call(Id("b"), value, when(f.nullable, f.versions), f.flexible())
}
