// What is shown here: the names and the values that Kafka 4.3 takes are taken, those it refuses are refused, with its
// codes; every setting says its default back as Kafka does; and a refused value changes nothing. The cases were put to a
// real 4.3.1 broker, by CreateTopics with validate_only.
package topic

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

func TestCheckName(t *testing.T) {
	f := func(name, why string) {
		t.Helper()
		err := CheckName(name)
		if why == "" && err != nil || why != "" && (!errors.Is(err, kerr.InvalidTopicException) || !strings.Contains(err.Error(), why)) {
			t.Errorf("%q: %v, want %q", name, err, why)
		}
	}
	f("orders", "")
	f("A.b_c-9", "")
	f("...", "")
	f("__consumer_offsets", "")
	f(strings.Repeat("x", NameBytesMax), "")
	f(strings.Repeat("x", NameBytesMax+1), "length 250 is more than 249")
	f("", "empty")
	f(".", "'.' is not allowed")
	f("..", "'..' is not allowed")
	f("a/b", "characters other than")
	f("a b", "characters other than")
	f("ü", "characters other than")
	f("a\x00", "characters other than")
	f("\xff", "characters other than")
}

func TestCollisions(t *testing.T) {
	f := func(a, b string, collide bool) {
		t.Helper()
		if got := MayCollide(a) && Unified(a) == Unified(b); got != collide {
			t.Errorf("%s and %s: %t", a, b, got)
		}
	}
	f("a.b", "a_b", true)
	f("a.b_c", "a_b.c", true)
	f("a.b", "a-b", false)
	f("ab", "a.b", false)
}

func TestIsInternal(t *testing.T) {
	if !IsInternal("__consumer_offsets") || IsInternal("consumer_offsets") || IsInternal("__mine") {
		t.Error("wrong about which topics are Kafka's own")
	}
}

// defaults are what Kafka 4.3.1 answers for a topic created without settings.
var defaults = map[string]string{
	"cleanup.policy": "delete", "compression.gzip.level": "-1", "compression.lz4.level": "9", "compression.type": "producer",
	"compression.zstd.level": "3", "delete.retention.ms": "86400000", "file.delete.delay.ms": "60000",
	"flush.messages": "9223372036854775807", "flush.ms": "9223372036854775807", "follower.replication.throttled.replicas": "",
	"index.interval.bytes": "4096", "leader.replication.throttled.replicas": "", "local.retention.bytes": "-2", "local.retention.ms": "-2",
	"max.compaction.lag.ms": "9223372036854775807", "max.message.bytes": "1048588", "message.timestamp.after.max.ms": "3600000",
	"message.timestamp.before.max.ms": "9223372036854775807", "message.timestamp.type": "CreateTime", "min.cleanable.dirty.ratio": "0.5",
	"min.compaction.lag.ms": "0", "min.insync.replicas": "1", "preallocate": "false", "remote.log.copy.disable": "false",
	"remote.log.delete.on.disable": "false", "remote.storage.enable": "false", "retention.bytes": "-1", "retention.ms": "604800000",
	"segment.bytes": "1073741824", "segment.index.bytes": "10485760", "segment.jitter.ms": "0", "segment.ms": "604800000",
	"unclean.leader.election.enable": "false",
}

func TestDefaults(t *testing.T) {
	s := Defaults()
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	var names []string
	for d := range All() {
		names = append(names, d.Name)
		if want, ok := defaults[d.Name]; !ok || d.Value(&s) != want {
			t.Errorf("%s is %q, want %q", d.Name, d.Value(&s), want)
		}
		if d.Doc == "" || d.Kind == 0 || Named(d.Name) != d {
			t.Errorf("%s is not described", d.Name)
		}
	}
	if len(names) != len(defaults) || !slices.IsSorted(names) {
		t.Errorf("%d settings, want %d, by name: %v", len(names), len(defaults), names)
	}
}

// TestDefaultsAreValid shows that every default is a value that Set takes, and that setting it changes nothing.
func TestDefaultsAreValid(t *testing.T) {
	s := Defaults()
	for name, value := range defaults {
		if err := s.Set(name, value); err != nil {
			t.Error(err)
		}
	}
	if s != Defaults() {
		t.Errorf("%+v", s)
	}
}

