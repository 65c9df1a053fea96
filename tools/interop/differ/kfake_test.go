package differ

import (
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// kfakeCannot are scripts that kfake ends with, or hangs in, and why.
var kfakeCannot = []struct{ script, why string }{
	{"ApiVersions: keys nobody knows", "it panics"},
	{"ApiVersions: requests from the future", "likewise"},
	{"ApiVersions: lengths", "likewise"},
	{"ApiVersions: headers", "it answers a request without a correlation id"},
	{"Fetch: how long to wait", "it answers a fetch of nothing when something is produced"},
	{"JoinGroup: more than fit", "it has no group.max.size, so that the one too many waits"},
	{"JoinGroup: a static member that is replaced before the sync", "it waits for who was replaced"},
	{"LeaveGroup: who waits", "it does not answer who has left"},
	{"Metadata: topics made by being asked for", "it makes none in version 1, and one would wait for it"},
}

// TestKfake holds the scripts with kfake, franz-go's implementation of a broker, in the same run as with Heraclitus,
// and shows that all it answers decodes to the last byte, and that wherever the two differ Kafka's recorded answer is
// either ours or one that testdata/differences.md says we differ from. With -v it prints where kfake differs from
// Kafka.
func TestKfake(t *testing.T) {
	theirs, ours := holdKfake(t), holdHeraclitus(t, build(t), "memory://")
	alone, shared, others := Third(recorded(t), theirs, ours)
	t.Logf("%d answers; kfake differs from Kafka and us in %d places, we differ from Kafka in %d more", theirs.Answers(), len(alone), len(shared))
	t.Logf("kfake differs from Kafka here (in the column of Kafka stands what kfake answers):\n%s", rows(alone))
	if unexplained, _ := Unexplained(others, exceptions(t)); len(unexplained) > 0 {
		t.Errorf("%d differences to kfake, where it is not recorded what Kafka answers:\n%s", len(unexplained), rows(unexplained))
	}
}

// holdKfake holds the scripts with kfake that it gets through.
func holdKfake(t *testing.T) *Book {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.AllowAutoTopicCreation(), kfake.DefaultNumPartitions(1))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	target, err := Open("kfake", cluster.ListenAddrs()[0])
	if err != nil {
		t.Fatal(err)
	}
	book, err := target.Hold(slices.DeleteFunc(chosen(), cannotWithKfake))
	if err != nil {
		t.Logf("a script that kfake does not get through: %v", err)
	}
	for _, f := range book.Faults() {
		t.Error(f)
	}
	return book
}

func cannotWithKfake(s Script) bool {
	return slices.ContainsFunc(kfakeCannot, func(c struct{ script, why string }) bool { return c.script == s.Title() })
}
