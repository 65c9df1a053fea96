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

	"github.com/heraclitus/heraclitus/tools/interop/internal/run"
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
}

// TestKafka shows that the golden files are what real brokers answer: it holds every script with them.
func TestKafka(t *testing.T) {
	answered := NewBook()
	for _, release := range releases {
		answered = hold(t, release).Over(answered)
	}
	if *update && !t.Failed() {
		write(t, answered)
	}
	for _, api := range apis() {
		compare(t, api, answered)
	}
}

// compare compares the answers of one API with its golden file.
func compare(t *testing.T, api int16, answered *Book) {
	t.Helper()
	var got, want strings.Builder
	if err := answered.Write(&got, of(api)); err != nil {
		t.Fatal(err)
	}
	if err := recorded(t).Write(&want, of(api)); err != nil {
		t.Fatal(err)
	}
	if got.String() != want.String() {
		t.Errorf("%s is not what Kafka answers: run the test with -update and look at what changed", golden(api))
	}
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
	return holdWith(t, target, broker.Process)
}
