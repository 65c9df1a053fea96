package main

// Shown here: a merged spec is right in every version of both releases; notes that carry no bytes come from the newer;
// what the two contradict each other about is refused, with the field; and verify, which proves the merge, sees
// every kind of mistake a merge could make.

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// message is a spec with the given valid versions and lines of fields.
func message(t *testing.T, valid string, fields ...string) *spec {
	t.Helper()
	return mustSpec(t, fmt.Sprintf(`{"apiKey": 9, "type": "request", "name": "FishRequest", "validVersions": %q,
		"flexibleVersions": "2+", "fields": [%s]}`, valid, strings.Join(fields, ",\n")))
}

// fieldLines is a spec's fields as they stand in its file.
func fieldLines(s *spec) string {
	_, fields, _ := strings.Cut(string(s.format()), `"fields": [`)
	return strings.TrimSpace(strings.TrimSuffix(fields, "]\n}\n"))
}

func TestMergeFields(t *testing.T) {
	f := func(validOlder, older, validNewer, newer, want string) {
		t.Helper()
		o, n := message(t, validOlder, older), message(t, validNewer, newer)
		got, err := merge(o, n)
		if err != nil {
			t.Errorf("%v", err)
			return
		}
		if fieldLines(got) != want {
			t.Errorf("got\n%s\nwant\n%s", fieldLines(got), want)
		}
		verifyAll(t, got, o, n)
	}
	const fin = `{ "name": "Fin", "type": "int8", "versions": %q }`
	say := func(form string, versions ...any) string { return fmt.Sprintf(form, versions...) }

	// The newer starts later and says "3+" of what was there before.
	f("0-4", say(fin, "0+"), "3-5", say(fin, "3+"), say(fin, "0+"))
	// A range that the older leaves open ends where the newer says.
	f("0-4", say(fin, "1+"), "3-6", say(fin, "0-5"), say(fin, "1-5"))
	// Only old versions have the field, and the newer has forgotten it.
	f("0-4", say(fin, "1-2"), "3-5", "", say(fin, "1-2"))
	// Only new versions have it.
	f("0-4", "", "3-5", say(fin, "5+"), say(fin, "5+"))
	// A field of versions that neither release serves any more.
	f("2-4", say(fin, "0-1"), "3-5", "", "")
	// The older goes further than the newer.
	f("0-4", say(fin, "3+"), "0-3", say(fin, "3+"), say(fin, "3+"))

	// Fields only the older has stay where they stood.
	const three = `{ "name": "A", "type": "int8", "versions": "0" },
    { "name": "B", "type": "int8", "versions": "0+" },
    { "name": "C", "type": "int8", "versions": "0" }`
	f("0-1", three, "1-2", `{ "name": "B", "type": "int8", "versions": "0+" }, { "name": "D", "type": "int8", "versions": "2+" }`,
		three+`,
    { "name": "D", "type": "int8", "versions": "2+" }`)

	// In a struct a range counts only as far as the struct's own: what the two say beyond that need not agree.
	const school = `{ "name": "School", "type": "[]%s", "versions": "2+", "fields": [
      { "name": "Size", "type": "int8", "versions": "%s" }
    ] }`
	f("0-3", say(school, "Old", "0+"), "1-4", say(school, "New", "2+"), say(school, "New", "2+"))

	// Nullable and tagged ranges are merged like the field's, in one field.
	const label = `{ "name": "Label", "type": "string", "versions": "%s", "nullableVersions": "%s", "taggedVersions": "%s", "tag": 0 }`
	f("0-3", say(label, "0+", "1+", "2+"), "2-4", say(label, "2+", "0+", "2+"), say(label, "0+", "1+", "2+"))

	// A tag goes with the versions that are tagged, whichever release names it, and not without them.
	const untagged = `{ "name": "Label", "type": "string", "versions": "%s" }`
	const tagged = `{ "name": "Label", "type": "string", "versions": "%s", "taggedVersions": "%s", "tag": 0 }`
	f("0-2", say(tagged, "0+", "1"), "2-3", say(untagged, "0+"), say(tagged, "0+", "1"))
	f("0-2", say(untagged, "0+"), "2-3", say(tagged, "0+", "4+"), say(untagged, "0+"))

	// Notes are the newer's.
	const noted = `{ "name": "Pond", "type": "string", "versions": "0+", %s"entityType": "%s" }`
	f("0-3", say(noted, `"mapKey": true, `, "a"), "0-4", say(noted, `"ignorable": true, `, "b"), say(noted, `"ignorable": true, `, "b"))
}

