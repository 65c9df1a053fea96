// Shown here: what a spec says and gen does not know is an error that names file and field, and the small parts do as they
// are told.

package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestErrorsNameFileAndField(t *testing.T) {
	f := func(field string, want ...string) {
		t.Helper()
		s, err := parseSpec("Some.json", []byte(`{
			"type": "data", "name": "Some", "validVersions": "0-5", "flexibleVersions": "2+",
			"commonStructs": [{ "name": "Common", "versions": "0+", "fields": [{ "name": "X", "type": "[]int8", "versions": "0+" }] }],
			"fields": [{ "name": "First", "type": "int8", "versions": "2+", "taggedVersions": "2+", "tag": 9 }, `+field+`]}`))
		if err == nil {
			_, err = resolve(s)
		}
		for _, part := range append(want, "Some.json", "field ") {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: error %v does not say %q", field, err, part)
			}
		}
	}
	f(`{ "name": "F", "type": "int8", "versions": "0+", "surprise": 1 }`, "F", "surprise")
	f(`{ "name": "F", "type": "int8" }`, "F", "versions")
	f(`{ "name": "F", "type": "int8", "versions": "1-0" }`, "F", "1-0")
	f(`{ "name": "F", "type": "int8", "versions": "x+" }`, "F", "x+")
	f(`{ "name": "F", "type": "int128", "versions": "0+" }`, "F", "int128")
	f(`{ "name": "F", "type": "[]float64", "versions": "0+" }`, "F", "arrays of float64")
	f(`{ "name": "F", "type": "int8", "versions": "0+", "nullableVersions": "0+" }`, "F", "null")
	f(`{ "name": "F", "type": "int8", "versions": "0+", "flexibleVersions": "3+" }`, "F", "flexibleVersions")
	f(`{ "name": "F", "type": "int8", "versions": "0+", "default": "256" }`, "F", "256")
	f(`{ "name": "F", "type": "uint16", "versions": "0+", "default": "-1" }`, "F", "-1")
	f(`{ "name": "F", "type": "bool", "versions": "0+", "default": "maybe" }`, "F", "maybe")
	f(`{ "name": "F", "type": "string", "versions": "0+", "default": "null" }`, "F", "null")
	f(`{ "name": "F", "type": "float64", "versions": "0+", "default": "1" }`, "F", "float64")
	f(`{ "name": "F", "type": "[]int8", "versions": "0+", "default": "7" }`, "F", "7")
	f(`{ "name": "F", "type": "int8", "versions": "2+", "tag": 1 }`, "F", "taggedVersions")
	f(`{ "name": "F", "type": "int8", "versions": "2+", "taggedVersions": "2+" }`, "F", "tag")
	f(`{ "name": "F", "type": "int8", "versions": "2+", "taggedVersions": "2+", "tag": 9 }`, "F", "twice")
	f(`{ "name": "F", "type": "int8", "versions": "2+", "taggedVersions": "2+", "tag": 127 }`, "F", "127")
	f(`{ "name": "F", "type": "int8", "versions": "1+", "taggedVersions": "1+", "tag": 1 }`, "F", "flexible")
	f(`{ "name": "F", "type": "int8", "versions": "2+", "taggedVersions": "3+", "tag": 1 }`, "F", "3-5")
	f(`{ "name": "F", "type": "records", "versions": "2+", "taggedVersions": "2+", "tag": 1 }`, "F", "records")
	f(`{ "name": "F", "type": "records", "versions": "0+", "nullableVersions": "1+" }`, "F", "records")
	f(`{ "name": "F", "type": "Common", "versions": "2+", "taggedVersions": "2+", "tag": 1 }`, "F", "arrays")
	f(`{ "name": "F", "type": "Common", "versions": "0+", "nullableVersions": "0+" }`, "F", "nullable struct")
	f(`{ "name": "F", "type": "Common", "versions": "0+", "fields": [] }`, "F", "twice")
	f(`{ "name": "F", "type": "Some", "versions": "0+", "fields": [] }`, "F", "twice")
	f(`{ "name": "F", "type": "S", "versions": "0+", "fields": [{ "name": "G", "type": "int9", "versions": "0+" }] }`, "S.G", "int9")
	f(`{ "name": "F", "type": "S", "versions": "0+", "fields": [{ "name": "G", "type": "int8", "versions": "0+", "odd": 1 }] }`, "F", "G", "odd")
	f(`{ "name": "Append", "type": "int8", "versions": "0+" }`, "Append", "method")
}

