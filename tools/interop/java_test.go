//go:build full

package interop

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/tools/internal/run"
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

// javaTools has the class path of a release, from Maven.
func javaTools(t *testing.T, version string) java {
	t.Helper()
	classpath, err := run.ClassPath(version)
	if err != nil {
		t.Fatal(err)
	}
	return java{classpath}
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
