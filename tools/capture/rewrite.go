package main

import (
	"reflect"

	"github.com/heraclitus/heraclitus/pkg/handler"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// limit is the newest version of an API that clients are offered, given what the broker serves.
type limit func(key, newest int16) int16

// asServed offers what Heraclitus serves, so that it can be asked the same, and all of the APIs that it does not serve.
func asServed(key, newest int16) int16 {
	for _, row := range handler.Table() {
		if row.Key == key {
			return min(newest, row.Max)
		}
	}
	return newest
}

// asBroker offers all that the broker does.
func asBroker(_, newest int16) int16 { return newest }

// upTo offers no version of any API that is newer than v, but for the oldest that are of use.
func upTo(v int16) limit {
	return func(key, newest int16) int16 { return min(max(v, useful[key]), asServed(key, newest)) }
}

// useful are the oldest versions of APIs with which a client comes through a check, where that is not 0: before
// OffsetCommit and OffsetFetch 1 ZooKeeper kept offsets, which Kafka no longer has, and before Metadata 1 nobody says
// where the controller is, who creates topics.
var useful = map[int16]int16{wire.KeyMetadata: 1, wire.KeyOffsetCommit: 1, wire.KeyOffsetFetch: 1}

// rewrite changes a response into what the client is to see, and says whether there was something to change.
func (r *relay) rewrite(body wire.Message) bool {
	if versions, ok := body.(*wire.ApiVersionsResponse); ok {
		for i := range versions.ApiKeys {
			a := &versions.ApiKeys[i]
			a.MaxVersion = max(a.MinVersion, r.limit(a.ApiKey, a.MaxVersion))
		}
		return true
	}
	host, port := r.hostPort()
	return relocate(reflect.ValueOf(body).Elem(), host, port)
}

// relocate puts an address in the place of every one in v that is not empty: fields called Host and Port, side by side.
func relocate(v reflect.Value, host string, port int32) (found bool) {
	switch v.Kind() {
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Struct {
			return false
		}
		for i := range v.Len() {
			found = relocate(v.Index(i), host, port) || found
		}
	case reflect.Struct:
		h, p := v.FieldByName("Host"), v.FieldByName("Port")
		if h.IsValid() && p.IsValid() && h.String() != "" {
			h.SetString(host)
			p.SetInt(int64(port))
			return true
		}
		for i := range v.NumField() {
			found = relocate(v.Field(i), host, port) || found
		}
	}
	return found
}
