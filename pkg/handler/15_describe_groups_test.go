package handler

import (
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

func TestDescribeGroupsThatAreNot(t *testing.T) {
	w := newWorld(t, Options{})
	eachVersion(wire.KeyDescribeGroups, 0, func(v int16) {
		r := ask[wire.DescribeGroupsResponse](w, wire.KeyDescribeGroups, v, &wire.DescribeGroupsRequest{Groups: []string{"none", ""}, IncludeAuthorizedOperations: v >= 3})
		for i, id := range []string{"none", ""} {
			g, want := &r.Groups[i], kerr.None
			if v >= 6 {
				want = kerr.GroupIDNotFound
			}
			if g.GroupID != id || kerr.Code(g.ErrorCode) != want || (g.ErrorMessage == nil) != (v < 6) || g.GroupState != "Dead" || len(g.Members) != 0 {
				t.Errorf("v%d: %+v", v, g)
			}
			if told := g.AuthorizedOperations != operationsUntold; told != (v >= 3 && v < 6) {
				t.Errorf("v%d: operations %d", v, g.AuthorizedOperations)
			}
		}
	})
}

func TestDescribeGroupsOfOffsetsOnly(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("orders", 1)
	w.commit(9, commitOf("g", "orders", commitAt(0, 1, nil)))
	r := ask[wire.DescribeGroupsResponse](w, wire.KeyDescribeGroups, 6, &wire.DescribeGroupsRequest{Groups: []string{"g"}})
	if g := r.Groups[0]; g.ErrorCode != 0 || g.GroupState != "Empty" || g.ProtocolType != "" {
		t.Errorf("%+v", g)
	}
}
