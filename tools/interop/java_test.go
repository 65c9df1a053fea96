//go:build full

package interop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// javaVersions are the releases of Kafka's own clients and tools that are tried.
var javaVersions = []string{"3.9.2", "4.3.1"}

// TestJava creates a topic with Kafka's own tool, produces in every codec with its console producer (idempotent, as it comes),
// reads with its console consumer, without a group, and describes what there is.
func TestJava(t *testing.T) {
	for _, version := range javaVersions {
		tools := javaTools(t, version)
		producer := "org.apache.kafka.tools.ConsoleProducer"
		if strings.HasPrefix(version, "3.") {
			producer = "kafka.tools.ConsoleProducer"
		}
		onEachStorage(t, func(t *testing.T, s *server) {
			for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
				topic := "java-" + codec
				tools.run(t, "", "org.apache.kafka.tools.TopicCommand", "--bootstrap-server", s.addr(), "--create", "--topic", topic, "--partitions", "1", "--config", "retention.ms=3600000")
				var lines []string
				for i := range 500 {
					lines = append(lines, fmt.Sprintf("key-%d\tvalue %d in %s", i, i, codec))
				}
				text := strings.Join(lines, "\n") + "\n"
				tools.run(t, text, producer, "--bootstrap-server", s.addr(), "--topic", topic, "--compression-codec", codec,
					"--property", "parse.key=true", "--producer-property", "acks=all")
				got := tools.run(t, "", "org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", s.addr(), "--topic", topic,
					"--partition", "0", "--offset", "earliest", "--max-messages", "500", "--timeout-ms", "20000", "--property", "print.key=true")
				if !strings.HasSuffix(got, text) { // newer tools begin with a word on their own options
					t.Errorf("%s %s: got %d bytes, want %d:\n%.300s", version, codec, len(got), len(text), got)
				}
			}
			described := tools.run(t, "", "org.apache.kafka.tools.TopicCommand", "--bootstrap-server", s.addr(), "--list")
			if described != "java-gzip\njava-lz4\njava-none\njava-snappy\njava-zstd\n" {
				t.Errorf("%s: list of topics: %q", version, described)
			}
			offsets := tools.run(t, "", "org.apache.kafka.tools.GetOffsetShell", "--bootstrap-server", s.addr(), "--topic", "java-zstd")
			if offsets != "java-zstd:0:500\n" {
				t.Errorf("%s: offsets: %q", version, offsets)
			}
		})
	}
}

// java is the class path of one release.
type java struct{ classpath string }

// javaTools has Maven copy a release's clients and tools into the user's cache, once.
func javaTools(t *testing.T, version string) java {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "heraclitus-interop", "kafka-"+version)
	if _, err := os.Stat(filepath.Join(dir, "done")); err == nil {
		return java{filepath.Join(dir, "lib", "*")}
	}
	pom := fmt.Sprintf(`<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>interop</artifactId><version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>%[1]s</version></dependency>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>%[1]s</version></dependency>
</dependencies></project>`, version)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "pom.xml"), []byte(pom), 0o644); err != nil {
		t.Fatal(err)
	}
	mvn := exec.Command("mvn", "-q", "-f", filepath.Join(dir, "pom.xml"), "dependency:copy-dependencies", "-DoutputDirectory="+filepath.Join(dir, "lib"))
	if out, err := mvn.CombinedOutput(); err != nil {
		t.Fatalf("fetch Kafka %s: %v\n%s", version, err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "done"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return java{filepath.Join(dir, "lib", "*")}
}

// run runs a main class and returns what it printed.
func (j java) run(t *testing.T, stdin, class string, args ...string) string {
	t.Helper()
	cmd := exec.Command("java", append([]string{"-cp", j.classpath, class}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s%s", class, strings.Join(args, " "), err, out.String(), errs.String())
	}
	return out.String()
}
