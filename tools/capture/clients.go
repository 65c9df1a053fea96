package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/heraclitus/heraclitus/tools/internal/run"
)

// Releases of Apache Kafka that are recorded: the last that serves the oldest versions, and the newest.
const (
	oldKafka = "3.9.2"
	newKafka = "4.3.1"
)

// client is a client that is recorded.
type client struct {
	name      string // of its folder of frames
	program   string // name of its program, in package clients
	broker    string // release of Kafka
	limit     limit
	scenarios []scenario
	env       []string // what its program is told besides
}

// scenario is a check that a client makes, over a connection of a kind.
type scenario struct {
	name      string // of its folder of frames
	check     string
	mechanism string // of SASL; empty for none
	password  string
}

const (
	rightPassword = run.KafkaPassword
	wrongPassword = "capture-guess"
)

var (
	codecs = checks("none", "gzip", "snappy", "lz4", "zstd")
	plain  = append(checks("admin", "positions", "group", "resume", "static"), codecs...)
	sasl   = []scenario{
		{"sasl-plain", "secure", "PLAIN", rightPassword},
		{"sasl-scram-256", "secure", "SCRAM-SHA-256", rightPassword},
		{"sasl-scram-512", "secure", "SCRAM-SHA-512", rightPassword},
		{"sasl-denied", "denied", "PLAIN", wrongPassword},
	}
	everything = append(plain, sasl...)
)

// checks are scenarios without SASL.
func checks(names ...string) (all []scenario) {
	for _, name := range names {
		all = append(all, scenario{name: name, check: name})
	}
	return all
}

// recorded are the clients that are recorded.
func recorded() []client {
	var all []client
	for name, program := range map[string]string{
		"franz-go": "franz-go", "sarama": "sarama", "kafka-go": "kafka-go", "librdkafka": "confluent-kafka", "kafka-python": "kafka-python",
		"aiokafka": "aiokafka", "kafkajs": "kafkajs", "java-3.9": "java-3", "java-4.3": "java-4",
	} {
		all = append(all, client{name: name, program: program, broker: newKafka, limit: asServed, scenarios: everything})
	}
	for name, program := range map[string]string{"franz-go": "franz-go", "java-4.3": "java-4"} {
		all = append(all, client{name: name + newest, program: program, broker: newKafka, limit: asBroker, scenarios: checks("admin", "zstd", "group")})
	}
	all = append(all, client{name: "franz-go", program: "franz-go", broker: newKafka, limit: asServed, scenarios: checks("groups")})
	all = append(all, sweep()...)
	all = append(all, dated()...)
	slices.SortFunc(all, func(a, b client) int { return strings.Compare(a.name, b.name) })
	return all
}

// newest ends the name of a client that may speak all that the broker does, and more than Heraclitus.
const newest = "-newest"

// Versions above which no client is offered any, in a sweep: up to one below what is offered anyway.
const (
	sweepSASL   = 1  // newest version of the APIs that a login is about
	sweepGroups = 5  // likewise of what administrators ask about groups
	sweepAdmin  = 7  // likewise of what they ask about topics
	sweepGroup  = 9  // likewise of members of groups
	sweepMax    = 16 // likewise of all
)

// sweep is franz-go, which knows every version of every API, with a broker that knows most of them, offered no version above
// one, then another: so every version is spoken by somebody.
func sweep() (all []client) {
	for v := int16(0); v <= sweepMax; v++ {
		c := client{name: fmt.Sprintf("franz-go-v%02d", v), program: "franz-go", broker: oldKafka, limit: upTo(v), scenarios: checks("gzip"), env: formats(v)}
		if v <= sweepSASL {
			c.scenarios = append(c.scenarios, sasl...)
		}
		if v == 0 { // a login without headers has no error to be denied with
			c.scenarios = slices.DeleteFunc(c.scenarios, func(s scenario) bool { return s.check == "denied" })
		}
		if v <= sweepGroups {
			c.scenarios = append(c.scenarios, checks("groups")...)
		}
		if v <= sweepAdmin {
			c.scenarios = append(c.scenarios, checks("admin")...)
		}
		if v <= sweepGroup {
			c.scenarios = append(c.scenarios, checks("group", "resume")...)
		}
		all = append(all, c)
	}
	return all
}

// formats tells a program the newest format that both Produce and Fetch know in a version: they learn of each at
// different times.
func formats(v int16) []string {
	switch {
	case v < 2:
		return []string{"MAGIC=0"}
	case v < 4:
		return []string{"MAGIC=1"}
	}
	return nil
}

// dated are clients that are told which release of Kafka the broker is, as people had to tell them who had old ones.
func dated() (all []client) {
	old := checks("group", "resume", "none", "gzip", "snappy", "lz4")
	for _, program := range []string{"sarama", "kafka-python"} {
		all = append(all,
			client{program + "-0.10", program, oldKafka, asServed, old, []string{"RELEASE=0.10.2.0", "MAGIC=1"}},
			client{program + "-1.0", program, oldKafka, asServed, old, []string{"RELEASE=1.0.0"}})
	}
	return all
}
