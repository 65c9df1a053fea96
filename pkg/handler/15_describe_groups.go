package handler

import (
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// DescribeGroups: key 15, versions 0 to 6.
//
//   - v0: groups with their members.
//   - v1: throttle time (KIP-124).
//   - v2: clients expect throttling after the response (KIP-219).
//   - v3: what the client may do to the group (KIP-430).
//   - v4: static members (KIP-345).
//   - v5: flexible (KIP-482).
//   - v6: a group that does not exist is an error, with a message (KIP-1043); before, it was Dead and no error.

func (h *Handler) describeGroups(c *Call, q *wire.DescribeGroupsRequest, r *wire.DescribeGroupsResponse) error {
	if err := h.checkCount(len(q.Groups), "groups"); err != nil {
		return err
	}
	missingIsError := c.Version >= 6 // KIP-1043
	told := 0
	for _, id := range q.Groups {
		if told > groupsBytesMax {
			return errGroupsTooLarge
		}
		out := kbin.Add(&r.Groups)
		told += h.describeGroup(id, missingIsError, out)
		if q.IncludeAuthorizedOperations && out.ErrorCode == 0 {
			out.AuthorizedOperations = groupOperations
		}
	}
	return nil
}

// describeGroup answers for one group, and says about how many bytes that takes.
func (h *Handler) describeGroup(id string, missingIsError bool, out *wire.DescribeGroupsResponseDescribedGroup) (bytes int) {
	g, code := h.groups.Describe(id)
	out.GroupID, out.GroupState, out.ProtocolType, out.ProtocolData = id, g.State, g.ProtocolType, g.Protocol
	if code == kerr.GroupIDNotFound && missingIsError {
		out.ErrorCode, out.ErrorMessage = int16(code), message(fmt.Errorf("group %s not found: %w", id, code))
	}
	for i := range g.Members {
		m, from := kbin.Add(&out.Members), &g.Members[i]
		m.MemberID, m.GroupInstanceID, m.ClientID, m.ClientHost = from.ID, nullable(from.InstanceID), from.ClientID, from.ClientHost
		m.MemberMetadata, m.MemberAssignment = from.Metadata, from.Assignment
		bytes += len(from.ID) + len(from.ClientID) + len(from.ClientHost) + len(from.Metadata) + len(from.Assignment)
	}
	return bytes
}
