package handler

import (
	"slices"

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
	if err := h.checkCount(len(q.GroupsNames), "groups"); err != nil {
		return err
	}
	seen := map[string]bool{}
	ids := slices.DeleteFunc(q.GroupsNames, func(id string) bool {
		again := seen[id]
		seen[id] = true
		return again
	})
	for i, code := range h.groups.Delete(ids) {
		out := kbin.Add(&r.Results)
		out.GroupID, out.ErrorCode = ids[i], int16(code)
	}
	return nil
}
