//go:build full

package differ

import (
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/heraclitus/heraclitus/tools/internal/run"
)

// update writes what the brokers answer to the golden files, instead of comparing it with them.
var update = flag.Bool("update", false, "write what Kafka answers to testdata")

// releases of Kafka, the newest last. The older one serves the versions that the newer has dropped.
var releases = []string{"3.9.2", "4.3.1"}

// properties of the brokers that keep them small.
var properties = []string{
	"transaction.state.log.num.partitions=1",
	"offsets.topic.num.partitions=1",
	"log.cleaner.enable=false",
	"group.max.size=3",
	"listener.name.sasl_plaintext.connections.max.reauth.ms=3600000",
}

// TestKafka shows that the golden files are what real brokers answer, by holding every script with them, and that Heraclitus
// answers as they do in the same run. It prints the messages to people that are worded differently.
func TestKafka(t *testing.T) {
	answered := NewBook()
	for _, release := range releases {
		answered = hold(t, release).Over(answered)
	}
	if *update && !t.Failed() {
		write(t, answered)
	}
	known := recorded(t)
	for _, missing := range append(Unanswered(known, answered), Unanswered(answered, known)...) {
		t.Errorf("only recorded, or not recorded: %s", missing)
	}
	if changed, _ := Compare(known, answered); len(changed) > 0 {
		t.Errorf("Kafka answers otherwise than recorded in testdata; run with -update if that is how it should be:\n%s", rows(changed))
	}
	judge(t, answered, holdHeraclitus(t, build(t), "memory://"))
}

// write puts the answers to the chosen scripts into the golden files.
func write(t *testing.T, answered *Book) {
	t.Helper()
	all := recordedAll(t)
	maps.Copy(all.scripts, answered.scripts)
	for _, api := range apis() {
		var text strings.Builder
		if err := all.Write(&text, slices.DeleteFunc(Scripts(), func(s Script) bool { return s.Key != api })); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden(api), []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// hold holds all scripts with a broker.
func hold(t *testing.T, release string) *Book {
	t.Helper()
	broker, err := run.StartKafka(release, t.TempDir(), properties...)
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Signal(syscall.SIGTERM)
	target, err := Open(release, broker.Addr())
	if err != nil {
		t.Fatalf("%v\n%s", err, broker.Output(40))
	}
	target.SASL = broker.SASLAddr()
	return holdWith(t, target, broker.Process)
}
