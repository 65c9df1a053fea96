package handler

import (
	"fmt"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

func TestFindCoordinatorEveryVersion(t *testing.T) {
	w := newWorld(t, Options{})
	eachVersion(wire.KeyFindCoordinator, 0, func(v int16) {
		for kind, want := range []string{"NONE 1 here.example 9092", "NONE 1 here.example 9092", "INVALID_REQUEST -1  -1", "INVALID_REQUEST -1  -1"} {
			if v == 0 && kind > 0 {
				break // v0 knows groups only
			}
			r := ask[wire.FindCoordinatorResponse](w, wire.KeyFindCoordinator, v, &wire.FindCoordinatorRequest{Key: "g", KeyType: int8(kind), CoordinatorKeys: []string{"g", ""}})
			if v < 4 {
				if got := fmt.Sprint(kerr.Code(r.ErrorCode).Name(), " ", r.NodeID, " ", r.Host, " ", r.Port); got != want || v > 0 && r.ErrorMessage == nil {
					t.Errorf("v%d, type %d: %s", v, kind, got)
				}
				continue
			}
			for i, key := range []string{"g", ""} {
				c := &r.Coordinators[i]
				if got := fmt.Sprint(kerr.Code(c.ErrorCode).Name(), " ", c.NodeID, " ", c.Host, " ", c.Port); got != want || c.Key != key || c.ErrorMessage == nil {
					t.Errorf("v%d, type %d: %s, key %q", v, kind, got, c.Key)
				}
			}
		}
	})
}
