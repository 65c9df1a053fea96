package differ

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/freeport"

	"github.com/heraclitus/heraclitus/pkg/storagetest"
	"github.com/heraclitus/heraclitus/pkg/wire"
	"github.com/heraclitus/heraclitus/tools/internal/run"
)

// Where this package finds what belongs to the whole repository.
const (
	root        = "../../.."
	differences = root + "/testdata/differences.md"
)

// settings are what the brokers have as well.
const settings = `advertised_host = "127.0.0.1"
[groups]
initial_rebalance_delay_ms = 0
max_size = 3
[auth]
enabled = true
mechanism = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"
plain_username = "` + run.KafkaUser + `"
plain_password = "` + run.KafkaPassword + `"
session_lifetime_ms = 3_600_000
[[listeners]]
protocol = "PLAINTEXT"
advertised_host = "127.0.0.1"
port = %d
`

// TestHeraclitus shows that Heraclitus answers every scripted request, good and bad, in every version it serves, by a
// frame that decodes to its last byte and says what Kafka said when the golden files were recorded; and that every
// difference left is named in testdata/differences.md with its reason, and nothing is named there that is no
// difference.
func TestHeraclitus(t *testing.T) {
	binary := build(t)
	t.Run("memory", func(t *testing.T) { judge(t, recorded(t), holdHeraclitus(t, binary, "memory://")) })
	t.Run("disk", func(t *testing.T) { judge(t, recorded(t), holdHeraclitus(t, binary, t.TempDir())) })
}

// judge compares two books, and the outcome with testdata/differences.md.
func judge(t *testing.T, kafka, ours *Book) {
	t.Helper()
	for _, missing := range Unanswered(kafka, ours) {
		t.Errorf("what Kafka answers is not recorded: %s: see the package comment", missing)
	}
	found, wordings := Compare(kafka, ours)
	t.Logf("%d answers, %d differences", ours.Answers(), len(found))
	if len(wordings) > 0 {
		t.Logf("%d messages are worded differently:\n%s", len(wordings), strings.Join(wordings, "\n"))
	}
	unexplained, stale := Unexplained(found, exceptions(t))
	if len(unexplained) > 0 {
		t.Errorf("%d differences are not in %s:\n%s", len(unexplained), differences, rows(unexplained))
	}
	if len(stale) > 0 && *only == "" {
		t.Errorf("%d rows of %s name what is no difference, or not in those versions:\n%s", len(stale), differences, strings.Join(stale, "\n"))
	}
}

func rows(differences []Difference) string {
	var text strings.Builder
	for _, d := range differences {
		text.WriteString(d.String() + "\n")
	}
	return text.String()
}

// build builds a server from this repository.
func build(t *testing.T) string {
	t.Helper()
	binary, err := run.Build(root, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// holdHeraclitus holds the scripts with a server of its own, that keeps its data in storage, or where package
// storagetest is told.
func holdHeraclitus(t *testing.T, binary, storage string) *Book {
	t.Helper()
	open, err := freeport.Get()
	if err != nil {
		t.Fatal(err)
	}
	place := storagetest.For(t, storage)
	s := &run.Heraclitus{Binary: binary, Env: place.Env, Dir: t.TempDir(), Storage: place.Path, Config: fmt.Sprintf(settings, open)}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	defer s.Signal(syscall.SIGTERM)
	target, err := Open("Heraclitus", fmt.Sprintf("127.0.0.1:%d", open))
	if err != nil {
		t.Fatalf("%v\n%s", err, s.Output(40))
	}
	target.SASL = s.Addr()
	for key, span := range Served {
		if got := target.versions[key]; got != span {
			t.Errorf("%s is served in versions %d-%d, and not in %d-%d", wire.Name(key), got.Min, got.Max, span.Min, span.Max)
		}
	}
	return holdWith(t, target, s.Process)
}

// holdWith holds the chosen scripts and reports what is no answer.
func holdWith(t *testing.T, target *Target, p *run.Process) *Book {
	t.Helper()
	book, err := target.Hold(chosen())
	if err != nil {
		t.Errorf("%v\n%s", err, p.Output(40))
	}
	for _, f := range book.Faults() {
		t.Error(f)
	}
	return book
}

// recorded is what Kafka answered to the chosen scripts.
func recorded(t *testing.T) *Book {
	t.Helper()
	all, some := recordedAll(t), NewBook()
	for _, s := range chosen() {
		if ch := all.scripts[s.Title()]; ch != nil {
			some.scripts[s.Title()] = ch
		}
	}
	return some
}

// recordedAll is what Kafka answered to all scripts.
func recordedAll(t *testing.T) *Book {
	t.Helper()
	all := NewBook()
	for _, api := range apis() {
		text, err := os.ReadFile(golden(api))
		if err != nil {
			t.Fatal(err)
		}
		if err := all.Read(strings.NewReader(string(text)), wire.Name(api)); err != nil {
			t.Fatalf("%s: %v", golden(api), err)
		}
	}
	return all
}

func exceptions(t *testing.T) []Exception {
	t.Helper()
	f, err := os.Open(differences)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := ReadExceptions(f)
	if err != nil {
		t.Fatalf("%s: %v", differences, err)
	}
	return all
}
