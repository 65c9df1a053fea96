package handler

import "github.com/heraclitus/heraclitus/pkg/wire"

// ListPartitionReassignments: key 46, version 0 (KIP-455): partitions that are being moved to other nodes. There are no
// other nodes, so no partition ever is. Kafka says the same of partitions that do not exist.

func (h *Handler) listPartitionReassignments(_ *Call, _ *wire.ListPartitionReassignmentsRequest, r *wire.ListPartitionReassignmentsResponse) error {
	r.ErrorMessage = nil
	return nil
}
