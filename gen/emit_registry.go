package main

import (
	"cmp"
	"fmt"
	"slices"

	. "github.com/dave/jennifer/jen"
)

// api is a request and its response.
type api struct {
	request, response *message
}

// pairs sorts messages into APIs, by their keys, and the rest, by name. A request without a response, a response without
// a request, and a pair that disagrees about its versions are errors.
func pairs(messages []*message) (apis []api, rest []*message, err error) {
	byKey := map[int16]*api{}
	for _, m := range messages {
		if m.kind != "request" && m.kind != "response" {
			rest = append(rest, m)
			continue
		}
		if byKey[m.key] == nil {
			byKey[m.key] = &api{}
		}
		half := &byKey[m.key].request
		if m.kind == "response" {
			half = &byKey[m.key].response
		}
		if *half != nil {
			return nil, nil, fmt.Errorf("%s: API %d has a %s in %s already", m.file, m.key, m.kind, (*half).file)
		}
		*half = m
	}
	for key, a := range byKey {
		if err := a.check(key); err != nil {
			return nil, nil, err
		}
		apis = append(apis, *a)
	}
	slices.SortFunc(apis, func(a, b api) int { return cmp.Compare(a.request.key, b.request.key) })
	return apis, rest, nil
}

// check refuses half an API, and halves that do not fit.
func (a *api) check(key int16) error {
	q, r := a.request, a.response
	switch {
	case q == nil:
		return fmt.Errorf("%s: API %d has no request", r.file, key)
	case r == nil:
		return fmt.Errorf("%s: API %d has no response", q.file, key)
	case q.api() != r.api() || q.versions != r.versions || q.flexible != r.flexible:
		return fmt.Errorf("%s and %s disagree about name, validVersions or flexibleVersions", q.file, r.file)
	}
	return nil
}

// emitRegistry lists all APIs; the functions it calls show how.
func emitRegistry(apis []api) ([]byte, error) {
	f := newFile("schemas")
	f.Comment("The keys of the APIs.")
	f.Add(emitKeys(apis)).Line()
	f.Comment("apis is every API at the index of its key. An index that is none has no name.")
	f.Add(emitTable(apis))
	return render(f, "the registry")
}

// emitKeys gives each API key a name.
//
//	const (
//		KeyProduce int16 = 0
//		KeyFetch   int16 = 1
//	)
func emitKeys(apis []api) Code {
	return Const().DefsFunc(func(g *Group) {
		for _, a := range apis {
			g.Id(a.keyName()).Int16().Op("=").Lit(int(a.request.key))
		}
	})
}

// emitTable says of each API its versions, the first flexible one (or -1), and how its messages are made.
//
//	var apis = [...]api{
//		KeyProduce: {"Produce", 0, 13, 9, fresh[ProduceRequest], fresh[ProduceResponse]},
//	}
func emitTable(apis []api) Code {
	return Var().Id("apis").Op("=").Index(Op("...")).Id("api").Custom(Options{Open: "{", Close: "}", Multi: true, Separator: ","},
		rows(apis)...)
}

// rows is a row of the table for each API.
//
//	KeyProduce: {"Produce", 0, 13, 9, fresh[ProduceRequest], fresh[ProduceResponse]}
func rows(apis []api) []Code {
	var rows []Code
	for _, a := range apis {
		q, flexible := a.request, -1
		if !q.flexible.empty() {
			flexible = q.flexible.lo
		}
		rows = append(rows, Id(a.keyName()).Op(":").Values(
			Lit(q.api()), Lit(q.versions.lo), Lit(q.versions.hi), Lit(flexible),
			Id("fresh").Types(Id(q.root().name)), Id("fresh").Types(Id(a.response.root().name)),
		))
	}
	return rows
}

// keyName is the constant of an API's key, such as KeyInitProducerID.
func (a api) keyName() string { return "Key" + goName(a.request.api()) }
