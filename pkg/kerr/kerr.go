// Package kerr is the one vocabulary for what goes wrong: Kafka's error codes, as Go errors.
//
// Any layer may return a Code, wrapped in what it was doing, where a client is to be told something more exact than
// "unknown server error". Only a handler turns an error back into a code, by Of, and writes it into a response.
package kerr

import (
	"errors"
	"fmt"
)

// Code is an error code of the Kafka protocol, as it stands in responses. Its facts are those of
// org.apache.kafka.common.protocol.Errors.
//
// A Code held in an error is never nil: success is returned as a nil error, not as None.
type Code int16

// Error is Name, so that a code is found in logs by the word that clients print.
func (c Code) Error() string { return c.Name() }

// Name is the code's name in Kafka: "UNKNOWN_TOPIC_OR_PARTITION". A code that this release of Kafka does not have is
// named by its number: "ERROR_CODE_999".
func (c Code) Name() string {
	if !c.known() {
		return fmt.Sprintf("ERROR_CODE_%d", int16(c))
	}
	return facts[c+1].name
}

// Retriable says whether Kafka's own clients send the same request again when they see the code: whether its exception
// in the Java client is a RetriableException. A code that is not known is not retriable.
func (c Code) Retriable() bool { return c.known() && facts[c+1].retriable }

func (c Code) known() bool { return c >= UnknownServerError && int(c)+1 < len(facts) }

// Of is the code that a response carries for err: None for nil, the outermost Code that err wraps, or
// UnknownServerError when it wraps none.
func Of(err error) Code {
	if err == nil {
		return None
	}
	if code, ok := errors.AsType[Code](err); ok {
		return code
	}
	return UnknownServerError
}
