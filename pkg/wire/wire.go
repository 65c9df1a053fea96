// Package wire is Kafka's messages: a struct for each, generated from the specs in schemas/, that reads and writes itself in
// every version.
//
// A generated file shows the spec: the comment of a field says in which versions it is there (v3+), which tag it has, and
// whether it can be null; Decode and Append have a line for each field. Fields that a version lacks keep their default when
// it is read and are left out when it is written, whatever they hold. (Kafka refuses to write a version that cannot say what
// was set, unless the spec calls the field ignorable. Here a handler looks at the version where it matters.) Decode begins
// with Reset where a version can leave something as it was; elsewhere every field is read.
//
// Types: a nullable string is a *string, a nullable struct a pointer, and nil is null; of a nullable slice nil is null and
// anything else is not. Strings behind pointers are shared and never written to. Byte slices and records are views of what
// was read; see package kbin.
package wire

//go:generate go run ../../gen -schemas ../../schemas -out .

import "github.com/heraclitus/heraclitus/pkg/kbin"

// Message is what every generated type is, those inside of messages as well.
type Message interface {
	// Reset sets all fields to their defaults, which are those of the spec and not always zero. Slices keep their memory for
	// the next Decode, but for those that are null by default.
	Reset()
	// Decode resets the message and reads it, in one of the versions its spec has. What went wrong, if anything, is in
	// r.Err(); the message is then not to be used. Decode does not mind bytes that are left over.
	Decode(r *kbin.Reader, version int16)
	// Append appends the message in one of the versions its spec has, and cannot fail: null in a field that the version does
	// not let be null is written as empty, and a string of over 32767 bytes is cut.
	Append(b []byte, version int16) []byte
}

// api is a row of the registry.
type api struct {
	name              string
	min, max          int16
	flexible          int16 // first flexible version, or -1
	request, response func() Message
}

// fresh makes a message with its defaults.
func fresh[T any, P interface {
	*T
	Message
}]() Message {
	m := P(new(T))
	m.Reset()
	return m
}

// lookup finds an API; the key may come from a stranger.
func lookup(key int16) (a api, ok bool) {
	if key < 0 || int(key) >= len(apis) {
		return api{}, false
	}
	a = apis[key]
	return a, a.name != ""
}

// NewRequest is an empty request of the API, its defaults set, or nil if the key is unknown.
func NewRequest(key int16) Message {
	if a, ok := lookup(key); ok {
		return a.request()
	}
	return nil
}

// NewResponse is an empty response of the API, its defaults set, or nil if the key is unknown.
func NewResponse(key int16) Message {
	if a, ok := lookup(key); ok {
		return a.response()
	}
	return nil
}

// Name is what Kafka calls the API, such as "Produce", or "" if the key is unknown.
func Name(key int16) string {
	a, _ := lookup(key)
	return a.name
}

// Versions is the first and the last version that the spec of the API has, and the first flexible one (KIP-482), or -1 if
// there is none. It says nothing about what a server serves.
func Versions(key int16) (min, max, flexible int16, ok bool) {
	a, ok := lookup(key)
	return a.min, a.max, a.flexible, ok
}

// keyControlledShutdown is an API between brokers, of which there is no spec here, that is older than request headers with a
// client id.
const keyControlledShutdown = 7

// RequestHeaderVersion is the version of the RequestHeader before a request: 2 before a flexible one, else 1. An unknown API
// or version has 1 as well, of which all others but 0 are continuations.
func RequestHeaderVersion(key, version int16) int16 {
	switch {
	case key == keyControlledShutdown && version == 0:
		return 0
	case isFlexible(key, version):
		return 2
	}
	return 1
}

// ResponseHeaderVersion is the version of the ResponseHeader before a response: 1 before a flexible one, else 0.
// ApiVersions is the exception (KIP-511): its responses always have 0, so that a client can read one from a broker
// older than itself.
func ResponseHeaderVersion(key, version int16) int16 {
	if key != KeyApiVersions && isFlexible(key, version) {
		return 1
	}
	return 0
}

func isFlexible(key, version int16) bool {
	a, ok := lookup(key)
	return ok && a.flexible >= 0 && version >= a.flexible
}
