package main

import (
	"regexp"
	"strings"
)

var idWord = regexp.MustCompile(`Id(s?)([A-Z]|$)`)

// goName is a spec's name as Go writes it: the word Id becomes ID, and all else stays. (V3AndBelowTransactionalId,
// LeaderIdAndEpoch, BrokerIds: V3AndBelowTransactionalID, LeaderIDAndEpoch, BrokerIDs.)
func goName(name string) string {
	return idWord.ReplaceAllString(strings.ToUpper(name[:1])+name[1:], "ID$1$2")
}

// nestedName is what a message's struct is called. Some specs begin the struct's name with the message's; it is not
// repeated.
func nestedName(message, name string) string {
	if strings.HasPrefix(name, message) {
		return goName(name)
	}
	return goName(message) + goName(name)
}

var wordStart = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// fileName is a name in lower case, its words joined by underscores: InitProducerId is init_producer_id.
func fileName(name string) string {
	return strings.ToLower(wordStart.ReplaceAllString(name, "${1}_$2"))
}