func TestSet(t *testing.T) {
	// f sets one setting and expects it to read as want; "!" stands for a refusal.
	f := func(name, value, want string) {
		t.Helper()
		s := Defaults()
		err := s.Set(name, value)
		if want == "!" {
			if !errors.Is(err, kerr.InvalidConfig) || s != Defaults() {
				t.Errorf("%s=%q: %v, %+v", name, value, err, s)
			}
			return
		}
		if err != nil || Named(name).Value(&s) != want {
			t.Errorf("%s=%q: %v, reads %q", name, value, err, Named(name).Value(&s))
		}
	}
	f("nonsense", "x", "!")
	f("", "", "!")
	f("message.format.version", "3.0", "!") // gone in Kafka 4
	f("retention.ms", "x", "!")
	f("retention.ms", "", "!")
	f("retention.ms", "-2", "!")
	f("retention.ms", "9223372036854775808", "!")
	f("retention.ms", " 12 ", "12")
	f("retention.ms", "+5", "5")
	f("retention.ms", "-1", "-1")
	f("retention.bytes", "-7", "-7")
	f("max.message.bytes", "-1", "!")
	f("max.message.bytes", "2147483648", "!")
	f("max.message.bytes", "0", "0")
	f("cleanup.policy", "compact,delete", "compact,delete")
	f("cleanup.policy", " delete , compact ", "compact,delete")
	f("cleanup.policy", "compact,compact", "compact")
	f("cleanup.policy", "", "")
	f("cleanup.policy", "DELETE", "!")
	f("cleanup.policy", "compact,squash", "!")
	f("compression.type", "gzip", "gzip")
	f("compression.type", "uncompressed", "uncompressed")
	f("compression.type", " gzip ", "gzip")
	f("message.timestamp.type", " LogAppendTime", "LogAppendTime")
	f("compression.type", "GZIP", "!")
	f("compression.type", "none", "!")
	f("compression.gzip.level", "-1", "-1")
	f("compression.gzip.level", "0", "!")
	f("compression.gzip.level", "9", "9")
	f("compression.gzip.level", "10", "!")
	f("compression.gzip.level", "x", "!")
	f("compression.lz4.level", "0", "!")
	f("compression.lz4.level", "17", "17")
	f("compression.lz4.level", "18", "!")
	f("compression.zstd.level", "-131072", "-131072")
	f("compression.zstd.level", "-131073", "!")
	f("compression.zstd.level", "23", "!")
	f("message.timestamp.type", "LogAppendTime", "LogAppendTime")
	f("message.timestamp.type", "logappendtime", "!")
	f("message.timestamp.before.max.ms", "-1", "!")
	f("message.timestamp.after.max.ms", "0", "0")
	f("min.cleanable.dirty.ratio", "5e-1", "0.5")
	f("min.cleanable.dirty.ratio", "1", "1.0")
	f("min.cleanable.dirty.ratio", "1.1", "!")
	f("min.cleanable.dirty.ratio", "-0.1", "!")
	f("min.cleanable.dirty.ratio", "NaN", "!") // Kafka takes it, by no intention one can see
	f("segment.bytes", "1048575", "!")
	f("segment.bytes", "1048576", "1048576")
	f("segment.ms", "0", "!")
	f("segment.index.bytes", "3", "!")
	f("flush.messages", "0", "!")
	f("max.compaction.lag.ms", "0", "!")
	f("preallocate", " TRUE ", "true")
	f("unclean.leader.election.enable", "yes", "!")
	f("min.insync.replicas", "0", "!")
	f("leader.replication.throttled.replicas", "0:1,1:2", "0:1,1:2")
	f("leader.replication.throttled.replicas", "*", "*")
	f("leader.replication.throttled.replicas", "none", "!")
	f("follower.replication.throttled.replicas", "0:x", "!")
	f("follower.replication.throttled.replicas", "*,0:1", "!")
	f("local.retention.ms", "-3", "!")
	f("local.retention.bytes", "-2", "-2")
	f("remote.storage.enable", "maybe", "!")
}

// TestShown shows how values that were set are described: as 4.3.1 described those of a topic that was created with them.
func TestShown(t *testing.T) {
	f := func(name, value, want string) {
		t.Helper()
		if got := Named(name).Shown(value); got != want {
			t.Errorf("%s=%q is shown as %q, want %q", name, value, got, want)
		}
	}
	f("retention.ms", " 5 ", "5")
	f("max.message.bytes", "+7", "7")
	f("preallocate", "TRUE", "true")
	f("compression.type", " gzip ", "gzip")
	f("message.timestamp.type", " LogAppendTime", "LogAppendTime")
	f("min.cleanable.dirty.ratio", "1", "1.0")
	f("min.cleanable.dirty.ratio", ".5", "0.5")
	f("min.cleanable.dirty.ratio", "0.250", "0.25")
	f("cleanup.policy", "delete, compact,delete", "delete,compact")
	f("cleanup.policy", "compact,delete", "compact,delete")
	f("cleanup.policy", "", "")
	f("leader.replication.throttled.replicas", "0:1, 0:1", "0:1,0:1")
	f("retention.ms", "of a later release", "of a later release")
}

func TestCheck(t *testing.T) {
	f := func(valid bool, pairs ...string) {
		t.Helper()
		s := Defaults()
		for i := 0; i < len(pairs); i += 2 {
			if err := s.Set(pairs[i], pairs[i+1]); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Check(); valid != (err == nil) || !valid && !errors.Is(err, kerr.InvalidConfig) {
			t.Errorf("%v: %v", pairs, err)
		}
	}
	f(true, "min.compaction.lag.ms", "5", "max.compaction.lag.ms", "5")
	f(false, "min.compaction.lag.ms", "5", "max.compaction.lag.ms", "4")
	f(true, "remote.storage.enable", "false", "remote.log.copy.disable", "true")
	f(false, "remote.storage.enable", "true")
}
