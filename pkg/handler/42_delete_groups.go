package handler

import (
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// DeleteGroups: key 42, versions 0 to 2.
//
//   - v0: groups with their offsets (KIP-229). Throttle time from the start.
//   - v1: clients expect throttling after the response (KIP-219).
//   - v2: flexible (KIP-482).
//
// Each group is deleted, durably, or refused by itself: one with members is, and one that does not exist. One that is named
// more than once is answered once, as in Kafka.

func (h *Handler) deleteGroups(_ *Call, q *wire.DeleteGroupsRequest, r *wire.DeleteGroupsResponse) error {
	seen := map[string]bool{}
	for _, id := range q.GroupsNames {
		if seen[id] {
			continue
		}
		seen[id] = true
		out := kbin.Add(&r.Results)
		out.GroupID, out.ErrorCode = id, int16(h.groups.Delete(id))
	}
	return nil
}
