package main

import "regexp"

// check is a column of the table: what a client's program is asked to do, and the door of the server it has to come in by.
type check struct {
	name  string // the column
	ask   string // what the program is asked, where it is not the name
	door  door
	login login
}

// door is a listener of the server, by what it demands of clients.
type door string

const (
	open      door = "PLAINTEXT"
	sasl      door = "SASL_PLAINTEXT"
	encrypted door = "SSL"
	both      door = "SASL_SSL"
	mutual    door = "mutual SSL" // the client shows a certificate as well
)

// security is what clients call the protocol of a door.
func (d door) security() string {
	if d == mutual {
		return "SSL"
	}
	return string(d)
}

// login is how a client says who it is.
type login struct {
	mechanism string
	wrong     bool // with a password that is not the user's
}

var (
	plain     = login{mechanism: "PLAIN"}
	scram256  = login{mechanism: "SCRAM-SHA-256"}
	scram512  = login{mechanism: "SCRAM-SHA-512"}
	guess     = login{mechanism: "PLAIN", wrong: true}
	guess256  = login{mechanism: "SCRAM-SHA-256", wrong: true}
	anonymous = login{}
)

// checks are all there are, in the order of the table. ../clients/README.md says what each one is.
var checks = []check{
	{"admin", "", open, anonymous},
	{"none", "", open, anonymous},
	{"gzip", "", open, anonymous},
	{"snappy", "", open, anonymous},
	{"lz4", "", open, anonymous},
	{"zstd", "", open, anonymous},
	{"positions", "", open, anonymous},
	{"group", "", open, anonymous},
	{"resume", "", open, anonymous},
	{"static", "", open, anonymous},
	{"plain", "secure", sasl, plain},
	{"scram-256", "secure", sasl, scram256},
	{"scram-512", "secure", sasl, scram512},
	{"denied", "", sasl, guess},
	{"denied-scram", "denied", sasl, guess256},
	{"tls", "secure", encrypted, anonymous},
	{"mutual-tls", "secure", mutual, anonymous},
	{"sasl-tls", "secure", both, scram512},
}

// asks is what the client's program is asked.
func (c check) asks() string {
	if c.ask == "" {
		return c.name
	}
	return c.ask
}

// selected are the checks whose names match.
func selected(names *regexp.Regexp) (some []check) {
	for _, c := range checks {
		if names.MatchString(c.name) {
			some = append(some, c)
		}
	}
	return some
}

func checkNames() (all []string) {
	for _, c := range checks {
		all = append(all, c.name)
	}
	return all
}
