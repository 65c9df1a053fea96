package handler

import (
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

func TestInitProducerIDEveryVersion(t *testing.T) {
	w := newWorld(t, Options{})
	last := int64(-1)
	eachVersion(wire.KeyInitProducerID, 0, func(v int16) {
		r := ask[wire.InitProducerIDResponse](w, wire.KeyInitProducerID, v, &wire.InitProducerIDRequest{ProducerID: -1, ProducerEpoch: -1})
		if r.ErrorCode != 0 || r.ProducerID <= last || r.ProducerEpoch != 0 {
			t.Errorf("v%d: %+v after %d", v, r, last)
		}
		last = r.ProducerID
	})
}

func TestInitProducerIDRefusals(t *testing.T) {
	w := newWorld(t, Options{})
	f := func(want kerr.Code, q wire.InitProducerIDRequest) {
		t.Helper()
		r := ask[wire.InitProducerIDResponse](w, wire.KeyInitProducerID, 4, &q)
		if kerr.Code(r.ErrorCode) != want || want != kerr.None && (r.ProducerID != -1 || r.ProducerEpoch != -1) {
			t.Errorf("%+v: %+v", q, r)
		}
	}
	f(kerr.InvalidRequest, wire.InitProducerIDRequest{ProducerID: 5, ProducerEpoch: -1})
	f(kerr.InvalidRequest, wire.InitProducerIDRequest{ProducerID: -1, ProducerEpoch: 3})
	f(kerr.None, wire.InitProducerIDRequest{ProducerID: 5, ProducerEpoch: 3})
	f(kerr.None, wire.InitProducerIDRequest{ProducerID: -1, ProducerEpoch: -1, TransactionTimeoutMs: -5})
	named := func(id string, timeoutMs int32) wire.InitProducerIDRequest {
		return wire.InitProducerIDRequest{TransactionalID: &id, TransactionTimeoutMs: timeoutMs, ProducerID: -1, ProducerEpoch: -1}
	}
	f(kerr.InvalidRequest, named("", 60_000))
	f(kerr.InvalidTransactionTimeout, named("x", 0))
	f(kerr.InvalidTransactionTimeout, named("x", 15*60*1000+1))
	f(kerr.TransactionalIDAuthorizationFailed, named("x", 15*60*1000))
	w.journal.err.Store(&errBroken)
	f(kerr.KafkaStorageError, wire.InitProducerIDRequest{ProducerID: -1, ProducerEpoch: -1})
}
