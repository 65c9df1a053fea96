package main

import (
	. "github.com/dave/jennifer/jen"
)

// emitReset sets a type's defaults and keeps the memory of its arrays.
//
//	func (m *FetchRequest) Reset() {
//		m.ClusterID = nil
//		m.ReplicaID = -1
//		m.ReplicaState.Reset()
//		m.Topics = m.Topics[:0]
//	}
func emitReset(t *structType) Code {
	return method(t, "Reset").Params().BlockFunc(func(g *Group) {
		for _, f := range t.fields {
			if f.isStruct() && !f.isNullable() {
				g.Add(mine(f)).Dot("Reset").Call()
				continue
			}
			g.Add(mine(f)).Op("=").Add(f.defaultValue())
		}
	})
}

// defaultValue is a field's default. A nullable field without one is not null but empty, as in Kafka.
//
//	nil
//	kbin.EmptyString()
//	m.Topics[:0]
//	-1
func (f *field) defaultValue() *Statement {
	switch {
	case f.kind == kindRecords:
		return Qual(kbin, "Records").Values()
	case f.def == "null":
		return Nil()
	case f.array && f.isNullable():
		return Qual(kbin, "Empty").Call(mine(f))
	case f.array:
		return mine(f).Index(Empty(), Lit(0))
	case f.kind == kindString && f.isNullable():
		return Qual(kbin, "EmptyString").Call()
	case f.kind == kindBytes && f.isNullable():
		return Index().Byte().Values()
	case f.kind == kindBytes:
		return Nil()
	case f.kind == kindUUID:
		return Qual(kbin, "UUID").Values()
	}
	return f.literal()
}

// literal is the default of a number, bool or string. Numbers stay as the spec writes them.
//
//	0x7fffffff
//	true
//	"range"
func (f *field) literal() *Statement {
	switch {
	case f.kind == kindString:
		return Lit(f.def)
	case f.def != "":
		return Id(f.def)
	case f.kind == kindBool:
		return False()
	}
	return Lit(0)
}

// notDefault says whether a tagged field has to be written.
//
//	m.ClusterID != nil
//	len(m.NodeEndpoints) != 0
//	m.HighWatermark != 9223372036854775807
//	!m.ReplicaState.isDefault()
//	(m.Names == nil || len(m.Names) != 0)
func (f *field) notDefault() *Statement {
	switch {
	case f.def == "null":
		return mine(f).Op("!=").Nil()
	case f.isStruct():
		return Op("!").Add(mine(f)).Dot("isDefault").Call()
	case f.kind == kindString && f.isNullable():
		return Parens(mine(f).Op("==").Nil().Op("||").Op("*").Add(mine(f)).Op("!=").Lit(""))
	case f.isNullable():
		return Parens(mine(f).Op("==").Nil().Op("||").Len(mine(f)).Op("!=").Lit(0))
	case f.array || f.kind == kindBytes:
		return Len(mine(f)).Op("!=").Lit(0)
	case f.kind == kindUUID:
		return Op("!").Add(mine(f)).Dot("IsZero").Call()
	case f.kind == kindBool && f.def == "true":
		return Op("!").Add(mine(f))
	case f.kind == kindBool:
		return mine(f)
	}
	return mine(f).Op("!=").Add(f.literal())
}

// emitIsDefault compares a struct of a tagged field with what Reset makes of it.
//
//	func (m *FetchRequestReplicaState) isDefault() bool {
//		var d FetchRequestReplicaState
//		d.Reset()
//		return *m == d
//	}
func emitIsDefault(t *structType) Code {
	return method(t, "isDefault").Params().Bool().Block(
		Var().Id("d").Id(t.name),
		Id("d").Dot("Reset").Call(),
		Return(Op("*").Id("m").Op("==").Id("d")),
	)
}
