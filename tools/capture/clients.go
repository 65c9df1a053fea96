package main

import "github.com/heraclitus/heraclitus/tools/internal/run"

// Releases of Apache Kafka that are recorded: the last that serves the oldest versions, and the newest.
const (
	oldKafka = "3.9.2"
	newKafka = "4.3.1"
)

// programs is where the programs are that the clients are used by, from the top of the repository. Their README says how
// they are started and what each of their checks does.
const programs = "tools/interop/clients"

// client is a client that is recorded.
type client struct {
	name      string // of its folder of frames
	folder    string // of its program
	broker    string // release of Kafka
	limit     limit
	env       []string
	scenarios []scenario
	prepare   prepare
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

// clients are all that are recorded.
func clients() []client {
	all := []client{
		{name: "franz-go", folder: "franz-go", prepare: goProgram},
		{name: "sarama", folder: "sarama", prepare: goProgram},
		{name: "kafka-go", folder: "kafka-go", prepare: goProgram},
	}
	for i := range all {
		all[i].broker, all[i].limit, all[i].scenarios = newKafka, asServed, everything
	}
	return all
}
