package server

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/heraclitus/heraclitus/pkg/handler"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/metrics"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// Limits on decoding one request.
const (
	headerBytesMin   = 8        // key, version, correlation id: what every request begins with
	decodedFactor    = 8        // a request may decode into this many times its bytes,
	decodedBytesMin  = 64 << 10 // into this many however small it is,
	decodedBytesMax  = 32 << 20 // and into no more than this however large; byte fields and records do not count: they are views
	recycledBytesMax = 64 << 10 // calls that grew beyond this are not used again
)

// Endings of a connection that its requests cause.
var (
	errMalformed   = errors.New("malformed request")
	errUnsupported = errors.New("unsupported request")
)

// call is a request on its way through the server.
type call struct {
	handler.Call
	api     *api
	conn    *conn
	frame   frame     // zero once released
	arrived time.Time // when its last byte was read
	decoded int64     // bytes it holds of the budget for what requests decode into
	large   bool      // decoded or encoded into much memory

	splices      handler.Splices // Response, if it can hold record bytes
	refuses      refuses         // Response, if it can say that something went wrong
	releaseFrame func()          // gives the frame back, if that has not been done
}

// refuses is implemented by responses that have error codes: EachError visits those that are errors.
type refuses interface {
	EachError(f func(code int16))
}

// api is how the server serves one API.
type api struct {
	handler.Row
	metrics *metrics.API
	refuse  func(code int16) // counts an error code of an answer
	calls   sync.Pool        // of *call
}

// newAPIs indexes a table by API key. Keys that nobody serves are nil.
func newAPIs(table []handler.Row, m *metrics.Metrics) []*api {
	highest := slices.MaxFunc(table, func(a, b handler.Row) int { return cmp.Compare(a.Key, b.Key) }).Key
	apis := make([]*api, highest+1)
	for _, row := range table {
		a := &api{Row: row, metrics: m.API(wire.Name(row.Key))}
		a.refuse = func(code int16) { a.metrics.Refuse(code, nameOf) }
		a.calls.New = a.newCall
		apis[row.Key] = a
	}
	return apis
}

func nameOf(code int16) string { return kerr.Code(code).Name() }

func (a *api) newCall() any {
	c := &call{api: a}
	c.Key, c.Request, c.Response = a.Key, wire.NewRequest(a.Key), wire.NewResponse(a.Key)
	c.splices, _ = c.Response.(handler.Splices)
	c.refuses, _ = c.Response.(refuses)
	c.releaseFrame = func() {
		if c.frame.bytes != nil {
			kbin.Poison(c.frame.bytes)
			c.conn.frames.release(c.frame)
			c.frame = frame{}
		}
	}
	return c
}

// recycle makes the call ready for another request of its API. Record bytes are forgotten explicitly: the messages keep
// their arrays for reuse, and would keep what those refer to from being freed.
func (c *call) recycle() {
	c.releaseFrame()
	c.conn.server.decoded.release(c.decoded)
	if c.large {
		return
	}
	for _, m := range []wire.Message{c.Request, c.Response} {
		if s, ok := m.(handler.Splices); ok {
			s.EachRecords(forgetRecords)
		}
	}
	c.Call.Reset()
	c.conn = nil
	c.api.calls.Put(c)
}

func forgetRecords(r *kbin.Records) { *r = kbin.Records{} }

// decode makes a frame a call. On an error the frame is released.
func (c *conn) decode(fr frame) (*call, error) {
	if c.shared.Session.Raw() {
		return c.token(fr), nil
	}
	api, version, err := c.server.route(fr.bytes)
	if err == nil {
		err = c.admit(api.Key)
	}
	if err != nil {
		c.frames.release(fr)
		return nil, err
	}
	call := c.begin(api, fr)
	call.Version, call.CorrelationID = version, int32(binary.BigEndian.Uint32(fr.bytes[4:]))
	if err := c.decodeVersion(call); err != nil {
		call.recycle()
		return nil, err
	}
	api.metrics.Count(call.Version)
	return call, nil
}

// begin takes a call for a frame.
func (c *conn) begin(a *api, fr frame) *call {
	call := a.calls.Get().(*call)
	call.conn, call.frame, call.arrived, call.decoded, call.large = c, fr, c.frames.now, 0, false
	call.Conn, call.ReleaseFrame = &c.shared, call.releaseFrame
	return call
}

// route reads which API a request is for.
func (s *Server) route(b []byte) (a *api, version int16, err error) {
	if len(b) < headerBytesMin {
		return nil, 0, fmt.Errorf("%w: %d bytes are too few", errMalformed, len(b))
	}
	key, version := int16(binary.BigEndian.Uint16(b)), int16(binary.BigEndian.Uint16(b[2:]))
	if key < 0 || int(key) >= len(s.apis) || s.apis[key] == nil {
		return nil, 0, fmt.Errorf("%w: API key %d, version %d", errUnsupported, key, version)
	}
	return s.apis[key], version, nil
}

// decodeVersion decodes a call whose version is served. An ApiVersions request of any other version is answered all the
// same, as Kafka does, so that clients newer than we are find out what we speak: nothing of it beyond the correlation id
// may be read, and the answer is of version 0.
func (c *conn) decodeVersion(call *call) error {
	if call.Version >= call.api.Min && call.Version <= call.api.Max {
		return c.decodeBody(call)
	}
	if call.Key != wire.KeyApiVersions {
		return fmt.Errorf("%w: %s version %d", errUnsupported, wire.Name(call.Key), call.Version)
	}
	call.Unsupported, call.Version, call.ClientID = true, 0, ""
	return nil
}

// decodeBody decodes the header and the request. Bytes after them are ignored, as Kafka ignores them. It waits until there
// is room, over all connections, for the most that they may decode into.
func (c *conn) decodeBody(call *call) (err error) {
	defer c.survive(call, &err)
	most := min(decodedBytesMin+decodedFactor*len(call.frame.bytes), decodedBytesMax)
	if !c.server.decoded.acquire(int64(most), c.done) {
		return errStopReading
	}
	call.decoded = int64(most)
	c.reader.Reset(call.frame.bytes, most)
	c.header.Reset()
	c.header.Decode(&c.reader, wire.RequestHeaderVersion(call.Key, call.Version))
	call.ClientID = ""
	if id := c.header.ClientID; id != nil {
		call.ClientID = *id
	}
	call.Request.Decode(&c.reader, call.Version)
	call.large = c.reader.Spent() > recycledBytesMax
	c.server.decoded.release(int64(most - c.reader.Spent()))
	call.decoded = int64(c.reader.Spent())
	if err := c.reader.Err(); err != nil {
		return fmt.Errorf("%w: %s version %d: %w", errMalformed, wire.Name(call.Key), call.Version, err)
	}
	return nil
}
