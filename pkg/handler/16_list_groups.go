package handler

import (
	"slices"
	"strings"

	"github.com/heraclitus/heraclitus/pkg/group"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// ListGroups: key 16, versions 0 to 5.
//
//   - v0: all groups.
//   - v1: throttle time (KIP-124).
//   - v2: clients expect throttling after the response (KIP-219).
//   - v3: flexible (KIP-482).
//   - v4: states, and which of them are asked for (KIP-518).
//   - v5: types, likewise (KIP-848).

// classicType is the type of groups whose members assign among themselves; Kafka's Group.GroupType.
const classicType = "classic"

func (h *Handler) listGroups(_ *Call, q *wire.ListGroupsRequest, r *wire.ListGroupsResponse) error {
	if !wanted(q.TypesFilter, classicType) {
		return nil
	}
	listed := h.groups.List()
	for _, g := range slices.DeleteFunc(listed, func(g group.Listed) bool { return !wanted(q.StatesFilter, g.State) }) {
		out := kbin.Add(&r.Groups)
		out.GroupID, out.ProtocolType, out.GroupState, out.GroupType = g.ID, g.ProtocolType, g.State, classicType
	}
	return nil
}

// wanted says whether a filter lets a name through, in whatever case. An empty filter does.
func wanted(filter []string, name string) bool {
	return len(filter) == 0 || slices.ContainsFunc(filter, func(f string) bool { return strings.EqualFold(f, name) })
}