func TestMergeHead(t *testing.T) {
	older := mustSpec(t, `{"apiKey": 9, "type": "request", "name": "OldRequest", "listeners": ["broker", "zkBroker"],
		"validVersions": "0-4", "flexibleVersions": "4+", "fields": []}`)
	newer := mustSpec(t, `{"apiKey": 9, "type": "request", "name": "NewRequest", "listeners": ["broker"],
		"validVersions": "3-5", "flexibleVersions": "4+", "latestVersionUnstable": true, "fields": []}`)
	f := func(older, newer *spec, want string) {
		t.Helper()
		got, err := merge(older, newer)
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("%s %s %v flexible %s unstable %t", got.Name, got.ValidVersions, got.Listeners, got.FlexibleVersions, got.LatestVersionUnstable)
		if line != want {
			t.Errorf("got %s, want %s", line, want)
		}
	}
	f(older, newer, "NewRequest 0-5 [broker] flexible 4+ unstable true")
	f(older, nil, "OldRequest 0-4 [broker zkBroker] flexible 4+ unstable false")
	f(nil, newer, "NewRequest 3-5 [broker] flexible 4+ unstable true")
}

func TestMergeCommonStructs(t *testing.T) {
	const form = `{"type": "data", "name": "Fish", "validVersions": %q, "flexibleVersions": "none",
		"commonStructs": [{"name": "Net", "versions": "0+", "fields": [%s]}],
		"fields": [{"name": "Nets", "type": "[]Net", "versions": "0+"}]}`
	older := mustSpec(t, fmt.Sprintf(form, "0-2", `{"name": "Mesh", "type": "int8", "versions": "0-1"}`))
	newer := mustSpec(t, fmt.Sprintf(form, "2-3", `{"name": "Width", "type": "int8", "versions": "3+"}`))
	got, err := merge(older, newer)
	if err != nil {
		t.Fatal(err)
	}
	const want = `"commonStructs": [
    { "name": "Net", "versions": "0+", "fields": [
      { "name": "Mesh", "type": "int8", "versions": "0-1" },
      { "name": "Width", "type": "int8", "versions": "3+" }
    ] }
  ]`
	if text := string(got.format()); !strings.Contains(text, want) {
		t.Errorf("got\n%s\nwant in it\n%s", text, want)
	}
	verifyAll(t, got, older, newer)
}

func TestContradictions(t *testing.T) {
	f := func(older, newer *spec, want string) {
		t.Helper()
		if got, err := merge(older, newer); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, %v, want %q", got, err, want)
		}
	}
	with := func(attributes string) string {
		return `{"name": "Fin", "type": "string", "versions": "0+"` + attributes + `}`
	}
	field := func(attributes string) *spec { return message(t, "0-3", with(attributes)) }
	only := func(valid, versions string) *spec {
		return message(t, valid, fmt.Sprintf(`{"name": "Fin", "type": "int8", "versions": %q}`, versions))
	}
	inSchool := func(typ, attributes string) *spec {
		return message(t, "0-3", `{"name": "School", "type": "`+typ+`", "versions": "0+", "fields": [`+with(attributes)+`]}`)
	}
	f(only("0-1", "0+"), only("3-4", "0+"), "validVersions: 0-1 and 3-4 leave a gap")
	f(only("0-3", "1+"), only("0-3", "2+"), "Fin: versions: 1+ in the older release, 2+ in the newer: they differ at version 1")
	f(only("0-3", "1+"), message(t, "2-4"), "Fin: versions: 1+ in the older release, none in the newer: they differ at version 2")
	f(only("0-1", "0"), only("1-3", "2+"), "Fin: versions: 0 in the older release, 2+ in the newer: not one range")
	f(only("0-3", "0+"), field(""), `Fin: type: "int8" in the older release, "string" in the newer`)
	f(field(""), field(`, "nullableVersions": "1+"`), "Fin: nullableVersions: none in the older")
	f(field(""), field(`, "taggedVersions": "2+", "tag": 0`), "Fin: taggedVersions: none in the older")
	f(field(`, "taggedVersions": "2+", "tag": 1`), field(`, "taggedVersions": "2+", "tag": 0`), `Fin: tag: "1" in the older`)
	f(field(`, "default": "x"`), field(""), `Fin: default: "x" in the older`)
	f(field(""), field(`, "flexibleVersions": "none"`), `Fin: flexibleVersions: "" in the older`)
	f(inSchool("School", ""), inSchool("[]School", ""), `School: type: "struct" in the older release, "[]struct" in the newer`)
	f(inSchool("School", ""), inSchool("School", `, "nullableVersions": "0+"`), "School.Fin: nullableVersions")
	f(inSchool("School", ""), message(t, "0-3", `{"name": "School", "type": "School", "versions": "0+"}`), "School: fields: a common struct")

	fixed := message(t, "0-3")
	fixed.FlexibleVersions = versions{}
	f(fixed, message(t, "0-3"), "flexibleVersions: none in the older release, 2+ in the newer: they differ at version 2")
}