func TestErrorsNameFile(t *testing.T) {
	f := func(spec, want string) {
		t.Helper()
		s, err := parseSpec("Some.json", []byte(spec))
		if err == nil {
			_, err = resolve(s)
		}
		if err == nil || !strings.Contains(err.Error(), "Some.json") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", spec, err)
		}
	}
	f(`{`, "EOF")
	f(`{ "surprise": 1 }`, "surprise")
	f(`{ "type": "data", "name": "Some" }`, "validVersions")
	f(`{ "type": "data", "name": "Some", "validVersions": "0" }`, "flexibleVersions")
	f(`{ "type": "odd", "name": "Some", "validVersions": "0", "flexibleVersions": "0+" }`, "odd")
	f(`{ "type": "data", "name": "Some", "validVersions": "0", "flexibleVersions": "0+", "commonStructs": [{ "name": "C", "odd": 1 }] }`, "struct C")
}

func TestPairs(t *testing.T) {
	f := func(want string, messages ...*message) {
		t.Helper()
		if _, _, err := pairs(messages); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, not %q", err, want)
		}
	}
	request := &message{file: "Q.json", kind: "request", name: "ProduceRequest", versions: versions{0, 3}}
	response := &message{file: "R.json", kind: "response", name: "ProduceResponse", versions: versions{0, 4}}
	f("R.json: API 0 has no request", response)
	f("Q.json: API 0 has no response", request)
	f("Q.json: API 0 has a request in Q.json", request, request)
	f("disagree", request, response)
}

func TestBlankComments(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := string(blankComments([]byte(in))); got != want {
			t.Errorf("%q became %q, not %q", in, got, want)
		}
	}
	f("// a\n{} // b", "    \n{}     ")
	f(`{"a": "//"} //"`, `{"a": "//"}    `)
	f(`{"a": "\"//"}//`, `{"a": "\"//"}  `)
}

func TestVersions(t *testing.T) {
	f := func(text string, want versions) {
		t.Helper()
		var got versions
		if err := json.Unmarshal([]byte(`"`+text+`"`), &got); err != nil || got != want || got.String() != text {
			t.Errorf("%s is %v, %v", text, got, err)
		}
	}
	f("none", none)
	f("0", versions{0, 0})
	f("2-7", versions{2, 7})
	f("3+", versions{3, open})
}

func TestNames(t *testing.T) {
	f := func(name, wantGo, wantFile string) {
		t.Helper()
		if goName(name) != wantGo || fileName(name) != wantFile {
			t.Errorf("%s is %s and %s", name, goName(name), fileName(name))
		}
	}
	f("TopicId", "TopicID", "topic_id")
	f("BrokerIds", "BrokerIDs", "broker_ids")
	f("LeaderIdAndEpoch", "LeaderIDAndEpoch", "leader_id_and_epoch")
	f("MemberIdentity", "MemberIdentity", "member_identity")
	f("Idempotent", "Idempotent", "idempotent")
	f("V3AndBelowTransactionalId", "V3AndBelowTransactionalID", "v3_and_below_transactional_id")
	if got := nestedName("MetadataResponse", "MetadataResponseTopic"); got != "MetadataResponseTopic" {
		t.Error(got)
	}
	if got := nestedName("ProduceRequest", "TopicProduceData"); got != "ProduceRequestTopicProduceData" {
		t.Error(got)
	}
}
