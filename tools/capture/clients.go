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
		"aiokafka": "aiokafka", "kafkajs": "kafkajs", "java-3.9": "java-3.9", "java-4.3": "java-4.3",
	} {
		all = append(all, client{name, program, newKafka, asServed, everything})
	}
	for _, name := range []string{"franz-go", "java-4.3"} {
		all = append(all, client{name + newest, name, newKafka, asBroker, checks("admin", "zstd", "group")})
	}
	all = append(all, sweep()...)
	slices.SortFunc(all, func(a, b client) int { return strings.Compare(a.name, b.name) })
	return all
}

// newest ends the name of a client that may speak all that the broker does, and more than Heraclitus.
const newest = "-newest"

// sweepMax is the newest version that a sweep offers: that of Fetch has most.
const sweepMax = 16

// sweep is franz-go, which knows every version of every API, with a broker that knows most of them, offered no version above
// one, then another: so every version is spoken by somebody. Nothing below 1 is offered, because Kafka keeps no offsets
// for who speaks OffsetCommit 0.
func sweep() (all []client) {
	for v := int16(1); v <= sweepMax; v++ {
		all = append(all, client{fmt.Sprintf("franz-go-v%02d", v), "franz-go", oldKafka, upTo(v), checks("admin", "gzip", "group", "resume")})
	}
	return all
}
