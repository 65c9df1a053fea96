package main

// Shown here: specs are read as Kafka publishes them, with comments; what this program does not know it refuses; and
// there is one way to write a spec, which reading and writing keeps.

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// published is a spec in the looks of Kafka's own: licence, comments, texts, keys in any order, values bare or quoted.
const published = `// Licensed to nobody.
{
  "apiKey": 900,
  "type": "request",
  "listeners": ["zkBroker", "broker"],
  "name": "FetchFishRequest",
  // Version 1 adds Depth.
  //
  "validVersions": "0-2", // see "KIP-0"
  "deprecatedVersions": "0",
  "flexibleVersions": "2+",
  "latestVersionUnstable": true,
  "commonStructs": [
    { "name": "Net", "versions": "0+", "fields": [ { "name": "Mesh", "type": "float64", "versions": "0+" } ] }
  ],
  "fields": [
    { "versions": "0+", "type": "string", "name": "Pond", "about": "5\" deep. // not a comment",
      "entityType": "topicName", "mapKey": true, "default": "http://pond" },
    { "name": "Depth", "type": "int32", "versions": "1+", "default": 7, "ignorable": false },
    { "name": "Frozen", "type": "bool", "versions": "1+", "default": false, "ignorable": true },
    { "name": "Weight", "type": "int8", "versions": "2+", "taggedVersions": "2+", "tag": 10 },
    { "name": "Label", "type": "string", "versions": "2+", "taggedVersions": "2+", "tag": "9",
      "nullableVersions": "2+", "default": "null", "flexibleVersions": "none" },
    { "name": "Nets", "type": "[]Net", "versions": "0+" },
    { "name": "Catch", "type": "[]Catch", "versions": "0+", "fields": [
      { "name": "Bytes", "type": "bytes", "versions": "0+", "zeroCopy": true }
    ] }
  ]
}
`

const normal = `{
  "apiKey": 900,
  "type": "request",
  "name": "FetchFishRequest",
  "listeners": ["zkBroker", "broker"],
  "validVersions": "0-2",
  "flexibleVersions": "2+",
  "latestVersionUnstable": true,
  "commonStructs": [
    { "name": "Net", "versions": "0+", "fields": [
      { "name": "Mesh", "type": "float64", "versions": "0+" }
    ] }
  ],
  "fields": [
    { "name": "Pond", "type": "string", "versions": "0+", "default": "http://pond", "mapKey": true, "entityType": "topicName" },
    { "name": "Depth", "type": "int32", "versions": "1+", "default": "7" },
    { "name": "Frozen", "type": "bool", "versions": "1+", "default": "false", "ignorable": true },
    { "name": "Weight", "type": "int8", "versions": "2+", "taggedVersions": "2+", "tag": 10 },
    { "name": "Label", "type": "string", "versions": "2+", "nullableVersions": "2+", "taggedVersions": "2+", "tag": 9, "flexibleVersions": "none", "default": "null" },
    { "name": "Nets", "type": "[]Net", "versions": "0+" },
    { "name": "Catch", "type": "[]Catch", "versions": "0+", "fields": [
      { "name": "Bytes", "type": "bytes", "versions": "0+", "zeroCopy": true }
    ] }
  ]
}
`

func TestNormalForm(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := string(mustSpec(t, text).format()); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	f(published, normal)
	f(normal, normal)
	const empty = "{\n  \"type\": \"header\",\n  \"name\": \"Bare\",\n  \"validVersions\": \"0\",\n  \"flexibleVersions\": \"none\",\n  \"fields\": []\n}\n"
	f(empty, empty)
}

// The specs of this repository are as format writes them, each in the file of its message: nobody edits them by hand.
func TestOurSpecsAreNormal(t *testing.T) {
	names, err := filepath.Glob("../../schemas/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no specs: %v", err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		s := mustSpec(t, string(text))
		if !bytes.Equal(s.format(), text) || filepath.Base(name) != s.Name+".json" {
			t.Errorf("%s is not what this program writes", name)
		}
	}
}

// README.md is about the releases that the program has pinned.
func TestReadmeNamesThePinnedReleases(t *testing.T) {
	readme, err := os.ReadFile("../../schemas/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{pinnedOlder, pinnedNewer} {
		if !strings.Contains(string(readme), "**"+version+"**") {
			t.Errorf("schemas/README.md does not name %s", version)
		}
	}
}

func TestSpecsRefused(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if _, err := parseSpec([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	field := func(attributes string) string {
		return `{"type": "data", "name": "Fish", "validVersions": "0", "flexibleVersions": "none", "fields": [{"name": "Fin", "type": "int8", ` + attributes + `}]}`
	}
	f(`{`, "unexpected EOF")
	f(`{"type": "data", "validVersions": "0"}`, "a message needs a name")
	f(`{"type": "data", "name": "Fish", "flexibleVersions": "none"}`, "a message needs a name, a type and validVersions")
	f(`{"type": "data", "name": "Fish", "validVersions": "0"}`, "Fish: flexibleVersions are not said")
	f(`{"type": "data", "name": "Fish", "colour": 1}`, `unknown field "colour"`)
	f(field(`"versions": "1-"`), `version range "1-"`)
	f(field(`"default": "1"`), "Fish.Fin: a field needs a name and versions")
	f(field(`"versions": "none"`), "Fish.Fin: a field needs a name and versions")
	f(field(`"versions": "0+", "gills": true`), `unknown field "gills"`)
	f(field(`"versions": "0+", "tag": 0`), "Fish.Fin: tag and taggedVersions")
	f(field(`"versions": "0+", "taggedVersions": "0+"`), "Fish.Fin: tag and taggedVersions")
	f(field(`"versions": "0+", "taggedVersions": "0+", "tag": "x"`), `Fish.Fin: tag "x"`)
	f(field(`"versions": "0+", "fields": [{"name": "A", "versions": "0"}, {"name": "A", "versions": "1"}]`), "Fish.Fin.A: there are two")
}

func mustSpec(t *testing.T, text string) *spec {
	t.Helper()
	s, err := parseSpec([]byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return s
}
