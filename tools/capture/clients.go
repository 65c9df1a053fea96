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
		all = append(all, client{name, program, newKafka, asServed, everything})
	}
	for name, program := range map[string]string{"franz-go": "franz-go", "java-4.3": "java-4"} {
		all = append(all, client{name + newest, program, newKafka, asBroker, checks("admin", "zstd", "group")})
	}
	all = append(all, sweep()...)
	slices.SortFunc(all, func(a, b client) int { return strings.Compare(a.name, b.name) })
	return all
}

// newest ends the name of a client that may speak all that the broker does, and more than Heraclitus.
const newest = "-newest"

// Versions above which no client is offered any, in a sweep: from 1, because Kafka keeps no offsets for who speaks OffsetCommit 0, to
// below what is offered anyway.
const (
	sweepAdmin  = 7  // newest version of the APIs that the check of the admin is about
	sweepGroups = 9  // likewise of groups
	sweepMax    = 16 // likewise of all
)

// sweep is franz-go, which knows every version of every API, with a broker that knows most of them, offered no version above
// one, then another: so every version is spoken by somebody.
func sweep() (all []client) {
	for v := int16(1); v <= sweepMax; v++ {
		c := client{fmt.Sprintf("franz-go-v%02d", v), "franz-go", oldKafka, upTo(v), checks("gzip")}
		if v <= sweepAdmin {
			c.scenarios = append(c.scenarios, checks("admin")...)
		}
		if v <= sweepGroups {
			c.scenarios = append(c.scenarios, checks("group")...)
		}
		all = append(all, c)
	}
	return all
}