// Fields that change places are what a merge by name would get wrong in silence: verify does not let it.
func TestReorderedFieldsDoNotVerify(t *testing.T) {
	a, b := `{"name": "A", "type": "int8", "versions": "0+"}`, `{"name": "B", "type": "int8", "versions": "0+"}`
	older, newer := message(t, "0-2", a, b), message(t, "1-3", b, a)
	merged, err := merge(older, newer)
	if err != nil {
		t.Fatal(err)
	}
	err = sameLayout(older, merged, 0)
	if err == nil || err.Error() != `version 0: the release has "A int8", the merged spec "B int8"` {
		t.Error(err)
	}
}

// Every mistake in a merged spec that would change a byte is seen by verify, in the version where it would.
func TestVerifySeesMistakes(t *testing.T) {
	claimed := mustSpec(t, published)
	f := func(mistake func(*spec), want string) {
		t.Helper()
		merged := mustSpec(t, published)
		mistake(merged)
		r := release{specs: map[id]*spec{claimed.id(): claimed}}
		if _, err := verify(r, map[id]*spec{merged.id(): merged}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f(func(s *spec) { s.APIKey = nil }, "FetchFishRequest.json: the merged specs do not have it")
	f(func(s *spec) { s.ValidVersions.until-- }, "version 2: not among the merged 0-1")
	f(func(s *spec) { s.FlexibleVersions.from = 1 }, `version 1: the release has "fixed", the merged spec "flexible"`)
	f(func(s *spec) { s.Fields[1].Versions.from = 2 }, `version 1: the release has "Depth int32 default=7"`)
	f(func(s *spec) { s.Fields[1].Type = "int16" }, `"Depth int16 default=7"`)
	f(func(s *spec) { s.Fields[4].TaggedVersions = versions{} }, `version 2: the release has "Nets []struct"`)
	f(func(s *spec) { s.Fields[4].NullableVersions = versions{} }, `"Label string nullable tag=9 flexibleVersions=none default=null"`)
	f(func(s *spec) { s.CommonStructs[0].Fields[0].Name = "Width" }, `"Nets.Mesh float64", the merged spec "Nets.Width float64"`)
	f(func(s *spec) { s.Fields = s.Fields[:6] }, `version 0: the release has "Catch []struct", the merged spec "nothing more"`)
	f(func(s *spec) { s.Fields[6].Fields = append(s.Fields[6].Fields, s.Fields[1]) }, `"nothing more", the merged spec "Catch.Depth`)
}

func TestFlatten(t *testing.T) {
	want := []string{
		"flexible",
		"Pond string default=http://pond",
		"Depth int32 default=7",
		"Frozen bool default=false",
		"Nets []struct",
		"Nets.Mesh float64",
		"Catch []struct",
		"Catch.Bytes bytes",
		"Label string nullable tag=9 flexibleVersions=none default=null",
		"Weight int8 tag=10",
	}
	if got := flatten(mustSpec(t, published), 2); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// verifyAll compares merged with every version of the specs it was made of.
func verifyAll(t *testing.T, merged *spec, claims ...*spec) {
	t.Helper()
	for _, s := range claims {
		r := release{specs: map[id]*spec{s.id(): s}}
		if n, err := verify(r, map[id]*spec{s.id(): merged}); err != nil || n != s.ValidVersions.until-s.ValidVersions.from {
			t.Errorf("%d versions compared, %v", n, err)
		}
	}
}
