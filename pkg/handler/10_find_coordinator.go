package handler

import (
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// FindCoordinator: key 10, versions 0 to 6.
//
//   - v0: the coordinator of a group.
//   - v1: or of a transactional id (KIP-98); a message beside the error; throttle time (KIP-124).
//   - v2: clients expect throttling after the response (KIP-219).
//   - v3: flexible (KIP-482).
//   - v4: several keys (KIP-699).
//   - v5: clients know TRANSACTION_ABORTABLE (KIP-890).
//   - v6: or of the state of a share group (KIP-932), which is not served.
//
// It is this node, for whatever key.

// Kinds of keys; Kafka's FindCoordinatorRequest.CoordinatorType.
const (
	coordinatorOfGroup       = 0
	coordinatorOfTransaction = 1
	coordinatorOfShare       = 2
)

func (h *Handler) findCoordinator(c *Call, q *wire.FindCoordinatorRequest, r *wire.FindCoordinatorResponse) error {
	if err := h.checkCount(len(q.CoordinatorKeys), "keys"); err != nil {
		return err
	}
	err := checkCoordinator(q.KeyType)
	if c.Version < 4 { // KIP-699
		r.NodeID, r.Host, r.Port = nodeOf(c, err)
		r.ErrorCode, r.ErrorMessage = int16(kerr.Of(err)), coordinatorMessage(err, "NONE")
		return nil
	}
	for _, key := range q.CoordinatorKeys {
		out := kbin.Add(&r.Coordinators)
		out.Key = key
		out.NodeID, out.Host, out.Port = nodeOf(c, err)
		out.ErrorCode, out.ErrorMessage = int16(kerr.Of(err)), coordinatorMessage(err, "")
	}
	return nil
}

func checkCoordinator(kind int8) error {
	switch kind {
	case coordinatorOfGroup, coordinatorOfTransaction:
		return nil
	case coordinatorOfShare:
		return fmt.Errorf("share groups are not served: %w", kerr.InvalidRequest)
	}
	return fmt.Errorf("coordinator type %d: %w", kind, kerr.InvalidRequest)
}

// coordinatorMessage is what is said of an error, or of there being none: something even then, as Kafka does.
func coordinatorMessage(err error, none string) *string {
	if err == nil {
		return &none
	}
	return message(err)
}

// nodeOf is where a client finds the coordinator: here, or nowhere.
func nodeOf(c *Call, err error) (id int32, host string, port int32) {
	if err != nil {
		return -1, "", -1
	}
	return nodeID, c.Conn.AdvertisedHost, c.Conn.AdvertisedPort
}
