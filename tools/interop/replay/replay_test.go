// Shown here: what real clients asked a real Kafka broker, Heraclitus answers alike, field by field. What it answers
// otherwise is named, with the reason, in testdata/frames/differences.md, and nothing is named there that is no
// difference.

package replay

import (
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"github.com/heraclitus/heraclitus/tools/capture/frames"
	"github.com/heraclitus/heraclitus/tools/internal/run"
	"github.com/heraclitus/heraclitus/tools/interop/differ"
)

const (
	recordings  = "../../../testdata/frames"
	differences = recordings + "/differences.md"
)

// notReplayed ends the names of clients that were offered more than we serve.
const notReplayed = "-newest"

// answersMin is how many answers there are at least: less means that the recordings were not found.
const answersMin = 4000

func TestReplay(t *testing.T) {
	all, err := frames.ReadAll(recordings)
	if err != nil {
		t.Fatal(err)
	}
	binary, err := run.Build("../../..", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	kafka, ours := differ.NewBook(), differ.NewBook()
	t.Run("conversation", func(t *testing.T) {
		var mu sync.Mutex // guards the books
		for _, c := range all {
			if strings.HasSuffix(c.Client, notReplayed) {
				continue
			}
			t.Run(c.String(), func(t *testing.T) {
				t.Parallel()
				then, now := differ.NewBook(), differ.NewBook()
				if err := Hold(c, start(t, binary, c), then, now); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				kafka, ours = kafka.Over(then), ours.Over(now)
			})
		}
	})
	if n := ours.Answers(); n < answersMin {
		t.Errorf("only %d answers are recorded", n)
	}
	found, _ := differ.Compare(kafka, ours)
	t.Logf("%d answers of %d conversations, %d differences", ours.Answers(), len(all), len(found))
	unexplained, stale := differ.Unexplained(found, exceptions(t))
	for _, d := range unexplained {
		t.Errorf("a difference that is not in %s:\n%s", differences, d)
	}
	if len(stale) > 0 {
		t.Errorf("%d rows of %s name what is no difference, or not in those versions:\n%s", len(stale), differences, strings.Join(stale, "\n"))
	}
}

// settings are those of the server. Recorded records may be old.
const settings = `advertised_host = "127.0.0.1"
[topics]
retention_ms = -1
[groups]
initial_rebalance_delay_ms = 0
`

// withLogin has the server ask clients who they are.
const withLogin = `[auth]
enabled = true
mechanism = "PLAIN,SCRAM-SHA-512,SCRAM-SHA-256"
plain_username = "` + User + `"
plain_password = "` + Password + `"
`

// start starts a server for a conversation and returns its address.
func start(t *testing.T, binary string, c frames.Conversation) string {
	t.Helper()
	s := &run.Heraclitus{Binary: binary, Dir: t.TempDir(), Storage: "memory://", Config: settings}
	if strings.HasPrefix(c.Scenario, "sasl-") {
		s.Config += withLogin
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Signal(syscall.SIGTERM) })
	if strings.HasPrefix(c.Scenario, "sasl-scram-") {
		addUser(t, s.Addr())
	}
	return s.Addr()
}

// addUser lets the recorded user in by SCRAM as well.
func addUser(t *testing.T, addr string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.SASL(plain.Auth{User: User, Pass: Password}.AsMechanism()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, m := range []kadm.ScramMechanism{kadm.ScramSha256, kadm.ScramSha512} {
		user := kadm.UpsertSCRAM{User: User, Mechanism: m, Iterations: 4096, Password: Password}
		altered, err := kadm.NewClient(client).AlterUserSCRAMs(t.Context(), nil, []kadm.UpsertSCRAM{user})
		if err == nil {
			err = altered.Error()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func exceptions(t *testing.T) []differ.Exception {
	t.Helper()
	f, err := os.Open(differences)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := differ.ReadExceptions(f)
	if err != nil {
		t.Fatalf("%s: %v", differences, err)
	}
	return all
}
