package handler

import (
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// InitProducerId: key 22, versions 0 to 5.
//
//   - v0: a producer id, for idempotence or for transactions (KIP-98).
//   - v1: clients expect throttling after the response (KIP-219).
//   - v2: flexible (KIP-482).
//   - v3: the id and epoch that the producer had (KIP-360).
//   - v4: clients know PRODUCER_FENCED (KIP-588).
//   - v5: clients know TRANSACTION_ABORTABLE (KIP-890).
//   - Not served: v6, two-phase commit (KIP-939).
//
// A producer without transactional id gets a new id, whatever it had. Ids are given once, also over restarts.
//
// Transactions are not there yet. A transactional id that Kafka would take is answered with
// TRANSACTIONAL_ID_AUTHORIZATION_FAILED: nobody may use one here. It is the code that every client gives up on at once.

// transactionTimeoutMsMax is Kafka's transaction.max.timeout.ms.
const transactionTimeoutMsMax = 15 * 60 * 1000

func (h *Handler) initProducerID(_ *Call, q *wire.InitProducerIDRequest, r *wire.InitProducerIDResponse) error {
	r.ProducerEpoch = -1
	if code := refuseProducer(q); code != kerr.None {
		r.ErrorCode = int16(code)
		return nil
	}
	given, err := h.engine.Do(state.AllocateProducerID{})
	if err != nil {
		r.ErrorCode = int16(kerr.Of(err))
		return nil
	}
	r.ProducerID, r.ProducerEpoch = given.ProducerID, 0
	return nil
}

// refuseProducer says why a producer gets no id.
func refuseProducer(q *wire.InitProducerIDRequest) kerr.Code {
	id := q.TransactionalID
	switch {
	case (q.ProducerID == -1) != (q.ProducerEpoch == -1):
		return kerr.InvalidRequest
	case id == nil:
		return kerr.None
	case *id == "":
		return kerr.InvalidRequest
	case q.TransactionTimeoutMs <= 0 || q.TransactionTimeoutMs > transactionTimeoutMsMax:
		return kerr.InvalidTransactionTimeout
	}
	return kerr.TransactionalIDAuthorizationFailed
}
