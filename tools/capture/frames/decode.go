package frames

import (
	"encoding/binary"
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// decodeBudget is the memory, in bytes, that one decoded frame may take.
const decodeBudget = 256 << 20

// Where the fields lie that every request begins with, and every response.
const (
	requestHeadBytes = 8 // key, version, correlation id
	requestIDAt      = 4
	responseIDBytes  = 4
)

// NewRequest is the frame of a request, whose key and version its first bytes say.
func NewRequest(payload []byte) (Frame, error) {
	if len(payload) < requestHeadBytes {
		return Frame{}, fmt.Errorf("a request of %d bytes", len(payload))
	}
	f := Frame{Key: int16(binary.BigEndian.Uint16(payload)), Version: int16(binary.BigEndian.Uint16(payload[2:])), Payload: payload}
	if wire.NewRequest(f.Key) == nil {
		return f, fmt.Errorf("a request of an unknown API: %d", f.Key)
	}
	return f, nil
}

// NewResponse is the frame that answers a request.
func NewResponse(to Frame, payload []byte) Frame {
	f := Frame{Conn: to.Conn, Key: to.Key, Version: to.Version, Response: true, Payload: payload}
	if refusesVersion(f) {
		f.Version = 0
	}
	return f
}

// refusesVersion says whether a frame is the answer to an ApiVersions request of a version that the broker does not know.
func refusesVersion(f Frame) bool {
	return f.Key == wire.KeyApiVersions && len(f.Payload) >= responseIDBytes+2 &&
		kerr.Code(binary.BigEndian.Uint16(f.Payload[responseIDBytes:])) == kerr.UnsupportedVersion
}

// Correlation is the id that a response has in common with its request. Tokens, which have none, have 0.
func (f Frame) Correlation() int32 {
	at := 0
	if !f.Response {
		at = requestIDAt
	}
	if f.Key == Token || len(f.Payload) < at+responseIDBytes {
		return 0
	}
	return int32(binary.BigEndian.Uint32(f.Payload[at:]))
}

// LeftOverError is the error of a frame that is longer than what it says.
type LeftOverError struct {
	Name  string
	Bytes int
}

func (e LeftOverError) Error() string {
	return fmt.Sprintf("decode %s: %d bytes are left over", e.Name, e.Bytes)
}

// Decode reads the header and the body, which borrow from the payload, and wants to use up all of it. If it does not,
// header and body are good nevertheless, and the error is a LeftOverError. A token has neither.
func (f Frame) Decode() (header, body wire.Message, err error) {
	var r kbin.Reader
	r.Reset(f.Payload, decodeBudget)
	if f.Response {
		header, body = new(wire.ResponseHeader), wire.NewResponse(f.Key)
	} else {
		header, body = new(wire.RequestHeader), wire.NewRequest(f.Key)
	}
	header.Decode(&r, f.headerVersion())
	body.Decode(&r, f.Version)
	if r.Err() != nil {
		return nil, nil, fmt.Errorf("decode %s: %w", f.Name(), r.Err())
	}
	if r.Len() > 0 {
		return header, body, LeftOverError{f.Name(), r.Len()}
	}
	return header, body, nil
}

func (f Frame) headerVersion() int16 {
	if f.Response {
		return wire.ResponseHeaderVersion(f.Key, f.Version)
	}
	return wire.RequestHeaderVersion(f.Key, f.Version)
}

// Encode is the payload of a frame like f with another header and body.
func (f Frame) Encode(header, body wire.Message) []byte {
	return body.Append(header.Append(nil, f.headerVersion()), f.Version)
}

// Answered says whether the request gets an answer: all do, but Produce requests that want none.
func (f Frame) Answered() bool {
	if f.Key != wire.KeyProduce {
		return true
	}
	_, body, err := f.Decode()
	return err != nil || body.(*wire.ProduceRequest).Acks != 0
}
