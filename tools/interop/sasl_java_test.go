//go:build full

package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestJavaScram gives a user a password with Kafka's own tool, has Kafka's producer come in as that user and produce
// for longer than a session lasts, which it renews, and takes the user away again. A producer that is held up when it
// would renew its session has to connect anew, so another one may try.
func TestJavaScram(t *testing.T) {
	for _, version := range javaVersions {
		tools := javaTools(t, version)
		s := startSASL(t, saslConfig+"session_lifetime_ms = 5000\n")
		admin := javaLogin(t, "SCRAM-SHA-512", saslUser, saslPassword)
		alter := func(change ...string) {
			args := []string{"--bootstrap-server", s.addr(), "--command-config", admin, "--alter", "--entity-type", "users", "--entity-name", "jane"}
			if got := tools.run(t, "", "kafka.admin.ConfigCommand", append(args, change...)...); got != "Completed updating config for user jane.\n" {
				t.Errorf("%s: %s", version, got)
			}
		}
		alter("--add-config", "SCRAM-SHA-256=[iterations=8192,password=pass=word]")
		before, login := renewed(t, s, "SCRAM-SHA-256"), javaLogin(t, "SCRAM-SHA-256", "jane", "pass=word")
		for tries := 0; renewed(t, s, "SCRAM-SHA-256") <= before && tries < 5; tries++ {
			tools.run(t, "", "org.apache.kafka.tools.ProducerPerformance", "--topic", "jane", "--num-records", "3000", "--record-size", "10", "--throughput", "200",
				"--producer-props", "bootstrap.servers="+s.addr(), "acks=all", "--producer.config", login)
		}
		if renewed(t, s, "SCRAM-SHA-256") <= before {
			t.Errorf("%s: no session was renewed", version)
		}
		alter("--delete-config", "SCRAM-SHA-256")
	}
}

// javaLogin is a file of the settings by which Kafka's clients come in.
func javaLogin(t *testing.T, mechanism, name, password string) string {
	t.Helper()
	const settings = `security.protocol=SASL_PLAINTEXT
sasl.mechanism=%s
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="%s" password="%s";
`
	file := filepath.Join(t.TempDir(), "login.properties")
	if err := os.WriteFile(file, fmt.Appendf(nil, settings, mechanism, name, password), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
