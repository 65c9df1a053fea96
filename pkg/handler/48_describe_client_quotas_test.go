package handler

import (
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// TestDescribeClientQuotas shows that an empty list is the answer to good filters, and null, with the reason, to bad ones.
func TestDescribeClientQuotas(t *testing.T) {
	w := newWorld(t, Options{})
	f := func(want kerr.Code, components ...wire.DescribeClientQuotasRequestComponentData) {
		t.Helper()
		eachVersion(wire.KeyDescribeClientQuotas, 0, func(v int16) {
			r := ask[wire.DescribeClientQuotasResponse](w, wire.KeyDescribeClientQuotas, v, &wire.DescribeClientQuotasRequest{Components: components})
			good := want == kerr.None
			if kerr.Code(r.ErrorCode) != want || (r.Entries != nil) != good || len(r.Entries) != 0 || (text(r.ErrorMessage) == "") != good {
				t.Errorf("v%d: %+v, want %v", v, r, want)
			}
		})
	}
	component := func(kind string, match int8, name *string) wire.DescribeClientQuotasRequestComponentData {
		return wire.DescribeClientQuotasRequestComponentData{EntityType: kind, MatchType: match, Match: name}
	}
	name := "al"
	f(kerr.None)
	f(kerr.None, component("user", matchAny, nil))
	f(kerr.None, component("user", matchExact, &name), component("client-id", matchDefault, nil))
	f(kerr.None, component("ip", matchExact, &name))
	f(kerr.InvalidRequest, component("ip", matchAny, nil), component("client-id", matchAny, nil))
	f(kerr.InvalidRequest, component("user", matchAny, nil), component("user", matchExact, &name))
	f(kerr.InvalidRequest, component("", matchAny, nil))
	f(kerr.UnsupportedVersion, component("color", matchAny, nil))
	f(kerr.InvalidRequest, component("user", 3, nil))
	f(kerr.InvalidRequest, component("user", -1, nil))
	f(kerr.InvalidRequest, component("user", matchExact, nil))
	f(kerr.InvalidRequest, component("user", matchDefault, &name))
	f(kerr.InvalidRequest, component("user", matchAny, &name))
}
