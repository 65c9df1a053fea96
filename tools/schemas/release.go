package main

import (
	"archive/zip"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// release is what one Kafka release says of the messages we keep.
type release struct {
	specs    map[id]*spec
	unstable []string // what dropUnstable took out, by request: "ShareFetchRequest 0"
}

// id tells messages apart across releases: by type and API key, since messages do get renamed; headers and data by name.
type id struct {
	kind string
	key  int
	name string
}

func (s *spec) id() id {
	if s.APIKey == nil {
		return id{kind: s.Type, name: s.Name}
	}
	return id{kind: s.Type, key: *s.APIKey}
}

// request is the id of the request that belongs to a response; of any other message, an id like its own.
func (i id) request() id { return id{kind: "request", key: i.key, name: i.name} }

// Where the specs lie in the kafka-clients jar and in Kafka's source tree.
const (
	inJar  = "common/message"
	inTree = "clients/src/main/resources/common/message"
)

// openRelease finds the specs of a release: where is a Kafka source tree, a kafka-clients jar, or a version, whose jar
// is taken from the Maven repository repo, and put there by Maven if need be. The caller calls done at the end.
func openRelease(ctx context.Context, where, repo string) (specs fs.FS, done func() error, err error) {
	if info, err := os.Stat(where); err == nil && info.IsDir() {
		return os.DirFS(filepath.Join(where, inTree)), func() error { return nil }, nil
	}
	if !strings.HasSuffix(where, ".jar") {
		if where, err = jarOf(ctx, where, repo); err != nil {
			return nil, nil, err
		}
	}
	jar, err := zip.OpenReader(where)
	if err != nil {
		return nil, nil, fmt.Errorf("open jar %s: %w", where, err)
	}
	specs, err = fs.Sub(jar, inJar)
	return specs, jar.Close, err
}

// jarOf is the path of a version's jar in a local Maven repository.
func jarOf(ctx context.Context, version, repo string) (string, error) {
	jar := filepath.Join(repo, "org/apache/kafka/kafka-clients", version, "kafka-clients-"+version+".jar")
	if _, err := os.Stat(jar); err == nil {
		return jar, nil
	}
	get := exec.CommandContext(ctx, "mvn", "--quiet", "--batch-mode", "-Dstyle.color=never", "dependency:get", "-Dtransitive=false",
		"-Dmaven.repo.local="+repo, "-Dartifact=org.apache.kafka:kafka-clients:"+version)
	get.Stdout, get.Stderr = os.Stderr, os.Stderr
	if err := get.Run(); err != nil {
		return "", fmt.Errorf("get kafka-clients %s by Maven: %w", version, err)
	}
	return jar, nil
}

// readRelease reads all specs of a release and keeps those that a client may meet.
func readRelease(files fs.FS) (release, error) {
	specs, err := readSpecs(files)
	if err == nil && len(specs) == 0 {
		err = fmt.Errorf("no message specs (*.json) in %s or %s", inJar, inTree)
	}
	r := release{specs: specs}
	r.keepClients()
	return r, err
}

// readSpecs reads all specs of a folder.
func readSpecs(files fs.FS) (map[id]*spec, error) {
	specs := map[id]*spec{}
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		s, err := parseSpec(text)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if other := specs[s.id()]; other != nil {
			return nil, fmt.Errorf("read %s: %s is the same message", name, other.Name)
		}
		specs[s.id()] = s
	}
	return specs, nil
}

// keepClients drops what only brokers and controllers say to each other. A response goes with its request.
func (r *release) keepClients() {
	served := map[int]bool{}
	for id, s := range r.specs {
		if id.kind == "request" && slices.Contains(s.Listeners, "broker") {
			served[id.key] = true
		}
	}
	maps.DeleteFunc(r.specs, func(id id, s *spec) bool {
		switch id.kind {
		case "request", "response":
			return !served[id.key]
		case "data":
			return s.Name != "ConsumerProtocolSubscription" && s.Name != "ConsumerProtocolAssignment"
		}
		return id.kind != "header"
	})
}

// dropUnstable takes out of each request and its response the last version if the release marks it unstable. That is
// for the older of two releases: what it did not stand by, the newer may have changed or taken back.
func (r *release) dropUnstable() {
	for id, s := range r.specs {
		request := r.specs[id.request()]
		if request == nil || !request.LatestVersionUnstable {
			continue
		}
		if s == request {
			r.unstable = append(r.unstable, fmt.Sprintf("%s %d", s.Name, s.ValidVersions.last()))
		}
		s.ValidVersions.until--
	}
	for _, s := range r.specs {
		s.LatestVersionUnstable = false
	}
	slices.Sort(r.unstable)
}
