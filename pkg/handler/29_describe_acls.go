package handler

import (
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// DescribeAcls: key 29, versions 0 to 3 (KIP-140): who may do what. There are no permissions. Whatever is asked, the
// answer is the code of a Kafka without an authorizer: consoles and MirrorMaker know it, and carry on.
//
//   - v1: patterns of names (KIP-290).
//   - v2: flexible (KIP-482).
//   - v3: resources of the type user (KIP-373).

func (h *Handler) describeAcls(_ *Call, _ *wire.DescribeAclsRequest, r *wire.DescribeAclsResponse) error {
	r.ErrorCode, r.ErrorMessage = int16(kerr.SecurityDisabled), new("there are no permissions")
	return nil
}
