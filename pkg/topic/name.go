// Package topic knows what may be said of a topic: which names are legal, and which settings it can have.
//
// Both are Kafka's, so that what a client is told here is what it would be told there. The package holds no state; the
// engine keeps what was set on a topic, and turns it into [Settings] once.
package topic

import (
	"fmt"
	"strings"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// NameBytesMax is the longest name a topic may have.
const NameBytesMax = 249

// CheckName returns nil for a legal topic name, else why it is not, wrapping InvalidTopicException. Legal are 1 to
// [NameBytesMax] ASCII letters, digits, '.', '_' and '-', but neither "." nor ".."; Kafka's Topic.validate.
func CheckName(name string) error {
	if why := fault(name); why != "" {
		return fmt.Errorf("topic name is invalid: %s: %w", why, kerr.InvalidTopicException)
	}
	return nil
}

func fault(name string) string {
	switch {
	case name == "":
		return "the empty string is not allowed"
	case name == "." || name == "..":
		return fmt.Sprintf("'%s' is not allowed", name)
	case len(name) > NameBytesMax:
		return fmt.Sprintf("its length %d is more than %d", len(name), NameBytesMax)
	case strings.IndexFunc(name, illegal) >= 0:
		return fmt.Sprintf("'%s' has characters other than ASCII letters, digits, '.', '_' and '-'", name)
	}
	return ""
}

func illegal(c rune) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		return false
	}
	return true
}

// Unified returns the name with every '.' as '_'. Kafka lets no two topics have the same unified name, because names of
// metrics are made of it.
func Unified(name string) string { return strings.ReplaceAll(name, ".", "_") }

// MayCollide says whether another legal name can have the same unified name: a loop over all topics is spared if not.
func MayCollide(name string) bool { return strings.ContainsAny(name, "._") }

// IsInternal says whether clients are told that a topic of this name is Kafka's own.
func IsInternal(name string) bool {
	switch name {
	case "__consumer_offsets", "__transaction_state", "__share_group_state":
		return true
	}
	return false
}
