package handler

import (
	"fmt"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/wire"
)

func TestListGroupsEveryVersion(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("orders", 1)
	w.commit(9, commitOf("offsets", "orders", commitAt(0, 1, nil)))
	w.member("consumers")
	eachVersion(wire.KeyListGroups, 0, func(v int16) {
		state := func(s string) string {
			if v < 4 {
				return ""
			}
			return s
		}
		kind := map[bool]string{true: "classic"}[v >= 5]
		consumers, offsets := "consumers consumer "+state("Stable")+" "+kind, "offsets  "+state("Empty")+" "+kind
		f := func(q *wire.ListGroupsRequest, want ...string) {
			t.Helper()
			var got []string
			for _, g := range ask[wire.ListGroupsResponse](w, wire.KeyListGroups, v, q).Groups {
				got = append(got, fmt.Sprint(g.GroupID, " ", g.ProtocolType, " ", g.GroupState, " ", g.GroupType))
			}
			w.expect(fmt.Sprint("v", v, " ", q.StatesFilter, q.TypesFilter), got, want...)
		}
		f(&wire.ListGroupsRequest{}, consumers, offsets)
		if v >= 4 {
			f(&wire.ListGroupsRequest{StatesFilter: []string{"stable", "Dead"}}, consumers)
			f(&wire.ListGroupsRequest{StatesFilter: []string{"nonsense"}})
		}
		if v >= 5 {
			f(&wire.ListGroupsRequest{TypesFilter: []string{"Classic"}}, consumers, offsets)
			f(&wire.ListGroupsRequest{TypesFilter: []string{"share", "consumer"}})
		}
	})
}
