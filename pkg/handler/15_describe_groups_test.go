package handler

import (
	"slices"
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

// TestDescribeGroupsOverAndOver shows that a group that is large cannot be asked for so often that the answer outgrows memory.
func TestDescribeGroupsOverAndOver(t *testing.T) {
	w := newWorld(t, Options{})
	q := joinOf("large")
	q.Protocols[0].Metadata = make([]byte, 900<<10)
	w.memberOf(q)
	f := func(times int, hangsUp bool) {
		t.Helper()
		r, err := try[wire.DescribeGroupsResponse](w, wire.KeyDescribeGroups, 6, &wire.DescribeGroupsRequest{Groups: slices.Repeat([]string{"large"}, times)})
		if hangsUp != (err != nil) || !hangsUp && len(r.Groups) != times {
			t.Errorf("%d times: %v", times, err)
		}
	}
	f(2, false)
	f(groupsBytesMax/(900<<10)+2, true)
}
