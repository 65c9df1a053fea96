package handler

import (
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// TestDescribeAcls shows that tools are told that there are no permissions, rather than that nobody has any.
func TestDescribeAcls(t *testing.T) {
	w := newWorld(t, Options{})
	eachVersion(wire.KeyDescribeAcls, 0, func(v int16) {
		r := ask[wire.DescribeAclsResponse](w, wire.KeyDescribeAcls, v, &wire.DescribeAclsRequest{ResourceTypeFilter: 1, PatternTypeFilter: 3, Operation: 1, PermissionType: 1})
		if kerr.Code(r.ErrorCode) != kerr.SecurityDisabled || text(r.ErrorMessage) != "there are no permissions" || len(r.Resources) != 0 {
			t.Errorf("v%d: %+v", v, r)
		}
	})
}
