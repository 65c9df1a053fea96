package metrics

import (
	"strconv"
	"sync/atomic"
	"time"
)

// apiVersionsMax bounds the version label of requests: no API of Kafka has come near it.
const apiVersionsMax = 64

// codesMax bounds the error label of answers likewise: codes of the protocol are below it, and -1 comes first.
const codesMax = 256

// API are the metrics of one API.
type API struct {
	Seconds *Histogram // from a request's last byte to its answer being written
	Errors  *Counter   // requests that ended their connection instead of being answered

	name     string
	requests *vec[*Counter]
	versions [apiVersionsMax]atomic.Pointer[Counter]
	refused  *vec[*Counter]
	codes    [codesMax]atomic.Pointer[Counter] // by code + 1
}

// API returns the metrics of the API of this name, for the caller to keep.
func (m *Metrics) API(name string) *API {
	return &API{
		Seconds: m.requestSeconds.with(name), Errors: m.requestErrors.with(name),
		name: name, requests: m.requests, refused: m.answerErrors,
	}
}

// Count counts one request of this version, which must be one the broker serves.
func (a *API) Count(version int16) {
	c := a.versions[version].Load()
	if c == nil {
		c = a.requests.with(a.name, strconv.Itoa(int(version)))
		a.versions[version].Store(c)
	}
	c.Inc()
}

// Refuse counts one error code of an answer; name says what it is called. Codes that no Kafka has are not counted.
func (a *API) Refuse(code int16, name func(code int16) string) {
	i := int(code) + 1
	if i < 0 || i >= codesMax {
		return
	}
	c := a.codes[i].Load()
	if c == nil {
		c = a.refused.with(a.name, name(code))
		a.codes[i].Store(c)
	}
	c.Inc()
}

// Operation are the metrics of one kind of storage operation.
type Operation struct {
	Count   *Counter
	Errors  *Counter
	Seconds *Histogram
	Bytes   *Counter
}

// Storage returns the metrics of one kind of storage operation (append, read, trim, checkpoint, ...), for the caller to keep.
func (m *Metrics) Storage(op string) *Operation {
	return &Operation{
		Count: m.storageOperations.with(op), Errors: m.storageErrors.with(op),
		Seconds: m.storageSeconds.with(op), Bytes: m.storageBytes.with(op),
	}
}

// Done notes one operation that began at start, moved bytes and ended in err.
func (o *Operation) Done(start time.Time, bytes int, err error) {
	o.Count.Inc()
	o.Seconds.UpdateDuration(start)
	if err != nil {
		o.Errors.Inc()
		return
	}
	o.Bytes.Add(bytes)
}
