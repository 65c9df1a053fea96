package topic

import "testing"

// TestBrokerNames shows what Kafka 4.3.1 calls the broker's settings that topics' settings go over, and that no name here
// is of a setting that there is not.
func TestBrokerNames(t *testing.T) {
	f := func(name, want string) {
		t.Helper()
		if got := Named(name).BrokerName(); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	f("retention.ms", "log.retention.ms")
	f("max.message.bytes", "message.max.bytes")
	f("min.insync.replicas", "min.insync.replicas")
	f("remote.storage.enable", "")
	for name := range brokerNames {
		if Named(name) == nil {
			t.Errorf("there is no %s", name)
		}
	}
}
