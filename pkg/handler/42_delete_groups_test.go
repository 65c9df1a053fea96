package handler

import (
	"fmt"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

func TestDeleteGroupsEveryVersion(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("orders", 1)
	w.member("busy")
	eachVersion(wire.KeyDeleteGroups, 0, func(v int16) {
		w.commit(9, commitOf("offsets", "orders", commitAt(0, 1, nil)))
		var got []string
		for _, g := range ask[wire.DeleteGroupsResponse](w, wire.KeyDeleteGroups, v, &wire.DeleteGroupsRequest{GroupsNames: []string{"none", "offsets", "busy", "offsets", ""}}).Results {
			got = append(got, fmt.Sprint(g.GroupID, " ", kerr.Code(g.ErrorCode).Name()))
		}
		w.expect(fmt.Sprint("v", v), got, "none GROUP_ID_NOT_FOUND", "offsets NONE", "busy NON_EMPTY_GROUP", " GROUP_ID_NOT_FOUND")
		if o := w.stored("offsets", "orders"); o.Offset != -1 {
			t.Errorf("v%d: the offset %d outlived its group", v, o.Offset)
		}
	})
}
