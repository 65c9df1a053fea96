package main

// Shown here, with jars and source trees of our own: the way from two releases to a folder of specs, what is printed
// on the way, and that -check finds a folder which is not what the releases make.

import (
	"archive/zip"
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Two releases of a small Kafka. The newer has dropped Swim 0, renamed fields and the message Dive, and brings Fly. Of
// what the older called unstable it stands by Crawl 1; Wade and Sink it has given up.
var (
	olderFiles = map[string]string{
		"SwimRequest.json": `// Comment.
			{"apiKey": 0, "type": "request", "listeners": ["zkBroker", "broker"], "name": "SwimRequest",
			"validVersions": "0-2", "flexibleVersions": "2+", "fields": [
			{"name": "Lake", "type": "string", "versions": "0+", "about": "Where."},
			{"name": "Strokes", "type": "[]int64", "versions": "0"}]}`,
		"SwimResponse.json": `{"apiKey": 0, "type": "response", "name": "SwimResponse",
			"validVersions": "0-2", "flexibleVersions": "2+", "fields": []}`,
		"DiveRequest.json": `{"apiKey": 1, "type": "request", "listeners": ["broker"], "name": "DiveRequest",
			"validVersions": "0", "flexibleVersions": "none", "fields": []}`,
		"DiveResponse.json": `{"apiKey": 1, "type": "response", "name": "DiveResponse",
			"validVersions": "0", "flexibleVersions": "none", "fields": [
			{"name": "Ponds", "type": "[]Pond", "versions": "0+", "fields": [{"name": "Id", "type": "int8", "versions": "0+"}]}]}`,
		"CrawlRequest.json": `{"apiKey": 2, "type": "request", "listeners": ["broker"], "name": "CrawlRequest",
			"validVersions": "0-1", "flexibleVersions": "none", "latestVersionUnstable": true, "fields": [
			{"name": "Speed", "type": "int8", "versions": "1+"}]}`,
		"CrawlResponse.json": `{"apiKey": 2, "type": "response", "name": "CrawlResponse",
			"validVersions": "0-1", "flexibleVersions": "none", "fields": []}`,
		"WadeRequest.json": `{"apiKey": 5, "type": "request", "listeners": ["broker"], "name": "WadeRequest",
			"validVersions": "0-1", "flexibleVersions": "none", "latestVersionUnstable": true, "fields": []}`,
		"SinkRequest.json": `{"apiKey": 6, "type": "request", "listeners": ["broker"], "name": "SinkRequest",
			"validVersions": "1", "flexibleVersions": "none", "latestVersionUnstable": true, "fields": []}`,
		"VoteRequest.json": `{"apiKey": 52, "type": "request", "listeners": ["controller"], "name": "VoteRequest",
			"validVersions": "0", "flexibleVersions": "none", "fields": []}`,
		"VoteResponse.json": `{"apiKey": 52, "type": "response", "name": "VoteResponse",
			"validVersions": "0", "flexibleVersions": "none", "fields": []}`,
		"RequestHeader.json": `{"type": "header", "name": "RequestHeader",
			"validVersions": "0-2", "flexibleVersions": "2+", "fields": []}`,
		"ConsumerProtocolAssignment.json": `{"type": "data", "name": "ConsumerProtocolAssignment",
			"validVersions": "0-1", "flexibleVersions": "none", "fields": []}`,
		"SnapshotHeader.json": `{"type": "data", "name": "SnapshotHeader",
			"validVersions": "0", "flexibleVersions": "none", "fields": []}`,
	}
	newerFiles = map[string]string{
		"SwimRequest.json": `{"apiKey": 0, "type": "request", "listeners": ["broker"], "name": "SwimRequest",
			"validVersions": "1-3", "flexibleVersions": "2+", "latestVersionUnstable": true, "fields": [
			{"name": "Water", "type": "string", "versions": "0+"}]}`,
		"SwimResponse.json": `{"apiKey": 0, "type": "response", "name": "SwimResponse",
			"validVersions": "1-3", "flexibleVersions": "2+", "fields": []}`,
		"DiveRequest.json": `{"apiKey": 1, "type": "request", "listeners": ["broker"], "name": "PlungeRequest",
			"validVersions": "0-1", "flexibleVersions": "none", "fields": []}`,
		"DiveResponse.json": `{"apiKey": 1, "type": "response", "name": "PlungeResponse",
			"validVersions": "0-1", "flexibleVersions": "none", "fields": [
			{"name": "Lakes", "type": "[]Lake", "versions": "0+", "fields": [{"name": "LakeId", "type": "int8", "versions": "0+"}]}]}`,
		"CrawlRequest.json": `{"apiKey": 2, "type": "request", "listeners": ["broker"], "name": "CrawlRequest",
			"validVersions": "0-1", "flexibleVersions": "none", "fields": []}`,
		"CrawlResponse.json": `{"apiKey": 2, "type": "response", "name": "CrawlResponse",
			"validVersions": "0-1", "flexibleVersions": "none", "fields": []}`,
		"FlyRequest.json": `{"apiKey": 3, "type": "request", "listeners": ["broker", "controller"], "name": "FlyRequest",
			"validVersions": "0", "flexibleVersions": "0+", "fields": []}`,
		"FlyResponse.json": `{"apiKey": 3, "type": "response", "name": "FlyResponse",
			"validVersions": "0", "flexibleVersions": "0+", "fields": []}`,
		"OldRequest.json":  `{"apiKey": 4, "type": "request", "name": "OldRequest", "validVersions": "none"}`,
		"OldResponse.json": `{"apiKey": 4, "type": "response", "name": "OldResponse", "validVersions": "none"}`,
		"RequestHeader.json": `{"type": "header", "name": "RequestHeader",
			"validVersions": "1-2", "flexibleVersions": "2+", "fields": []}`,
	}
	testRenames = map[string]string{
		"SwimRequest.Lake":      "Water",
		"DiveResponse.Ponds":    "Lakes",
		"DiveResponse.Ponds.Id": "LakeId",
	}
)

// writeJar makes a jar with the specs where kafka-clients has them, and things beside them.
func writeJar(t *testing.T, path string, files map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	jar := zip.NewWriter(&b)
	entries := map[string]string{"META-INF/MANIFEST.MF": "", "org/example/Class.class": "\xca\xfe", inJar + "/README.md": ""}
	for name, text := range files {
		entries[inJar+"/"+name] = text
	}
	for name, text := range entries {
		w, err := jar.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := jar.Close(); err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, b.String())
	return path
}

// writeTree makes a source tree with the specs where Kafka has them.
func writeTree(t *testing.T, root string, files map[string]string) string {
	t.Helper()
	for name, text := range files {
		writeFile(t, filepath.Join(root, inTree, name), text)
	}
	return root
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// testOptions is both releases, as jar and as source tree, and an empty folder.
func testOptions(t *testing.T) options {
	t.Helper()
	dir := t.TempDir()
	return options{
		older:   writeJar(t, filepath.Join(dir, "older.jar"), olderFiles),
		newer:   writeTree(t, filepath.Join(dir, "newer"), newerFiles),
		dir:     t.TempDir(),
		renames: testRenames,
	}
}

func mustRun(t *testing.T, o options) string {
	t.Helper()
	var out strings.Builder
	if err := run(t.Context(), o, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func mustFail(t *testing.T, o options, want string) {
	t.Helper()
	var out strings.Builder
	if err := run(t.Context(), o, &out); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

// listing is the name and the versions of each spec in a folder.
func listing(t *testing.T, dir string) []string {
	t.Helper()
	specs, err := readSpecs(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for s := range maps.Values(specs) {
		lines = append(lines, s.Name+" "+s.ValidVersions.String())
	}
	slices.Sort(lines)
	return lines
}

func TestRunWritesWhatClientsMeet(t *testing.T) {
	o := testOptions(t)
	const want = `11 messages; layouts verified: 16 of the older release, 18 of the newer
left to the newer release, because the older calls them unstable: CrawlRequest 1, SinkRequest 1, WadeRequest 1
Swim                                   new, 0-3 (3 is unstable)
Plunge                                 new, 0-1
Crawl                                  new, 0-1
Fly                                    new, 0
Wade                                   new, 0
ConsumerProtocolAssignment             new, 0-1
RequestHeader                          new, 0-2
`
	if got := mustRun(t, o); got != want {
		t.Errorf("printed\n%s\nwant\n%s", got, want)
	}
	files := []string{"ConsumerProtocolAssignment 0-1", "CrawlRequest 0-1", "CrawlResponse 0-1", "FlyRequest 0", "FlyResponse 0",
		"PlungeRequest 0-1", "PlungeResponse 0-1", "RequestHeader 0-2", "SwimRequest 0-3", "SwimResponse 0-3", "WadeRequest 0"}
	if got := listing(t, o.dir); !slices.Equal(got, files) {
		t.Errorf("written\n%q\nwant\n%q", got, files)
	}
	swim, err := os.ReadFile(filepath.Join(o.dir, "SwimRequest.json"))
	if err != nil {
		t.Fatal(err)
	}
	const fields = `"fields": [
    { "name": "Water", "type": "string", "versions": "0+" },
    { "name": "Strokes", "type": "[]int64", "versions": "0" }
  ]`
	if !strings.Contains(string(swim), fields) {
		t.Errorf("got\n%s\nwant in it\n%s", swim, fields)
	}
}

// A second run changes nothing; the next release's run says what it brings, and clears away what is gone.
func TestRunPrintsWhatChanged(t *testing.T) {
	o := testOptions(t)
	mustRun(t, o)
	if lines := strings.Count(mustRun(t, o), "\n"); lines != 2 {
		t.Errorf("a run without changes printed %d lines, want the 2 at the top", lines)
	}
	next := maps.Clone(newerFiles)
	for _, name := range []string{"SwimRequest.json", "SwimResponse.json"} {
		next[name] = strings.ReplaceAll(next[name], `"1-3"`, `"1-4"`)
	}
	next["CrawlResponse.json"] = strings.ReplaceAll(next["CrawlResponse.json"], `"0-1"`, `"0-2"`)
	next["DiveRequest.json"] = strings.ReplaceAll(next["DiveRequest.json"], "broker", "controller")
	delete(next, "FlyRequest.json")
	next["RequestHeader.json"] = strings.ReplaceAll(next["RequestHeader.json"], `[]`, `[{"name": "A", "type": "int8", "versions": "2+", "taggedVersions": "2+", "tag": 0}]`)
	o.newer = writeTree(t, t.TempDir(), next)
	o.older = writeTree(t, t.TempDir(), map[string]string{"ResponseHeader.json": `{"type": "header", "name": "ResponseHeader",
			"validVersions": "0", "flexibleVersions": "none", "fields": []}`})
	const want = `Swim                                   1-4, was 0-3 (4 is unstable)
Plunge                                 gone, was 0-1
CrawlResponse                          0-2, was 0-1
Fly                                    gone, was 0
Wade                                   gone, was 0
ConsumerProtocolAssignment             gone, was 0-1
RequestHeader                          1-2, was 0-2
ResponseHeader                         new, 0
`
	_, got, _ := strings.Cut(mustRun(t, o), "\n")
	if got != want {
		t.Errorf("printed\n%s\nwant\n%s", got, want)
	}
	files := []string{"CrawlRequest 0-1", "CrawlResponse 0-2", "RequestHeader 1-2", "ResponseHeader 0", "SwimRequest 1-4", "SwimResponse 1-4"}
	if got := listing(t, o.dir); !slices.Equal(got, files) {
		t.Errorf("left\n%q\nwant\n%q", got, files)
	}
}

// A response whose request is in neither set has a line of its own.
func TestDiffOfALoneResponse(t *testing.T) {
	s := mustSpec(t, newerFiles["FlyResponse.json"])
	const want = "FlyResponse                            new, 0"
	if got := diff(nil, map[id]*spec{s.id(): s}); len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A list of renames does no harm to a release from before them.
func TestRunRenamesFiles(t *testing.T) {
	o := testOptions(t)
	renamed := o.newer
	o.newer = o.older
	mustRun(t, o)
	o.newer = renamed
	if got := mustRun(t, o); !strings.Contains(got, "Plunge                                 0-1, was 0\n") {
		t.Error(got)
	}
	if _, err := os.Stat(filepath.Join(o.dir, "DiveRequest.json")); !os.IsNotExist(err) {
		t.Errorf("DiveRequest.json is still there: %v", err)
	}
}

func TestCheck(t *testing.T) {
	o := testOptions(t)
	mustRun(t, o)
	o.check = true
	if got := mustRun(t, o); !strings.HasPrefix(got, "11 messages; layouts verified: ") {
		t.Error(got)
	}
	swim := filepath.Join(o.dir, "SwimRequest.json")
	text, err := os.ReadFile(swim)
	if err != nil {
		t.Fatal(err)
	}
	edit := func(old, new string) { writeFile(t, swim, strings.ReplaceAll(string(text), old, new)) }
	edit(`"Water", "type": "string"`, `"Water", "type": "bytes"`)
	mustFail(t, o, `verify against the older release: SwimRequest.json: version 0: the release has "Water string"`)
	edit(`"type": "[]int64", "versions": "0"`, `"type": "[]int64", "versions": "0", "ignorable": true`)
	mustFail(t, o, "the folder is not what the releases make: Swim ")
	if got, err := os.ReadFile(swim); err != nil || !strings.Contains(string(got), "ignorable") {
		t.Errorf("a check wrote to the folder: %v", err)
	}
}

func TestRunStops(t *testing.T) {
	f := func(name, text, want string) {
		t.Helper()
		o := testOptions(t)
		files := maps.Clone(newerFiles)
		files[name] = text
		o.newer = writeTree(t, t.TempDir(), files)
		mustFail(t, o, want)
		if got := listing(t, o.dir); len(got) != 0 {
			t.Errorf("stopped, but wrote %q", got)
		}
	}
	f("SwimRequest.json", strings.ReplaceAll(newerFiles["SwimRequest.json"], `"string"`, `"bytes"`),
		`merge SwimRequest.json: Water: type: "string" in the older release, "bytes" in the newer`)
	f("SwimRequest.json", strings.ReplaceAll(newerFiles["SwimRequest.json"], "Water", "Ocean"),
		"merge SwimRequest.json: Lake: versions: 0+ in the older release, none in the newer")
	f("Fly2Request.json", newerFiles["FlyRequest.json"], "read FlyRequest.json: FlyRequest is the same message")
	f("FlyRequest.json", `{"wings": 2}`, `read FlyRequest.json: json: unknown field "wings"`)
}

// A version is looked for in the local Maven repository, where Maven itself would have put it.
func TestReleaseByVersion(t *testing.T) {
	o := testOptions(t)
	o.repo = t.TempDir()
	writeJar(t, filepath.Join(o.repo, "org/apache/kafka/kafka-clients/8.9/kafka-clients-8.9.jar"), newerFiles)
	o.newer = "8.9"
	if got := mustRun(t, o); !strings.Contains(got, "\nFly ") {
		t.Error(got)
	}
	t.Setenv("PATH", t.TempDir())
	o.newer = "9.0"
	mustFail(t, o, "get kafka-clients 9.0 by Maven: ")
}

func TestReleaseWithoutSpecs(t *testing.T) {
	o := testOptions(t)
	o.newer = writeJar(t, filepath.Join(t.TempDir(), "empty.jar"), nil)
	mustFail(t, o, "no message specs (*.json) in "+inJar)
	o.newer = filepath.Join(t.TempDir(), "absent.jar")
	mustFail(t, o, "open jar ")
}
